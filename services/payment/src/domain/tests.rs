//! The rules as tables. The simulation beside them plays a provider that loses answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod provider;
mod simulation;

use std::time::Duration;

use paymesh_kernel::{Timestamp, backoff::Backoff, id::reexport::Uuid};
use paymesh_money::{Amount, Currency};

use super::*;
use provider::Provider;

const START: Timestamp = Timestamp::from_micros(1_768_478_400_000_000);
const REFERENCE: &str = "att_1:authorize:do";

fn windows() -> Windows {
    Windows {
        not_found_counts_after: Duration::from_secs(150),
        key_lifetime: Duration::from_secs(3_600),
        call_budget: Duration::from_secs(10),
    }
}

fn at<T>(now: Timestamp, decide: impl FnOnce(&Moment<'_>) -> T) -> T {
    let counter = std::cell::Cell::new(u128::try_from(now.as_micros()).unwrap());
    let new_id = || {
        counter.set(counter.get() + 1);
        Uuid::from_u128(counter.get())
    };
    decide(&Moment {
        now,
        windows: windows(),
        backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(60)),
        entropy: 7,
        new_id: &new_id,
    })
}

fn id<I: From<Uuid>>(number: u128) -> I {
    Uuid::from_u128(number).into()
}

fn key(text: &str) -> StepKey {
    StepKey {
        key: text.to_owned(),
        fingerprint: Uuid::from_u128(1),
    }
}

fn amount(minor: i64) -> Amount {
    Amount::try_new(minor, Currency::EUR).unwrap()
}

fn open(capture: CaptureMode) -> Book {
    let new = NewAttempt {
        id: id(1),
        tenant: id(2),
        transaction: id(3),
        payment_method: id(4),
        customer: Some(id(5)),
        merchant: None,
        connector: "simulated".to_owned(),
        step: key(REFERENCE),
        amount: amount(1_000),
        capture,
        three_ds: ThreeDs::Automatic,
        statement_descriptor: None,
        return_url: None,
        correlation_id: "request".to_owned(),
        business_at: None,
    };
    Book::open(new, START, START.plus(windows().call_budget))
}

fn settled(mut book: Book, key: &str, answer: Answer) -> Book {
    at(book.attempt.updated_at, |moment| {
        book.settle(key, answer, moment).unwrap();
    });
    book
}

fn authorized() -> Book {
    let mut provider = Provider::new(CaptureMode::Manual);
    let book = open(CaptureMode::Manual);
    settled(book, REFERENCE, provider.authorize())
}

fn words(book: &Book) -> Vec<&'static str> {
    let word = |told: &Told| match told {
        Told::Attempt(_, fact) => match fact {
            Fact::Authorized => "authorized",
            Fact::Processed { .. } => "processed",
            Fact::Failed { .. } => "failed",
            Fact::Updated { .. } => "updated",
            Fact::RefundInitiated { .. } => "refund_initiated",
            Fact::RefundProcessed { .. } => "refund_processed",
            Fact::RefundFailed { .. } => "refund_failed",
        },
        Told::Dispute(_, fact) => match fact {
            DisputeFact::Opened => "dispute_opened",
            DisputeFact::EvidenceSubmitted => "dispute_evidence",
            DisputeFact::Won => "dispute_won",
            DisputeFact::Lost => "dispute_lost",
        },
    };
    book.told.iter().map(word).collect()
}

fn not_processed() -> Answer {
    Answer::NotProcessed {
        code: "busy".to_owned(),
        retry_after: None,
    }
}

