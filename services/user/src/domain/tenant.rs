//! Tenants.

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;

use super::Country;

/// What a tenant is for. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TenantMode {
    /// Real money.
    Live,
    /// Simulated providers.
    Sandbox,
}

/// What else a tenant may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its administrators see and make tenants: it belongs to who runs the platform.
    Operator,
    /// Its people see their own tenant.
    Ordinary,
}

/// A customer of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub mode: TenantMode,
    /// Where it is at home.
    pub country: Country,
    /// What its amounts are in when nothing else is said.
    pub default_currency: Currency,
    /// What else it may do.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Timestamp,
}

// === impl TenantMode ===

impl TenantMode {
    /// The word in tokens, secrets and tables.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }

    /// The mode of a word.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::Sandbox]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

// === impl Standing ===

impl Standing {
    /// The word in tables.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Ordinary => "ordinary",
        }
    }

    /// The standing of a word.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Operator, Self::Ordinary]
            .into_iter()
            .find(|standing| standing.as_str() == text)
    }
}
