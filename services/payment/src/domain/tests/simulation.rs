//! Any commands, any lost requests and answers, looks of any age: the bounds hold, states go forward, facts are numbered without
//! gaps, and in the end both sides agree.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    RequestLost,
    AnswerLost,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Capture(i64, bool, Fate),
    Refund(i64, Fate),
    Cancel(Fate),
    Dispute(i64),
    Decide(bool),
    FailRefund(usize),
    OldLook(usize),
}

struct Game {
    book: Book,
    provider: Provider,
    /// What the provider showed before.
    past: Vec<Provider>,
    now: Timestamp,
    number: u128,
    told: Vec<Told>,
}

impl Game {
    fn new(capture: CaptureMode, fate: Fate) -> Self {
        let mut game = Self {
            book: open(capture),
            provider: Provider::new(capture),
            past: Vec::new(),
            now: START,
            number: 100,
            told: Vec::new(),
        };
        game.exchange(REFERENCE, fate, Provider::authorize);
        game
    }

    fn settle(&mut self, key: &str, answer: Answer) {
        let before = self.book.attempt.state;
        self.now = self.now.plus(Duration::from_secs(1));
        at(self.now, |moment| {
            self.book
                .settle(key, answer, moment)
                .expect("P1, P2: the provider keeps its own bounds");
        });
        let after = self.book.attempt.state;
        assert!(
            after == before || before.may_become(after),
            "P3: {before:?} to {after:?}"
        );
        assert!(self.book.attempt.keeps_its_bounds(), "P1, P2");
        self.told.append(&mut self.book.told);
    }

    fn exchange(&mut self, key: &str, fate: Fate, send: impl FnOnce(&mut Provider) -> Answer) {
        self.past.push(self.provider.clone());
        let answer = match fate {
            Fate::Answered => send(&mut self.provider),
            Fate::RequestLost => Answer::Unknown,
            Fate::AnswerLost => {
                send(&mut self.provider);
                Answer::Unknown
            }
        };
        self.settle(key, answer);
    }

    fn play(&mut self, step: Move) {
        self.number += 1;
        let (number, times) = (self.number, (self.now, self.now));
        let name = format!("step {number}");
        match step {
            Move::Capture(minor, is_final, fate) => {
                let order = CaptureOrder {
                    capture: id(number),
                    amount: amount(minor),
                    is_final,
                };
                if self.book.capture(&key(&name), &order, times) == Ok(Verdict::New) {
                    self.exchange(&name, fate, |at| at.capture(&name, minor, is_final));
                }
            }
            Move::Refund(minor, fate) => {
                let order = RefundOrder {
                    refund: id(number),
                    amount: amount(minor),
                    reason: String::new(),
                };
                if self.book.refund(&key(&name), &order, times) == Ok(Verdict::New) {
                    self.exchange(&name, fate, |at| at.refund(&name, minor));
                }
            }
            Move::Cancel(fate) => {
                if self.book.cancel(&key(&name), "", times) == Ok(Verdict::New) {
                    self.exchange(&name, fate, cancel);
                }
            }
            Move::Dispute(minor) => self.provider.dispute(minor, DisputeState::Opened),
            Move::Decide(won) => {
                if let Some(dispute) = self.provider.disputes.last_mut() {
                    let state = if won {
                        DisputeState::Won
                    } else {
                        DisputeState::Lost
                    };
                    if dispute.state == DisputeState::Opened {
                        dispute.state = state;
                    }
                }
            }
            Move::FailRefund(place) => {
                let mut refunds = self
                    .book
                    .operations
                    .iter()
                    .filter(|one| one.kind == OperationKind::Refund);
                if let Some(key) = refunds.nth(place).map(|one| one.key.clone()) {
                    self.provider.fail_refund(&key);
                }
            }
            Move::OldLook(age) => {
                let place = self.past.len().saturating_sub(age + 1);
                if let Some(old) = self.past.get(place).filter(|old| old.exists()) {
                    let answer = old.look();
                    // A look that is older than our knowledge may contradict it in sums; it is refused whole then.
                    let mut tried = self.book.clone();
                    let now = self.now;
                    let fits = at(now, |moment| {
                        tried.settle(REFERENCE, answer.clone(), moment)
                    })
                    .is_ok();
                    if fits {
                        self.settle(REFERENCE, answer);
                    }
                }
            }
        }
    }

    /// What the resolver does, until nothing is open.
    fn resolve(&mut self) {
        for _ in 0..200 {
            if self.provider.exists() {
                let look = self.provider.look();
                self.settle(REFERENCE, look);
            }
            let open = self
                .book
                .operations
                .iter()
                .find(|one| one.state.is_open())
                .cloned();
            let Some(open) = open else {
                return;
            };
            self.now = self.now.plus(Duration::from_secs(11));
            match at(self.now, |moment| self.book.next(&open.key, moment)) {
                Next::Done => {}
                Next::Wait(until) => self.now = until,
                Next::NeverArrived => {
                    self.book.never_arrived(&open.key, self.now).unwrap();
                    self.told.append(&mut self.book.told);
                }
                Next::SendAgain => {
                    self.book.send_again(&open.key, (self.now, self.now));
                    let name = open.key.clone();
                    self.exchange(&name, Fate::Answered, |provider| match open.kind {
                        OperationKind::Authorize => provider.authorize(),
                        OperationKind::Capture => {
                            provider.capture(&name, open.amount_minor, open.is_final)
                        }
                        OperationKind::Refund => provider.refund(&name, open.amount_minor),
                        OperationKind::Cancel => cancel(provider),
                        OperationKind::Evidence => Answer::Unknown,
                    });
                }
            }
        }
        panic!("it does not come to an end: {:?}", self.book);
    }
}

/// By name when the payment is there, by reference when it is not.
fn cancel(provider: &mut Provider) -> Answer {
    if provider.exists() {
        provider.cancel()
    } else {
        Answer::Tombstone
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Answered),
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::AnswerLost),
    ]
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        (1..700_i64, any::<bool>(), fate())
            .prop_map(|(minor, last, fate)| Move::Capture(minor, last, fate)),
        (1..700_i64, fate()).prop_map(|(minor, fate)| Move::Refund(minor, fate)),
        fate().prop_map(Move::Cancel),
        (1..700_i64).prop_map(Move::Dispute),
        any::<bool>().prop_map(Move::Decide),
        (0..3_usize).prop_map(Move::FailRefund),
        (0..4_usize).prop_map(Move::OldLook),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn p1_p2_p3_hold_and_both_sides_agree_in_the_end(
        automatic: bool,
        first in fate(),
        moves in prop::collection::vec(any_move(), 0..12),
    ) {
        let capture = if automatic { CaptureMode::Automatic } else { CaptureMode::Manual };
        let mut game = Game::new(capture, first);
        for step in moves {
            game.play(step);
        }
        game.resolve();
        let (attempt, provider) = (&game.book.attempt, &game.provider);
        prop_assert_eq!(attempt.captured_minor, provider.captured());
        prop_assert_eq!(attempt.refunded_minor, provider.refunded());
        prop_assert_eq!(attempt.charged_back_minor, provider.charged_back());
        prop_assert_eq!(attempt.capturable_minor(), provider.capturable());
        let told = game.told.iter().filter_map(|told| match told {
            Told::Attempt(attempt, _) => Some(attempt.event_sequence),
            Told::Dispute(..) => None,
        });
        let told: Vec<i64> = told.collect();
        let expected: Vec<i64> = (1..=attempt.event_sequence).collect();
        prop_assert_eq!(told, expected);
    }
}
