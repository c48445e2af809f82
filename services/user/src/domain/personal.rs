//! What says who a person is, and what the person agreed to.

use std::fmt;

use paymesh_kernel::Timestamp;

/// What a consent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ConsentPurpose {
    /// The terms of use.
    Terms,
    /// Messages nobody asked for.
    Marketing,
    /// Automated judgement of a person.
    Profiling,
}

/// A consent, given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Consent {
    /// What for.
    pub purpose: ConsentPurpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Of the text that was shown.
    pub version: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// What says who a person is. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Personal {
    /// Address as written, without spaces around it.
    pub email: String,
    /// Name as written.
    pub name: String,
}

/// Personal data as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Keyed hash of tenant and address.
    pub email_hash: String,
    /// Encrypted under the subject's key.
    pub personal: Vec<u8>,
}

// === impl ConsentPurpose ===

impl ConsentPurpose {
    const ALL: [Self; 3] = [Self::Terms, Self::Marketing, Self::Profiling];

    /// The word in tables.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Marketing => "marketing",
            Self::Profiling => "profiling",
        }
    }

    /// The purpose of a word.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

// === impl Personal ===

impl Personal {
    /// The form that is encrypted: the address, a line feed, the name. Neither holds control characters.
    #[must_use]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        format!("{}\n{}", self.email, self.name).into_bytes()
    }

    /// What [`Personal::to_bytes`] wrote; None for anything else.
    #[must_use]
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (email, name) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        Some(Self {
            email: email.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(***)")
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(***)")
    }
}

/// The newest of each purpose; of two in one request the later.
#[must_use]
pub(crate) fn merged(before: &[Consent], news: Vec<Consent>) -> Vec<Consent> {
    let mut all = before.to_vec();
    for consent in news {
        all.retain(|known| known.purpose != consent.purpose);
        all.push(consent);
    }
    all.sort_by_key(|consent| consent.purpose.as_str());
    all
}
