//! Posting, looking up and listing transfers.

use paymesh_kernel::{Principal, Role};
use paymesh_proto::{
    account::v1 as pb,
    types::v1::{Money, Page, TimeRange},
};

use crate::{
    on_both_engines,
    world::{
        Code, Kind, Purpose, R, World, by_id, codes, ending, pending, single, sums, system,
        system_in, usd,
    },
};

fn in_euros(
    id: String,
    debit: Option<pb::AccountRef>,
    credit: Option<pb::AccountRef>,
    minor: i64,
) -> pb::Transfer {
    let amount = Some(Money {
        minor,
        currency: "EUR".to_owned(),
    });
    pb::Transfer {
        amount,
        ..single(id, debit, credit, minor)
    }
}

async fn a_payment_in_two_currencies_is_booked_as_one(world: World) {
    let anna = world.funded(10_100).await;
    let bert = world
        .open(world.user(), Purpose::CustomerBalance, "EUR")
        .await;
    let transaction = world
        .new_id::<paymesh_account::domain::TransactionId>()
        .to_string();
    let hold = world.xfer();
    let reserve = pb::Transfer {
        transaction_id: transaction.clone(),
        ..pending(single(
            hold.clone(),
            by_id(&anna.id),
            system(Purpose::Clearing),
            10_100,
        ))
    };
    assert_eq!(world.one(reserve).await.code(), R::Applied);
    let balance = world.account(&anna.id).await.balance.unwrap();
    assert_eq!((balance.booked_minor, balance.available_minor), (10_100, 0));
    let eur = |purpose| system_in(purpose, "EUR");
    let mut group = vec![
        ending(world.xfer(), Kind::Post, &hold),
        single(
            world.xfer(),
            system(Purpose::Clearing),
            system(Purpose::FeeRevenue),
            100,
        ),
        single(
            world.xfer(),
            system(Purpose::Clearing),
            system(Purpose::FxPosition),
            10_000,
        ),
        in_euros(
            world.xfer(),
            eur(Purpose::FxPosition),
            by_id(&bert.id),
            9_154,
        ),
        in_euros(
            world.xfer(),
            eur(Purpose::FxPosition),
            eur(Purpose::FxSpread),
            46,
        ),
    ];
    for transfer in &mut group {
        transfer.transaction_id.clone_from(&transaction);
    }
    let answer = world.post(vec![group.clone()]).await.unwrap();
    assert!(answer.groups[0].applied, "{answer:?}");
    assert!(answer.batch_height > 0);
    assert_eq!(world.sums(&anna.id).await, [0, 10_100, 0, 10_100]);
    assert_eq!(world.sums(&bert.id).await, [0, 0, 0, 9_154]);
    let clearing = world.transfer(&hold).await.credit_account_id;
    assert_eq!(world.sums(&clearing).await, [0, 10_100, 0, 10_100]);
    // The same call again, as after a lost answer, books nothing.
    let again = world.post(vec![group]).await.unwrap();
    assert!(
        again.groups[0]
            .transfers
            .iter()
            .all(|t| t.already_applied && t.code() == R::Applied)
    );
    assert_eq!(again.batch_height, 0);
    let request = pb::ListTransfersRequest {
        transaction_id: transaction,
        ..Default::default()
    };
    let list = world
        .staff(|mut c| async move { c.list_transfers(request).await })
        .await
        .unwrap();
    assert_eq!(list.transfers.len(), 6);
    let trial = pb::TrialBalanceRequest {
        basis: pb::BalanceBasis::Booked.into(),
        ..Default::default()
    };
    let trial = world
        .staff(|mut c| async move { c.trial_balance(trial).await })
        .await
        .unwrap();
    assert!(trial.totals.len() == 2 && trial.totals.iter().all(|total| total.balanced));
}

async fn groups_of_one_call_are_independent_and_a_group_is_all_or_none(world: World) {
    let anna = world.funded(50).await;
    let take = |minor| {
        single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::FeeRevenue),
            minor,
        )
    };
    let groups = vec![
        vec![take(30), take(30)],
        vec![take(40)],
        vec![take(11)],
        vec![take(10)],
    ];
    let answer = world.post(groups).await.unwrap();
    let all: Vec<_> = answer
        .groups
        .iter()
        .map(|g| (g.applied, codes(g)))
        .collect();
    assert_eq!(
        all,
        [
            (false, vec![R::GroupRejected, R::DebitBoundExceeded]),
            (true, vec![R::Applied]),
            (false, vec![R::DebitBoundExceeded]),
            (true, vec![R::Applied]),
        ]
    );
    assert_eq!(world.sums(&anna.id).await, [0, 50, 0, 50]);
}

