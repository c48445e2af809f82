//! One case for each result code, and the order in which they are checked.

use std::time::Duration;

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;
use uuid::Uuid;

use super::{
    cases::{ACCOUNT_CASES, FIELD_CASES, ID_CASES, PENDING_CASES},
    world::{START, World, between, by_id, codes, customer, ending, merchant, tenant},
};
use crate::domain::{
    AccountId, Book, Code, Kind, PeriodId, Purpose,
    account::Change,
    book::{ResultCode as C, TransferResult},
    period::ClosePeriod,
    transfer::{AccountRef, Asked, Given},
};

/// A world with a bit of everything: booked, pending, posted, voided, expired, buried, closed, suspended.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) alice: AccountId,
    pub(super) bob: AccountId,
    pub(super) suspended: AccountId,
    pub(super) closed: AccountId,
    pub(super) euros: AccountId,
}

pub(super) const BOOKED: u128 = 10;
pub(super) const PENDING: u128 = 11;
pub(super) const POSTED: u128 = 12;
pub(super) const VOIDED: u128 = 13;
pub(super) const EXPIRED: u128 = 14;
pub(super) const BURIED: u128 = 15;
pub(super) const BURIER: u128 = 16;
pub(super) const UNKNOWN: u128 = 17;
pub(super) const NEW: u128 = 18;

fn scene() -> Scene {
    let mut world = World::new();
    let alice = world.funded(1, 1_000);
    let bob = world.funded(2, 1_000);
    let suspended = world.funded(3, 500);
    let closed = world.open(customer(4, Currency::USD));
    let euros = world.open(customer(1, Currency::EUR));
    for (id, change) in [(suspended, Change::Suspend), (closed, Change::Close)] {
        let mut book = world.book(&[]);
        book.change(tenant(), id, (change, "test"), 0)
            .unwrap()
            .unwrap();
        world.keep(book.seal());
    }
    let hold = |id: u128| Asked {
        kind: Given::Value(Kind::Pending),
        ..between(id, alice, bob, 50)
    };
    let expiring = Asked {
        expires_at: Some(START.plus(Duration::from_secs(1))),
        ..hold(EXPIRED)
    };
    for transfer in [
        between(BOOKED, alice, bob, 50),
        hold(PENDING),
        hold(POSTED),
        hold(VOIDED),
        expiring,
        ending(20, Kind::Post, POSTED),
        ending(21, Kind::Void, VOIDED),
    ] {
        assert_eq!(world.one(transfer).code, C::Applied);
    }
    assert_eq!(
        world.one(ending(BURIER, Kind::Void, BURIED)).code,
        C::Tombstoned
    );
    let mut book = world.book(&[]);
    let wish = ClosePeriod {
        id: PeriodId::from(Uuid::from_u128(5)),
        tenant: tenant(),
        currency: None,
        until: START.minus(Duration::from_secs(3_600)),
        closed_by: "user_x".to_owned(),
    };
    book.close_period(&wish).unwrap();
    world.keep(book.seal());
    world.advance(Duration::from_secs(10));
    Scene {
        world,
        alice,
        bob,
        suspended,
        closed,
        euros,
    }
}

pub(super) fn new(scene: &Scene) -> Asked {
    between(NEW, scene.alice, scene.bob, 50)
}

fn result_of(case: Asked) -> TransferResult {
    scene().world.one(case)
}

#[test]
fn every_case_has_its_code() {
    let all = [ID_CASES, FIELD_CASES, PENDING_CASES, ACCOUNT_CASES];
    for (what, base, edit, code) in all.into_iter().flatten() {
        let scene = scene();
        assert_eq!(scene.world.sums(scene.alice), [100, 100, 0, 1_000]);
        let mut case = base.asked(&scene);
        edit(&scene, &mut case);
        let mut world = scene.world;
        let before: Vec<_> = world.accounts.values().map(|a| (a.id, a.balance)).collect();
        let result = world.one(case);
        assert_eq!(result.code, *code, "{what}");
        world.assert_sound();
        if result.booked.is_none() {
            let after: Vec<_> = world.accounts.values().map(|a| (a.id, a.balance)).collect();
            assert_eq!(before, after, "{what}: a rejection leaves no trace");
        }
    }
}

type Repair = fn(&mut Asked);

