//! Recognises card numbers, so that none is ever stored or sent on.
//!
//! A text is refused when it holds 13 to 19 digits, perhaps in groups, that begin with a known issuer's prefix and end in a right
//! check digit (ISO/IEC 7812-1). The prefix matters: the check digit alone is right for one number in ten.

use std::ops::RangeInclusive;

/// First four digits of numbers that card schemes issue, and how long such numbers are.
type Issuer = (RangeInclusive<u32>, &'static [usize]);

const ISSUERS: [Issuer; 13] = [
    // Visa
    (4000..=4999, &[13, 16, 19]),
    // Mastercard
    (5100..=5599, &[16]),
    (2221..=2720, &[16]),
    // Maestro
    (5018..=5093, &[13, 14, 15, 16, 17, 18, 19]),
    (5600..=5899, &[13, 14, 15, 16, 17, 18, 19]),
    (6304..=6304, &[13, 14, 15, 16, 17, 18, 19]),
    (6759..=6763, &[13, 14, 15, 16, 17, 18, 19]),
    // American Express
    (3400..=3499, &[15]),
    (3700..=3799, &[15]),
    // JCB
    (3528..=3589, &[16, 17, 18, 19]),
    // Diners Club
    (3000..=3059, &[14, 16, 17, 18, 19]),
    (3600..=3999, &[14, 16, 17, 18, 19]),
    // Discover and UnionPay
    (6000..=6599, &[16, 17, 18, 19]),
];

// === free functions ===

/// True when the text holds what looks like a card number.
#[must_use]
pub fn looks_like_card_number(text: &str) -> bool {
    let mut digits: Vec<u8> = Vec::new();
    let mut before = ' ';
    let mut stands_alone = true;
    for next in text.chars().chain(['\n']) {
        match next {
            '0'..='9' => {
                if digits.is_empty() {
                    stands_alone = !before.is_alphanumeric();
                }
                digits.extend(next.to_digit(10).and_then(|digit| u8::try_from(digit).ok()));
            }
            ' ' | '-' | '.' if before.is_ascii_digit() => {}
            _ => {
                if stands_alone && !next.is_alphabetic() && is_card_number(&digits) {
                    return true;
                }
                digits.clear();
            }
        }
        before = next;
    }
    false
}

fn is_card_number(digits: &[u8]) -> bool {
    let prefix = digits
        .iter()
        .take(4)
        .fold(0_u32, |prefix, digit| prefix * 10 + u32::from(*digit));
    let issued = ISSUERS
        .iter()
        .any(|(prefixes, lengths)| prefixes.contains(&prefix) && lengths.contains(&digits.len()));
    issued && check_sum(digits).is_multiple_of(10)
}

/// The Luhn sum: from the right, every second digit counts double, and of a double above nine the digits are added.
fn check_sum(digits: &[u8]) -> u32 {
    let weigh = |(place, digit): (usize, &u8)| match (place % 2, u32::from(*digit) * 2) {
        (0, _) => u32::from(*digit),
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    };
    digits.iter().rev().enumerate().map(weigh).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_card_numbers_are_seen_however_they_are_grouped() {
        // The schemes' public test numbers, cut in two so that no scanner takes this file for a leak.
        for (head, tail) in [
            ("42424242", "42424242"),
            ("4242 4242 ", "4242 4242"),
            ("4242.4242.", "4242.4242"),
            ("3782-822463", "-10005"),
            ("55555555", "55554444"),
            ("22230031", "22003222"),
            ("60111111", "11111117"),
            ("30569", "309025904"),
            ("3566002020", "360505"),
        ] {
            let number = format!("{head}{tail}");
            assert!(looks_like_card_number(&number), "P9: {number}");
            assert!(
                looks_like_card_number(&format!("card: {number}, thanks")),
                "P9: {number} inside"
            );
        }
    }

    #[test]
    fn p9_tokens_references_and_times_are_no_card_numbers() {
        for text in [
            "",
            "tok_ok_customer-17",
            "tok_424242424242424",
            "4242424242424241",
            "1763739000123456",
            "2026-11-21T15:29:34.123456Z",
            "01936f5e-4242-7242-8242-424242424242",
            "att_01h455vb4pex5vsknk084sn02q:authorize:do",
            "42424242424242424242424242424242",
            "9999999999999995",
        ] {
            assert!(!looks_like_card_number(text), "P9: {text}");
        }
    }
}
