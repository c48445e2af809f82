//! Terminals.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};

use super::{Country, TerminalId};

/// Where a terminal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TerminalState {
    /// Takes payments.
    Active,
    /// Takes none.
    Disabled,
}

/// Where a merchant takes payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// The id.
    pub(crate) id: TerminalId,
    /// Whose tenant.
    pub(crate) tenant: TenantId,
    /// Whose it is.
    pub(crate) merchant: MerchantId,
    /// What the merchant calls it.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) country: Country,
    /// Whether it takes payments.
    pub(crate) state: TerminalState,
    /// Rises with each change.
    pub(crate) version: i64,
    /// When it was added.
    pub(crate) created_at: Timestamp,
}

// === impl TerminalState ===

impl TerminalState {
    /// The word in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// The state of a word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Disabled]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}