#[test]
fn an_authorization_goes_where_its_answer_says() {
    let declined = Decline::new(DeclineReason::DoNotHonor, "do_not_honor");
    let reply = |capture| Provider::new(capture).authorize();
    let manual = reply(CaptureMode::Manual);
    let automatic = reply(CaptureMode::Automatic);
    for (mode, answer, state, operation, facts) in [
        (
            CaptureMode::Manual,
            manual,
            "authorized",
            "succeeded",
            vec!["authorized"],
        ),
        (
            CaptureMode::Automatic,
            automatic,
            "captured",
            "succeeded",
            vec!["authorized", "processed"],
        ),
        (
            CaptureMode::Manual,
            Answer::Refused(declined),
            "declined",
            "declined",
            vec!["failed"],
        ),
        (
            CaptureMode::Manual,
            not_processed(),
            "failed",
            "failed",
            vec!["failed"],
        ),
        (
            CaptureMode::Manual,
            Answer::Unknown,
            "unknown",
            "unknown",
            vec!["updated"],
        ),
        (
            CaptureMode::Manual,
            Answer::Tombstone,
            "canceled",
            "failed",
            vec!["updated"],
        ),
    ] {
        let shown = format!("{answer:?}");
        let book = settled(open(mode), REFERENCE, answer);
        assert_eq!(book.attempt.state.as_str(), state, "{shown}");
        assert_eq!(book.authorization().state.as_str(), operation, "{shown}");
        assert_eq!(words(&book), facts, "{shown}");
        let needs_a_look = state == "unknown";
        assert_eq!(
            book.authorization().wake_at.is_some(),
            needs_a_look,
            "{shown}"
        );
    }
}

#[test]
fn p3_states_go_forward_only() {
    let order = [
        vec![AttemptState::Created],
        vec![AttemptState::Unknown],
        vec![AttemptState::RequiresAction],
        vec![AttemptState::Authorized],
        vec![AttemptState::PartiallyCaptured],
        vec![
            AttemptState::Captured,
            AttemptState::Canceled,
            AttemptState::Declined,
            AttemptState::Failed,
            AttemptState::Expired,
        ],
    ];
    for (place, states) in order.iter().enumerate() {
        for (other_place, others) in order.iter().enumerate() {
            for (state, other) in states
                .iter()
                .flat_map(|s| others.iter().map(move |o| (s, o)))
            {
                let forward = other_place > place;
                assert_eq!(
                    state.may_become(*other),
                    forward,
                    "P3: {state:?} to {other:?}"
                );
            }
        }
    }
}

#[test]
fn p1_captures_under_way_count_as_taken() {
    let mut book = authorized();
    let times = (START, START.plus(Duration::from_secs(10)));
    let order = |number: u128, minor: i64| CaptureOrder {
        capture: id(number),
        amount: amount(minor),
        is_final: false,
    };
    assert_eq!(
        book.capture(&key("c1"), &order(1, 700), times),
        Ok(Verdict::New)
    );
    let too_much = book.capture(&key("c2"), &order(2, 301), times);
    assert_eq!(
        too_much,
        Err(Rejection::CaptureTooLarge { left_minor: 300 }),
        "P1"
    );
    assert_eq!(
        book.capture(&key("c2"), &order(2, 300), times),
        Ok(Verdict::New)
    );
    let known = book.capture(&key("c1"), &order(1, 700), times);
    assert_eq!(known, Ok(Verdict::Repeat), "P10");
    for (step, capture) in [("c1", 9), ("c9", 1)] {
        let reused = book.capture(&key(step), &order(capture, 1), times);
        let is_repeat = step == "c1";
        // The same key with the same fingerprint is a repeat; another key for the same capture is not.
        let expected = if is_repeat {
            Ok(Verdict::Repeat)
        } else {
            Err(Rejection::KeyReused)
        };
        assert_eq!(reused, expected, "P10: {step}");
    }
    let other = StepKey {
        fingerprint: Uuid::from_u128(2),
        ..key("c1")
    };
    assert_eq!(
        book.capture(&other, &order(1, 700), times),
        Err(Rejection::KeyReused),
        "P10"
    );
}

#[test]
fn p2_refunds_under_way_count_as_returned() {
    let mut provider = Provider::new(CaptureMode::Automatic);
    let mut book = settled(
        open(CaptureMode::Automatic),
        REFERENCE,
        provider.authorize(),
    );
    let times = (START, START.plus(Duration::from_secs(10)));
    let order = |number: u128, minor: i64| RefundOrder {
        refund: id(number),
        amount: amount(minor),
        reason: String::new(),
    };
    assert_eq!(
        book.refund(&key("r1"), &order(1, 600), times),
        Ok(Verdict::New)
    );
    let too_much = book.refund(&key("r2"), &order(2, 401), times);
    assert_eq!(
        too_much,
        Err(Rejection::RefundTooLarge { left_minor: 400 }),
        "P2"
    );
    let dollars = Amount::try_new(1, Currency::USD).unwrap();
    let foreign = RefundOrder {
        amount: dollars,
        ..order(3, 1)
    };
    let refused = book.refund(&key("r3"), &foreign, times);
    assert_eq!(refused, Err(Rejection::OtherCurrency(Currency::EUR)));
}

