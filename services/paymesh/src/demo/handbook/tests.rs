//! Whole datasets: the published one, and small ones against the original tools.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use sha2::{Digest, Sha256};

use super::{
    DAY_SECONDS, Dataset, MAX_DAYS, Scenario, Settings, SettingsError, Transaction, simulate,
};

/// What identifies a dataset: how many payments it has, how many of each scenario, the sum of
/// cents, and SHA-256 over lines of second, customer, terminal, cents, fraud and scenario, sorted,
/// one to a line.
#[derive(Debug, PartialEq)]
struct Fingerprint {
    transactions: usize,
    frauds: [usize; 3],
    cents: i64,
    sha256: String,
}

fn fingerprint(dataset: &Dataset) -> Fingerprint {
    let mut sorted: Vec<&Transaction> = dataset.transactions.iter().collect();
    sorted.sort_by_key(|paid| {
        (
            paid.at_seconds,
            paid.customer,
            paid.terminal,
            paid.amount_cents,
        )
    });
    let mut hash = Sha256::new();
    let mut frauds = [0; 3];
    for (index, paid) in sorted.iter().enumerate() {
        let scenario = paid.fraud.map_or(0, Scenario::number);
        if scenario > 0 {
            frauds[usize::from(scenario) - 1] += 1;
        }
        let separator = if index == 0 { "" } else { "\n" };
        let Transaction {
            at_seconds,
            customer,
            terminal,
            amount_cents,
            ..
        } = paid;
        let fraud = u8::from(paid.fraud.is_some());
        hash.update(format!(
            "{separator}{at_seconds},{customer},{terminal},{amount_cents},{fraud},{scenario}"
        ));
    }
    Fingerprint {
        transactions: sorted.len(),
        frauds,
        cents: sorted.iter().map(|paid| paid.amount_cents).sum(),
        sha256: hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    }
}

/// Small, and with fourteen customers who have no terminal near by.
fn village() -> Settings {
    Settings {
        customers: 300,
        terminals: 500,
        radius: 6.0,
        days: 45,
        ..Settings::default()
    }
}

#[test]
fn the_default_dataset_is_the_published_one() {
    let expected = Fingerprint {
        transactions: 1_754_155,
        frauds: [973, 9_077, 4_631],
        cents: 9_407_937_008,
        sha256: "cd65dda1cac4862947c2c03a0ada22a536a4df4e3002cee022863d90f2deb321".to_owned(),
    };
    assert_eq!(fingerprint(&simulate(&Settings::default())), expected);
}

// The expected values of the small datasets were computed with NumPy 2.4, pandas 3.1 and CPython
// 3.11.

#[test]
fn a_small_dataset_is_what_numpy_and_python_make_of_it() {
    let expected = Fingerprint {
        transactions: 24_277,
        frauds: [13, 1_657, 958],
        cents: 152_826_499,
        sha256: "975be14551f001d2291aae61294753b0f18e1aff574a53f4928d03857d40339d".to_owned(),
    };
    assert_eq!(fingerprint(&simulate(&village())), expected);
}

#[test]
fn windows_that_overlap_raise_an_amount_more_than_once() {
    let settings = Settings {
        customers: 60,
        terminals: 40,
        radius: 20.0,
        days: 30,
        ..Settings::default()
    };
    let expected = Fingerprint {
        transactions: 3_254,
        frauds: [0, 1_342, 505],
        cents: 30_461_795,
        sha256: "394c2ef9efca4b50835e5800cfa3cc36356ee3629d91659c1bae215e2d52549d".to_owned(),
    };
    assert_eq!(fingerprint(&simulate(&settings)), expected);
}

#[test]
fn payments_are_sorted_and_lie_inside_their_days() {
    let dataset = simulate(&village());
    assert!(
        dataset
            .transactions
            .is_sorted_by_key(|paid| (paid.at_seconds, paid.customer))
    );
    for paid in &dataset.transactions {
        assert_eq!(u32::from(paid.day), paid.at_seconds / DAY_SECONDS);
        assert_ne!(paid.at_seconds % DAY_SECONDS, 0);
        assert!(paid.amount_cents >= 0);
    }
}

#[test]
fn the_days_are_the_dataset_cut_in_order() {
    let dataset = simulate(&village());
    let days: Vec<Transaction> = (0..45)
        .flat_map(|day| dataset.day(day).iter().copied())
        .collect();
    assert_eq!(days, dataset.transactions);
    assert!(dataset.day(3).iter().all(|paid| paid.day == 3) && !dataset.day(3).is_empty());
    assert_eq!(dataset.day(45), []);
}

#[test]
fn the_start_shifts_the_dataset_in_time_and_changes_nothing_else() {
    let spring = simulate(&village());
    let epoch = simulate(&Settings {
        start_unix_seconds: 0,
        ..village()
    });
    assert_eq!(spring.transactions, epoch.transactions);
    let first = &spring.transactions[0];
    assert_eq!(epoch.unix_seconds(first), 476);
    assert_eq!(spring.unix_seconds(first), 1_522_540_800 + 476);
}

#[test]
fn nobody_pays_where_there_is_nobody_nothing_or_no_time() {
    for settings in [
        Settings {
            customers: 0,
            ..village()
        },
        Settings {
            terminals: 0,
            ..village()
        },
        Settings {
            days: 0,
            ..village()
        },
        Settings {
            radius: 0.0,
            ..village()
        },
    ] {
        assert_eq!(simulate(&settings).transactions, [], "{settings:?}");
    }
    for settings in [
        Settings {
            customers: 1,
            terminals: 1,
            radius: 150.0,
            ..village()
        },
        Settings {
            days: 1,
            ..village()
        },
    ] {
        assert_ne!(simulate(&settings).transactions, [], "{settings:?}");
    }
}

#[test]
fn sizes_out_of_bounds_are_named() {
    assert_eq!(Settings::default().validate(), Ok(()));
    for (settings, expected) in [
        (
            Settings {
                customers: 20_001,
                ..village()
            },
            "20001 customers are more than 20000",
        ),
        (
            Settings {
                terminals: 40_001,
                ..village()
            },
            "40001 terminals are more than 40000",
        ),
        (
            Settings {
                radius: -1.0,
                ..village()
            },
            "a radius of -1 is not a distance",
        ),
        (
            Settings {
                radius: f64::NAN,
                ..village()
            },
            "a radius of NaN is not a distance",
        ),
        (
            Settings {
                days: 367,
                ..village()
            },
            "367 days are more than 366",
        ),
    ] {
        assert_eq!(settings.validate().unwrap_err().to_string(), expected);
    }
    let longest = Settings {
        days: MAX_DAYS + 1,
        ..village()
    };
    assert_eq!(longest.validate(), Err(SettingsError::Days(367)));
}
