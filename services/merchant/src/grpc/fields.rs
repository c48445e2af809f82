//! Checking requests field by field, so that a caller learns of every violation at once.

use std::{fmt::Display, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paymesh_kernel::FieldViolation;
use paymesh_money::{BasisPoints, Currency, Money};
use paymesh_proto::{merchant::v1 as wire, types};
use uuid::Uuid;

use crate::{
    domain::{NegativeBalance, State, TerminalState, Terms, plan::DELAY_LIMIT},
    error::Error,
};

/// Items of a page when nothing is said.
const PAGE_DEFAULT: u64 = 20;
/// Items of a page at most.
const PAGE_MAX: u64 = 100;
/// Longest name, in characters.
const NAME_LIMIT: usize = 200;
/// Longest token of a bank account.
const TOKEN_LIMIT: usize = 255;
/// Largest fixed amount of a plan, in minor units.
const AMOUNT_LIMIT: i64 = 1_000_000_000;
/// Basis points of the whole.
const WHOLE: i64 = 10_000;

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

    /// A token of a bank account; may be empty.
    pub(super) fn token(&mut self, field: &'static str, text: &str) -> Option<String> {
        let is_token =
            text.len() <= TOKEN_LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_token {
            Some(text.to_owned())
        } else {
            self.refuse(field, "must be at most 255 visible ASCII characters")
        }
    }

    /// A plan; its version is not looked at.
    pub(super) fn terms(&mut self, plan: Option<&wire::Plan>) -> Option<Terms> {
        let Some(plan) = plan else {
            return self.refuse("plan", "is needed");
        };
        let fee = self.share("plan.fee_bp", plan.fee_bp);
        let reserve = self.share("plan.reserve_bp", plan.reserve_bp);
        let fee_fixed = self.money(
            [
                "plan.fee_fixed",
                "plan.fee_fixed.minor",
                "plan.fee_fixed.currency",
            ],
            plan.fee_fixed.as_ref(),
        );
        let chargeback_fee = self.money(
            [
                "plan.chargeback_fee",
                "plan.chargeback_fee.minor",
                "plan.chargeback_fee.currency",
            ],
            plan.chargeback_fee.as_ref(),
        );
        let delay_days = if (0..=DELAY_LIMIT).contains(&plan.settlement_delay_days) {
            Some(plan.settlement_delay_days)
        } else {
            self.refuse(
                "plan.settlement_delay_days",
                format!("must be 0 to {DELAY_LIMIT}"),
            )
        };
        let negative_balance = match plan.negative_balance() {
            wire::NegativeBalance::Refused => Some(NegativeBalance::Refused),
            wire::NegativeBalance::Allowed => Some(NegativeBalance::Allowed),
            wire::NegativeBalance::Unspecified => {
                self.refuse("plan.negative_balance", "must be refused or allowed")
            }
        };
        Some(Terms {
            fee: fee?,
            fee_fixed: fee_fixed?,
            delay_days: delay_days?,
            negative_balance: negative_balance?,
            chargeback_fee: chargeback_fee?,
            reserve: reserve?,
        })
    }

    fn share(&mut self, field: &'static str, points: i64) -> Option<BasisPoints> {
        let share = u32::try_from(points)
            .ok()
            .and_then(|points| BasisPoints::try_new(points).ok());
        if share.is_none() {
            return self.refuse(field, format!("must be 0 to {WHOLE} basis points"));
        }
        share
    }

    fn money(
        &mut self,
        [field, minor_field, currency_field]: [&'static str; 3],
        money: Option<&types::v1::Money>,
    ) -> Option<Money> {
        let Some(money) = money else {
            return self.refuse(field, "is needed");
        };
        let currency: Option<Currency> = self.parse(currency_field, &money.currency);
        if !(0..=AMOUNT_LIMIT).contains(&money.minor) {
            return self.refuse(
                minor_field,
                format!("must be 0 to {AMOUNT_LIMIT} minor units"),
            );
        }
        Some(Money::new(money.minor, currency?))
    }

    /// A version that was read; 0 is any.
    pub(super) fn version(&mut self, field: &'static str, version: u64) -> Option<i64> {
        match i64::try_from(version) {
            Ok(0) => None,
            Ok(version) => Some(version),
            Err(_) => self.refuse(field, "must be a version that was read, or 0 for any"),
        }
    }

    /// The page of a list.
    pub(super) fn page(&mut self, page: Option<&types::v1::Page>) -> Option<PageAsked> {
        let (size, token) = page.map_or((0, ""), |page| (page.size, page.token.as_str()));
        let limit = match u64::try_from(size) {
            Ok(0) => PAGE_DEFAULT,
            Ok(size) if size <= PAGE_MAX => size,
            Ok(_) | Err(_) => return self.refuse("page.size", "must be 1 to 100, or 0 for 20"),
        };
        if token.is_empty() {
            return Some(PageAsked { after: None, limit });
        }
        let after = URL_SAFE_NO_PAD
            .decode(token)
            .ok()
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
        .map_or_else(String::new, |last| URL_SAFE_NO_PAD.encode(last.as_bytes()))
}

/// A state of the contract; none for unspecified.
pub(super) const fn state_of(state: wire::MerchantState) -> Option<State> {
    match state {
        wire::MerchantState::Active => Some(State::Active),
        wire::MerchantState::Suspended => Some(State::Suspended),
        wire::MerchantState::Closed => Some(State::Closed),
        wire::MerchantState::Unspecified => None,
    }
}

/// A state of the contract; none for unspecified.
pub(super) const fn terminal_state_of(state: wire::TerminalState) -> Option<TerminalState> {
    match state {
        wire::TerminalState::Active => Some(TerminalState::Active),
        wire::TerminalState::Disabled => Some(TerminalState::Disabled),
        wire::TerminalState::Unspecified => None,
    }
}
