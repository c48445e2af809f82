use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// The schemes' public test numbers.
const CARDS: [&str; 12] = [
    "4242424242424242",
    "4111111111111111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "38520000023237",
    "6011111111111117",
    "3530111333300000",
    "6200000000000005",
    "6759649826438453",
];

#[test]
fn card_numbers_of_every_scheme_are_recognized() {
    for card in CARDS {
        assert!(looks_like_card_number(card), "{card}");
    }
}

#[test]
fn card_numbers_are_recognized_however_they_are_written() {
    for text in [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "4242.4242.4242.4242",
        "4242/4242/4242/4242",
        "4242_4242_4242_4242",
        "4242\\4242|4242:4242",
        "4242,4242,4242,4242",
        "4242*4242*4242*4242",
        "4242\t4242\t4242\t4242",
        "4242\n4242\r\n4242 4242",
        "4242 - 4242 - 4242 - 4242",
        "4242\u{a0}4242\u{202f}4242\u{2009}4242",
        "4242\u{2013}4242\u{2014}4242\u{2212}4242",
        "4242\u{200b}4242\u{200d}4242\u{feff}4242",
        "4\u{ad}2424242\u{2060}42424242",
        "４２４２４２４２４２４２４２４２",
        "４２４２．４２４２．４２４２．４２４２",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "४२४२ ४२४२ ४२४२ ४२४२",
        "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
        "４２４２ 4242 ٤٢٤٢ 4242",
        "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
        "4.2.4.2.4.2.4.2.4.2.4.2.4.2.4.2",
        "42 42 42 42 42 42 42 42",
        "42424242 42424242",
        "424242 4242424242",
        "3782 822463 10005",
        "3056 930902 5904",
        "card: 4111 1111 1111 1111, cvc 123",
        "4111 1111 1111 1111 12 27",
        "12/27 5555 5555 5555 4444",
        "(4242424242424242)",
        "tok_4242424242424242",
        "pan=4242424242424242&cvc=123",
        "card4242424242424242",
        "4242424242424242x",
        "my card is 4242424242424242. please charge it",
        "カード4242424242424242です",
        "+4242424242424242",
        "ref 01890a5d-ac96-774b-bcce-b302099a8057 card 4242424242424242",
        "DE89 3704 0044 0532 0130 00 or 4242 4242 4242 4242",
    ] {
        assert!(looks_like_card_number(text), "{text}");
    }
}

#[test]
fn references_ids_times_and_amounts_are_not_taken_for_cards() {
    for text in [
        "",
        "4242424242424241",
        "1789000000123456",
        "0000000000000000",
        "9999999999999995",
        "42424242424242424242424242424242",
        "tok_ok_customer-17",
        "tok_424242424242424",
        "txn_01h455vb4pex5vsknk084sn02q",
        "att_01h455vb4pex5vsknk084sn02q:authorize:do",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "order 42424242-4242-7242-8242-424242424242 is late",
        "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        "e4242424242424242f00d",
        // IBANs whose digits pass the test of a card number.
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "DE51510510510510510000",
        "FI4011111111111377",
        "FI52 1111 1111 1132 95",
        "NO9386011117947",
        "BE68539007547034",
        "GB29 NWBK 6016 1331 9268 19",
        "RF18 5390 0754 7034",
        // Telephones.
        "+1 415 555 2671",
        "+4915123456787",
        "+49 1512 3456787",
        // An article.
        "4006381333931",
        // Times and amounts.
        "2026-01-31T12:00:00Z",
        "2026-11-21T15:29:34.123456Z",
        "36.38.39 30:12 36:38:39.123",
        "1.234.567.890.123",
        "4000, 2000, 1000, 3000 and 6",
        "192.168.100.200:4000 10.0.0.1",
        "0x1f4242424242424242",
    ] {
        assert!(!looks_like_card_number(text), "{text}");
    }
}

