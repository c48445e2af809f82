//! One key, one transaction.

use crate::scenarios;

scenarios![
    a_hundred_requests_with_one_key_make_one_transaction,
    one_key_with_two_bodies_makes_one_transaction_and_refuses_the_other,
];

mod scenario {
    use std::collections::BTreeSet;

    use futures::future::join_all;

    use crate::world::{World, money, purchase, unique};

    /// As MONEY's rules of keys say: while the first is under way the others may be told to come back.
    const CONFLICT: u16 = 409;

    pub(super) async fn a_hundred_requests_with_one_key_make_one_transaction(world: World) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let (key, body) = (
            unique("hundred"),
            purchase(&card, &shop, money(1_000, "EUR")),
        );
        let requests = (0..100).map(|_| world.staff.post("/v1/transactions", &key, body.clone()));
        let mut ids = BTreeSet::new();
        for answer in join_all(requests).await {
            let answer = answer.unwrap();
            match answer.status {
                201 | 202 => {
                    ids.insert(answer.text("/id").to_owned());
                }
                status => assert_eq!(status, CONFLICT, "{answer:?}"),
            }
        }
        assert_eq!(ids.len(), 1, "{ids:?}");
        let id = ids.pop_first().unwrap();
        world.ends_as(&id, "completed").await;
        for _ in 0..5 {
            let again = world
                .staff
                .post("/v1/transactions", &key, body.clone())
                .await
                .unwrap();
            assert_eq!(
                (again.status, again.replayed, again.text("/id")),
                (201, true, id.as_str())
            );
        }
        let listed = world
            .get(&format!("/v1/transactions?merchant_id={shop}"))
            .await;
        assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
        let attempts = world
            .get(&format!("/v1/attempts?transaction_id={id}"))
            .await;
        assert_eq!(attempts.body["data"].as_array().unwrap().len(), 1);
    }

    pub(super) async fn one_key_with_two_bodies_makes_one_transaction_and_refuses_the_other(
        world: World,
    ) {
        let (person, shop) = (world.person("EUR").await, world.merchant("EUR").await);
        let card = world.card(&person, "tok_ok").await;
        let key = unique("two");
        let requests = (0..100).map(|index| {
            let minor = if index % 2 == 0 { 1_000 } else { 1_001 };
            world.staff.post(
                "/v1/transactions",
                &key,
                purchase(&card, &shop, money(minor, "EUR")),
            )
        });
        let answers: Vec<_> = join_all(requests)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let made: BTreeSet<_> = answers
            .iter()
            .filter(|answer| answer.status < 300)
            .map(|answer| answer.text("/id"))
            .collect();
        assert_eq!(made.len(), 1, "{made:?}");
        assert!(
            answers
                .iter()
                .all(|answer| [201, 202, CONFLICT, 422].contains(&answer.status))
        );
        world.ends_as(made.first().unwrap(), "completed").await;
        let amount = world
            .get(&format!("/v1/transactions/{}", made.first().unwrap()))
            .await
            .number("/amount/minor");
        let other = if amount == Some(1_000) { 1_001 } else { 1_000 };
        let refused = world
            .staff
            .post(
                "/v1/transactions",
                &key,
                purchase(&card, &shop, money(other, "EUR")),
            )
            .await
            .unwrap();
        assert_eq!(
            (refused.status, refused.text("/reason")),
            (422, "IDEMPOTENCY_KEY_REUSED"),
            "{refused:?}"
        );
    }
}
