//! Limits and bad input: each is refused with its field, and nothing is booked.

use paymesh_kernel::{ErrorKind, Fault as _};
use paymesh_proto::{account::v1 as pb, types::v1::Page};

use crate::{
    on_both_engines,
    world::{Purpose, R, World, by_id, codes, single, system},
};

async fn a_call_has_limits_and_names_what_is_beyond_them(world: World) {
    let pay = || {
        single(
            world.xfer(),
            system(Purpose::BankCash),
            system(Purpose::Clearing),
            1,
        )
    };
    let labels = |count: usize, key: usize, value: usize| {
        let label = |n| (format!("{n:0key$}"), "v".repeat(value));
        pb::Transfer {
            metadata: (0..count).map(label).collect(),
            ..pay()
        }
    };
    let nul = pb::Transfer {
        metadata: [("a".to_owned(), "b\0".to_owned())].into(),
        ..pay()
    };
    let cases = vec![
        (vec![], "groups"),
        (vec![vec![pay()]; 1_025], "groups"),
        (vec![vec![pay(); 64]; 129], "groups"),
        (vec![vec![pay()], vec![]], "groups[1].transfers"),
        (vec![vec![pay(); 65]], "groups[0].transfers"),
        (
            vec![vec![pay(), labels(17, 3, 1)]],
            "groups[0].transfers[1].metadata",
        ),
        (
            vec![vec![labels(1, 65, 1)]],
            "groups[0].transfers[0].metadata",
        ),
        (
            vec![vec![labels(1, 1, 257)]],
            "groups[0].transfers[0].metadata",
        ),
        (vec![vec![nul]], "groups[0].transfers[0].metadata"),
        (
            vec![vec![pb::Transfer {
                transaction_id: "txn_1".to_owned(),
                ..pay()
            }]],
            "groups[0].transfers[0].transaction_id",
        ),
        (
            vec![vec![pb::Transfer {
                effective_at_us: -1,
                ..pay()
            }]],
            "groups[0].transfers[0].effective_at_us",
        ),
        (
            vec![vec![pb::Transfer {
                closed_credit: 9,
                ..pay()
            }]],
            "groups[0].transfers[0].closed_credit",
        ),
    ];
    for (groups, field) in cases {
        let error = world.post(groups).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{field}");
        assert_eq!(error.violations()[0].field, field);
    }
    assert_eq!(world.head().await.height, 0, "nothing was booked");
    let largest = labels(16, 64, 256);
    assert_eq!(world.one(largest.clone()).await.code(), R::Applied);
    assert_eq!(world.transfer(&largest.id).await.metadata, largest.metadata);
}

async fn the_largest_call_is_booked_in_one_batch(world: World) {
    let pay = || {
        single(
            world.xfer(),
            system(Purpose::BankCash),
            system(Purpose::Clearing),
            1,
        )
    };
    let groups: Vec<Vec<pb::Transfer>> =
        (0..128).map(|_| (0..64).map(|_| pay()).collect()).collect();
    let answer = world.post(groups).await.unwrap();
    assert!(answer.groups.iter().all(|group| group.applied));
    let head = world.head().await;
    assert_eq!((answer.batch_height, head.height, head.size), (1, 1, 8_192));
}

async fn what_is_malformed_in_a_transfer_has_its_own_code(world: World) {
    let anna = world.funded(10).await;
    let pay = || single(world.xfer(), by_id(&anna.id), system(Purpose::Clearing), 1);
    let zloty = |text: &str| {
        let money = paymesh_proto::types::v1::Money {
            minor: 1,
            currency: text.to_owned(),
        };
        Some(money)
    };
    for (transfer, code) in [
        (
            pb::Transfer {
                id: "xfer_1".to_owned(),
                ..pay()
            },
            R::IdInvalid,
        ),
        (
            pb::Transfer {
                id: String::new(),
                ..pay()
            },
            R::IdInvalid,
        ),
        (pb::Transfer { kind: 0, ..pay() }, R::KindInvalid),
        (pb::Transfer { kind: 77, ..pay() }, R::KindInvalid),
        (
            pb::Transfer {
                amount: None,
                ..pay()
            },
            R::AmountInvalid,
        ),
        (
            pb::Transfer {
                amount: zloty("zl"),
                ..pay()
            },
            R::CurrencyInvalid,
        ),
        (
            pb::Transfer {
                amount: zloty(""),
                ..pay()
            },
            R::CurrencyInvalid,
        ),
        (pb::Transfer { code: 0, ..pay() }, R::CodeInvalid),
        (pb::Transfer { code: 49, ..pay() }, R::CodeInvalid),
        (
            pb::Transfer {
                expires_at_us: -4,
                ..pay()
            },
            R::ExpiryInvalid,
        ),
        (
            pb::Transfer {
                pending_id: "x".to_owned(),
                ..pay()
            },
            R::PendingIdInvalid,
        ),
        (
            pb::Transfer {
                debit: by_id("acct_x"),
                ..pay()
            },
            R::DebitAccountNotFound,
        ),
        (
            pb::Transfer {
                credit: Some(pb::AccountRef { by: None }),
                ..pay()
            },
            R::CreditAccountNotFound,
        ),
        (
            pb::Transfer {
                amount: zloty("PLN"),
                ..pay()
            },
            R::AccountCurrencyDiffers,
        ),
    ] {
        let result = world.one(transfer.clone()).await;
        assert_eq!((result.code(), result.id), (code, transfer.id));
    }
    let twice = pay();
    let answer = world
        .post(vec![vec![twice.clone()], vec![twice, pay()]])
        .await
        .unwrap();
    assert_eq!(codes(&answer.groups[0]), [R::IdInvalid]);
    assert_eq!(codes(&answer.groups[1]), [R::IdInvalid, R::GroupRejected]);
}

async fn a_page_and_a_lookup_have_limits(world: World) {
    for (size, token) in [(501, ""), (-1, ""), (1, "?"), (1, "Zm9v")] {
        let page = Some(Page {
            size,
            token: token.to_owned(),
        });
        let request = pb::ListAccountsRequest {
            page,
            ..Default::default()
        };
        let error = world
            .staff(|mut c| async move { c.list_accounts(request).await })
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{size} {token}");
    }
    for transfer_ids in [vec![], vec![world.xfer(); 1_025], vec!["xfer_".to_owned()]] {
        let request = pb::LookupTransfersRequest { transfer_ids };
        let error = world
            .call(|mut c| async move { c.lookup_transfers(request).await })
            .await
            .unwrap_err();
        assert_eq!(error.violations()[0].field, "transfer_ids");
    }
    let request = pb::BalanceAsOfRequest {
        account: system(Purpose::BankCash),
        ..Default::default()
    };
    let error = world
        .staff(|mut c| async move { c.balance_as_of(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.violations()[0].field, "basis");
}

on_both_engines!(
    a_call_has_limits_and_names_what_is_beyond_them,
    the_largest_call_is_booked_in_one_batch,
    what_is_malformed_in_a_transfer_has_its_own_code,
    a_page_and_a_lookup_have_limits,
);
