//! What is asked, and the code that it is answered with.

use std::time::Duration;

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;
use uuid::Uuid;

use Base::{New, Post, Repeat, Void};

use super::{
    codes::{BOOKED, BURIED, BURIER, EXPIRED, NEW, PENDING, POSTED, Scene, UNKNOWN, VOIDED, new},
    world::{START, between, by_id, by_key, customer, ending, system, xfer},
};
use crate::domain::{
    AccountId, Code, Kind, Purpose,
    book::ResultCode as C,
    transfer::{AccountRef, Asked, ClosedCredit, Given},
};

/// What a case begins with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base {
    /// A new transfer from Alice to Bob.
    New,
    /// The transfer that is booked.
    Repeat,
    /// A post of the transfer with this id.
    Post(u128),
    /// A void of it.
    Void(u128),
}

impl Base {
    pub(super) fn asked(self, scene: &Scene) -> Asked {
        match self {
            Self::New => new(scene),
            Self::Repeat => between(BOOKED, scene.alice, scene.bob, 50),
            Self::Post(pending) => ending(NEW, Kind::Post, pending),
            Self::Void(pending) => ending(NEW, Kind::Void, pending),
        }
    }
}

pub(super) type Edit = fn(&Scene, &mut Asked);
pub(super) type Case = (&'static str, Base, Edit, C);

const AS_IT_IS: Edit = |_, _| {};

fn amount(asked: &mut Asked, minor: i64, currency: Currency) {
    asked.amount = Some(minor);
    asked.currency = Given::Value(currency);
}

fn code(asked: &mut Asked, code: Code) {
    asked.code = Given::Value(code);
}

fn nobody() -> Given<AccountRef> {
    by_id(AccountId::from(Uuid::from_u128(404)))
}

const USD: Currency = Currency::USD;

pub(super) const ID_CASES: &[Case] = &[
    ("no id", New, |_, a| a.id = None, C::IdInvalid),
    ("a repeat", Repeat, AS_IT_IS, C::Applied),
    (
        "another amount",
        Repeat,
        |_, a| a.amount = Some(51),
        C::IdConflict,
    ),
    (
        "a void's id for a transfer",
        New,
        |_, a| a.id = Some(xfer(BURIER)),
        C::IdConflict,
    ),
    (
        "a void's repeat",
        Void(BURIED),
        |_, a| a.id = Some(xfer(BURIER)),
        C::Tombstoned,
    ),
    ("a second void", Void(BURIED), AS_IT_IS, C::Tombstoned),
    (
        "a late original",
        New,
        |_, a| a.id = Some(xfer(BURIED)),
        C::IdTombstoned,
    ),
];

pub(super) const FIELD_CASES: &[Case] = &[
    (
        "no kind",
        New,
        |_, a| a.kind = Given::Malformed,
        C::KindInvalid,
    ),
    ("nothing", New, |_, a| a.amount = Some(0), C::AmountInvalid),
    (
        "less than nothing",
        New,
        |_, a| a.amount = Some(-1),
        C::AmountInvalid,
    ),
    ("no amount", New, |_, a| a.amount = None, C::AmountInvalid),
    (
        "a post of nothing",
        Post(PENDING),
        |_, a| amount(a, 0, USD),
        C::AmountInvalid,
    ),
    (
        "no currency",
        New,
        |_, a| a.currency = Given::Malformed,
        C::CurrencyInvalid,
    ),
    (
        "a post in euros",
        Post(PENDING),
        |_, a| amount(a, 5, Currency::EUR),
        C::CurrencyInvalid,
    ),
    (
        "no code",
        New,
        |_, a| a.code = Given::Missing,
        C::CodeInvalid,
    ),
    (
        "an unknown code",
        Post(PENDING),
        |_, a| a.code = Given::Malformed,
        C::CodeInvalid,
    ),
    (
        "expiry of a single",
        New,
        |_, a| a.expires_at = later(),
        C::ExpiryInvalid,
    ),
    (
        "expiry in the past",
        New,
        |_, a| expiring_hold(a, START),
        C::ExpiryInvalid,
    ),
    (
        "pending id of a single",
        New,
        |_, a| a.pending = Given::Value(xfer(PENDING)),
        C::PendingIdInvalid,
    ),
    (
        "a post of nothing named",
        Post(PENDING),
        |_, a| a.pending = Given::Missing,
        C::PendingIdInvalid,
    ),
    (
        "a post of a word",
        Post(PENDING),
        |_, a| a.pending = Given::Malformed,
        C::PendingIdInvalid,
    ),
    ("a post of itself", Post(NEW), AS_IT_IS, C::PendingIdInvalid),
    (
        "to itself",
        New,
        |s, a| a.credit = by_id(s.alice),
        C::AccountsSame,
    ),
    (
        "to itself by its key",
        New,
        |_, a| a.credit = by_key(&customer(1, USD)),
        C::AccountsSame,
    ),
];

pub(super) const PENDING_CASES: &[Case] = &[
    (
        "a post of the unknown",
        Post(UNKNOWN),
        AS_IT_IS,
        C::PendingNotFound,
    ),
    (
        "a void of the unknown",
        Void(UNKNOWN),
        AS_IT_IS,
        C::Tombstoned,
    ),
    (
        "a post of what was buried",
        Post(BURIED),
        AS_IT_IS,
        C::PendingNotFound,
    ),
    (
        "a post of what is booked",
        Post(BOOKED),
        AS_IT_IS,
        C::PendingKindInvalid,
    ),
    (
        "a void of what is booked",
        Void(BOOKED),
        AS_IT_IS,
        C::PendingKindInvalid,
    ),
    (
        "another debit",
        Post(PENDING),
        |s, a| a.debit = by_id(s.bob),
        C::PendingAccountsDiffer,
    ),
    (
        "another credit",
        Void(PENDING),
        |s, a| a.credit = by_id(s.alice),
        C::PendingAccountsDiffer,
    ),
    (
        "posted twice",
        Post(POSTED),
        AS_IT_IS,
        C::PendingAlreadyPosted,
    ),
    (
        "voided after the post",
        Void(POSTED),
        AS_IT_IS,
        C::PendingAlreadyPosted,
    ),
    (
        "posted after the void",
        Post(VOIDED),
        AS_IT_IS,
        C::PendingAlreadyVoided,
    ),
    ("too late", Post(EXPIRED), AS_IT_IS, C::PendingExpired),
    (
        "voided too late",
        Void(EXPIRED),
        AS_IT_IS,
        C::PendingExpired,
    ),
    (
        "more than is pending",
        Post(PENDING),
        |_, a| amount(a, 51, USD),
        C::PendingAmountExceeded,
    ),
    (
        "a part of a void",
        Void(PENDING),
        |_, a| amount(a, 49, USD),
        C::PendingAmountExceeded,
    ),
    (
        "a part",
        Post(PENDING),
        |_, a| amount(a, 49, USD),
        C::Applied,
    ),
    ("the whole, all named", Post(PENDING), name_all, C::Applied),
    ("a void", Void(PENDING), AS_IT_IS, C::Applied),
];

pub(super) const ACCOUNT_CASES: &[Case] = &[
    (
        "nobody pays",
        New,
        |_, a| a.debit = nobody(),
        C::DebitAccountNotFound,
    ),
    (
        "no debit",
        New,
        |_, a| a.debit = Given::Missing,
        C::DebitAccountNotFound,
    ),
    (
        "nobody is paid",
        New,
        |_, a| a.credit = nobody(),
        C::CreditAccountNotFound,
    ),
    (
        "no such customer",
        New,
        |_, a| a.credit = by_key(&customer(77, USD)),
        C::CreditAccountNotFound,
    ),
    (
        "euros",
        New,
        |s, a| a.credit = by_id(s.euros),
        C::AccountCurrencyDiffers,
    ),
    (
        "from a closed account",
        New,
        |s, a| a.debit = by_id(s.closed),
        C::DebitAccountClosed,
    ),
    (
        "to a closed account",
        New,
        |s, a| a.credit = by_id(s.closed),
        C::CreditAccountClosed,
    ),
    ("to suspense instead", New, to_suspense, C::Applied),
    (
        "from a suspended account",
        New,
        |s, a| a.debit = by_id(s.suspended),
        C::DebitAccountSuspended,
    ),
    (
        "a suspended account's fee",
        New,
        |s, a| of_suspended(s, a, Code::Fee),
        C::Applied,
    ),
    (
        "its chargeback",
        New,
        |s, a| of_suspended(s, a, Code::Chargeback),
        C::Applied,
    ),
    (
        "to a suspended account",
        New,
        |s, a| a.credit = by_id(s.suspended),
        C::Applied,
    ),
    (
        "into a closed period",
        New,
        |_, a| a.effective_at = before_closing(1),
        C::PeriodClosed,
    ),
    (
        "just after it",
        New,
        |_, a| a.effective_at = before_closing(0),
        C::Applied,
    ),
    (
        "beyond 64 bits",
        New,
        |_, a| from_bank(a, i64::MAX),
        C::BalanceOverflow,
    ),
    (
        "all but a little",
        New,
        |_, a| a.amount = Some(801),
        C::DebitBoundExceeded,
    ),
    ("everything", New, |_, a| a.amount = Some(800), C::Applied),
    (
        "a forced one over the bound",
        New,
        |_, a| force(a, 5_000),
        C::Applied,
    ),
];

fn later() -> Option<Timestamp> {
    Some(START.plus(Duration::from_secs(99)))
}

fn before_closing(micros: u64) -> Option<Timestamp> {
    let closing = START.minus(Duration::from_secs(3_600));
    Some(closing.minus(Duration::from_micros(micros)))
}

fn expiring_hold(asked: &mut Asked, at: Timestamp) {
    asked.kind = Given::Value(Kind::Pending);
    asked.expires_at = Some(at);
}

fn name_all(scene: &Scene, asked: &mut Asked) {
    asked.debit = by_id(scene.alice);
    asked.credit = by_id(scene.bob);
    amount(asked, 50, USD);
}

fn to_suspense(scene: &Scene, asked: &mut Asked) {
    asked.credit = by_id(scene.closed);
    asked.closed_credit = ClosedCredit::Suspense;
}

fn of_suspended(scene: &Scene, asked: &mut Asked, what: Code) {
    asked.debit = by_id(scene.suspended);
    code(asked, what);
}

fn from_bank(asked: &mut Asked, minor: i64) {
    asked.debit = by_key(&system(Purpose::BankCash, USD));
    asked.amount = Some(minor);
}

fn force(asked: &mut Asked, minor: i64) {
    asked.amount = Some(minor);
    code(asked, Code::Chargeback);
}
