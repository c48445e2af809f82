#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use paymesh_money::Currency;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const LATER: Timestamp = Timestamp::from_micros(2_000_000);

fn payout() -> Payout {
    Payout {
        id: Uuid::from_u128(1).into(),
        tenant: Uuid::from_u128(2).into(),
        owner: Owner {
            kind: OwnerKind::Merchant,
            id: "mrc_x".to_owned(),
        },
        account: Uuid::from_u128(3).into(),
        amount: Money::new(8_859, Currency::EUR),
        destination: "ben_acme".to_owned(),
        batch: None,
        transaction: None,
        reason: String::new(),
        created_by: "user_x".to_owned(),
        state: State::Reserved,
        step: Step::Reserve,
        transfers: Uuid::from_u128(0xff).into(),
        attempts: 0,
        held_until: None,
        is_seen: false,
        seen_line: None,
        returned_line: None,
        asked_at: None,
        next_wake_at: Some(NOW),
        business_at: NOW,
        created_at: NOW,
        sent_at: None,
        finished_at: None,
        event_sequence: 0,
        version: 1,
    }
}

fn taken() -> Word {
    Word::Taken { until: LATER }
}

fn told(line: u128, minor: i64) -> Told {
    Told {
        line: Uuid::from_u128(line).into(),
        amount: Money::new(minor, Currency::EUR),
    }
}

fn refused() -> Word {
    Word::Refused {
        reason: "AC01".to_owned(),
    }
}

fn silent() -> Word {
    Word::Silent { again_at: LATER }
}

fn after(words: &[Word]) -> (Payout, Vec<Fact>) {
    let mut payout = payout();
    let mut facts = Vec::new();
    for word in words {
        let (next, fact) = decide(&payout, word.clone(), NOW)
            .unwrap_or_else(|rejection| panic!("{word:?} is {rejection:?} at {:?}", payout.step));
        payout = next;
        facts.extend(fact);
    }
    (payout, facts)
}

#[test]
fn v3_a_held_payout_is_sent_when_it_is_released_and_released_when_it_is_misdirected() {
    let held = Payout {
        held_until: Some(LATER),
        ..payout()
    };
    let (waits, fact) = decide(&held, Word::Reserved, NOW).unwrap();
    assert_eq!((waits.state, waits.step), (State::Reserved, Step::Hold));
    assert_eq!(
        (waits.reason.as_str(), fact),
        (COOLING_OFF, Some(Fact::Created))
    );
    assert_eq!(waits.next_wake_at, Some(LATER));
    assert_eq!(
        decide(&waits, taken(), NOW),
        Err(Rejection::Before),
        "too early"
    );
    let (due, _) = decide(&waits, Word::Taken { until: LATER }, LATER).unwrap();
    assert_eq!(
        (due.step, due.asked_at),
        (Step::Hold, None),
        "no bank was asked"
    );
    for (word, step, reason) in [
        (Word::Released, Step::Send, ""),
        (Word::Misdirected, Step::Void, DESTINATION_CHANGED),
        (Word::Held { until: LATER }, Step::Hold, COOLING_OFF),
    ] {
        let (next, fact) = decide(&due, word.clone(), LATER).unwrap();
        assert_eq!(
            (next.step, next.reason.as_str(), fact),
            (step, reason, None)
        );
        let (sent, _) = decide(&payout(), Word::Reserved, NOW).unwrap();
        assert_eq!(
            decide(&sent, word, NOW),
            Err(Rejection::Before),
            "it is not held"
        );
    }
    let (gone, _) = decide(&due, Word::Misdirected, LATER).unwrap();
    let (gone, fact) = decide(&gone, Word::Voided, LATER).unwrap();
    assert_eq!((gone.state, fact), (State::Failed, Some(Fact::Failed)));
}

#[test]
fn p1_each_story_ends_where_it_should_and_tells_it() {
    use Fact::{Confirmed, Created, Failed, Returned, Sent};
    use Word::{Accepted, NeverArrived, Posted, Reserved, Voided};
    let [seen, back] = [Word::Seen(told(1, 8_859)), Word::CameBack(told(2, 8_859))];
    let stories: Vec<(Vec<Word>, State, Step, Vec<Fact>)> = vec![
        (
            vec![Reserved, taken(), Accepted, Posted, seen.clone()],
            State::Confirmed,
            Step::Done,
            vec![Created, Sent, Confirmed],
        ),
        (
            vec![Reserved, taken(), silent(), Accepted, Posted],
            State::Sent,
            Step::Confirm,
            vec![Created, Sent],
        ),
        (
            vec![Reserved, taken(), refused(), Voided],
            State::Failed,
            Step::Done,
            vec![Created, Failed],
        ),
        (
            vec![Reserved, taken(), silent(), NeverArrived, taken(), Accepted],
            State::Sent,
            Step::Post,
            vec![Created, Sent],
        ),
        (
            vec![
                Reserved,
                taken(),
                Accepted,
                Posted,
                seen.clone(),
                back.clone(),
            ],
            State::Returned,
            Step::Done,
            vec![Created, Sent, Confirmed, Returned],
        ),
        (
            vec![Reserved, taken(), Accepted, Posted, back, seen.clone()],
            State::Returned,
            Step::Done,
            vec![Created, Sent, Returned],
        ),
        (
            vec![Reserved, taken(), silent(), seen, Posted],
            State::Confirmed,
            Step::Done,
            vec![Created, Sent, Confirmed],
        ),
        (
            vec![Word::NotReserved {
                reason: "INSUFFICIENT_FUNDS".to_owned(),
            }],
            State::Failed,
            Step::Done,
            vec![],
        ),
    ];
    for (words, state, step, facts) in stories {
        let (payout, told) = after(&words);
        assert_eq!(
            (payout.state, payout.step, told),
            (state, step, facts),
            "{words:?}"
        );
    }
}

