//! Access tokens and the keys that sign them (U7).

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use paymesh_proto::user::v1::{GetJwksRequest, Jwk};
use serde_json::Value;

use crate::world::{EMAIL, PASSWORD, World, worlds};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

async fn jwks(world: &World) -> Vec<Jwk> {
    let answer = world
        .gateway()
        .get_jwks(GetJwksRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.cacheable_ms, 300_000);
    answer.keys
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// What a token says, when one of the keys signed it.
fn verify(token: &str, keys: &[Jwk]) -> Option<Value> {
    let kid = kid(token);
    let key = keys.iter().find(|key| key.kid == kid)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["paymesh"]);
    validation.set_issuer(&["paymesh"]);
    // The test's clock is not the machine's.
    validation.validate_exp = false;
    let key = DecodingKey::from_ed_components(&key.x).unwrap();
    Some(
        jsonwebtoken::decode::<Value>(token, &key, &validation)
            .ok()?
            .claims,
    )
}

async fn login(world: &World) -> String {
    world.login(EMAIL, PASSWORD).await.unwrap().access_token
}

#[tokio::test]
async fn an_access_token_says_who_and_for_how_long() {
    for world in worlds().await {
        let (user, _) = world.anna().await;
        let tokens = world.login(EMAIL, PASSWORD).await.unwrap();
        let keys = jwks(&world).await;
        assert_eq!(
            (
                keys[0].kty.as_str(),
                keys[0].crv.as_str(),
                keys[0].alg.as_str()
            ),
            ("OKP", "Ed25519", "EdDSA")
        );
        let claims = verify(&tokens.access_token, &keys).unwrap();
        assert_eq!(claims["sub"], user.id);
        assert_eq!(claims["tenant"], world.tenant().to_string());
        assert_eq!(claims["mode"], "sandbox");
        assert_eq!(claims["roles"], serde_json::json!(["customer"]));
        assert_eq!(claims["sid"], tokens.session_id);
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(life, 900);
        let header = jsonwebtoken::decode_header(&tokens.access_token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        assert!(!format!("{claims}").contains("anna"), "U3");
    }
}

#[tokio::test]
async fn u7_keys_rotate_without_a_token_that_cannot_be_verified() {
    for mut world in worlds().await {
        world.anna().await;
        let old = login(&world).await;
        let first = jwks(&world).await;
        assert_eq!(first.len(), 1);
        world.harness.clock.advance(30 * DAY - HOUR);
        let both = jwks(&world).await;
        assert_eq!(both.len(), 2, "the next key is published before it signs");
        assert_eq!(kid(&login(&world).await), first[0].kid);
        world.restart().await;
        world.harness.clock.advance(HOUR);
        let new = login(&world).await;
        assert_eq!(kid(&new), both[1].kid);
        assert!(
            verify(&new, &both).is_some(),
            "who kept the keys from before can verify"
        );
        let now = jwks(&world).await;
        assert_eq!(now[0].kid, both[1].kid, "the signing key comes first");
        assert!(verify(&old, &now).is_some());
        world.harness.clock.advance(Duration::from_secs(16 * 60));
        let after = jwks(&world).await;
        assert_eq!(after.len(), 1);
        assert!(verify(&old, &after).is_none() && verify(&new, &after).is_some());
    }
}

#[tokio::test]
async fn u7_two_replicas_have_the_same_keys() {
    use paymesh_chassis::{Section, component::launch};
    use paymesh_user::User;

    for mut world in worlds().await {
        let section = Section {
            database: world.harness.database_of("user").await,
            settings: world.settings.clone(),
            ..Section::default()
        };
        let first = jwks(&world).await;
        let mut platform = world.harness.platform.clone();
        platform.mesh = paymesh_mesh::Mesh::new(
            paymesh_mesh::MeshConfig::default(),
            &["user", "account", "payment"],
        );
        let replica = launch::<User>(section, &platform).await.unwrap();
        let tokens =
            paymesh_mesh::Tokens::new("gateway", platform.keys.clone(), platform.clock.clone());
        let channel = platform.mesh.channel("user", tokens).unwrap();
        let other = paymesh_proto::user::v1::user_service_client::UserServiceClient::new(channel);
        let seen = || {
            let mut other = other.clone();
            async move {
                other
                    .get_jwks(GetJwksRequest {})
                    .await
                    .unwrap()
                    .into_inner()
                    .keys
            }
        };
        assert_eq!(seen().await, first);
        world.harness.clock.advance(30 * DAY - HOUR);
        let (one, two) = tokio::join!(jwks(&world), seen());
        assert_eq!(
            one, two,
            "both made the next key, and one of them is the one"
        );
        assert_eq!(one.len(), 2);
        drop(replica);
    }
}

#[tokio::test]
async fn a_database_of_another_master_key_is_refused_at_the_start() {
    use paymesh_chassis::{Secret, Section, component::launch};
    use paymesh_user::User;

    let mut world = worlds().await.remove(0);
    let mut settings = world.settings.clone();
    settings.master_key = Secret::new("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
    let section = Section {
        database: world.harness.database_of("user").await,
        settings,
        ..Section::default()
    };
    let error = launch::<User>(section, &world.harness.platform)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("master key"), "{error}");
}
