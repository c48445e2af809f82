//! Which numbers card schemes issue.

use super::{LONGEST, SHORTEST};

/// First and last of a range of prefixes with the same number of digits, and the lengths in use.
type Issuer = (u32, u32, &'static [usize]);

const EVERY_LENGTH: &[usize] = &[13, 14, 15, 16, 17, 18, 19];
const LONG: &[usize] = &[16, 17, 18, 19];
const DINERS: &[usize] = &[14, 16, 17, 18, 19];

const ISSUERS: &[Issuer] = &[
    // Visa
    (4, 4, &[13, 16, 19]),
    // Mastercard
    (51, 55, &[16]),
    (2221, 2720, &[16]),
    // American Express
    (34, 34, &[15]),
    (37, 37, &[15]),
    // Diners Club
    (300, 305, DINERS),
    (3095, 3095, DINERS),
    (36, 36, DINERS),
    (38, 39, DINERS),
    // Discover
    (6011, 6011, LONG),
    (644, 649, LONG),
    (65, 65, LONG),
    // JCB
    (3528, 3589, LONG),
    // UnionPay
    (62, 62, LONG),
    (81, 81, LONG),
    // RuPay
    (60, 60, &[16]),
    (82, 82, &[16]),
    (508, 508, &[16]),
    // Maestro
    (5018, 5018, EVERY_LENGTH),
    (5020, 5020, EVERY_LENGTH),
    (5038, 5038, EVERY_LENGTH),
    (56, 58, EVERY_LENGTH),
    (6304, 6304, EVERY_LENGTH),
    (6759, 6759, EVERY_LENGTH),
    (6761, 6763, EVERY_LENGTH),
    // Mir
    (2200, 2204, LONG),
];

/// Prefix, length and check digit are a card's.
pub(super) fn is_card(digits: &[u8]) -> bool {
    (SHORTEST..=LONGEST).contains(&digits.len())
        && has_issuer(digits)
        && luhn(digits).is_multiple_of(10)
        && !is_article(digits)
}

fn has_issuer(digits: &[u8]) -> bool {
    ISSUERS.iter().any(|(first, last, lengths)| {
        let places = usize::try_from(first.ilog10()).unwrap_or(0) + 1;
        let prefix = digits
            .iter()
            .take(places)
            .fold(0_u32, |value, digit| value * 10 + u32::from(*digit));
        (*first..=*last).contains(&prefix) && lengths.contains(&digits.len())
    })
}

/// From the right, every second digit counts double, and of a double above nine the digits are added.
fn luhn(digits: &[u8]) -> u32 {
    let weigh = |(place, digit): (usize, &u8)| match (place % 2, u32::from(*digit) * 2) {
        (0, _) => u32::from(*digit),
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    };
    digits.iter().rev().enumerate().map(weigh).sum()
}

/// GTIN-13, the number under a bar code: it begins like cards that have 13 digits, which nobody issues any more.
fn is_article(digits: &[u8]) -> bool {
    let weigh =
        |(place, digit): (usize, &u8)| u32::from(*digit) * if place % 2 == 0 { 1 } else { 3 };
    let sum: u32 = digits.iter().enumerate().map(weigh).sum();
    digits.len() == 13 && sum.is_multiple_of(10)
}
