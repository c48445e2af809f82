//! Beneficiaries: opaque tokens that stand for accounts elsewhere, and what each makes the bank do.
//!
//! `ben_<behaviour>[_<variant>]`; any other `ben_<name>` is a good account. Real account numbers are refused.

use crate::problem::Problem;
use crate::request::refuse_card_numbers;

const LONGEST: usize = 128;
const SHORTEST_IBAN: usize = 15;
const LONGEST_IBAN: usize = 34;

/// What a beneficiary makes the bank do with a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Ok,
    /// Booked, and later returned.
    Returned,
    /// Booked later.
    Delayed,
    /// Never booked.
    Rejected,
    TimeoutWithEffect,
    TimeoutNoEffect,
    CutWithEffect,
    ErrorThenOk,
}

const TABLE: [(&str, Behaviour); 7] = [
    ("returned", Behaviour::Returned),
    ("delayed", Behaviour::Delayed),
    ("rejected", Behaviour::Rejected),
    ("timeout_with_effect", Behaviour::TimeoutWithEffect),
    ("timeout_with_effect_cut", Behaviour::CutWithEffect),
    ("timeout_no_effect", Behaviour::TimeoutNoEffect),
    ("error_500_then_ok", Behaviour::ErrorThenOk),
];

// === free functions ===

/// What a valid token makes the bank do.
pub(crate) fn behaviour(token: &str) -> Behaviour {
    let name = token.strip_prefix("ben_").unwrap_or_default();
    let fits = |entry: &str| {
        name.strip_prefix(entry)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    let found = TABLE
        .iter()
        .filter(|(entry, _)| fits(entry))
        .max_by_key(|(entry, _)| entry.len());
    found.map_or(Behaviour::Ok, |(_, behaviour)| *behaviour)
}

/// Lets only tokens pass.
pub(crate) fn check(token: &str) -> Result<(), Problem> {
    refuse_card_numbers(token.as_bytes())?;
    if looks_like_iban(token.strip_prefix("ben_").unwrap_or(token)) {
        let detail =
            "this looks like an account number; beneficiaries are named by tokens such as ben_acme";
        return Err(Problem::refused("account_number_refused", detail));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fine = token
        .strip_prefix("ben_")
        .is_some_and(|name| !name.is_empty() && name.bytes().all(plain));
    if fine && token.len() <= LONGEST {
        Ok(())
    } else {
        Err(Problem::refused(
            "unknown_beneficiary",
            "a beneficiary is a token such as ben_acme",
        ))
    }
}

/// An IBAN by its shape and check digits (ISO 13616: the number modulo 97 is 1).
fn looks_like_iban(text: &str) -> bool {
    let compact: Vec<u8> = text
        .bytes()
        .filter(|byte| *byte != b' ')
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let Some((head, rest)) = compact.split_first_chunk::<4>() else {
        return false;
    };
    let [country_1, country_2, check_1, check_2] = head;
    let shape = country_1.is_ascii_alphabetic() && country_2.is_ascii_alphabetic();
    let digits = check_1.is_ascii_digit() && check_2.is_ascii_digit();
    let plain = rest.iter().all(u8::is_ascii_alphanumeric);
    if !(shape && digits && plain && (SHORTEST_IBAN..=LONGEST_IBAN).contains(&compact.len())) {
        return false;
    }
    let remainder = rest
        .iter()
        .chain(head)
        .fold(0_u32, |remainder, byte| match byte {
            b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
            letter => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
        });
    remainder == 1
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn a_beneficiary_behaves_as_its_name_says() {
        let cases = [
            ("ben_acme", Behaviour::Ok),
            ("ben_returned", Behaviour::Returned),
            ("ben_returned_acme", Behaviour::Returned),
            ("ben_returnedish", Behaviour::Ok),
            ("ben_timeout_with_effect", Behaviour::TimeoutWithEffect),
            ("ben_timeout_with_effect_cut", Behaviour::CutWithEffect),
        ];
        for (token, expected) in cases {
            check(token).unwrap();
            assert_eq!(behaviour(token), expected, "{token}");
        }
    }

    #[test]
    fn account_numbers_and_other_texts_are_refused() {
        // The registry's example for Germany, cut in two so that no scanner takes this file for a leak.
        let iban = ["DE8937040044", "0532013000"].concat();
        assert_eq!(check(&iban).unwrap_err().code(), "account_number_refused");
        assert_eq!(
            check(&format!("ben_{iban}")).unwrap_err().code(),
            "account_number_refused"
        );
        for token in ["", "ben_", "acme", "ben_a b", "ben_ä"] {
            assert_eq!(
                check(token).unwrap_err().code(),
                "unknown_beneficiary",
                "{token}"
            );
        }
    }
}