#[test]
fn of_two_things_wrong_the_earlier_code_is_given() {
    let s = scene();
    let worst = Asked {
        amount: Some(0),
        currency: Given::Malformed,
        code: Given::Malformed,
        expires_at: Some(START),
        pending: Given::Malformed,
        debit: by_id(s.alice),
        credit: by_id(s.alice),
        kind: Given::Malformed,
        ..new(&s)
    };
    let repairs: [(C, Repair); 7] = [
        (C::KindInvalid, |a| a.kind = Given::Value(Kind::Single)),
        (C::AmountInvalid, |a| a.amount = Some(5_000)),
        (C::CurrencyInvalid, |a| {
            a.currency = Given::Value(Currency::USD)
        }),
        (C::CodeInvalid, |a| a.code = Given::Value(Code::Transfer)),
        (C::ExpiryInvalid, |a| a.expires_at = None),
        (C::PendingIdInvalid, |a| a.pending = Given::Missing),
        (C::AccountsSame, |a| a.credit = Given::Missing),
    ];
    let mut case = worst;
    for (code, repair) in repairs {
        assert_eq!(result_of(case.clone()).code, code);
        repair(&mut case);
    }
    case.debit = by_id(s.suspended);
    case.effective_at = Some(Timestamp::from_micros(1));
    assert_eq!(result_of(case.clone()).code, C::CreditAccountNotFound);
    case.credit = by_id(s.closed);
    assert_eq!(result_of(case.clone()).code, C::CreditAccountClosed);
    case.credit = by_id(s.bob);
    assert_eq!(result_of(case.clone()).code, C::DebitAccountSuspended);
    case.debit = by_id(s.alice);
    assert_eq!(result_of(case.clone()).code, C::PeriodClosed);
    case.effective_at = None;
    assert_eq!(result_of(case).code, C::DebitBoundExceeded);
}

#[test]
fn a_credit_bound_is_kept() {
    let mut world = World::new();
    let alice = world.funded(1, 100);
    let key = merchant(5, Purpose::MerchantReserve);
    let id = world.open(key);
    world
        .accounts
        .get_mut(&id)
        .unwrap()
        .bounds
        .credits_within_debits = true;
    assert_eq!(
        world.one(between(1, alice, id, 1)).code,
        C::CreditBoundExceeded
    );
}

#[test]
fn a_conflict_names_the_fields_that_differ() {
    let s = scene();
    let other = Asked {
        amount: Some(51),
        code: Given::Value(Code::Fee),
        credit: by_id(s.suspended),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        ..between(BOOKED, s.alice, s.bob, 50)
    };
    let result = result_of(other);
    assert_eq!(result.code, C::IdConflict);
    assert_eq!(
        result.differing_fields,
        ["credit", "amount.minor", "code", "metadata"]
    );
}

#[test]
fn another_tenants_id_is_a_conflict_that_tells_nothing_and_its_account_is_not_there() {
    let mut s = scene();
    let stranger = TenantId::from(Uuid::from_u128(2));
    let mut book = s.world.book(&[]);
    let ask = |id| vec![between(id, s.alice, s.bob, 50)];
    let results = book.post_groups(stranger, &[ask(BOOKED), ask(NEW)], 0);
    assert_eq!(codes(&results[0]), [C::IdConflict]);
    assert_eq!(results[0].transfers[0].differing_fields, ["id"]);
    assert_eq!(codes(&results[1]), [C::DebitAccountNotFound]);
    let posted = book.post_groups(stranger, &[vec![ending(NEW, Kind::Post, PENDING)]], 0);
    assert_eq!(codes(&posted[0]), [C::PendingNotFound]);
}

#[test]
fn an_id_twice_in_a_call_is_refused_both_times() {
    let mut s = scene();
    let (results, batch) = s.world.post(&[vec![new(&s)], vec![new(&s)]]);
    assert_eq!(codes(&results[0]), [C::IdInvalid]);
    assert_eq!(codes(&results[1]), [C::IdInvalid]);
    assert!(batch.is_empty());
}

#[test]
fn a_reference_to_another_tenants_account_finds_nothing() {
    let mut s = scene();
    let stranger = TenantId::from(Uuid::from_u128(2));
    let suspense = AccountRef::Key(Book::suspense_key(stranger, Currency::USD));
    let case = Asked {
        credit: Given::Value(suspense),
        ..new(&s)
    };
    assert_eq!(s.world.one(case).code, C::CreditAccountNotFound);
}