#[test]
fn p3_what_is_taken_up_for_sending_is_asked_for_after_a_crash() {
    let (payout, _) = after(&[Word::Reserved, taken()]);
    assert_eq!(
        (payout.step, payout.next_wake_at, payout.asked_at),
        (Step::Look, Some(LATER), Some(NOW))
    );
    assert_eq!(decide(&payout, taken(), NOW), Err(Rejection::Before));
}

#[test]
fn p4_a_payout_that_failed_or_is_not_sent_cannot_come_back() {
    let (failed, _) = after(&[Word::Reserved, taken(), refused(), Word::Voided]);
    assert_eq!(
        decide(&failed, Word::CameBack(told(2, 8_859)), NOW),
        Err(Rejection::Contradiction)
    );
    assert_eq!(
        decide(&failed, Word::Seen(told(1, 8_859)), NOW),
        Err(Rejection::Contradiction)
    );
    let (reserved, _) = after(&[Word::Reserved]);
    assert_eq!(
        decide(&reserved, Word::CameBack(told(2, 8_859)), NOW),
        Err(Rejection::Early)
    );
}

#[test]
fn p4_one_line_confirms_and_one_returns_with_the_whole_amount() {
    let (sent, _) = after(&[Word::Reserved, taken(), Word::Accepted, Word::Posted]);
    let dollars = Told {
        amount: Money::new(8_859, Currency::USD),
        ..told(1, 8_859)
    };
    for wrong in [told(1, 8_858), told(1, 8_860), dollars] {
        for word in [Word::Seen(wrong), Word::CameBack(wrong)] {
            assert_eq!(decide(&sent, word, NOW), Err(Rejection::Contradiction));
        }
    }
    for make in [Word::Seen, Word::CameBack] {
        let (told_once, _) = decide(&sent, make(told(1, 8_859)), NOW).unwrap();
        let again = |line| decide(&told_once, make(told(line, 8_859)), NOW);
        assert_eq!(again(1), Err(Rejection::Before));
        assert_eq!(again(2), Err(Rejection::Twice));
    }
    let early = decide(&payout(), Word::Seen(told(1, 8_859)), NOW);
    assert_eq!(early, Err(Rejection::Early));
}

fn any_word() -> impl Strategy<Value = Word> {
    prop_oneof![
        Just(taken()),
        Just(Word::Delayed { again_at: NOW }),
        Just(Word::Reserved),
        Just(Word::Accepted),
        Just(refused()),
        Just(Word::NotSent { again_at: NOW }),
        Just(silent()),
        Just(Word::NeverArrived),
        Just(Word::Posted),
        Just(Word::Voided),
        (1..3_u128, 8_858..8_860_i64).prop_map(|(line, minor)| Word::Seen(told(line, minor))),
        (1..3_u128, 8_858..8_860_i64).prop_map(|(line, minor)| Word::CameBack(told(line, minor))),
    ]
}

proptest! {
    #[test]
    fn p2_whatever_comes_in_whatever_order_the_money_leaves_at_most_once(words in proptest::collection::vec(any_word(), 0..40)) {
        let mut payout = payout();
        let mut facts = Vec::new();
        for word in words {
            if let Ok((next, fact)) = decide(&payout, word, LATER) {
                prop_assert_eq!(next.version, payout.version + 1);
                payout = next;
                facts.extend(fact);
            }
            let count = |wanted| facts.iter().filter(|fact| **fact == wanted).count();
            prop_assert!(count(Fact::Sent) <= 1 && count(Fact::Failed) <= 1 && count(Fact::Returned) <= 1);
            prop_assert!(count(Fact::Sent) == 0 || count(Fact::Failed) == 0, "P2: {:?}", facts);
            prop_assert_eq!(payout.event_sequence, i64::try_from(facts.len()).unwrap());
            prop_assert!(matches!(payout.step, Step::Confirm | Step::Done) == payout.next_wake_at.is_none());
        }
    }
}
