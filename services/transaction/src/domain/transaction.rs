//! The business transaction: what was asked for, on which terms, and how far it has come.

use std::collections::BTreeMap;

use paymesh_kernel::Timestamp;
use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::{
    AttemptId, DecisionId, ResolutionId, TenantId, TransactionId,
    decline::Decline,
    exchange::Exchange,
    ledger::{Book, Code, Share},
    party::{Party, Terms},
    status::{Kind, Status},
    template::Held,
};

/// Longest history of states that is kept with a transaction.
pub const MAX_CHANGES: usize = 500;

/// When a purchase is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    /// At once.
    Automatic,
    /// By captures.
    Manual,
}

/// A try at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Made before the first call.
    pub id: AttemptId,
    /// Known from the first answer on.
    pub connector: String,
}

/// What the payer has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Given back with CompleteAction.
    pub id: String,
    /// Where to.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// What risk said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskOutcome {
    /// Made before the call.
    pub decision: DecisionId,
    /// 0 to 100.
    pub score: i32,
    /// The payer is to verify.
    pub is_challenged: bool,
}

/// What two people may do with a stuck transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Go on towards completion.
    RetryForward,
    /// Go on undoing.
    RetryCompensation,
    /// Give up.
    Abandon,
}

/// A resolution that one person asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolutionRequest {
    /// Names it.
    pub id: ResolutionId,
    /// What.
    pub resolution: Resolution,
    /// Why.
    pub reason: String,
    /// Subject.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Another subject.
    pub approved: Option<(String, Timestamp)>,
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// Before.
    pub from: Status,
    /// After.
    pub to: Status,
    /// Of the transaction after it.
    pub version: i64,
    /// Upper snake case.
    pub reason: String,
    /// Subject, or the component.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A business transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Names it.
    pub id: TransactionId,
    /// Whose ledger.
    pub tenant: TenantId,
    /// What it does.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// Rises with each change.
    pub version: i64,
    /// Number of the last fact published of it.
    pub event_sequence: i64,
    /// What was asked for, in the payer's currency.
    pub amount: Money,
    /// Sums, in minor units of the payer's currency.
    pub sums: Sums,
    /// Charged so far.
    pub fee: Money,
    /// Credited to the payee so far, before fees, in the payee's currency.
    pub credited_minor: i64,
    /// Taken back out of merchant.pending by refunds.
    pub drawn_minor: i64,
    /// Who gives.
    pub payer: Party,
    /// Who gets.
    pub payee: Party,
    /// The rest.
    pub details: Details,
    /// Business time; the clock's but in sandboxes.
    pub business_at: Timestamp,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it reached an end.
    pub ended_at: Option<Timestamp>,
}

/// Sums of a transaction, in minor units of the payer's currency. T5: captured + capturing ≤ authorized, and
/// refunded + refunding + charged back + charging back ≤ captured + beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Reserved or taken.
    pub authorized: i64,
    /// Captured and booked.
    pub captured: i64,
    /// Being captured.
    pub capturing: i64,
    /// Refunded and booked.
    pub refunded: i64,
    /// Being refunded.
    pub refunding: i64,
    /// Taken by the scheme, and not given back.
    pub charged_back: i64,
    /// Reserved for chargebacks that are not booked yet.
    pub charging_back: i64,
    /// What a provider took beyond what was captured, because the same money was on its way back to the payer already. Part of
    /// charged back or charging back; nothing that we decide ourselves adds to it.
    pub beyond: i64,
    /// The part of it that is lost for good.
    pub lost: i64,
}

/// What is stored as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// What it began with.
    pub terms: Terms,
    /// When it is captured.
    pub capture: CaptureMethod,
    /// Such as an order's id.
    pub purpose: String,
    /// For payer and payee.
    pub description: String,
    /// The caller's.
    pub metadata: BTreeMap<String, String>,
    /// Of the payer's device.
    pub country: String,
    /// Where the payer comes back to.
    pub return_url: String,
    /// Subject.
    pub created_by: String,
    /// Set when declined.
    pub decline: Option<Decline>,
    /// Set when the payer must verify.
    pub action: Option<Action>,
    /// Set when the sides differ in currency and the quote is locked.
    pub exchange: Option<Exchange>,
    /// Set when risk has answered.
    pub risk: Option<RiskOutcome>,
    /// Set for external money.
    pub attempt: Option<Attempt>,
    /// Reservations in the ledger that are neither posted nor voided.
    pub holds: Vec<Held>,
    /// Open request when stuck.
    pub resolution: Option<ResolutionRequest>,
    /// When the authorization ends.
    pub authorization_expires_at: Option<Timestamp>,
    /// When the merchant's plan makes the last capture available.
    pub available_at: Option<Timestamp>,
    /// Oldest first.
    pub changes: Vec<StatusChange>,
}

