//! Groups, reservations, forced codes, openings, facts and the seal of a batch.

use std::time::Duration;

use paymesh_money::Currency;

use super::world::{
    START, World, asked, between, by_id, by_key, codes, customer, ending, merchant, system, tenant,
    xfer,
};
use crate::domain::{
    Batch, Code, Kind, PendingState, Purpose,
    account::Change,
    batch::What,
    book::{Expiry, Opened, Opening, ResultCode as C},
    transfer::{Asked, ClosedCredit, Given},
};

fn told(batch: &Batch) -> Vec<(i64, &'static str)> {
    let name = |what: &What| match what {
        What::Created => "created",
        What::Suspended(_) => "suspended",
        What::Resumed(_) => "resumed",
        What::Closed(_) => "closed",
        What::Overdrawn { .. } => "overdrawn",
        What::HoldExpired(_) => "expired",
        What::BalanceUpdated(_) => "updated",
    };
    batch
        .facts
        .iter()
        .map(|f| (f.sequence, name(&f.what)))
        .collect()
}

#[test]
fn a_linked_group_over_two_ledgers_books_all_legs_of_an_exchange() {
    let mut world = World::new();
    let alice = world.funded(1, 10_100);
    let bob = world.open(customer(2, Currency::EUR));
    let usd = |p| by_key(&system(p, Currency::USD));
    let eur = |p| by_key(&system(p, Currency::EUR));
    let hold = Asked {
        kind: Given::Value(Kind::Pending),
        debit: by_id(alice),
        amount: Some(10_100),
        ..asked(1, Kind::Single)
    };
    assert_eq!(world.one(hold).code, C::Applied);
    let leg = |id, debit, credit, amount, currency| Asked {
        debit,
        credit,
        amount: Some(amount),
        currency: Given::Value(currency),
        ..asked(id, Kind::Single)
    };
    let group = vec![
        ending(2, Kind::Post, 1),
        leg(
            3,
            usd(Purpose::Clearing),
            usd(Purpose::FeeRevenue),
            100,
            Currency::USD,
        ),
        leg(
            4,
            usd(Purpose::Clearing),
            usd(Purpose::FxPosition),
            10_000,
            Currency::USD,
        ),
        leg(
            5,
            eur(Purpose::FxPosition),
            by_id(bob),
            9_154,
            Currency::EUR,
        ),
        leg(
            6,
            eur(Purpose::FxPosition),
            eur(Purpose::FxSpread),
            46,
            Currency::EUR,
        ),
    ];
    let (results, batch) = world.post(&[group]);
    assert!(results[0].applied, "{results:?}");
    assert!(batch.transfers.iter().all(|t| t.group == xfer(2)));
    world.assert_sound();
    assert_eq!(world.sums(alice), [0, 10_100, 0, 10_100]);
    assert_eq!(world.sums(bob), [0, 0, 0, 9_154]);
    let clearing = world.id_of(&system(Purpose::Clearing, Currency::USD));
    let balance = world.accounts[&clearing].balance;
    assert!(balance.is_empty(), "clearing returns to zero");
}

