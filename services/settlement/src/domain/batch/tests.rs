#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const DAY: i64 = 86_400_000_000;

fn entry(transaction: u128, minor: i64, side: Side, purpose: Purpose) -> Entry {
    Entry {
        transaction: Some(Uuid::from_u128(transaction).into()),
        minor,
        side,
        purpose,
        height: 1,
        effective_at: Timestamp::from_micros(DAY + 5),
    }
}

fn same_day(entry: &Entry) -> Hint {
    Hint {
        available_at: entry.effective_at,
        is_charged_back: false,
    }
}

#[test]
fn s2_the_purchase_of_the_chart_comes_to_its_net() {
    use Purpose::{Fee, Other, Own, Refund};
    let entries = [
        (Share::Pending, entry(1, 9_154, Side::Credit, Other)),
        (Share::Pending, entry(1, 295, Side::Debit, Fee)),
        (Share::Pending, entry(1, 1_000, Side::Debit, Refund)),
        (Share::Pending, entry(1, 7_859, Side::Debit, Own)),
        (Share::Available, entry(1, 7_859, Side::Credit, Own)),
        (Share::Available, entry(2, 500, Side::Debit, Refund)),
    ];
    let slices = slices(&entries, same_day).unwrap();
    let [slice] = slices.as_slice() else {
        unreachable!("one day: {slices:?}")
    };
    assert_eq!(
        slice.figures,
        Figures {
            gross: 9_154,
            fees: 295,
            refunds: 1_500,
            chargebacks: 0,
            transactions: 1
        }
    );
    assert_eq!(slice.pending_minor, 7_859);
    assert_eq!(slice.figures.net(), Some(7_359));
}

#[test]
fn a_chargeback_and_its_reversal_come_to_nothing_and_a_refund_that_fails_later_too() {
    use Purpose::{Chargeback, Refund, Reversal};
    let entries = [
        (Share::Available, entry(1, 9_246, Side::Debit, Chargeback)),
        (Share::Available, entry(1, 9_246, Side::Credit, Reversal)),
        (Share::Pending, entry(2, 700, Side::Debit, Refund)),
        (Share::Pending, entry(2, 700, Side::Credit, Reversal)),
    ];
    let first: TransactionId = Uuid::from_u128(1).into();
    let hint = |entry: &Entry| Hint {
        is_charged_back: entry.transaction == Some(first),
        ..same_day(entry)
    };
    let slices = slices(&entries, hint).unwrap();
    assert_eq!(
        (slices[0].figures, slices[0].pending_minor),
        (Figures::default(), 0)
    );
}

#[test]
fn each_day_that_something_is_due_is_a_slice_of_its_own() {
    let entries: Vec<_> = [1, 2, 3]
        .map(|n| (Share::Pending, entry(n, 100, Side::Credit, Purpose::Other)))
        .into();
    let hint = |entry: &Entry| {
        let second = entry.transaction == Some(Uuid::from_u128(2).into());
        Hint {
            available_at: Timestamp::from_micros(if second { 3 * DAY } else { 4 * DAY + 7 }),
            is_charged_back: false,
        }
    };
    let slices = slices(&entries, hint).unwrap();
    let found: Vec<_> = slices
        .iter()
        .map(|slice| (slice.available_at.as_micros(), slice.figures.gross))
        .collect();
    assert_eq!(found, [(3 * DAY, 100), (4 * DAY + 7, 200)]);
}

fn position(pending_minor: i64) -> Position {
    Position {
        id: Uuid::from_u128(1).into(),
        tenant: Uuid::from_u128(2).into(),
        batch: Uuid::from_u128(3).into(),
        merchant: Uuid::from_u128(4).into(),
        currency: Currency::EUR,
        figures: Figures::default(),
        pending_minor,
        available_at: Timestamp::EPOCH,
        release: None,
        released_at: None,
        version: 1,
    }
}

#[test]
fn s3_what_is_below_zero_waits_and_is_netted() {
    for (due, wanted) in [
        (vec![], None),
        (vec![8_859], Some(8_859)),
        (vec![-40], None),
        (vec![100, -40], Some(60)),
        (vec![40, -40], Some(0)),
        (vec![i64::MAX, 1], None),
    ] {
        let positions: Vec<_> = due.iter().copied().map(position).collect();
        assert_eq!(releasable(&positions), wanted, "{due:?}");
    }
}

fn any_entry() -> impl Strategy<Value = (Share, Entry)> {
    let share = prop_oneof![
        Just(Share::Pending),
        Just(Share::Available),
        Just(Share::Reserve)
    ];
    let purpose = prop_oneof![
        Just(Purpose::Fee),
        Just(Purpose::Refund),
        Just(Purpose::Chargeback),
        Just(Purpose::Reversal),
        Just(Purpose::Own),
        Just(Purpose::Other),
    ];
    let side = prop_oneof![Just(Side::Debit), Just(Side::Credit)];
    (share, 0..20_u128, 1..1_000_000_i64, side, purpose).prop_map(
        |(share, transaction, minor, side, purpose)| {
            (share, entry(transaction, minor, side, purpose))
        },
    )
}

proptest! {
    #[test]
    fn s2_slices_hold_every_cent_of_pending(entries in proptest::collection::vec(any_entry(), 0..60), days in 1..9_i64) {
        let hint = |entry: &Entry| Hint {
            available_at: Timestamp::from_micros(DAY * (entry.minor % days)),
            is_charged_back: entry.minor % 2 == 0,
        };
        let slices = slices(&entries, hint).unwrap();
        let pending: i64 = entries
            .iter()
            .filter(|(share, entry)| *share == Share::Pending && entry.purpose != Purpose::Own)
            .map(|(_, entry)| if entry.side == Side::Credit { entry.minor } else { -entry.minor })
            .sum();
        prop_assert_eq!(slices.iter().map(|slice| slice.pending_minor).sum::<i64>(), pending);
        let all: i64 = entries
            .iter()
            .filter(|(share, entry)| counts(*share, entry.purpose))
            .map(|(_, entry)| if entry.side == Side::Credit { entry.minor } else { -entry.minor })
            .sum();
        prop_assert_eq!(slices.iter().map(|slice| slice.figures.net().unwrap()).sum::<i64>(), all);
    }
}