// === impl Sums ===

impl Sums {
    /// Asserted before each commit (T5).
    ///
    /// # Panics
    /// When a rule is broken: no such state may be written.
    pub fn assert_sound(&self) {
        let all = [
            self.authorized,
            self.captured,
            self.capturing,
            self.refunded,
            self.refunding,
            self.charged_back,
            self.charging_back,
            self.beyond,
        ];
        assert!(
            all.iter().all(|sum| *sum >= 0),
            "T5: no sum is below zero: {self:?}"
        );
        assert!(
            wide(&[self.captured, self.capturing]) <= i128::from(self.authorized),
            "T5: captured is at most authorized: {self:?}"
        );
        assert!(
            self.given_back() <= wide(&[self.captured, self.beyond]),
            "T5: refunded and charged back are at most captured: {self:?}"
        );
        assert!(
            i128::from(self.beyond) <= wide(&[self.charged_back, self.charging_back]),
            "T5: only a chargeback goes beyond what was captured: {self:?}"
        );
        assert!(
            self.lost <= self.charged_back,
            "T5: lost is part of charged back: {self:?}"
        );
    }

    /// Authorized and not yet captured.
    #[must_use]
    pub const fn capturable(&self) -> i64 {
        self.authorized
            .saturating_sub(self.captured)
            .saturating_sub(self.capturing)
    }

    /// Captured and neither refunded nor charged back.
    #[must_use]
    pub const fn refundable(&self) -> i64 {
        self.captured
            .saturating_sub(self.refunded)
            .saturating_sub(self.refunding)
            .saturating_sub(self.charged_back)
            .saturating_sub(self.charging_back)
    }

    /// Reserves what the scheme takes. What is more than is left is booked beyond what was captured: the money is gone.
    pub fn reserve_forced(&mut self, minor: i64) {
        self.charging_back = self.charging_back.saturating_add(minor);
        self.beyond = self.excess();
    }

    /// Something was freed, so that less is beyond what was captured.
    pub fn ease(&mut self) {
        self.beyond = self.beyond.min(self.excess());
    }

    fn given_back(&self) -> i128 {
        wide(&[
            self.refunded,
            self.refunding,
            self.charged_back,
            self.charging_back,
        ])
    }

    fn excess(&self) -> i64 {
        let excess = self.given_back().saturating_sub(i128::from(self.captured));
        i64::try_from(excess.max(0)).unwrap_or(i64::MAX)
    }
}

fn wide(parts: &[i64]) -> i128 {
    parts
        .iter()
        .map(|part| i128::from(*part))
        .fold(0_i128, i128::saturating_add)
}

// === impl Transaction ===

impl Transaction {
    /// The payer's currency.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.amount.currency()
    }

    /// Minor units of the payer's currency as money.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.amount.currency())
    }

    /// The account that gives, when it is in the ledger.
    #[must_use]
    pub fn payer_book(&self) -> Option<Book> {
        match (&self.payer, &self.details.terms.merchant) {
            (Party::Account { account, .. }, _) => Some(Book::Account(*account)),
            (Party::Merchant { .. }, Some(terms)) => Some(terms.book(Share::Available)),
            (Party::Merchant { .. }, None) | (Party::Method { .. } | Party::Bank { .. }, _) => None,
        }
    }

    /// The account that gets, when it is in the ledger.
    #[must_use]
    pub fn payee_book(&self) -> Option<Book> {
        match (&self.payee, &self.details.terms.merchant) {
            (Party::Account { account, .. }, _) => Some(Book::Account(*account)),
            (Party::Merchant { .. }, Some(terms)) => Some(terms.book(Share::Pending)),
            (Party::Merchant { .. }, None) | (Party::Method { .. } | Party::Bank { .. }, _) => None,
        }
    }

    /// What its principal leg is called in the ledger.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self.kind {
            Kind::Transfer => Code::Transfer,
            Kind::Purchase => Code::Purchase,
            Kind::TopUp => Code::TopUp,
            Kind::Withdrawal => Code::Withdrawal,
            Kind::Payout => Code::Payout,
            Kind::Refund => Code::Refund,
            Kind::Chargeback => Code::Chargeback,
            Kind::Adjustment => Code::Adjustment,
        }
    }

    /// True when the two sides differ in currency.
    #[must_use]
    pub fn crosses(&self) -> bool {
        self.amount.currency() != self.details.terms.target
    }

    /// True when money comes from a provider.
    #[must_use]
    pub const fn is_external(&self) -> bool {
        matches!(self.payer, Party::Method { .. })
    }
}
