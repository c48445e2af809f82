#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use paymesh_kernel::Role;
use paymesh_money::Currency;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(5);

fn item(state: BreakState) -> Break {
    Break {
        id: Uuid::from_u128(1).into(),
        tenant: Uuid::from_u128(2).into(),
        kind: BreakKind::AmountDiffers,
        state,
        reconciliation: Uuid::from_u128(3).into(),
        subject: "s".to_owned(),
        reference: "r".to_owned(),
        ledger: Some(Money::new(100, Currency::USD)),
        stated: Some(Money::new(99, Currency::USD)),
        difference: Money::new(-1, Currency::USD),
        book: Book::Suspense,
        line: None,
        statement: None,
        line_number: 0,
        transaction: None,
        assignee: String::new(),
        note: String::new(),
        requested_by: String::new(),
        approved_by: String::new(),
        transfer: Uuid::from_u128(8).into(),
        next_wake_at: None,
        attempts: 0,
        opened_at: NOW,
        closed_at: None,
        event_sequence: 1,
        version: 1,
    }
}

fn assign() -> Command {
    Command::Assign {
        to: "user_a".to_owned(),
        note: "look".to_owned(),
    }
}

fn person(subject: &str) -> Principal {
    Principal {
        tenant: Uuid::from_u128(2).into(),
        subject: subject.to_owned(),
        roles: vec![Role::Finance],
        merchant: None,
    }
}

fn request(by: &str) -> Command {
    Command::Request {
        by: person(by),
        note: "small".to_owned(),
    }
}

fn approve(by: &str) -> Command {
    Command::Approve {
        by: person(by),
        until: NOW,
    }
}

#[test]
fn w2_a_write_off_needs_two_people_and_is_closed_when_it_is_booked() {
    let (asked, _) = decide(&item(BreakState::Open), request("user_a"), NOW).unwrap();
    assert_eq!(
        decide(&asked, approve("user_a"), NOW),
        Err(Rejection::SecondPerson)
    );
    assert_eq!(decide(&asked, Command::Booked, NOW), Err(Rejection::State));
    let (approved, closed) = decide(&asked, approve("user_b"), NOW).unwrap();
    assert_eq!((approved.next_wake_at, closed), (Some(NOW), false));
    assert_eq!(
        decide(&approved, Command::Resolve, NOW),
        Err(Rejection::State),
        "it may be in the ledger"
    );
    assert_eq!(
        decide(&approved, approve("user_c"), NOW),
        Err(Rejection::State)
    );
    let (done, closed) = decide(&approved, Command::Booked, NOW).unwrap();
    assert!(closed && done.is_closed() && done.closed_at == Some(NOW));
    assert_eq!((done.next_wake_at, done.event_sequence), (None, 2));
}

#[test]
fn w2_keys_and_components_neither_ask_nor_approve() {
    let open = item(BreakState::Open);
    let (asked, _) = decide(&open, request("user_a"), NOW).unwrap();
    for by in ["key_a", "settlement", ""] {
        let refused = Err(Rejection::PersonNeeded);
        assert_eq!(decide(&open, request(by), NOW), refused, "{by}");
        assert_eq!(decide(&asked, approve(by), NOW), refused, "{by}");
        let by_machine = Break {
            requested_by: by.to_owned(),
            ..asked.clone()
        };
        let second = decide(&by_machine, approve("user_b"), NOW);
        assert_eq!(second, Err(Rejection::SecondPerson), "{by} asked");
    }
}

#[test]
fn w3_each_state_takes_what_it_may() {
    use BreakState::{Assigned, Open, Resolved, WriteOffRequested, WrittenOff};
    for (state, takes) in [
        (Open, [true, true, false, true]),
        (Assigned, [true, true, false, true]),
        (WriteOffRequested, [false, false, true, true]),
        (WrittenOff, [false, false, false, false]),
        (Resolved, [false, false, false, false]),
    ] {
        let mut before = item(state);
        if state == WriteOffRequested {
            before.requested_by = "user_a".to_owned();
        }
        let found = [
            assign(),
            request("user_b"),
            approve("user_b"),
            Command::Resolve,
        ]
        .map(|command| decide(&before, command, NOW).is_ok());
        assert_eq!(found, takes, "{state:?}");
    }
    assert_eq!(
        decide(&item(Open), approve("user_b"), NOW),
        Err(Rejection::NotRequested)
    );
}

#[test]
fn a_repeat_changes_nothing() {
    for command in [assign(), request("user_a")] {
        let (after, _) = decide(&item(BreakState::Open), command.clone(), NOW).unwrap();
        assert_eq!(decide(&after, command, NOW), Err(Rejection::Before));
    }
}

#[test]
fn a_book_reads_as_it_is_written() {
    for book in [
        Book::Receivable("acme".to_owned()),
        Book::Suspense,
        Book::InTransit,
    ] {
        assert_eq!(Book::parse(&book.to_text()), Some(book));
    }
    assert_eq!(Book::parse("cash:x"), None);
}
