//! What must not get in, and what must not get out.

use crate::scenarios;

scenarios![
    every_wrong_body_is_a_problem_that_names_its_field,
    what_belongs_to_others_is_not_there,
    a_person_logs_in_and_pays,
];

mod scenario {
    use serde_json::{Value, json};

    use crate::world::{World, money, purchase, unique};

    pub(super) async fn every_wrong_body_is_a_problem_that_names_its_field(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let good = purchase(&card, &shop, money(100, "EUR"));
        let with = |pointer: &str, value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        for (body, status, named) in [
            (with("/amount/minor", json!(0)), 400, "amount"),
            (with("/amount/minor", json!(-5)), 400, "amount"),
            (with("/amount/minor", json!(1.5)), 400, "amount"),
            (
                with("/amount/minor", json!(9_000_000_000_000_000_000_i64)),
                400,
                "amount",
            ),
            (
                with("/amount/currency", json!("XXX")),
                400,
                "amount.currency",
            ),
            (
                with("/amount/currency", json!("eur")),
                400,
                "amount.currency",
            ),
            (with("/kind", json!("gift")), 400, "kind"),
            (
                with("/payer/payment_method_id", json!("4242424242424242")),
                422,
                "CARD_NUMBER_REFUSED",
            ),
            (
                with("/payer/payment_method_id", json!("pm_nonsense")),
                400,
                "payer",
            ),
        ] {
            let answer = world
                .staff
                .post("/v1/transactions", &unique("wrong"), body.clone())
                .await
                .unwrap();
            assert_eq!(answer.status, status, "{body}: {answer:?}");
            assert!(
                answer.body.to_string().contains(named),
                "{body}: {answer:?}"
            );
        }
        let listed = world
            .get(&format!("/v1/transactions?merchant_id={shop}"))
            .await;
        assert_eq!(
            listed.body["data"].as_array().unwrap().len(),
            0,
            "nothing is half done"
        );
    }

    pub(super) async fn what_belongs_to_others_is_not_there(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let paid = world.purchase(&card, &shop, money(100, "EUR")).await;
        let stranger = login(&world, &world.person("EUR").await.email).await;
        for path in [
            format!("/v1/transactions/{}", paid.text("/id")),
            format!("/v1/accounts/{}", person.account),
            format!("/v1/users/{}", person.id),
            format!("/v1/payment-methods/{card}"),
        ] {
            let answer = world.staff.with_token(&stranger).get(&path).await.unwrap();
            assert_eq!(answer.status, 404, "{path}: {answer:?}");
        }
        for token in [
            "nonsense",
            "a.b.c",
            "sk_sandbox_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let answer = world
                .staff
                .with_token(token)
                .get("/v1/accounts")
                .await
                .unwrap();
            assert_eq!(answer.status, 401, "{answer:?}");
        }
    }

    pub(super) async fn a_person_logs_in_and_pays(world: World) {
        let (from, to) = (world.person("EUR").await, world.person("EUR").await);
        world.top_up(&from, money(1_000, "EUR")).await;
        let client = world.staff.with_token(&login(&world, &from.email).await);
        let body = json!({
            "kind": "transfer", "amount": money(400, "EUR"),
            "payer": { "account_id": from.account }, "payee": { "account_id": to.account },
        });
        let sent = client
            .post("/v1/transactions", &unique("mine"), body)
            .await
            .unwrap();
        assert_eq!(
            (sent.status, sent.text("/status")),
            (201, "completed"),
            "{sent:?}"
        );
        assert_eq!(world.balance(&to.account).await, 400);
        // Somebody else's wallet is not theirs to spend.
        let body = json!({
            "kind": "transfer", "amount": money(100, "EUR"),
            "payer": { "account_id": to.account }, "payee": { "account_id": from.account },
        });
        let refused = client
            .post("/v1/transactions", &unique("theirs"), body)
            .await
            .unwrap();
        assert_eq!(refused.status, 404, "{refused:?}");
    }

    async fn login(world: &World, email: &str) -> String {
        let body = json!({ "tenant_id": world.tenant, "email": email, "password": "a long enough password" });
        let session = world
            .staff
            .with_token("")
            .post("/v1/sessions", &unique("login"), body)
            .await
            .unwrap();
        assert!(session.status < 300, "{session:?}");
        session.text("/tokens/access_token").to_owned()
    }
}