#[test]
fn p6_outside_the_life_of_its_key_nothing_is_sent_again() {
    let mut book = authorized();
    let times = (START, START.plus(windows().call_budget));
    let order = CaptureOrder {
        capture: id(1),
        amount: amount(1_000),
        is_final: false,
    };
    book.capture(&key("c1"), &order, times).unwrap();
    let book = settled(book, "c1", Answer::Unknown);
    let next = |seconds: u64| {
        at(START.plus(Duration::from_secs(seconds)), |moment| {
            book.next("c1", moment)
        })
    };
    assert_eq!(next(0), Next::SendAgain);
    assert_eq!(next(3_589), Next::SendAgain);
    assert_eq!(next(3_591), Next::NeverArrived, "P6: its key may be gone");
}

#[test]
fn p5_an_authorization_is_sent_again_while_its_payer_waits_and_not_found_counts_after_its_window() {
    let book = settled(open(CaptureMode::Manual), REFERENCE, Answer::Unknown);
    let next = |seconds: u64| {
        at(START.plus(Duration::from_secs(seconds)), |moment| {
            book.next(REFERENCE, moment)
        })
    };
    assert_eq!(next(0), Next::SendAgain, "P5");
    assert_eq!(next(59), Next::SendAgain, "P5");
    assert!(matches!(next(60), Next::Wait(_)), "P5");
    assert!(matches!(next(159), Next::Wait(_)), "P5");
    assert_eq!(next(160), Next::NeverArrived, "P5");
}

#[test]
fn p4_what_is_in_flight_belongs_to_its_sender() {
    let book = open(CaptureMode::Manual);
    let next = |seconds: u64| {
        at(START.plus(Duration::from_secs(seconds)), |moment| {
            book.next(REFERENCE, moment)
        })
    };
    assert_eq!(next(3), Next::Wait(START.plus(Duration::from_secs(10))));
    assert_eq!(next(11), Next::SendAgain, "P4: its sender has given up");
}

#[test]
fn p7_what_arrives_after_it_was_given_up_goes_back() {
    for capture in [CaptureMode::Manual, CaptureMode::Automatic] {
        let mut provider = Provider::new(capture);
        let mut book = settled(open(capture), REFERENCE, Answer::Unknown);
        let late = START.plus(Duration::from_secs(200));
        book.never_arrived(REFERENCE, late).unwrap();
        assert_eq!(book.attempt.state, AttemptState::Failed);
        provider.authorize();
        book.told.clear();
        at(late, |moment| {
            book.settle(REFERENCE, provider.look(), moment).unwrap();
        });
        let own: Vec<&Operation> = book
            .operations
            .iter()
            .filter(|operation| operation.origin == Origin::Own)
            .collect();
        let kind = match capture {
            CaptureMode::Manual => OperationKind::Cancel,
            CaptureMode::Automatic => OperationKind::Refund,
        };
        assert_eq!(own.len(), 1, "P7: {capture:?}");
        assert_eq!((own[0].kind, own[0].wake_at), (kind, Some(late)), "P7");
        assert_eq!(
            book.attempt.state,
            AttemptState::Failed,
            "P7: what was told stays"
        );
        assert!(
            words(&book).iter().all(|word| *word == "updated"),
            "P7: nobody books it"
        );
    }
}

