//! Secrets and personal data stay out of `Debug` output.

use paymesh_proto::payment::v1::{HandleWebhookRequest, WebhookHeader};
use paymesh_proto::user::v1::{LoginRequest, UpdateUserRequest};

#[test]
fn debug_shows_neither_passwords_nor_addresses() {
    let request = LoginRequest {
        tenant_id: "tnt_1".to_owned(),
        email: "ada@example.org".to_owned(),
        password: "correct horse battery".to_owned(),
    };
    let shown = format!("{request:?}");
    assert_eq!(
        shown,
        "LoginRequest { tenant_id: \"tnt_1\", email: [redacted], password: [redacted] }"
    );
}

#[test]
fn debug_of_optional_and_repeated_secrets_is_redacted_too() {
    let update = UpdateUserRequest {
        name: Some("Ada".to_owned()),
        ..UpdateUserRequest::default()
    };
    assert!(!format!("{update:?}").contains("Ada"));

    let header = WebhookHeader {
        name: "signature".to_owned(),
        value: "t=1,v1=abc".to_owned(),
    };
    let webhook = HandleWebhookRequest {
        headers: vec![header],
        body: b"{}".to_vec(),
        ..HandleWebhookRequest::default()
    };
    assert!(!format!("{webhook:?}").contains("abc"));
}

#[test]
fn what_looks_like_a_secret_or_a_contact_is_marked_sensitive() {
    let pool = super::pool();
    let sensitive = pool
        .get_extension_by_name("paymesh.options.v1.sensitive")
        .unwrap();
    let names = [
        "password",
        "email",
        "secret",
        "access_token",
        "refresh_token",
        "provider_token",
        "last4",
    ];
    for field in pool
        .all_messages()
        .flat_map(|m| m.fields().collect::<Vec<_>>())
    {
        if names
            .iter()
            .any(|n| field.name() == *n || field.name().ends_with(&format!("_{n}")))
        {
            let value = field.options().get_extension(&sensitive).as_bool();
            assert_eq!(value, Some(true), "{}", field.full_name());
        }
    }
}
