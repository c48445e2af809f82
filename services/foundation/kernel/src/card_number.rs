//! What looks like a card number, so that none is taken, kept or logged.
//!
//! The test is that of ISO/IEC 7812-1: 13 to 19 digits with a right check digit (annex B), and a prefix and a length that an
//! issuer uses. The prefix matters: of arbitrary references one in ten passes the check digit alone. Digits are those of every
//! script, invisible characters do not count, and groups may be kept apart by whatever is neither letter nor digit.
//!
//! Not taken for a card number: UUIDs, TypeIDs of version 7, IBANs and creditor references (ISO 13616, ISO 11649) with right
//! check digits, telephone numbers with a plus, article numbers (GTIN-13), groups as dates, times and amounts have them. A plain
//! number that passes the test by chance is refused: nothing tells it from a card's.

mod scheme;
mod script;
mod written;

use scheme::is_card;
use script::normalize;
use written::{Separation, is_grouping, is_phone, known};

/// Digits of the shortest and of the longest card number.
const SHORTEST: usize = 13;
const LONGEST: usize = 19;

/// Digits that stand together.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: usize,
    end: usize,
    /// What is between this group and the one before; None when it begins a new number.
    before: Option<Separation>,
}

/// True when some part of `text` looks like a card number.
#[must_use]
pub fn looks_like_card_number(text: &str) -> bool {
    // Most texts are let go here, without a copy.
    if text.len() < SHORTEST || text.chars().filter(|c| c.is_numeric()).count() < SHORTEST {
        return false;
    }
    let text = normalize(text);
    let known = known(&text);
    let mut number: Vec<Group> = Vec::new();
    let mut place = 0;
    while let Some(start) = find(&text, place, |c| c.is_ascii_digit()) {
        let end = find(&text, start, |c| !c.is_ascii_digit()).unwrap_or(text.len());
        place = end;
        let reference = known.partition_point(|known| known.end <= start);
        let is_known = known
            .get(reference)
            .is_some_and(|known| known.contains(&start));
        if is_known || is_in_word(&text, start, end) {
            number.clear();
            if !is_known && is_glued_card(&text, start, end) {
                return true;
            }
            continue;
        }
        let before = number
            .last()
            .and_then(|last| Separation::of(&text[last.end..start]));
        if before.is_none() {
            number.clear();
        }
        number.push(Group { start, end, before });
        if ends_in_card(&text, &number) {
            return true;
        }
    }
    false
}

/// The first line of a table, counted from 1, with a cell that looks like a card number. Cells end at commas, semicolons, bars
/// and tabs, so that numbers of neighbouring cells are not read as one.
#[must_use]
pub fn line_with_card_number(table: &[u8]) -> Option<usize> {
    let has_card = |line: &[u8]| {
        line.split(|byte| b",;|\t\"".contains(byte))
            .filter(|cell| cell.len() >= SHORTEST)
            .any(|cell| looks_like_card_number(&String::from_utf8_lossy(cell)))
    };
    let at = table.split(|byte| *byte == b'\n').position(has_card)?;
    Some(at + 1)
}

fn find(text: &[char], from: usize, is_it: impl Fn(char) -> bool) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.iter().position(|c| is_it(*c)).map(|at| from + at)
}

/// True when letters touch the digits.
fn is_in_word(text: &[char], start: usize, end: usize) -> bool {
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(|c| c.is_alphabetic())
    };
    is_letter(start.checked_sub(1)) || is_letter(Some(end))
}

/// Digits within a word are part of an id, a hash or a name, unless they are all its digits.
fn is_glued_card(text: &[char], start: usize, end: usize) -> bool {
    let letters = |c: &&char| c.is_alphanumeric();
    let head = text[..start].iter().rev().take_while(letters);
    let tail = text[end..].iter().take_while(letters);
    let has_more = head.chain(tail).any(char::is_ascii_digit);
    !has_more && is_card(&digits(&text[start..end]))
}

/// True when the last groups of the number, joined, are a card number.
fn ends_in_card(text: &[char], number: &[Group]) -> bool {
    let Some(last) = number.last() else {
        return false;
    };
    let mut length = 0;
    for (at, group) in number.iter().enumerate().rev() {
        length += group.end - group.start;
        if length > LONGEST {
            return false;
        }
        let groups = &number[at..];
        let digits = digits(&text[group.start..last.end]);
        let is_written_so = is_grouping(groups) && !is_phone(text, group.start, length);
        if length >= SHORTEST && is_written_so && is_card(&digits) {
            return true;
        }
    }
    false
}

fn digits(text: &[char]) -> Vec<u8> {
    let digits = text.iter().filter_map(|c| c.to_digit(10));
    digits
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect()
}

#[cfg(test)]
mod tests;