#[test]
fn one_rejection_takes_the_whole_group_back_with_the_accounts_it_opened() {
    let mut world = World::new();
    let alice = world.funded(1, 100);
    let fees = by_key(&system(Purpose::FeeRevenue, Currency::USD));
    let group = vec![
        Asked {
            credit: fees.clone(),
            ..between(1, alice, alice, 60)
        },
        ending(2, Kind::Void, 77),
        Asked {
            credit: fees.clone(),
            ..between(3, alice, alice, 60)
        },
        Asked {
            credit: fees.clone(),
            ..between(4, alice, alice, 1)
        },
    ];
    let (results, batch) = world.post(&[
        group,
        vec![Asked {
            credit: fees,
            ..between(5, alice, alice, 100)
        }],
    ]);
    assert_eq!(
        codes(&results[0]),
        [
            C::GroupRejected,
            C::GroupRejected,
            C::DebitBoundExceeded,
            C::GroupRejected
        ]
    );
    assert!(
        !results[0].applied && results[1].applied,
        "groups are independent"
    );
    assert_eq!(world.sums(alice), [0, 100, 0, 100]);
    assert!(world.tombstones.is_empty());
    assert_eq!(batch.transfers.len(), 1);
    assert_eq!(batch.transfers[0].leaf_index, 1, "A6: leaves have no gaps");
    // Every entry and fact of the group is gone, and sequences go on without gaps.
    assert_eq!(
        batch.entries.iter().map(|e| e.sequence).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(
        told(&batch),
        [(1, "created"), (3, "updated"), (2, "updated")]
    );
    world.assert_sound();
}

#[test]
fn a_transfer_sees_those_before_it_in_its_group_and_batch() {
    let mut world = World::new();
    let (alice, bob) = (
        world.open(customer(1, Currency::USD)),
        world.open(customer(2, Currency::USD)),
    );
    let hold = Asked {
        kind: Given::Value(Kind::Pending),
        ..between(2, alice, bob, 30)
    };
    let group = vec![
        Asked {
            credit: by_id(alice),
            amount: Some(30),
            ..asked(1, Kind::Single)
        },
        hold,
        ending(3, Kind::Post, 2),
        between(4, bob, alice, 30),
    ];
    let (results, batch) = world.post(std::slice::from_ref(&group));
    assert!(results[0].applied, "{results:?}");
    assert_eq!(world.sums(alice), [0, 30, 0, 60]);
    assert_eq!(batch.reserved[0].state, PendingState::Posted);
    // The same call again, as after a lost answer.
    let (again, batch) = world.post(&[group]);
    assert!(again[0].applied && again[0].transfers.iter().all(|t| t.already_applied));
    assert!(batch.is_empty());
}

#[test]
fn what_an_earlier_call_booked_stays_booked_when_its_new_group_is_rejected() {
    let mut world = World::new();
    let alice = world.funded(1, 10);
    let bank = by_key(&system(Purpose::BankCash, Currency::USD));
    let first = Asked {
        credit: bank.clone(),
        ..between(1, alice, alice, 10)
    };
    assert_eq!(world.one(first.clone()).code, C::Applied);
    let more = Asked {
        credit: bank,
        ..between(2, alice, alice, 10)
    };
    let (results, _) = world.post(&[vec![first, more]]);
    assert_eq!(codes(&results[0]), [C::Applied, C::DebitBoundExceeded]);
    assert!(results[0].transfers[0].already_applied && !results[0].applied);
}

#[test]
fn a_partial_post_releases_the_rest_and_a_reservation_ends_once() {
    let mut world = World::new();
    let (alice, bob) = (world.funded(1, 100), world.funded(2, 0x10));
    let hold = Asked {
        kind: Given::Value(Kind::Pending),
        ..between(1, alice, bob, 80)
    };
    world.one(hold);
    assert_eq!(world.sums(alice), [80, 0, 0, 100]);
    let part = Asked {
        amount: Some(50),
        currency: Given::Value(Currency::USD),
        ..ending(2, Kind::Post, 1)
    };
    assert_eq!(world.one(part.clone()).code, C::Applied);
    assert_eq!(world.sums(alice), [0, 50, 0, 100]);
    assert_eq!(world.sums(bob), [0, 0, 0, 66]);
    assert!(world.one(part).already_applied);
    let whole = world.one(ending(2, Kind::Post, 1));
    assert_eq!(
        (whole.code, whole.differing_fields),
        (C::IdConflict, vec!["amount.minor"])
    );
    assert_eq!(
        world.one(ending(3, Kind::Post, 1)).code,
        C::PendingAlreadyPosted
    );
    assert_eq!(world.transfers[&xfer(2)].released, 80);
}

#[test]
fn what_is_over_expires_once_and_what_never_ends_stays() {
    let mut world = World::new();
    let (alice, bob) = (world.funded(1, 100), world.funded(2, 1));
    let hold = |id, seconds: Option<u64>| Asked {
        kind: Given::Value(Kind::Pending),
        expires_at: seconds.map(|s| START.plus(Duration::from_secs(s))),
        ..between(id, alice, bob, 10)
    };
    for transfer in [hold(1, Some(5)), hold(2, Some(50)), hold(3, None)] {
        world.one(transfer);
    }
    world.advance(Duration::from_secs(5));
    let mut book = world.book(&[]);
    let expiries = [1, 1, 2, 3, 99].map(|id| Expiry {
        pending: xfer(id),
        void: xfer(id + 100),
    });
    let ended: Vec<bool> = expiries.iter().map(|e| book.expire(*e, 0)).collect();
    assert_eq!(ended, [true, false, false, false, false]);
    let batch = world.keep(book.seal());
    assert_eq!(world.pendings[&xfer(1)].state, PendingState::Expired);
    assert_eq!(world.sums(alice), [20, 0, 0, 100]);
    assert_eq!(
        told(&batch),
        [(6, "expired"), (7, "updated"), (6, "updated")]
    );
    assert_eq!(batch.transfers[0].pending, Some(xfer(1)));
    assert_eq!(world.one(ending(9, Kind::Post, 1)).code, C::PendingExpired);
    world.assert_sound();
}

#[test]
fn a_forced_code_crosses_a_bound_and_says_by_how_much() {
    let mut world = World::new();
    let shop = world.open(merchant(1, Purpose::MerchantAvailable));
    let clearing = by_key(&system(Purpose::Clearing, Currency::USD));
    let take = |id, code, amount| Asked {
        credit: clearing.clone(),
        code: Given::Value(code),
        ..between(id, shop, shop, amount)
    };
    assert_eq!(
        world.one(take(1, Code::Refund, 70)).code,
        C::DebitBoundExceeded
    );
    let (_, batch) = world.post(&[vec![take(2, Code::Chargeback, 70)]]);
    let overdrawn: Vec<i64> = batch
        .facts
        .iter()
        .filter_map(|f| {
            if let What::Overdrawn { by, .. } = f.what {
                Some(by)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(overdrawn, [70]);
    // What comes in does not raise it again, and what was reserved before may always be posted.
    let give = Asked {
        credit: by_id(shop),
        amount: Some(50),
        ..asked(3, Kind::Single)
    };
    let (_, batch) = world.post(&[vec![give]]);
    assert_eq!(
        told(&batch)
            .iter()
            .filter(|(_, what)| *what == "overdrawn")
            .count(),
        0
    );
    assert_eq!(
        world.one(take(4, Code::Payout, 1)).code,
        C::DebitBoundExceeded
    );
}

#[test]
fn a_reservation_within_the_bounds_is_posted_although_a_chargeback_came_between() {
    let mut world = World::new();
    let alice = world.funded(1, 100);
    let clearing = by_key(&system(Purpose::Clearing, Currency::USD));
    let take = |id, kind, code, amount| Asked {
        kind: Given::Value(kind),
        credit: clearing.clone(),
        code: Given::Value(code),
        ..between(id, alice, alice, amount)
    };
    assert_eq!(
        world.one(take(1, Kind::Pending, Code::Payout, 100)).code,
        C::Applied
    );
    assert_eq!(
        world.one(take(2, Kind::Single, Code::Chargeback, 40)).code,
        C::Applied
    );
    let mut book = world.book(&[]);
    book.change(tenant(), alice, (Change::Suspend, "fraud"), 0)
        .unwrap()
        .unwrap();
    world.keep(book.seal());
    assert_eq!(world.one(ending(3, Kind::Post, 1)).code, C::Applied);
    assert_eq!(world.sums(alice), [0, 140, 0, 100]);
    world.assert_sound();
}

#[test]
fn a_credit_to_a_closed_account_goes_to_suspense_and_its_repeat_is_recognized() {
    let mut world = World::new();
    let gone = world.open(customer(1, Currency::USD));
    let mut book = world.book(&[]);
    book.change(tenant(), gone, (Change::Close, "left"), 0)
        .unwrap()
        .unwrap();
    world.keep(book.seal());
    let late = Asked {
        credit: by_id(gone),
        closed_credit: ClosedCredit::Suspense,
        ..asked(1, Kind::Single)
    };
    let result = world.one(late.clone());
    let suspense = world.id_of(&system(Purpose::Suspense, Currency::USD));
    assert_eq!(result.booked.unwrap().credited, suspense);
    assert_eq!(world.transfers[&xfer(1)].redirected_from, Some(gone));
    assert!(world.one(late.clone()).already_applied);
    let strict = world.one(Asked {
        closed_credit: ClosedCredit::Refuse,
        ..late
    });
    assert_eq!(strict.differing_fields, ["closed_credit"]);
    assert_eq!(world.sums(gone), [0; 4]);
}

#[test]
fn a_tombstone_is_left_with_its_group_or_not_at_all() {
    let mut world = World::new();
    let alice = world.funded(1, 100);
    let bank = by_key(&system(Purpose::BankCash, Currency::USD));
    let pay = |id, amount| Asked {
        credit: bank.clone(),
        ..between(id, alice, alice, amount)
    };
    let (results, _) = world.post(&[vec![ending(1, Kind::Void, 50), pay(2, 10)]]);
    assert!(results[0].applied);
    assert_eq!(codes(&results[0]), [C::Tombstoned, C::Applied]);
    assert_eq!(world.tombstones.len(), 1);
    assert_eq!(world.one(pay(50, 1)).code, C::IdTombstoned);
}

#[test]
fn opening_finds_what_is_there_and_refuses_an_id_in_use() {
    let mut world = World::new();
    let id = world.open(customer(1, Currency::USD));
    let mut book = world.book(&[]);
    let again = Opening {
        id: crate::domain::AccountId::from(uuid::Uuid::from_u128(5)),
        key: customer(1, Currency::USD),
        bounds: None,
    };
    assert!(matches!(book.open(&again, 0), Opened::Already(a) if a.id == id));
    let taken = Opening {
        id,
        key: customer(2, Currency::USD),
        bounds: None,
    };
    assert!(matches!(book.open(&taken, 0), Opened::IdTaken));
    assert!(book.seal().is_empty());
}

#[test]
fn facts_of_an_account_are_numbered_over_all_batches() {
    let mut world = World::new();
    let mut book = world.book(&[]);
    let opening = Opening {
        id: world.new_id(),
        key: customer(1, Currency::USD),
        bounds: None,
    };
    book.open(&opening, 0);
    for change in [
        Change::Suspend,
        Change::Suspend,
        Change::Resume,
        Change::Close,
    ] {
        book.change(tenant(), opening.id, (change, "x"), 1)
            .unwrap()
            .unwrap();
    }
    let batch = world.keep(book.seal());
    assert_eq!(
        told(&batch),
        [
            (1, "created"),
            (2, "suspended"),
            (3, "resumed"),
            (4, "closed")
        ]
    );
    assert!(
        batch.link.is_none(),
        "nothing was booked, so the chain stays"
    );
    assert_eq!(world.accounts[&opening.id].version, 1);
}

#[test]
fn a6_heads_are_chained_and_moments_only_rise() {
    let mut world = World::new();
    let alice = world.funded(1, 100);
    let bank = by_key(&system(Purpose::BankCash, Currency::USD));
    let mut last = None;
    for n in 1..=5 {
        let pay = Asked {
            credit: bank.clone(),
            ..between(n, alice, alice, 1)
        };
        let (_, batch) = world.post(&[vec![pay]]);
        let link = batch.link.unwrap();
        if let Some((chain, at)) = last {
            assert_eq!(link.previous, chain);
            assert!(
                link.committed_at > at,
                "the clock stands still, the ledger's time does not"
            );
        }
        let again = crate::domain::chain::link(&link.previous, link.height, link.size, &link.root);
        assert_eq!(link.chain, again);
        last = Some((link.chain, link.committed_at));
    }
}
