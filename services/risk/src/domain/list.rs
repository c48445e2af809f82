//! Lists of who is allowed, reviewed or denied whatever rules say.

use std::collections::HashMap;

use paymesh_kernel::{Timestamp, id::TenantId};

use super::{Decision, EntryId, Payment};

/// What a list does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// Allowed, unless something denies.
    Allow,
    /// A person decides.
    Review,
    /// Denied.
    Deny,
}

/// What the entries of a list are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListSubject {
    /// Who pays.
    Customer,
    /// With what, by fingerprint.
    Method,
    /// To whom.
    Merchant,
    /// At which terminal.
    Terminal,
    /// From where, or issued where.
    Country,
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// Its id.
    pub id: EntryId,
    /// Whose.
    pub tenant: TenantId,
    /// What it does.
    pub kind: ListKind,
    /// What it is compared with.
    pub subject: ListSubject,
    /// An id, a fingerprint or a country code.
    pub value: String,
    /// No personal data.
    pub note: String,
    /// Subject.
    pub created_by: String,
    /// In business time; None is never.
    pub expires_at: Option<Timestamp>,
    /// Clock time.
    pub created_at: Timestamp,
    /// From 1, one more with each change.
    pub version: i64,
}

/// All entries of a tenant, in memory.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    by_value: HashMap<ListSubject, HashMap<Box<str>, Vec<Listed>>>,
    known: HashMap<EntryId, Known>,
}

/// An entry that a payment met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: EntryId,
    /// What it does.
    pub kind: ListKind,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Known {
    version: i64,
    place: Option<(ListSubject, Box<str>)>,
}

// === impl ListKind ===

impl ListKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Review, Self::Deny];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Deny => "deny",
        }
    }

    /// What it comes to.
    #[must_use]
    pub const fn decision(self) -> Decision {
        match self {
            Self::Allow => Decision::Allow,
            Self::Review => Decision::Review,
            Self::Deny => Decision::Deny,
        }
    }

    /// Added to the score.
    #[must_use]
    pub const fn points(self) -> i32 {
        match self {
            Self::Allow => -100,
            Self::Review => 50,
            Self::Deny => 100,
        }
    }
}

// === impl ListSubject ===

impl ListSubject {
    /// Every subject.
    pub const ALL: [Self; 5] = [
        Self::Customer,
        Self::Method,
        Self::Merchant,
        Self::Terminal,
        Self::Country,
    ];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Method => "payment_method",
            Self::Merchant => "merchant",
            Self::Terminal => "terminal",
            Self::Country => "country",
        }
    }

    /// What is compared; empty is never on a list.
    fn values(self, payment: &Payment) -> [&str; 2] {
        match self {
            Self::Customer => [&payment.customer, ""],
            Self::Method => [&payment.method, ""],
            Self::Merchant => [&payment.merchant, ""],
            Self::Terminal => [&payment.terminal, ""],
            Self::Country => [&payment.country, &payment.issuer_country],
        }
    }
}

// === impl ListEntry ===

impl ListEntry {
    /// True when only authorship, time and version differ.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same = Self {
            version: other.version,
            created_by: other.created_by.clone(),
            created_at: other.created_at,
            ..self.clone()
        };
        same == *other
    }
}

// === impl Lists ===

impl Lists {
    /// Entries in force.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known
            .values()
            .filter(|known| known.place.is_some())
            .count()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes an entry in, unless a newer version of it is known.
    pub fn put(&mut self, entry: &ListEntry) {
        if !self.make_room(entry.id, entry.version) {
            return;
        }
        let value: Box<str> = entry.value.as_str().into();
        let listed = Listed {
            id: entry.id,
            kind: entry.kind,
            expires_at: entry.expires_at,
        };
        let values = self.by_value.entry(entry.subject).or_default();
        values.entry(value.clone()).or_default().push(listed);
        let place = Some((entry.subject, value));
        let version = entry.version;
        self.known.insert(entry.id, Known { version, place });
    }

    /// Takes an entry out that was deleted as `version`.
    pub fn take_out(&mut self, id: EntryId, version: i64) {
        if self.make_room(id, version) {
            self.known.insert(
                id,
                Known {
                    version,
                    place: None,
                },
            );
        }
    }

    /// The entries that a payment meets now, the deny list first.
    #[must_use]
    pub fn of(&self, payment: &Payment) -> Vec<(ListSubject, Listed)> {
        let mut met = Vec::new();
        for subject in ListSubject::ALL {
            let Some(values) = self.by_value.get(&subject) else {
                continue;
            };
            for value in subject
                .values(payment)
                .into_iter()
                .filter(|value| !value.is_empty())
            {
                let listed = values.get(value).into_iter().flatten();
                let in_force = |listed: &&Listed| {
                    listed
                        .expires_at
                        .is_none_or(|end| payment.business_at < end)
                };
                met.extend(listed.filter(in_force).map(|listed| (subject, *listed)));
            }
        }
        met.sort_by_key(|(_, listed)| std::cmp::Reverse(listed.kind.decision()));
        met.dedup();
        met
    }

    /// Takes the old version out; false when what is known is not older than `version`.
    fn make_room(&mut self, id: EntryId, version: i64) -> bool {
        match self.known.get(&id) {
            Some(known) if known.version >= version => return false,
            Some(Known {
                place: Some((subject, value)),
                ..
            }) => {
                if let Some(values) = self.by_value.get_mut(subject)
                    && let Some(listed) = values.get_mut(value)
                {
                    listed.retain(|listed| listed.id != id);
                    if listed.is_empty() {
                        values.remove(value);
                    }
                }
            }
            Some(Known { place: None, .. }) | None => {}
        }
        true
    }
}
