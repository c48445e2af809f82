//! One try at a provider, and the bounds that its amounts keep.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use paymesh_money::Currency;

use super::{AttemptId, Decline, PaymentMethodId, TransactionId, words::words};

words!(
    /// Where an attempt stands.
    pub enum AttemptState {
        /// Committed before the provider is called.
        Created = "created",
        /// The provider's answer is missing.
        Unknown = "unknown",
        /// The payer must verify.
        RequiresAction = "requires_action",
        /// The money is reserved.
        Authorized = "authorized",
        /// Some of it was taken, the rest may be.
        PartiallyCaptured = "partially_captured",
        /// Taken in full, or finally.
        Captured = "captured",
        /// Released.
        Canceled = "canceled",
        /// The provider or issuer said no.
        Declined = "declined",
        /// Certainly nothing happened.
        Failed = "failed",
        /// The authorization ended by itself.
        Expired = "expired",
    }
);

words!(
    /// How the money is taken.
    pub enum CaptureMode {
        /// With the authorization.
        Automatic = "automatic",
        /// By captures.
        Manual = "manual",
    }
);

words!(
    /// When the payer is verified.
    pub enum ThreeDs {
        /// When provider or issuer wants it.
        Automatic = "automatic",
        /// Always.
        Required = "required",
    }
);

/// What the payer has to do at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Where to send the payer.
    pub url: String,
    /// The provider's name for it.
    pub id: String,
    /// When it is too late.
    pub expires_at: Option<Timestamp>,
}

/// One try at a provider. Amounts are minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Made by the caller.
    pub id: AttemptId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// What it is for.
    pub transaction: TransactionId,
    /// What is charged.
    pub payment_method: PaymentMethodId,
    /// Who pays; none when the payment method was not found.
    pub customer: Option<UserId>,
    /// Who is paid; none for top-ups.
    pub merchant: Option<MerchantId>,
    /// Where.
    pub connector: String,
    /// Ours: the key of the authorization.
    pub reference: String,
    /// The provider's.
    pub connector_reference: Option<String>,
    /// Where it stands.
    pub state: AttemptState,
    /// How the money is taken.
    pub capture: CaptureMode,
    /// When the payer is verified.
    pub three_ds: ThreeDs,
    /// What the payer's statement says.
    pub statement_descriptor: Option<String>,
    /// Where the payer goes after a verification.
    pub return_url: Option<String>,
    /// Of all amounts.
    pub currency: Currency,
    /// Asked for.
    pub amount_minor: i64,
    /// Reserved by the provider.
    pub authorized_minor: i64,
    /// Taken.
    pub captured_minor: i64,
    /// Given up of what was reserved.
    pub released_minor: i64,
    /// Given back.
    pub refunded_minor: i64,
    /// Taken back by disputes that are open or lost.
    pub charged_back_minor: i64,
    /// Why not.
    pub decline: Option<Decline>,
    /// What the payer has to do, or had to.
    pub action: Option<Action>,
    /// When the authorization ends by itself.
    pub authorization_expires_at: Option<Timestamp>,
    /// The caller gave it up while its outcome was in doubt: whatever turns up is given back.
    pub is_abandoned: bool,
    /// The request that all began with.
    pub correlation_id: String,
    /// Business time of the authorization.
    pub business_at: Timestamp,
    /// Disputes there are.
    pub dispute_count: i32,
    /// Facts told so far.
    pub event_sequence: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// For concurrent changes.
    pub version: i64,
}

// === impl AttemptState ===

impl AttemptState {
    /// True when it ended without money: nothing may be held or taken at the provider any more.
    #[must_use]
    pub const fn is_over_without_money(self) -> bool {
        match self {
            Self::Canceled | Self::Declined | Self::Failed | Self::Expired => true,
            Self::Created
            | Self::Unknown
            | Self::RequiresAction
            | Self::Authorized
            | Self::PartiallyCaptured
            | Self::Captured => false,
        }
    }

    /// True when it is not known whether the provider has it.
    #[must_use]
    pub const fn is_in_doubt(self) -> bool {
        match self {
            Self::Created | Self::Unknown => true,
            Self::RequiresAction
            | Self::Authorized
            | Self::PartiallyCaptured
            | Self::Captured
            | Self::Canceled
            | Self::Declined
            | Self::Failed
            | Self::Expired => false,
        }
    }

    /// True when going from here to `next` is forward (P3).
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        next.rank() > self.rank()
    }

    /// States only ever move to a higher rank. What is over stays over.
    const fn rank(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Unknown => 1,
            Self::RequiresAction => 2,
            Self::Authorized => 3,
            Self::PartiallyCaptured => 4,
            Self::Captured | Self::Canceled | Self::Declined | Self::Failed | Self::Expired => 5,
        }
    }
}

// === impl Attempt ===

impl Attempt {
    /// What may still be captured.
    #[must_use]
    pub const fn capturable_minor(&self) -> i64 {
        self.authorized_minor - self.captured_minor - self.released_minor
    }

    /// What may still be refunded.
    #[must_use]
    pub const fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor - self.charged_back_minor
    }

    /// True when whatever is held or taken must go back: the caller gave it up, or was told that it ended without money.
    #[must_use]
    pub const fn is_given_up(&self) -> bool {
        self.is_abandoned || self.state.is_over_without_money()
    }

    /// Business time of something that happens now: as far after the authorization's business time as the clock has moved.
    #[must_use]
    pub fn business_time(&self, now: Timestamp) -> Timestamp {
        self.business_at.plus(now.since(self.created_at))
    }

    /// P1 and P2.
    #[must_use]
    pub const fn keeps_its_bounds(&self) -> bool {
        let taken = self.captured_minor + self.released_minor <= self.authorized_minor
            && self.authorized_minor <= self.amount_minor;
        let returned = self.refunded_minor + self.charged_back_minor <= self.captured_minor;
        let positive = self.captured_minor >= 0
            && self.released_minor >= 0
            && self.refunded_minor >= 0
            && self.charged_back_minor >= 0;
        taken && returned && positive
    }
}
