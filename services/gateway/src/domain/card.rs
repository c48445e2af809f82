//! What looks like a card number (G4).
//!
//! A known issuer prefix with a length that the issuer uses, and a correct check digit (ISO/IEC 7812-1, annex B), with spaces,
//! dashes or points between groups of digits. The prefix matters: of arbitrary references one in ten passes the check digit alone.

/// Digits of the shortest and of the longest card number.
const SHORTEST: usize = 13;
const LONGEST: usize = 19;

/// Issuer prefixes: first and last of a range with the same number of digits, and the lengths in use.
const ISSUERS: &[(u32, u32, &[usize])] = &[
    // Visa
    (4, 4, &[13, 16, 19]),
    // Mastercard
    (51, 55, &[16]),
    (2221, 2720, &[16]),
    // American Express
    (34, 34, &[15]),
    (37, 37, &[15]),
    // Diners Club
    (300, 305, &[14, 16]),
    (3095, 3095, &[14, 16]),
    (36, 36, &[14, 16]),
    (38, 39, &[14, 16]),
    // Discover
    (6011, 6011, &[16, 19]),
    (644, 649, &[16, 19]),
    (65, 65, &[16, 19]),
    // JCB
    (3528, 3589, &[16, 17, 18, 19]),
    // UnionPay
    (62, 62, &[16, 17, 18, 19]),
    (81, 81, &[16, 17, 18, 19]),
    // Maestro
    (5018, 5018, &[13, 14, 15, 16, 17, 18, 19]),
    (5020, 5020, &[13, 14, 15, 16, 17, 18, 19]),
    (5038, 5038, &[13, 14, 15, 16, 17, 18, 19]),
    (5893, 5893, &[13, 14, 15, 16, 17, 18, 19]),
    (6304, 6304, &[13, 14, 15, 16, 17, 18, 19]),
    (6759, 6759, &[13, 14, 15, 16, 17, 18, 19]),
    (6761, 6763, &[13, 14, 15, 16, 17, 18, 19]),
    // Mir
    (2200, 2204, &[16, 17, 18, 19]),
];

/// True when some part of `text` looks like a card number.
pub(crate) fn looks_like_card_number(text: &str) -> bool {
    if text.len() < SHORTEST || is_uuid(text) {
        return false;
    }
    let mut run: Vec<&str> = Vec::new();
    let mut rest = text;
    let mut before: Option<char> = None;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            before = rest.chars().next();
            rest = &rest[before.map_or(1, char::len_utf8)..];
            continue;
        }
        // One separator goes on with the run of groups, anything else begins a new one.
        let joined = before.is_some_and(is_separator) && is_joined(text, rest);
        if !joined {
            run.clear();
        }
        let (group, after) = rest.split_at(digits);
        run.push(group);
        if !touches_letters(before, after) && ends_in_card(&run) {
            return true;
        }
        if touches_letters(before, after) {
            run.clear();
        }
        before = group.chars().last();
        rest = after;
    }
    false
}

const fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '\u{a0}')
}

/// True when the separator before `rest` follows a digit directly.
fn is_joined(text: &str, rest: &str) -> bool {
    let head = &text[..text.len() - rest.len()];
    head.chars()
        .rev()
        .nth(1)
        .is_some_and(|c| c.is_ascii_digit())
}

/// Digits within a word are part of an id, a hash or a name.
fn touches_letters(before: Option<char>, after: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic();
    before.is_some_and(is_letter) || after.chars().next().is_some_and(is_letter)
}

/// True when the last groups of the run, joined, are a card number.
fn ends_in_card(run: &[&str]) -> bool {
    let mut digits: Vec<u8> = Vec::with_capacity(LONGEST);
    for group in run.iter().rev() {
        if digits.len() + group.len() > LONGEST {
            return false;
        }
        digits.splice(0..0, group.bytes().map(|byte| byte - b'0'));
        if digits.len() >= SHORTEST && has_issuer(&digits) && passes_luhn(&digits) {
            return true;
        }
    }
    false
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

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match place % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g4_test_cards_of_every_brand_are_recognized_however_they_are_written() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "4242.4242.4242.4242",
            "card: 4111 1111 1111 1111, cvc 123",
            "4111 1111 1111 1111 12 27",
            "tok_4242424242424242",
            "12/27 5555 5555 5555 4444",
            "378282246310005",
            "3782 822463 10005",
            "6011111111111117",
            "3530111333300000",
            "6200000000000005",
            "30569309025904",
            "2223003122003222",
        ] {
            assert!(looks_like_card_number(text), "{text}");
        }
    }

    #[test]
    fn g4_references_ids_and_times_are_not_taken_for_cards() {
        for text in [
            "4242424242424241",
            "1789000000123456",
            "txn_01h455vb4pex5vsknk084sn02q",
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "+1 415 555 2671",
            "2026-01-31T12:00:00Z",
            "0000000000000000",
            "invoice 9999999999999995",
            "a4242424242424242b",
            "",
        ] {
            assert!(!looks_like_card_number(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_search(text in "\\PC{0,64}") {
            looks_like_card_number(&text);
        }
    }
}
