//! Checking requests field by field, so that a caller learns of every violation at once.

use std::{fmt::Display, str::FromStr};

use paymesh_kernel::{FieldViolation, Role, Timestamp};
use paymesh_proto::{types::v1::Page, user::v1 as wire};
use uuid::Uuid;

use crate::{
    domain::{Consent, ConsentPurpose, Hidden, State, TenantMode},
    error::Error,
    secrets,
};

/// Items of a page when nothing is said.
const PAGE_DEFAULT: u64 = 20;
/// Items of a page at most.
const PAGE_MAX: u64 = 100;
/// Longest address (RFC 5321 §4.5.3.1.3).
const EMAIL_LIMIT: usize = 254;
/// Longest name of a person or thing, in characters.
const NAME_LIMIT: usize = 200;
/// Length of a password, in characters.
const PASSWORD_RANGE: std::ops::RangeInclusive<usize> = 12..=128;
/// Roles at most.
const ROLES_LIMIT: usize = 6;
/// Consents in one request.
const CONSENTS_LIMIT: usize = 10;
/// Longest name of a consent's text.
const VERSION_LIMIT: usize = 64;

/// Violations found so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    violations: Vec<FieldViolation>,
}

/// Where a list goes on, and for how long.
pub(super) struct PageAsked {
    pub(super) after: Option<Uuid>,
    pub(super) limit: u64,
}

// === impl Fields ===

impl Fields {
    /// The error of all violations, if there is any.
    pub(super) fn done(&mut self) -> Result<(), Error> {
        if self.violations.is_empty() {
            return Ok(());
        }
        Err(self.error())
    }

    /// The error of all violations.
    pub(super) fn error(&mut self) -> Error {
        Error::Invalid(std::mem::take(&mut self.violations))
    }

    /// What is parsed, or a violation.
    pub(super) fn parse<T: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }

    /// The same for a field that may be empty.
    pub(super) fn maybe<T: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<T> {
        if text.is_empty() {
            None
        } else {
            self.parse(field, text)
        }
    }

    /// An address: one `@`, something before, a dot after, nothing invisible.
    pub(super) fn email(&mut self, field: &'static str, text: &str) -> Option<String> {
        let text = text.trim();
        let is_address = text.len() <= EMAIL_LIMIT
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && !domain.contains('@')
                    && domain.contains('.')
                    && domain.split('.').all(|label| !label.is_empty())
            });
        if is_address {
            Some(text.to_owned())
        } else {
            self.refuse(field, "must be an e-mail address of at most 254 characters")
        }
    }

    /// A name: 1 to 200 characters without control characters.
    pub(super) fn name(&mut self, field: &'static str, text: &str) -> Option<String> {
        let text = text.trim();
        let is_name = !text.is_empty()
            && text.chars().count() <= NAME_LIMIT
            && !text.chars().any(char::is_control);
        if is_name {
            Some(text.to_owned())
        } else {
            self.refuse(
                field,
                "must be 1 to 200 characters, none of them a control character",
            )
        }
    }

    /// A new password.
    pub(super) fn password(&mut self, field: &'static str, text: &str) -> Option<Hidden> {
        if PASSWORD_RANGE.contains(&text.chars().count()) {
            Some(Hidden(text.to_owned()))
        } else {
            self.refuse(field, "must be 12 to 128 characters")
        }
    }

    /// What somebody types as a password: anything that is not endless.
    pub(super) fn attempt(&mut self, field: &'static str, text: &str) -> Option<Hidden> {
        let limit = PASSWORD_RANGE.end() * 4;
        if (1..=limit).contains(&text.len()) {
            Some(Hidden(text.to_owned()))
        } else {
            self.refuse(field, "must be a password")
        }
    }

    /// A tenant's mode.
    pub(super) fn mode(
        &mut self,
        field: &'static str,
        mode: wire::TenantMode,
    ) -> Option<TenantMode> {
        match mode {
            wire::TenantMode::Live => Some(TenantMode::Live),
            wire::TenantMode::Sandbox => Some(TenantMode::Sandbox),
            wire::TenantMode::Unspecified => self.refuse(field, "must be live or sandbox"),
        }
    }

    /// One to six different roles, in the order of the contract.
    pub(super) fn roles(&mut self, field: &'static str, roles: &[i32]) -> Option<Vec<Role>> {
        let mut known: Vec<Role> = roles
            .iter()
            .filter_map(|role| role_of(wire::Role::try_from(*role).unwrap_or_default()))
            .collect();
        known.sort_unstable();
        known.dedup();
        if roles.is_empty() || roles.len() > ROLES_LIMIT || known.len() != roles.len() {
            return self.refuse(field, "must be one to six different roles");
        }
        Some(known)
    }

    /// Consents; the time is ours.
    pub(super) fn consents(
        &mut self,
        field: &'static str,
        consents: &[wire::Consent],
    ) -> Option<Vec<Consent>> {
        let read = |consent: &wire::Consent| {
            let is_named = !consent.version.is_empty()
                && consent.version.len() <= VERSION_LIMIT
                && consent.version.bytes().all(|byte| byte.is_ascii_graphic());
            Some(Consent {
                purpose: purpose_of(consent.purpose()).filter(|_| is_named)?,
                granted: consent.granted,
                version: consent.version.clone(),
                recorded_at: Timestamp::EPOCH,
            })
        };
        let known: Option<Vec<Consent>> = consents.iter().map(read).collect();
        match known {
            Some(known) if known.len() <= CONSENTS_LIMIT => Some(known),
            Some(_) | None => self.refuse(
                field,
                "must be at most ten, each with a purpose and a version of 1 to 64 visible characters",
            ),
        }
    }

    /// The page of a list.
    pub(super) fn page(&mut self, page: Option<&Page>) -> Option<PageAsked> {
        let (size, token) = page.map_or((0, ""), |page| (page.size, page.token.as_str()));
        let limit = match u64::try_from(size) {
            Ok(0) => PAGE_DEFAULT,
            Ok(size) if size <= PAGE_MAX => size,
            Ok(_) | Err(_) => return self.refuse("page.size", "must be 1 to 100, or 0 for 20"),
        };
        if token.is_empty() {
            return Some(PageAsked { after: None, limit });
        }
        let after = secrets::decode(token)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Uuid::from_bytes);
        if after.is_none() {
            return self.refuse("page.token", "must be the next_token of the page before");
        }
        Some(PageAsked { after, limit })
    }

    /// A violation.
    pub(super) fn refuse<T>(
        &mut self,
        field: &'static str,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Option<T> {
        self.violations.push(FieldViolation::new(field, rule));
        None
    }
}

