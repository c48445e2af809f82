//! Alerts: what a person should look at.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use paymesh_kernel::{Timestamp, id::TenantId};

use super::{AlertId, DecisionId, Payment};

/// The same kind of alert about the same customer or terminal is raised once in this time of business.
const QUIET: Duration = Duration::from_secs(3_600);
/// Subjects remembered for that.
const MAX_SUBJECTS: usize = 50_000;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// A payment was denied.
    Denied,
    /// Somebody's pace is unusual.
    Velocity,
    /// The share of fraud at a terminal is high.
    TerminalCompromised,
    /// A chargeback on what was let through.
    Chargeback,
    /// A deny list matched.
    ListHit,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Whose.
    pub tenant: TenantId,
    /// What it is about.
    pub kind: AlertKind,
    /// The decision.
    pub decision: DecisionId,
    /// The transaction.
    pub transaction: String,
    /// Who pays.
    pub customer: String,
    /// Who is paid.
    pub merchant: String,
    /// Where.
    pub terminal: String,
    /// Of the decision.
    pub score: i32,
    /// For staff.
    pub text: String,
    /// In business time.
    pub business_at: Timestamp,
    /// Clock time.
    pub raised_at: Timestamp,
}

/// Keeps one busy terminal or customer from raising the same alert with each payment.
#[derive(Debug, Default)]
pub struct Quiet {
    last: Mutex<HashMap<(TenantId, AlertKind, String), Timestamp>>,
}

// === impl AlertKind ===

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Denied,
        Self::Velocity,
        Self::TerminalCompromised,
        Self::Chargeback,
        Self::ListHit,
    ];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Velocity => "velocity",
            Self::TerminalCompromised => "terminal_compromised",
            Self::Chargeback => "chargeback",
            Self::ListHit => "list_hit",
        }
    }
}

// === impl Quiet ===

impl Quiet {
    /// True when the alert is to be raised.
    #[must_use]
    pub fn lets(&self, tenant: TenantId, kind: AlertKind, payment: &Payment) -> bool {
        let subject = match kind {
            AlertKind::Denied | AlertKind::Chargeback | AlertKind::ListHit => return true,
            AlertKind::Velocity => &payment.customer,
            AlertKind::TerminalCompromised => &payment.terminal,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= MAX_SUBJECTS {
            // Repeating an alert costs less than remembering everything.
            last.clear();
        }
        let key = (tenant, kind, subject.clone());
        let is_quiet = last
            .get(&key)
            .is_some_and(|before| payment.business_at < before.plus(QUIET));
        if !is_quiet {
            last.insert(key, payment.business_at);
        }
        !is_quiet
    }
}