#[test]
fn a_cancellation_in_doubt_ends_the_attempt_or_gives_back_what_turns_up() {
    let times = (START, START.plus(windows().call_budget));
    let mut book = settled(open(CaptureMode::Automatic), REFERENCE, Answer::Unknown);
    assert_eq!(book.cancel(&key("x"), "", times), Ok(Verdict::New));
    let nothing_there = settled(book.clone(), "x", Answer::Tombstone);
    assert_eq!(nothing_there.attempt.state, AttemptState::Canceled);
    assert!(
        nothing_there
            .operations
            .iter()
            .all(|one| !one.state.is_open())
    );

    let mut provider = Provider::new(CaptureMode::Automatic);
    provider.authorize();
    let refused = Answer::Refused(Decline::new(
        DeclineReason::ProviderDeclined,
        "already_captured",
    ));
    let book = settled(book, "x", refused);
    let book = settled(book, "x", provider.look());
    assert_eq!(
        book.attempt.state,
        AttemptState::Unknown,
        "it ends when all is back"
    );
    let give_back = book.operations.last().unwrap().clone();
    assert_eq!(
        (give_back.kind, give_back.amount_minor),
        (OperationKind::Refund, 1_000)
    );
    let part = provider.refund(&give_back.key, 1_000);
    let book = settled(book, &give_back.key, part);
    assert_eq!(book.attempt.state, AttemptState::Canceled);
    assert_eq!(book.attempt.refunded_minor, 1_000);
    assert!(!book.is_stuck());
}

#[test]
fn a_refund_that_fails_later_is_told_as_such() {
    let mut provider = Provider::new(CaptureMode::Automatic);
    let mut book = settled(
        open(CaptureMode::Automatic),
        REFERENCE,
        provider.authorize(),
    );
    let order = RefundOrder {
        refund: id(1),
        amount: amount(400),
        reason: String::new(),
    };
    book.refund(&key("r"), &order, (START, START)).unwrap();
    let book = settled(book, "r", provider.refund("r", 400));
    assert_eq!(book.attempt.refunded_minor, 400);
    let earlier = provider.look();
    provider.fail_refund("r");
    let book = settled(book, REFERENCE, provider.look());
    assert_eq!(book.attempt.refunded_minor, 0);
    let last = book.told.last().unwrap();
    let after = matches!(
        last,
        Told::Attempt(
            _,
            Fact::RefundFailed {
                came: Came::AfterSuccess,
                ..
            }
        )
    );
    assert!(after, "{last:?}");
    // A look that is older than what we know brings nothing back (P3).
    let book = settled(book, REFERENCE, earlier);
    assert_eq!(book.attempt.refunded_minor, 0);
}

#[test]
fn another_payment_under_our_reference_changes_nothing() {
    let mut provider = Provider::new(CaptureMode::Manual);
    provider.authorize();
    let Answer::Look(seen) = provider.look() else {
        panic!("a look is a look");
    };
    for change in [
        |seen: &mut Observation| "other".clone_into(&mut seen.reference),
        |seen: &mut Observation| seen.amount_minor = 999,
        |seen: &mut Observation| seen.currency = Currency::USD,
    ] {
        let mut other = (*seen).clone();
        change(&mut other);
        let mut book = open(CaptureMode::Manual);
        let refused = at(START, |moment| {
            book.settle(REFERENCE, Answer::Look(Box::new(other)), moment)
        });
        assert!(matches!(refused, Err(Contradiction::Different { .. })));
    }
}

#[test]
fn a_dispute_takes_the_money_back_and_a_won_one_returns_it() {
    let mut provider = Provider::new(CaptureMode::Automatic);
    let book = settled(
        open(CaptureMode::Automatic),
        REFERENCE,
        provider.authorize(),
    );
    provider.dispute(600, DisputeState::Opened);
    let book = settled(book, REFERENCE, provider.look());
    assert_eq!(book.attempt.refundable_minor(), 400);
    provider.disputes[0].state = DisputeState::Won;
    let book = settled(book, REFERENCE, provider.look());
    assert_eq!(book.attempt.refundable_minor(), 1_000);
    let told: Vec<_> = words(&book).split_off(2);
    assert_eq!(told, ["dispute_opened", "dispute_won"]);
    let sequences: Vec<i64> = book
        .told
        .iter()
        .filter_map(|told| match told {
            Told::Dispute(dispute, _) => Some(dispute.event_sequence),
            Told::Attempt(..) => None,
        })
        .collect();
    assert_eq!(sequences, [1, 2]);
}
