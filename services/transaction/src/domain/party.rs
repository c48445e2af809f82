//! The two sides of a transaction, and the terms it began with.

use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::{
    AccountId, MerchantId, PaymentMethodId, TerminalId, UserId,
    draw::Negative,
    ledger::{Book, Share},
};

/// Who owns an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A person.
    User(UserId),
    /// A merchant.
    Merchant(MerchantId),
    /// The tenant or a connector: accounts that only adjustments name.
    House,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// An account of the ledger.
    Account {
        /// Which.
        account: AccountId,
        /// Whose.
        holder: Holder,
    },
    /// A payment method at a provider.
    Method {
        /// Which.
        method: PaymentMethodId,
        /// Whose.
        customer: UserId,
    },
    /// A merchant.
    Merchant {
        /// Which.
        merchant: MerchantId,
        /// Where.
        terminal: Option<TerminalId>,
    },
    /// A bank account.
    Bank {
        /// Opaque.
        token: String,
    },
}

/// What a share of the payee's side costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeePlan {
    /// Share, in basis points, at most 10,000.
    pub basis_points: u32,
    /// On top, in the payee's currency.
    pub fixed: Money,
}

/// What a merchant's plan said when the transaction began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantTerms {
    /// Whose.
    pub merchant: MerchantId,
    /// Days from pending to available.
    pub settlement_delay_days: u32,
    /// Whether refunds may overdraw.
    pub negative: Negative,
    /// Charged for each chargeback, in the settlement currency.
    pub chargeback_fee: Money,
    /// merchant.pending.
    pub pending: AccountId,
    /// merchant.available.
    pub available: AccountId,
    /// merchant.reserve.
    pub reserve: AccountId,
    /// Version of the plan.
    pub plan_version: u64,
}

/// What was agreed when the transaction began; later changes of plans do not touch it (T6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The payee's currency.
    pub target: Currency,
    /// What the payer pays on top, in the payer's currency.
    pub payer_fee: Money,
    /// What the payee pays.
    pub payee_fee: FeePlan,
    /// When a merchant is the payee or, for payouts, the payer.
    pub merchant: Option<MerchantTerms>,
}

// === impl Party ===

impl Party {
    /// The person on this side.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Account {
                holder: Holder::User(user),
                ..
            }
            | Self::Method { customer: user, .. } => Some(*user),
            Self::Account { .. } | Self::Merchant { .. } | Self::Bank { .. } => None,
        }
    }

    /// The merchant on this side.
    #[must_use]
    pub const fn merchant(&self) -> Option<MerchantId> {
        match self {
            Self::Account {
                holder: Holder::Merchant(merchant),
                ..
            }
            | Self::Merchant { merchant, .. } => Some(*merchant),
            Self::Account { .. } | Self::Method { .. } | Self::Bank { .. } => None,
        }
    }

    /// The account on this side.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account { account, .. } => Some(*account),
            Self::Method { .. } | Self::Merchant { .. } | Self::Bank { .. } => None,
        }
    }

    /// The payment method on this side.
    #[must_use]
    pub const fn method(&self) -> Option<PaymentMethodId> {
        match self {
            Self::Method { method, .. } => Some(*method),
            Self::Account { .. } | Self::Merchant { .. } | Self::Bank { .. } => None,
        }
    }
}

// === impl MerchantTerms ===

impl MerchantTerms {
    /// One of the merchant's accounts.
    #[must_use]
    pub const fn book(&self, share: Share) -> Book {
        let account = match share {
            Share::Pending => self.pending,
            Share::Available => self.available,
            Share::Reserve => self.reserve,
        };
        Book::Merchant(self.merchant, share, account)
    }
}

// === impl FeePlan ===

impl FeePlan {
    /// No fee, in a currency.
    #[must_use]
    pub const fn free(currency: Currency) -> Self {
        Self {
            basis_points: 0,
            fixed: Money::zero(currency),
        }
    }

    /// The fee on a running total; nothing on nothing.
    ///
    /// # Errors
    /// When the plan is not in the currency of the total, or a number is out of range.
    pub fn on(&self, total: Money) -> Result<Money, paymesh_money::FeeError> {
        if total.is_zero() && total.currency() == self.fixed.currency() {
            return Ok(total);
        }
        let points = paymesh_money::BasisPoints::try_new(self.basis_points)
            .unwrap_or(paymesh_money::BasisPoints::WHOLE);
        // A total is at most the sum of amounts that were checked one by one; beyond the limit the share is still exact.
        let share = points.of(total, paymesh_money::Rounding::HalfEven);
        if self.fixed.is_negative() {
            return Err(paymesh_money::FeeError::NegativeFixed);
        }
        Ok(share.checked_add(self.fixed)?)
    }
}
