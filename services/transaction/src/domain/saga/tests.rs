use super::*;

fn saga(flow: Flow) -> Saga {
    Saga::new(flow, |_| true)
}

fn set(saga: &mut Saga, kind: StepKind, state: StepState) {
    if let Some(step) = saga.find_mut(kind) {
        step.state = state;
    }
}

fn kind_of(saga: &Saga, next: Next) -> Option<StepKind> {
    match next {
        Next::Do(place) => saga.steps.get(place).map(|step| step.kind),
        Next::Finish | Next::Undone => None,
    }
}

#[test]
fn t8_every_flow_has_money_steps_that_are_undone_or_the_pivot_or_after_it() {
    for flow in Flow::ALL {
        let mut is_past_pivot = false;
        for spec in flow.specs() {
            is_past_pivot |= spec.is_pivot;
            let is_safe =
                spec.kind.nature() != Nature::Money || spec.undo.is_some() || is_past_pivot;
            // A late undo is itself the way back.
            assert!(
                is_safe || flow == Flow::LateUndo,
                "T8: {flow:?} {:?}",
                spec.kind
            );
        }
    }
}

#[test]
fn t4_every_quote_is_consumed_before_money_moves_across_currencies() {
    for flow in Flow::ALL {
        let place = |wanted: StepKind| flow.specs().iter().position(|spec| spec.kind == wanted);
        if let (Some(consume), Some(pivot)) = (
            place(StepKind::ConsumeQuote),
            flow.specs().iter().position(|spec| spec.is_pivot),
        ) {
            assert!(consume < pivot, "T4: {flow:?}");
        }
    }
}

#[test]
fn steps_are_done_in_order_and_then_it_is_finished() {
    let mut saga = saga(Flow::External);
    for spec in Flow::External.specs() {
        let next = saga.upcoming();
        assert_eq!(kind_of(&saga, next), Some(spec.kind));
        set(&mut saga, spec.kind, StepState::Done);
    }
    assert_eq!(saga.upcoming(), Next::Finish);
}

#[test]
fn t8_what_was_begun_is_undone_last_first_and_only_once() {
    let mut saga = saga(Flow::Refund);
    for kind in [StepKind::Quote, StepKind::ConsumeQuote, StepKind::Hold] {
        set(&mut saga, kind, StepState::Done);
    }
    set(&mut saga, StepKind::Refund, StepState::Declined);
    saga.turn_back(Goal::Compensated("TEST".to_owned()));
    let next = saga.upcoming();
    assert_eq!(kind_of(&saga, next), Some(StepKind::Void));
    assert_eq!(saga.upcoming(), next, "the same until it is done");
    if let Some(step) = saga.steps.last_mut() {
        step.state = StepState::Done;
    }
    assert_eq!(saga.upcoming(), Next::Undone);
}

#[test]
fn t8_a_call_whose_outcome_is_not_known_is_undone_too_and_one_that_was_never_sent_is_not() {
    for (state, undo) in [
        (StepState::Unknown, Some(StepKind::Cancel)),
        (StepState::Pending, Some(StepKind::Cancel)),
        (StepState::Planned, None),
        (StepState::Declined, None),
    ] {
        let mut saga = saga(Flow::ExternalManual);
        set(&mut saga, StepKind::Authorize, state);
        saga.turn_back(Goal::Canceled("TEST".to_owned()));
        let next = saga.upcoming();
        assert_eq!(kind_of(&saga, next), undo, "T8: {state:?}");
    }
}

#[test]
#[should_panic(expected = "T8")]
fn t8_nothing_turns_back_after_the_pivot() {
    let mut saga = saga(Flow::External);
    set(&mut saga, StepKind::Authorize, StepState::Done);
    saga.turn_back(Goal::Canceled("TEST".to_owned()));
}

#[test]
fn a_step_that_risk_asks_for_is_added_at_its_place() {
    let has = |kind| matches!(kind, StepKind::Risk | StepKind::Post);
    let mut saga = Saga::new(Flow::Internal, has);
    saga.plan(StepKind::Review);
    saga.plan(StepKind::Hold);
    saga.plan(StepKind::Hold);
    let kinds: Vec<StepKind> = saga.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        kinds,
        [
            StepKind::Risk,
            StepKind::Hold,
            StepKind::Review,
            StepKind::Post
        ]
    );
}
