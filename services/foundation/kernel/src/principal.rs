//! Who acts, and in which role.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::{MerchantId, TenantId};

/// What a principal may be. Which permissions a role has is declared once, in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person with accounts of their own.
    Customer,
    /// Acts for one merchant.
    Merchant,
    /// Answers customers; reads, and cancels on their behalf.
    Support,
    /// Settles, reconciles, pays out.
    Finance,
    /// Administers the tenant.
    Admin,
    /// Reads everything, changes nothing.
    Auditor,
    /// A component acting for itself, such as a saga that wakes up.
    Component,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Customer,
        Self::Merchant,
        Self::Support,
        Self::Finance,
        Self::Admin,
        Self::Auditor,
        Self::Component,
    ];

    /// The word used in tokens, configuration and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Merchant => "merchant",
            Self::Support => "support",
            Self::Finance => "finance",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Component => "component",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// No role has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of customer, merchant, support, finance, admin, auditor")]
pub struct UnknownRole;

/// Who acts: verified at the edge, carried with each call, checked by the component that owns the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The tenant whose objects may be touched.
    pub tenant: TenantId,
    /// The user (`user_…`), API key (`key_…`) or component (its name).
    pub subject: String,
    /// At least one.
    pub roles: Vec<Role>,
    /// The merchant that a [`Role::Merchant`] acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
}

impl Principal {
    /// A component that acts for `tenant` by itself.
    #[must_use]
    pub fn component(tenant: TenantId, name: &str) -> Self {
        Self {
            tenant,
            subject: name.to_owned(),
            roles: vec![Role::Component],
            merchant: None,
        }
    }

    /// True when it has the role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// True when a person is behind it who has signed in: no API key and no component.
    #[must_use]
    pub fn is_person(&self) -> bool {
        is_person(&self.subject) && !self.has(Role::Component)
    }

    /// True when it may approve what `asked_by` asked for, where two people are needed: both are people who have signed in, and
    /// not the same one. An API key speaks for whoever holds its secret, who may well be the person on the other side; so a key
    /// neither asks for nor approves what needs two people.
    #[must_use]
    pub fn may_approve(&self, asked_by: &str) -> bool {
        self.is_person() && is_person(asked_by) && self.subject != asked_by
    }

    /// True when it may touch objects of everyone in its tenant: every role but customer and merchant.
    #[must_use]
    pub fn sees_whole_tenant(&self) -> bool {
        self.roles.iter().any(|role| match role {
            Role::Customer | Role::Merchant => false,
            Role::Support | Role::Finance | Role::Admin | Role::Auditor | Role::Component => true,
        })
    }
}

fn is_person(subject: &str) -> bool {
    subject.starts_with("user_")
}
