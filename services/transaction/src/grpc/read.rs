//! Reads requests: every field is checked, and all that is wrong is said at once.

use std::{borrow::Cow, collections::BTreeMap, fmt::Display, str::FromStr};

use paymesh_kernel::{FieldViolation, Timestamp};
use paymesh_money::{Amount, Currency, Money};
use paymesh_proto::{
    transaction::v1 as wire,
    types::v1::{Money as WireMoney, Page, TimeRange},
};
use uuid::Uuid;

use crate::{app::lookup::Asked, error::Error, store::view::Place};

/// Items of a page when the request does not say.
const PAGE_SIZE: u64 = 20;
/// Most items of a page.
const MAX_PAGE_SIZE: i32 = 100;
/// Pairs of metadata.
const METADATA_PAIRS: usize = 16;
/// Characters of a metadata key.
const METADATA_KEY: usize = 64;
/// Characters of a metadata value.
const METADATA_VALUE: usize = 256;

/// Characters of the token of a bank account.
const BANK_TOKEN: usize = 255;

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(super) struct Reader {
    violations: Vec<FieldViolation>,
}

// === impl Reader ===

impl Reader {
    /// The value, unless something was wrong.
    ///
    /// # Errors
    /// With every rule that was broken.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.violations)),
        }
    }

    pub(super) fn refuse(&mut self, field: impl Into<Cow<'static, str>>, rule: impl Into<String>) {
        self.violations
            .push(FieldViolation::new(field, rule.into()));
    }

    /// Keeps what is right, and says what is not.
    fn kept<T, E: Display>(&mut self, field: &'static str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(field, error.to_string());
                None
            }
        }
    }

    /// The same for a field within `field`.
    fn part<T, E: Display>(
        &mut self,
        field: &'static str,
        part: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(format!("{field}.{part}"), error.to_string());
                None
            }
        }
    }

    pub(super) fn id<I: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<I> {
        self.kept(field, text.parse())
    }

    /// None when it is empty.
    pub(super) fn maybe_id<I: FromStr<Err: Display>>(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Option<I> {
        if text.is_empty() {
            None
        } else {
            self.id(field, text)
        }
    }

    pub(super) fn money(
        &mut self,
        field: &'static str,
        money: Option<&WireMoney>,
    ) -> Option<Money> {
        let Some(money) = money else {
            self.refuse(field, "must be set");
            return None;
        };
        let currency: Currency = self.part(field, "currency", money.currency.parse())?;
        let amount = Amount::try_new(money.minor, currency);
        self.part(field, "minor", amount).map(Amount::money)
    }

    pub(super) fn maybe_money(
        &mut self,
        field: &'static str,
        money: Option<&WireMoney>,
    ) -> Option<Money> {
        money.and_then(|money| self.money(field, Some(money)))
    }

    pub(super) fn maybe_currency(&mut self, field: &'static str, code: &str) -> Option<Currency> {
        if code.is_empty() {
            None
        } else {
            self.kept(field, code.parse())
        }
    }

    pub(super) fn text(&mut self, field: &'static str, text: &str, limit: usize) -> String {
        if text.chars().count() > limit {
            self.refuse(field, format!("must have at most {limit} characters"));
        }
        if text.chars().any(char::is_control) {
            self.refuse(field, "must not have control characters");
        }
        text.to_owned()
    }

    /// Where a browser can be sent: http or https, a host, and nobody's name or password.
    pub(super) fn web_address(&mut self, field: &'static str, text: &str, limit: usize) -> String {
        if !text.is_empty() && !is_web_address(text) {
            self.refuse(
                field,
                "must begin with https:// or http://, with a host and without user information",
            );
        }
        self.text(field, text, limit)
    }

    pub(super) fn country(&mut self, field: &'static str, code: &str) -> String {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if !code.is_empty() && !is_code {
            self.refuse(
                field,
                "must be two upper-case letters of ISO 3166-1, such as DE",
            );
        }
        code.to_owned()
    }

    pub(super) fn metadata(
        &mut self,
        field: &'static str,
        pairs: impl ExactSizeIterator<Item = (String, String)>,
    ) -> BTreeMap<String, String> {
        if pairs.len() > METADATA_PAIRS {
            self.refuse(field, format!("must have at most {METADATA_PAIRS} pairs"));
            return BTreeMap::new();
        }
        let pairs: BTreeMap<String, String> = pairs.collect();
        let fits = |(key, value): (&String, &String)| {
            !key.is_empty()
                && key.chars().count() <= METADATA_KEY
                && value.chars().count() <= METADATA_VALUE
        };
        if !pairs.iter().all(fits) {
            self.refuse(
                field,
                format!("must have keys of 1 to {METADATA_KEY} and values of at most {METADATA_VALUE} characters"),
            );
        }
        pairs
    }

    pub(super) fn moment(&mut self, field: &'static str, micros: i64) -> Option<Timestamp> {
        if micros < 0 {
            self.refuse(field, "must not be before 1970");
        }
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    pub(super) fn wait(&mut self, wait_ms: Option<i32>) -> Option<i32> {
        if wait_ms.is_some_and(|wait| wait < 0) {
            self.refuse("wait_ms", "must not be negative");
        }
        wait_ms
    }

    pub(super) fn party(
        &mut self,
        field: &'static str,
        party: Option<wire::Party>,
    ) -> Option<Asked> {
        use wire::party::Party as Of;
        let Some(party) = party.and_then(|party| party.party) else {
            self.refuse(
                field,
                "must name an account, a user, a payment method, a merchant or a bank",
            );
            return None;
        };
        match party {
            Of::AccountId(id) => self
                .part(field, "account_id", id.parse())
                .map(Asked::Account),
            Of::UserId(id) => self.part(field, "user_id", id.parse()).map(Asked::User),
            Of::PaymentMethod(method) => {
                let (id, customer) = (method.payment_method_id, method.customer_id);
                let customer = (!customer.is_empty())
                    .then(|| self.part(field, "payment_method.customer_id", customer.parse()))
                    .flatten();
                let method = self.part(field, "payment_method.payment_method_id", id.parse())?;
                Some(Asked::Method { method, customer })
            }
            Of::Merchant(merchant) => {
                let (id, terminal) = (merchant.merchant_id, merchant.terminal_id);
                let terminal = (!terminal.is_empty())
                    .then(|| self.part(field, "merchant.terminal_id", terminal.parse()))
                    .flatten();
                let merchant = self.part(field, "merchant.merchant_id", id.parse())?;
                Some(Asked::Merchant { merchant, terminal })
            }
            Of::Bank(bank) => {
                let token = bank.destination_token;
                self.part(field, "bank.destination_token", check_token(&token))?;
                Some(Asked::Bank { token })
            }
        }
    }

    /// Where the page begins, and how many items it has.
    pub(super) fn page(&mut self, page: Option<&Page>) -> (Option<Place>, u64) {
        let Some(page) = page else {
            return (None, PAGE_SIZE);
        };
        let size = match page.size {
            0 => PAGE_SIZE,
            1..=MAX_PAGE_SIZE => u64::from(page.size.unsigned_abs()),
            _ => {
                self.refuse("page.size", format!("must be 1 to {MAX_PAGE_SIZE}"));
                PAGE_SIZE
            }
        };
        if page.token.is_empty() {
            return (None, size);
        }
        let place = read_token(&page.token);
        if place.is_none() {
            self.refuse("page.token", "must be the next_token of the page before");
        }
        (place, size)
    }

    pub(super) fn range(
        &mut self,
        range: Option<&TimeRange>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let Some(range) = range else {
            return (None, None);
        };
        let from = self.moment("business.from_at", range.from_at_us);
        let until = self.moment("business.until_at", range.until_at_us);
        (from, until)
    }
}

