use proptest::prelude::*;

use super::*;

const DAY: i64 = 24 * HOUR_US;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Every moment in a list, looked at one by one.
#[derive(Default)]
struct Naive(Vec<(i64, i64)>);

impl Naive {
    fn window(&self, from: i64, until: i64) -> (i64, i64) {
        let inside = || self.0.iter().filter(|(at, _)| *at > from && *at <= until);
        let sum: i128 = inside().map(|(_, minor)| i128::from(*minor)).sum();
        (
            i64::try_from(inside().count()).unwrap_or(i64::MAX),
            i64::try_from(sum).unwrap_or(i64::MAX),
        )
    }
}

proptest! {
    #[test]
    fn r4_windows_are_as_a_list_of_all_moments_has_them(
        moments in prop::collection::vec((0..30 * DAY, 1_i64..1_000_000_000_000_000), 1..300),
        taken_back in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        asked in prop::collection::vec((0..30 * DAY, 0..31 * DAY), 1..20),
    ) {
        let (mut series, mut naive) = (Series::default(), Naive::default());
        for (moment, minor) in moments {
            series.insert(at(moment), minor);
            naive.0.push((moment, minor));
        }
        for index in taken_back {
            if naive.0.is_empty() {
                break;
            }
            let (moment, minor) = naive.0.remove(index.index(naive.0.len()));
            series.remove(at(moment), minor);
        }
        for (from, length) in asked {
            prop_assert_eq!(series.window(at(from), at(from + length)), naive.window(from, from + length), "R4");
        }
    }

    #[test]
    fn r4_a_sum_beyond_all_numbers_stays_the_largest(
        moments in prop::collection::vec((0..DAY, i64::MAX / 4..i64::MAX), 1..20),
        from in 0..DAY,
        length in 0..DAY,
    ) {
        let (mut series, mut naive) = (Series::default(), Naive::default());
        for (moment, minor) in moments {
            series.insert(at(moment), minor);
            naive.0.push((moment, minor));
        }
        prop_assert_eq!(series.window(at(from), at(from + length)), naive.window(from, from + length));
    }
}

#[test]
fn what_is_older_than_the_retention_goes_and_does_not_come_back() {
    let mut series = Series::default();
    series.insert(at(0), 5);
    series.insert(at(RETENTION_US - 1), 7);
    assert_eq!(series.window(at(-1), at(RETENTION_US)), (2, 12));
    series.insert(at(RETENTION_US), 1);
    assert_eq!(series.window(at(-1), at(RETENTION_US)), (2, 8));
    series.insert(at(0), 5);
    assert_eq!(series.window(at(-1), at(RETENTION_US)), (2, 8));
    assert_eq!(series.len(), 2);
}

#[test]
fn r5_a_busy_series_has_a_limit_and_is_off_by_less_than_a_hundredth() {
    let (mut series, mut naive) = (Series::default(), Naive::default());
    let (step, end) = (20 * SECOND_US, 30 * DAY);
    for moment in (0..=end).step_by(usize::try_from(step).unwrap_or(1)) {
        series.insert(at(moment), 1);
        naive.0.push((moment, 1));
    }
    assert!(series.len() <= MAX_MOMENTS, "R5: {}", series.len());
    for window in [HOUR_US, DAY, 7 * DAY, 29 * DAY] {
        let (count, sum) = series.window(at(end - window), at(end));
        let (exact, _) = naive.window(end - window, end);
        assert_eq!(count, sum);
        let off = (exact - count).abs() * 100;
        assert!(off <= exact, "R5: {window}: {count} instead of {exact}");
    }
}

#[test]
fn taking_back_what_was_never_counted_changes_nothing() {
    let mut series = Series::default();
    series.remove(at(5), 1);
    series.insert(at(10), 3);
    series.remove(at(5), 3);
    series.remove(at(10), 4);
    assert_eq!(series.window(at(0), at(20)), (1, 3));
}