/// The token of the page after the one that ends with `last`.
pub(super) fn next_token(last: Option<Uuid>, count: usize, limit: u64) -> String {
    let is_full = u64::try_from(count).is_ok_and(|count| count >= limit);
    last.filter(|_| is_full)
        .map_or_else(String::new, |last| secrets::encode(last.as_bytes()))
}

/// A role of the contract; none for unspecified.
pub(super) const fn role_of(role: wire::Role) -> Option<Role> {
    match role {
        wire::Role::Customer => Some(Role::Customer),
        wire::Role::Merchant => Some(Role::Merchant),
        wire::Role::Support => Some(Role::Support),
        wire::Role::Finance => Some(Role::Finance),
        wire::Role::Admin => Some(Role::Admin),
        wire::Role::Auditor => Some(Role::Auditor),
        wire::Role::Unspecified => None,
    }
}

/// A state of the contract; none for unspecified.
pub(super) const fn state_of(state: wire::UserState) -> Option<State> {
    match state {
        wire::UserState::Active => Some(State::Active),
        wire::UserState::Suspended => Some(State::Suspended),
        wire::UserState::Restricted => Some(State::Restricted),
        wire::UserState::Erased => Some(State::Erased),
        wire::UserState::Unspecified => None,
    }
}

const fn purpose_of(purpose: wire::ConsentPurpose) -> Option<ConsentPurpose> {
    match purpose {
        wire::ConsentPurpose::Terms => Some(ConsentPurpose::Terms),
        wire::ConsentPurpose::Marketing => Some(ConsentPurpose::Marketing),
        wire::ConsentPurpose::Profiling => Some(ConsentPurpose::Profiling),
        wire::ConsentPurpose::Unspecified => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        for (text, is_address) in [
            ("anna@example.com", true),
            (" anna@example.com ", true),
            ("anna+tag@mail.example.com", true),
            ("anna", false),
            ("@example.com", false),
            ("anna@example", false),
            ("anna@exa mple.com", false),
            ("anna@@example.com", false),
            ("anna@example..com", false),
            ("anna@example.com\nx", false),
        ] {
            let mut fields = Fields::default();
            assert_eq!(fields.email("email", text).is_some(), is_address, "{text}");
            assert_eq!(fields.done().is_ok(), is_address, "{text}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        assert!(Fields::default().email("email", &long).is_none());
    }

    #[test]
    fn a_page_has_a_size_and_goes_on_where_it_was() {
        let page = |size, token: &str| {
            let page = Page {
                size,
                token: token.to_owned(),
            };
            let asked = Fields::default().page(Some(&page));
            asked.map(|asked| (asked.limit, asked.after))
        };
        let id = Uuid::from_u128(7);
        let token = next_token(Some(id), 20, 20);
        assert_eq!(page(0, ""), Some((20, None)));
        assert_eq!(page(100, &token), Some((100, Some(id))));
        assert_eq!(page(101, ""), None);
        assert_eq!(page(-1, ""), None);
        assert_eq!(page(1, "?"), None);
        assert_eq!(next_token(Some(id), 19, 20), "");
    }
}