/// Whether a text can be the token of a bank account.
/// Browsers read a backslash as a slash, and drop spaces and line ends; none of them is part of an address.
fn is_web_address(text: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if text.chars().any(strange) {
        return false;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let is_address = host.starts_with('[') && host.ends_with(']');
    let is_name = !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_alphanumeric() || c == '.' || c == '-' || c == '_');
    is_web && port.chars().all(|c| c.is_ascii_digit()) && (is_name || is_address)
}

fn check_token(token: &str) -> Result<(), &'static str> {
    if token.is_empty() || token.chars().any(char::is_control) {
        Err("must be the token of a bank account")
    } else if token.chars().count() > BANK_TOKEN {
        Err("must have at most 255 characters")
    } else {
        Ok(())
    }
}

/// A place as an opaque token: time and id in hexadecimal.
pub(super) fn token((at, id): Place) -> String {
    format!("{:016x}{}", at.as_micros(), id.simple())
}

fn read_token(token: &str) -> Option<Place> {
    let (at, id) = token.split_at_checked(16)?;
    let at = i64::from_str_radix(at, 16).ok()?;
    Some((Timestamp::from_micros(at), Uuid::try_parse(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_another_text_is_none() {
        let place = (
            Timestamp::from_micros(1_768_478_400_000_000),
            Uuid::from_u128(77),
        );
        assert_eq!(read_token(&token(place)), Some(place));
        for wrong in [
            "",
            "x",
            "0000000000000001",
            "zzzzzzzzzzzzzzzz00000000000000000000000000000000",
            "ä",
        ] {
            assert_eq!(read_token(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_browser_is_sent_to_a_web_address_only() {
        for (text, is_good) in [
            ("https://shop.example/back?order=1#end", true),
            ("HTTP://localhost:8080", true),
            ("https://[::1]:8443/", true),
            ("javascript:alert(1)", false),
            ("javascript://shop.example/%0aalert(1)", false),
            ("data:text/html,x", false),
            ("https://", false),
            ("https:///back", false),
            ("https://shop.example@evil.example/", false),
            ("https://user:secret@shop.example/", false),
            ("https://shop.example\\@evil.example/", false),
            ("//shop.example/", false),
            ("/back", false),
        ] {
            assert_eq!(is_web_address(text), is_good, "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let mut reader = Reader::default();
        reader.money(
            "amount",
            Some(&WireMoney {
                minor: 0,
                currency: "USD".to_owned(),
            }),
        );
        reader.money(
            "amount",
            Some(&WireMoney {
                minor: 1,
                currency: "usd".to_owned(),
            }),
        );
        reader.country("country", "de");
        reader.text("purpose", &"x".repeat(65), 64);
        reader.wait(Some(-1));
        let error = reader.finish(Some(())).err();
        let violations = error.map(|error| paymesh_kernel::Fault::violations(&error).len());
        assert_eq!(violations, Some(5));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_own_field() {
        use wire::party::Party as Of;
        let named = |read: &dyn Fn(&mut Reader)| {
            let mut reader = Reader::default();
            read(&mut reader);
            let fields: Vec<String> = reader
                .violations
                .iter()
                .map(|violation| violation.field.to_string())
                .collect();
            fields.join(" ")
        };
        for (minor, currency, field) in [
            (0, "USD", "amount.minor"),
            (1, "usd", "amount.currency"),
            (1, "USD", ""),
        ] {
            let money = WireMoney {
                minor,
                currency: currency.to_owned(),
            };
            let of_money = named(&|reader| {
                reader.money("amount", Some(&money));
            });
            assert_eq!(of_money, field, "{minor} {currency}");
        }
        let wrong = "x".to_owned();
        for (party, fields) in [
            (Of::AccountId(wrong.clone()), "payer.account_id"),
            (Of::UserId(wrong.clone()), "payer.user_id"),
            (
                Of::PaymentMethod(wire::PaymentMethodParty {
                    payment_method_id: wrong.clone(),
                    customer_id: wrong.clone(),
                }),
                "payer.payment_method.customer_id payer.payment_method.payment_method_id",
            ),
            (
                Of::Merchant(wire::MerchantParty {
                    merchant_id: wrong.clone(),
                    terminal_id: wrong.clone(),
                }),
                "payer.merchant.terminal_id payer.merchant.merchant_id",
            ),
            (
                Of::Bank(wire::BankParty {
                    destination_token: String::new(),
                }),
                "payer.bank.destination_token",
            ),
        ] {
            let party = wire::Party { party: Some(party) };
            let of_party = named(&|reader| {
                reader.party("payer", Some(party.clone()));
            });
            assert_eq!(of_party, fields);
        }
    }
}
