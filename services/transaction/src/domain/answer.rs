//! What other components answer to a step, in the words of this one.

use paymesh_kernel::Timestamp;

use super::{decline::Decline, exchange::Exchange, transaction::Action};

/// What a step's call came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Risk decided.
    Assessed(Assessment),
    /// Both amounts are fixed.
    Quoted(Exchange),
    /// There is no quote, or it cannot be used any more.
    QuoteRefused(Decline),
    /// The quote is ours for good.
    Consumed,
    /// The ledger has booked the group.
    Booked,
    /// The ledger refused the group, whole.
    Refused(Refusal),
    /// The attempt as the provider has it.
    Attempt(AttemptView),
    /// A capture or refund at the provider.
    Operation(OperationView),
    /// The merchant does not cover the refund.
    NotCovered,
    /// Nobody has ever seen the call: it may be sent.
    NeverSent,
    /// The provider never had it and will not: certainly nothing happened.
    Absent,
    /// No answer, or one that says nothing.
    Failed(Failure),
}

/// What risk decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// What to do.
    pub verdict: Verdict,
    /// 0 to 100.
    pub score: i32,
    /// The strongest reason, for staff.
    pub detail: String,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allow,
    /// The payer must verify.
    Challenge,
    /// A person must decide.
    Review,
    /// It ends here.
    Deny,
}

/// Why the ledger refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not enough on the account debited.
    Funds,
    /// The account debited is suspended.
    Suspended,
    /// The account debited is closed.
    DebitClosed,
    /// The account credited is closed.
    CreditClosed,
    /// The account credited takes no more.
    CreditBound,
    /// The value date lies in a closed period.
    PeriodClosed,
    /// There is nothing to post or void any more.
    HoldGone,
    /// An account is not known, or not in this currency.
    AccountUnknown,
    /// The ids were used with another body, or something that only a defect brings about.
    Defect,
}

impl Refusal {
    /// The word for it in what others see.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Funds => "INSUFFICIENT_FUNDS",
            Self::Suspended => "ACCOUNT_SUSPENDED",
            Self::DebitClosed => "PAYER_ACCOUNT_CLOSED",
            Self::CreditClosed => "PAYEE_ACCOUNT_CLOSED",
            Self::CreditBound => "BALANCE_LIMIT",
            Self::PeriodClosed => "PERIOD_CLOSED",
            Self::HoldGone => "HOLD_GONE",
            Self::AccountUnknown => "ACCOUNT_UNKNOWN",
            Self::Defect => "REQUEST_REFUSED",
        }
    }
}

/// Where an attempt stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Not answered yet.
    Open,
    /// The payer must verify.
    RequiresAction,
    /// Reserved.
    Authorized,
    /// Taken, in part or in full.
    Captured,
    /// Released.
    Canceled,
    /// Refused.
    Declined,
    /// Certainly nothing happened.
    Failed,
}

/// An attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptView {
    /// Where it stands.
    pub state: AttemptState,
    /// Connector's name.
    pub connector: String,
    /// Minor units reserved.
    pub authorized: i64,
    /// Minor units taken.
    pub captured: i64,
    /// When the payer must verify.
    pub action: Option<Action>,
    /// When the authorization ends.
    pub expires_at: Option<Timestamp>,
    /// When refused.
    pub decline: Option<Decline>,
    /// The provider's reference.
    pub reference: String,
}

/// Where an operation stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// Accepted, not finished.
    Pending,
    /// Done.
    Succeeded,
    /// Refused.
    Declined,
    /// Certainly nothing happened.
    Failed,
    /// Not known.
    Unknown,
}

/// A capture or refund at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationView {
    /// Where it stands.
    pub outcome: OperationOutcome,
    /// When refused.
    pub decline: Option<Decline>,
    /// The provider's reference.
    pub reference: String,
}

/// A call without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether it may have had an effect.
    pub effect: Effect,
    /// Stable reason.
    pub reason: String,
    /// When to ask again, if the other side said so.
    pub again_at: Option<Timestamp>,
}

/// What is known of the effect of a call without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Certainly none.
    None,
    /// It cannot be known yet.
    Unknown,
}