async fn a_repeat_is_recognized_and_another_body_is_a_conflict_that_names_the_fields(world: World) {
    let anna = world.funded(100).await;
    let metadata = [("order".to_owned(), "17".to_owned())].into();
    let effective_at_us = world.now().as_micros() - 5;
    let pay = pb::Transfer {
        metadata,
        effective_at_us,
        ..single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::FeeRevenue),
            60,
        )
    };
    let first = world.one(pay.clone()).await;
    let again = world.one(pay.clone()).await;
    assert!(!first.already_applied && again.already_applied);
    assert_eq!(
        (
            first.leaf_index,
            first.booked_at_us,
            &first.credited_account_id
        ),
        (
            again.leaf_index,
            again.booked_at_us,
            &again.credited_account_id
        )
    );
    // The same accounts named in another way are the same body.
    let by_ids = pb::Transfer {
        credit: by_id(&first.credited_account_id),
        ..pay.clone()
    };
    assert!(world.one(by_ids).await.already_applied);
    let other = pb::Transfer {
        amount: usd(61),
        code: Code::Fee.into(),
        metadata: Default::default(),
        effective_at_us: effective_at_us - 1,
        ..pay.clone()
    };
    let conflict = world.one(other).await;
    assert_eq!(conflict.code(), R::IdConflict);
    assert_eq!(
        conflict.differing_fields,
        ["amount.minor", "code", "effective_at_us", "metadata"]
    );
    let kept = world.transfer(&pay.id).await;
    assert_eq!(
        (kept.amount, kept.metadata["order"].as_str()),
        (usd(60), "17")
    );
}

async fn a_system_account_is_opened_on_first_use_and_only_by_what_is_booked(world: World) {
    let anna = world.funded(10).await;
    let receivable = || {
        let system = pb::SystemAccount {
            purpose: Purpose::ConnectorReceivable.into(),
            currency: "USD".to_owned(),
            connector: "sim".to_owned(),
            owner: None,
        };
        Some(pb::AccountRef {
            by: Some(pb::account_ref::By::System(system)),
        })
    };
    let count = || async {
        let request = pb::ListAccountsRequest {
            purpose: Purpose::ConnectorReceivable.into(),
            ..Default::default()
        };
        let list = world
            .staff(|mut c| async move { c.list_accounts(request).await })
            .await;
        list.unwrap().accounts
    };
    let refused = world
        .one(single(world.xfer(), by_id(&anna.id), receivable(), 11))
        .await;
    assert_eq!(refused.code(), R::DebitBoundExceeded);
    assert!(count().await.is_empty());
    let (one, two) = tokio::join!(
        world.one(single(world.xfer(), receivable(), by_id(&anna.id), 3)),
        world.one(single(world.xfer(), receivable(), by_id(&anna.id), 4)),
    );
    assert_eq!((one.code(), two.code()), (R::Applied, R::Applied));
    let accounts = count().await;
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        (accounts[0].connector.as_str(), accounts[0].class()),
        ("sim", pb::AccountClass::Asset)
    );
    assert_eq!(accounts[0].balance.as_ref().unwrap().booked_minor, 7);
    let unknown = pb::SystemAccount {
        purpose: Purpose::CustomerBalance.into(),
        currency: "USD".to_owned(),
        connector: String::new(),
        owner: Some(world.user()),
    };
    let unknown = Some(pb::AccountRef {
        by: Some(pb::account_ref::By::System(unknown)),
    });
    let stranger = world
        .one(single(world.xfer(), by_id(&anna.id), unknown, 1))
        .await;
    assert_eq!(stranger.code(), R::CreditAccountNotFound);
}

