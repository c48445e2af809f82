//! Which lines of a provider's report and which movements of the ledger are the same, and what does not agree (R1–R3).
//!
//! Movements of one transaction at one connector are compared with each other only. Equal ones are pairs; what is left on both
//! sides is a pair that differs; what is left on one side is missing on the other.

use std::time::Duration;

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;

use super::{ids::LineId, statement::Telling};

/// One side of a comparison: a line of a statement, or a movement of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement<K> {
    /// Names it.
    pub(crate) key: K,
    /// Signed: positive is credited to us.
    pub(crate) minor: i64,
    /// Its currency.
    pub(crate) currency: Currency,
    /// Business time.
    pub(crate) at: Timestamp,
    /// Outside of the span that is compared.
    pub(crate) is_outside: bool,
    /// Whether it was told before; movements of the ledger are always told first.
    pub(crate) telling: Telling,
}

/// All of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pool {
    /// Of the ledger.
    pub(crate) ledger: Vec<Movement<i64>>,
    /// Of the statements.
    pub(crate) lines: Vec<Movement<LineId>>,
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Both sides agree.
    Agreed {
        /// The line.
        line: LineId,
        /// Which movement of the ledger; None when the line repeats another statement's.
        key: Option<i64>,
    },
    /// Both sides agree, but the statement comes after its time.
    Late {
        /// The line.
        line: LineId,
        /// Of both.
        minor: i64,
    },
    /// Both sides have it, with different amounts.
    AmountDiffers {
        /// The line.
        line: LineId,
        /// Of the ledger.
        ledger_minor: i64,
        /// Of the line.
        line_minor: i64,
    },
    /// Both sides have it, in different currencies.
    CurrencyDiffers {
        /// The line.
        line: LineId,
        /// Of the ledger.
        ledger: (i64, Currency),
        /// Of the line.
        line_minor: i64,
    },
    /// The statement tells of it twice.
    Duplicate {
        /// The second line.
        line: LineId,
        /// Of it.
        minor: i64,
    },
    /// The ledger does not have it.
    MissingInLedger {
        /// The line.
        line: LineId,
        /// Of it.
        minor: i64,
    },
    /// The statement does not have it.
    MissingAtProvider {
        /// Of the ledger.
        minor: i64,
        /// Which movement of the ledger.
        key: i64,
    },
}

/// What a comparison goes by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The currency that is compared.
    pub(crate) currency: Currency,
    /// A counterpart that comes later than this is late.
    pub(crate) late_after: Duration,
}

/// Compares one transaction. Movements outside of the span only serve as counterparts.
pub(crate) fn compare(pool: &Pool, terms: Terms) -> Vec<Finding> {
    let of = terms.currency;
    let mut found = Vec::new();
    let mut ledger: Vec<&Movement<i64>> = pool.ledger.iter().collect();
    let mut lines: Vec<&Movement<LineId>> = Vec::new();
    for line in &pool.lines {
        match line.telling {
            Telling::First => lines.push(line),
            // What another statement has told already is compared there.
            Telling::Again => found.push(Finding::Agreed {
                line: line.key,
                key: None,
            }),
            Telling::Twice if line.is_outside => {}
            Telling::Twice => found.push(Finding::Duplicate {
                line: line.key,
                minor: line.minor,
            }),
        }
    }
    for nearness in [Nearness::Inside, Nearness::Anywhere] {
        take_pairs(&mut ledger, &mut lines, |movement, line| {
            let is_near = match nearness {
                Nearness::Inside => !movement.is_outside && !line.is_outside,
                Nearness::Anywhere => true,
            };
            let same = movement.minor == line.minor && movement.currency == line.currency;
            (is_near && same).then(|| agreed(movement, line, terms))
        })
        .into_iter()
        .for_each(|finding| found.extend(finding));
    }
    let other_currency = take_pairs(&mut ledger, &mut lines, |movement, line| {
        let fits = is_open(line, of) && movement.currency != of && same_way(movement, line);
        fits.then_some(Finding::CurrencyDiffers {
            line: line.key,
            ledger: (movement.minor, movement.currency),
            line_minor: line.minor,
        })
    });
    found.extend(other_currency);
    let other_amount = take_pairs(&mut ledger, &mut lines, |movement, line| {
        let fits = is_open(line, of) && is_open(movement, of) && same_way(movement, line);
        fits.then_some(Finding::AmountDiffers {
            line: line.key,
            ledger_minor: movement.minor,
            line_minor: line.minor,
        })
    });
    found.extend(other_amount);
    let unknown = lines.into_iter().filter(|line| is_open(line, of));
    found.extend(unknown.map(|line| Finding::MissingInLedger {
        line: line.key,
        minor: line.minor,
    }));
    let missing = ledger.into_iter().filter(|movement| is_open(movement, of));
    found.extend(missing.map(|movement| Finding::MissingAtProvider {
        minor: movement.minor,
        key: movement.key,
    }));
    found
}

/// Which pairs are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nearness {
    /// Both inside of the span.
    Inside,
    /// Wherever.
    Anywhere,
}

/// Takes out what `judge` finds to be pairs, each movement once.
fn take_pairs<T>(
    ledger: &mut Vec<&Movement<i64>>,
    lines: &mut Vec<&Movement<LineId>>,
    judge: impl Fn(&Movement<i64>, &Movement<LineId>) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    lines.retain(|line| {
        let judged = ledger
            .iter()
            .enumerate()
            .find_map(|(place, movement)| Some((place, judge(movement, line)?)));
        let Some((place, finding)) = judged else {
            return true;
        };
        ledger.swap_remove(place);
        found.push(finding);
        false
    });
    found
}

/// A pair is of the span that its line is in; None when it belongs to another run.
fn agreed(movement: &Movement<i64>, line: &Movement<LineId>, terms: Terms) -> Option<Finding> {
    if movement.is_outside && line.is_outside {
        return None;
    }
    if line.at.since(movement.at) > terms.late_after {
        return Some(Finding::Late {
            line: line.key,
            minor: line.minor,
        });
    }
    Some(Finding::Agreed {
        line: line.key,
        key: Some(movement.key),
    })
}

fn is_open<K>(movement: &Movement<K>, of: Currency) -> bool {
    !movement.is_outside && movement.currency == of
}

fn same_way(movement: &Movement<i64>, line: &Movement<LineId>) -> bool {
    (movement.minor < 0) == (line.minor < 0)
}

#[cfg(test)]
mod tests;