/// Every IBAN and creditor reference here would be a card number by its digits alone: else the exemption tests nothing.
#[test]
fn references_with_right_check_digits_are_let_through_and_wrong_ones_are_not() {
    let mut seen = 0;
    for bban in 0..20_000_u64 {
        let (country, account) = (
            "FI",
            format!("{:014}", bban * 4_999_999_937 % 100_000_000_000_000),
        );
        let check = 98 - mod_97(&format!("{account}1518{:02}", 0));
        let digits = format!("{check:02}{account}");
        if !looks_like_card_number(&digits) {
            continue;
        }
        seen += 1;
        let iban = format!("{country}{digits}");
        assert!(!looks_like_card_number(&iban), "{iban}");
        let grouped = format!(
            "{} {}",
            &iban[..4],
            iban.as_bytes()[4..]
                .chunks(4)
                .map(|group| String::from_utf8_lossy(group).into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        );
        assert!(!looks_like_card_number(&grouped), "{grouped}");
        assert!(looks_like_card_number(&format!("ZZ{digits}")));
    }
    assert!(seen > 50, "{seen}");
}

fn mod_97(digits: &str) -> u64 {
    digits.bytes().fold(0, |remainder, digit| {
        (remainder * 10 + u64::from(digit - b'0')) % 97
    })
}

#[test]
fn a_table_is_read_cell_by_cell_and_names_the_line() {
    let table = b"date,amount,reference\n2026-01-31,4242,424242424242\n2026-01-31;4242;4242;4242;4242\n4242\t4242\t4242\t4242\n";
    assert_eq!(line_with_card_number(table), None);
    let table = b"date,amount,reference\n2026-01-31,100,paid by 4242 4242 4242 4242\n";
    assert_eq!(line_with_card_number(table), Some(2));
    assert_eq!(
        line_with_card_number(b"\xff\xfe,\"4242424242424242\""),
        Some(1)
    );
}

fn card() -> impl Strategy<Value = String> {
    let issuers = prop::sample::select(vec![
        ("4", 16),
        ("4", 19),
        ("51", 16),
        ("2720", 16),
        ("34", 15),
        ("305", 14),
        ("6011", 16),
        ("649", 19),
        ("3589", 16),
        ("62", 18),
        ("6304", 13),
        ("2204", 16),
    ]);
    (issuers, any::<u128>()).prop_map(|((prefix, length), random)| {
        let body = format!("{prefix}{random:039}");
        let body = format!(
            "{prefix}{}",
            &body[body.len() - (length - 1 - prefix.len())..]
        );
        let with_check = (0..10).map(|check| format!("{body}{check}"));
        let mut right = with_check.filter(|card| luhn_by_hand(card));
        right.next().unwrap()
    })
}

fn luhn_by_hand(card: &str) -> bool {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u32 = card
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => u32::from(digit - b'0'),
            _ => DOUBLED[usize::from(digit - b'0')],
        })
        .sum();
    sum.is_multiple_of(10)
}

proptest! {
    #[test]
    fn no_text_breaks_the_search(text in "\\PC{0,64}", digits in "[0-9 .,+_/٣３\u{200b}A-F-]{0,64}") {
        let found = looks_like_card_number(&digits);
        prop_assert!(found || digits.contains(',') || line_with_card_number(digits.as_bytes()).is_none());
        prop_assert!(text.chars().count() >= SHORTEST || !looks_like_card_number(&text));
    }

    #[test]
    fn a_card_number_is_found_with_any_separator_in_any_sentence(
        card in card().prop_filter("no article", |card| card.len() != 13),
        size in 3..=8_usize,
        separator in "[-./_ :|*\t\u{a0}\u{2009}\u{2013}]{1,3}",
        script in prop::sample::select(vec!['0', '\u{660}', '\u{966}', '\u{ff10}']),
        (head, tail) in ("([a-z]{1,9} ){0,4}", "[.!)]?( [a-z]{1,9}){0,4}"),
    ) {
        let zero = u32::from(script);
        let digits: Vec<char> = card.bytes().map(|byte| char::from_u32(zero + u32::from(byte - b'0')).unwrap()).collect();
        let groups: Vec<String> = digits.chunks(size).map(|group| group.iter().collect()).collect();
        let text = format!("{head}{}{tail}", groups.join(&separator));
        prop_assert!(looks_like_card_number(&text), "{}", text);
    }

    #[test]
    fn ids_of_our_own_are_never_taken_for_cards(millis in 0..(1_u64 << 48), random in any::<[u8; 10]>()) {
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        prop_assert!(!looks_like_card_number(&uuid.to_string()));
        let text = format!("{} and {uuid}", crate::id::encode("txn", uuid));
        prop_assert!(!looks_like_card_number(&text));
    }

    #[test]
    fn a_wrong_check_digit_is_no_card(card in card(), by in 1..10_u8) {
        let (body, check) = card.split_at(card.len() - 1);
        let wrong = (check.as_bytes()[0] - b'0' + by) % 10;
        let text = format!("{body}{wrong}");
        prop_assert!(!looks_like_card_number(&text));
    }
}

#[test]
fn an_id_that_is_all_digits_is_still_an_id() {
    let uuid = Uuid::try_parse("42424242-4242-7242-8242-424242424242").unwrap();
    assert!(!looks_like_card_number(&crate::id::encode("txn", uuid)));
}