async fn a_lookup_says_which_ids_are_booked(world: World) {
    let anna = world.funded(10).await;
    let booked = single(
        world.xfer(),
        by_id(&anna.id),
        system(Purpose::FeeRevenue),
        1,
    );
    world.one(booked.clone()).await;
    let missing = world.xfer();
    let request = pb::LookupTransfersRequest {
        transfer_ids: vec![missing.clone(), booked.id.clone()],
    };
    let found = world
        .call(|mut c| async move { c.lookup_transfers(request).await })
        .await
        .unwrap();
    assert_eq!(found.missing_ids, std::slice::from_ref(&missing));
    assert_eq!(found.transfers[0].id, booked.id);
    let request = pb::GetTransferRequest {
        transfer_id: missing,
    };
    let error = world
        .call(|mut c| async move { c.get_transfer(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "TRANSFER_NOT_FOUND");
}

async fn a_customer_sees_transfers_of_their_own_accounts_only(world: World) {
    let (anna, bert) = (world.funded(100).await, world.funded(100).await);
    let carl = world.funded(100).await;
    let hers = single(world.xfer(), by_id(&anna.id), by_id(&bert.id), 1);
    let theirs = single(world.xfer(), by_id(&bert.id), by_id(&carl.id), 1);
    for transfer in [&hers, &theirs] {
        assert_eq!(world.one(transfer.clone()).await.code(), R::Applied);
    }
    let principal = Principal {
        subject: anna.owner.unwrap().id,
        ..world.harness.person(Role::Customer)
    };
    let by_anna = ("gateway", &principal);
    let request = pb::LookupTransfersRequest {
        transfer_ids: vec![hers.id.clone(), theirs.id.clone()],
    };
    let found = world
        .call_as(
            by_anna,
            |mut c| async move { c.lookup_transfers(request).await },
        )
        .await
        .unwrap();
    assert_eq!(
        (found.transfers[0].id.clone(), found.missing_ids),
        (hers.id, vec![theirs.id])
    );
    let list = |account_id: String| {
        let request = pb::ListTransfersRequest {
            account_id,
            ..Default::default()
        };
        world.call_as(
            by_anna,
            |mut c| async move { c.list_transfers(request).await },
        )
    };
    assert_eq!(list(anna.id).await.unwrap().transfers.len(), 2);
    assert_eq!(
        list(bert.id).await.unwrap_err().reason_text(),
        "ACCOUNT_NOT_FOUND"
    );
    assert_eq!(
        list(String::new()).await.unwrap_err().reason_text(),
        "REQUEST_INVALID"
    );
}

async fn a_list_goes_by_account_or_time_and_is_paged_without_gaps(world: World) {
    let anna = world.funded(1_000).await;
    let mut wanted = Vec::new();
    for _ in 0..7 {
        world.advance(1);
        let pay = single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::FeeRevenue),
            1,
        );
        wanted.push(pay.id.clone());
        world.one(pay).await;
    }
    let from_at_us = world.transfer(&wanted[0]).await.booked_at_us;
    let until_at_us = world.transfer(&wanted[6]).await.booked_at_us;
    for account_id in [anna.id.clone(), String::new()] {
        let (mut token, mut found) = (String::new(), Vec::new());
        loop {
            let request = pb::ListTransfersRequest {
                account_id: account_id.clone(),
                booked: Some(TimeRange {
                    from_at_us,
                    until_at_us,
                }),
                page: Some(Page { size: 4, token }),
                ..Default::default()
            };
            let list = world
                .staff(|mut c| async move { c.list_transfers(request).await })
                .await
                .unwrap();
            found.extend(list.transfers.into_iter().map(|t| t.id));
            token = list.page_info.unwrap().next_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, wanted[..6], "the end of a span is not in it");
    }
}

async fn a_forced_code_crosses_a_bound_and_later_payouts_are_refused(world: World) {
    let shop = world
        .open(world.merchant(), Purpose::MerchantAvailable, "USD")
        .await;
    let take = |code: Code, minor| pb::Transfer {
        code: code.into(),
        ..single(
            world.xfer(),
            by_id(&shop.id),
            system(Purpose::Clearing),
            minor,
        )
    };
    assert_eq!(
        world.one(take(Code::Payout, 5)).await.code(),
        R::DebitBoundExceeded
    );
    assert_eq!(
        world.one(take(Code::Chargeback, 5)).await.code(),
        R::Applied
    );
    let balance = world.account(&shop.id).await.balance.unwrap();
    assert_eq!(
        (balance.available_minor, sums(&balance)),
        (-5, [0, 5, 0, 0])
    );
    assert_eq!(
        world.one(take(Code::Payout, 1)).await.code(),
        R::DebitBoundExceeded
    );
}

on_both_engines!(
    a_payment_in_two_currencies_is_booked_as_one,
    groups_of_one_call_are_independent_and_a_group_is_all_or_none,
    a_repeat_is_recognized_and_another_body_is_a_conflict_that_names_the_fields,
    a_system_account_is_opened_on_first_use_and_only_by_what_is_booked,
    a_lookup_says_which_ids_are_booked,
    a_customer_sees_transfers_of_their_own_accounts_only,
    a_list_goes_by_account_or_time_and_is_paged_without_gaps,
    a_forced_code_crosses_a_bound_and_later_payouts_are_refused,
);
