//! How numbers are written in texts: groups, separators, and the references that are no card's.

use std::ops::Range;

use uuid::Uuid;

use super::Group;

/// Characters between two groups of one number.
const LONGEST_GAP: usize = 3;
/// Groups of one number that are not of one size.
const MOST_UNEVEN: usize = 5;
/// Digits of such a group, but for the last.
const SHORTEST_UNEVEN: usize = 3;
/// Digits of groups that dates and times have too.
const SHORT: usize = 2;
/// Digits of a telephone number that is read as one.
const LONGEST_PHONE: usize = 14;
/// Characters of a UUID with dashes, and of a TypeID's end.
const UUID_LENGTH: usize = 36;
const TYPE_ID_LENGTH: usize = 26;
/// Characters of a creditor reference.
const CREDITOR: (usize, usize) = (5, 25);

/// Lengths of IBANs by country (ISO 13616, the registry of SWIFT).
const IBANS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
];

/// What keeps two groups apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Separation {
    first: char,
    length: usize,
}

// === impl Separation ===

impl Separation {
    /// None when what is between belongs to neither: a word, a list's comma with its space, or much of anything.
    pub(super) fn of(between: &[char]) -> Option<Self> {
        let is_list = between.len() > 1 && between.iter().any(|c| matches!(c, ',' | ';'));
        let is_word = between.iter().any(|c| c.is_alphanumeric());
        if is_list || is_word || between.len() > LONGEST_GAP {
            return None;
        }
        let first = *between.first()?;
        Some(Self {
            first,
            length: between.len(),
        })
    }
}

/// True when card numbers are written in such groups, and dates, times and amounts are not: groups of one size, of which the last
/// may be shorter, or a few of three digits and more.
pub(super) fn is_grouping(groups: &[Group]) -> bool {
    let [heads @ .., last] = groups else {
        return false;
    };
    let Some(first) = heads.first() else {
        return true;
    };
    let size = |group: &Group| group.end - group.start;
    let is_even = heads.iter().all(|group| size(group) == size(first)) && size(last) <= size(first);
    if is_even {
        let mut between = groups.iter().skip(1).map(|group| group.before);
        let all = between.next();
        return size(first) > SHORT || between.all(|before| Some(before) == all);
    }
    groups.len() <= MOST_UNEVEN && heads.iter().all(|group| size(group) >= SHORTEST_UNEVEN)
}

/// True when a plus stands before the number and it is not too long.
pub(super) fn is_phone(text: &[char], start: usize, length: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    before == Some(&'+') && length <= LONGEST_PHONE
}

/// Where references stand that are known to be none.
pub(super) fn known(text: &[char]) -> Vec<Range<usize>> {
    let mut known: Vec<Range<usize>> = Vec::new();
    let mut place = 0;
    while place < text.len() {
        let begins = text[place].is_ascii_alphanumeric()
            && (place == 0 || !text[place - 1].is_ascii_alphanumeric());
        let length = begins.then(|| {
            let rest = &text[place..];
            uuid(rest)
                .or_else(|| type_id(text, place))
                .or_else(|| reference(rest))
        });
        if let Some(length) = length.flatten() {
            known.push(place..place + length);
            place += length;
        } else {
            place += 1;
        }
    }
    known
}

fn ends_word(text: &[char], at: usize) -> bool {
    text.get(at).is_none_or(|c| !c.is_ascii_alphanumeric())
}

fn uuid(text: &[char]) -> Option<usize> {
    let head = text.get(..UUID_LENGTH)?;
    if head.get(8) != Some(&'-') || !ends_word(text, UUID_LENGTH) {
        return None;
    }
    let head: String = head.iter().collect();
    Uuid::try_parse(&head).is_ok().then_some(UUID_LENGTH)
}

/// The end of `acct_01h455vb4pex5vsknk084sn02q`.
fn type_id(text: &[char], place: usize) -> Option<usize> {
    let before = place.checked_sub(1).and_then(|at| text.get(at));
    if before != Some(&'_') || !ends_word(text, place + TYPE_ID_LENGTH) {
        return None;
    }
    let end: String = text.get(place..place + TYPE_ID_LENGTH)?.iter().collect();
    let id = crate::id::decode("x", &format!("x_{end}")).ok()?;
    (id.get_version_num() == 7).then_some(TYPE_ID_LENGTH)
}

/// An IBAN or a creditor reference with right check digits, in one piece or in groups.
fn reference(text: &[char]) -> Option<usize> {
    let [a, b, c, d, ..] = *text else {
        return None;
    };
    let is_head =
        [a, b].iter().all(char::is_ascii_alphabetic) && [c, d].iter().all(char::is_ascii_digit);
    if !is_head {
        return None;
    }
    let country: String = [a.to_ascii_uppercase(), b.to_ascii_uppercase()]
        .iter()
        .collect();
    let (shortest, longest) = match country.as_str() {
        "RF" => CREDITOR,
        country => {
            let (length, _) = IBANS
                .iter()
                .find(|(_, countries)| countries.contains(country))?;
            (*length, *length)
        }
    };
    let mut characters: Vec<char> = Vec::with_capacity(longest);
    let mut found = None;
    for (at, c) in text.iter().enumerate() {
        if c.is_ascii_alphanumeric() {
            characters.push(*c);
        } else if !matches!(c, ' ' | '-' | '\u{a0}') || !text[at - 1].is_ascii_alphanumeric() {
            break;
        }
        if characters.len() > longest {
            break;
        }
        let is_whole = characters.len() >= shortest && ends_word(text, at + 1);
        if is_whole && c.is_ascii_alphanumeric() && has_right_check(&characters) {
            found = Some(at + 1);
        }
    }
    found
}

/// ISO 7064, MOD 97-10: the first four characters go to the end, letters count from 10.
fn has_right_check(characters: &[char]) -> bool {
    let (head, rest) = characters.split_at(4);
    let rest = rest.iter().chain(head).filter_map(|c| c.to_digit(36));
    let remainder = rest.fold(0, |remainder, value| {
        let shifted = remainder * if value > 9 { 100 } else { 10 };
        (shifted + value) % 97
    });
    remainder == 1
}
