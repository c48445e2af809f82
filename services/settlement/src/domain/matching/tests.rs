#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const HOUR: i64 = 3_600_000_000;

fn terms() -> Terms {
    Terms {
        currency: Currency::USD,
        late_after: Duration::from_secs(86_400),
    }
}

fn line(n: u128, minor: i64) -> Movement<LineId> {
    Movement {
        key: Uuid::from_u128(n).into(),
        minor,
        currency: Currency::USD,
        at: Timestamp::from_micros(HOUR),
        is_outside: false,
        telling: Telling::First,
    }
}

fn booked(key: i64, minor: i64) -> Movement<i64> {
    Movement {
        key,
        minor,
        currency: Currency::USD,
        at: Timestamp::from_micros(HOUR),
        is_outside: false,
        telling: Telling::First,
    }
}

fn id(n: u128) -> LineId {
    Uuid::from_u128(n).into()
}

fn agreed(n: u128, key: i64) -> Finding {
    Finding::Agreed {
        line: id(n),
        key: Some(key),
    }
}

type Case = (Vec<Movement<i64>>, Vec<Movement<LineId>>, Vec<Finding>);

fn cases_of_one_span() -> Vec<Case> {
    vec![
        (
            vec![booked(1, 100), booked(2, -40)],
            vec![line(1, 100), line(2, -40)],
            vec![agreed(1, 1), agreed(2, 2)],
        ),
        (
            vec![booked(1, 100)],
            vec![],
            vec![Finding::MissingAtProvider { minor: 100, key: 1 }],
        ),
        (
            vec![],
            vec![line(1, 100)],
            vec![Finding::MissingInLedger {
                line: id(1),
                minor: 100,
            }],
        ),
        (
            vec![booked(1, 100)],
            vec![line(1, 99)],
            vec![Finding::AmountDiffers {
                line: id(1),
                ledger_minor: 100,
                line_minor: 99,
            }],
        ),
    ]
}

fn cases_of_strange_lines() -> Vec<Case> {
    let outside_line = Movement {
        is_outside: true,
        ..line(1, 100)
    };
    let late_line = Movement {
        at: Timestamp::from_micros(30 * HOUR),
        ..line(1, 100)
    };
    let euro = Movement {
        currency: Currency::EUR,
        ..booked(1, 92)
    };
    let told = |telling| Movement {
        telling,
        ..line(2, 100)
    };
    vec![
        (
            vec![euro],
            vec![line(1, 100)],
            vec![Finding::CurrencyDiffers {
                line: id(1),
                ledger: (92, Currency::EUR),
                line_minor: 100,
            }],
        ),
        (
            vec![booked(1, 100)],
            vec![line(1, 100), told(Telling::Twice)],
            vec![
                Finding::Duplicate {
                    line: id(2),
                    minor: 100,
                },
                agreed(1, 1),
            ],
        ),
        (
            vec![booked(1, 100)],
            vec![line(1, 100), told(Telling::Again)],
            vec![
                Finding::Agreed {
                    line: id(2),
                    key: None,
                },
                agreed(1, 1),
            ],
        ),
        (vec![booked(1, 100)], vec![outside_line], vec![agreed(1, 1)]),
        (
            vec![booked(1, 100)],
            vec![late_line],
            vec![Finding::Late {
                line: id(1),
                minor: 100,
            }],
        ),
        (
            vec![booked(1, 100)],
            vec![line(1, -100)],
            vec![
                Finding::MissingInLedger {
                    line: id(1),
                    minor: -100,
                },
                Finding::MissingAtProvider { minor: 100, key: 1 },
            ],
        ),
    ]
}

#[test]
fn r1_each_kind_of_difference_is_told_apart() {
    for (ledger, lines, wanted) in cases_of_one_span()
        .into_iter()
        .chain(cases_of_strange_lines())
    {
        let pool = Pool { ledger, lines };
        assert_eq!(compare(&pool, terms()), wanted, "{pool:?}");
    }
}

#[test]
fn r2_what_lies_outside_of_the_span_is_no_finding_of_its_own() {
    let pool = Pool {
        ledger: vec![
            Movement {
                is_outside: true,
                ..booked(1, 100)
            },
            Movement {
                is_outside: true,
                ..booked(2, 7)
            },
        ],
        lines: vec![Movement {
            is_outside: true,
            ..line(1, 100)
        }],
    };
    assert_eq!(compare(&pool, terms()), []);
}

fn amounts() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![-3..0_i64, 1..4_i64], 0..12)
}

proptest! {
    #[test]
    fn r3_findings_explain_the_whole_difference(ledger in amounts(), lines in amounts()) {
        let pool = Pool {
            ledger: ledger.iter().zip(0..).map(|(minor, key)| booked(key, *minor)).collect(),
            lines: lines.iter().zip(0..).map(|(minor, key)| line(key, *minor)).collect(),
        };
        let explained: i64 = compare(&pool, terms())
            .iter()
            .map(|finding| match finding {
                Finding::Agreed { .. } | Finding::Late { .. } | Finding::CurrencyDiffers { .. } => 0,
                Finding::AmountDiffers { ledger_minor, line_minor, .. } => line_minor - ledger_minor,
                Finding::Duplicate { minor, .. } | Finding::MissingInLedger { minor, .. } => *minor,
                Finding::MissingAtProvider { minor, .. } => -minor,
            })
            .sum();
        prop_assert_eq!(explained, lines.iter().sum::<i64>() - ledger.iter().sum::<i64>());
        let mut turned = pool.clone();
        turned.lines.reverse();
        let count = |pool: &Pool| compare(pool, terms()).iter().filter(|finding| matches!(finding, Finding::Agreed { .. })).count();
        prop_assert_eq!(count(&pool), count(&turned));
    }
}
