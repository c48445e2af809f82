#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use paymesh_money::{BasisPoints, Money};
use uuid::Uuid;

use super::*;
use crate::domain::{NegativeBalance, TerminalState};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const WAIT: Duration = Duration::from_secs(5);

fn terms(fee: u32) -> Terms {
    Terms {
        fee: BasisPoints::try_new(fee).unwrap(),
        fee_fixed: Money::new(30, Currency::EUR),
        delay_days: 2,
        negative_balance: NegativeBalance::Refused,
        chargeback_fee: Money::new(1_500, Currency::EUR),
        reserve: BasisPoints::try_new(0).unwrap(),
    }
}

fn accounts() -> Accounts {
    let id = |n| AccountId::from(Uuid::from_u128(n));
    Accounts {
        pending: id(1),
        available: id(2),
        reserve: id(3),
    }
}

fn merchant(state: State) -> Merchant {
    Merchant {
        id: Uuid::nil().into(),
        tenant: Uuid::nil().into(),
        name: "Shop".to_owned(),
        state,
        country: "DE".parse().unwrap(),
        currency: Currency::EUR,
        plan: Plan {
            terms: terms(290),
            version: 3,
        },
        accounts: accounts(),
        destination: Some("ba_1".to_owned()),
        destination_changed_at: None,
        next_wake_at: Some(NOW),
        attempts: 2,
        event_sequence: 4,
        version: 7,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

fn terminal() -> Terminal {
    Terminal {
        id: Uuid::nil().into(),
        tenant: Uuid::nil().into(),
        merchant: Uuid::nil().into(),
        name: "Till".to_owned(),
        country: "DE".parse().unwrap(),
        state: TerminalState::Active,
        version: 1,
        created_at: NOW,
    }
}

fn named(name: &str) -> Command {
    Command::Update(Update {
        name: Some(name.to_owned()),
        ..Update::default()
    })
}

fn to(state: State) -> Command {
    Command::Update(Update {
        state: Some(state),
        ..Update::default()
    })
}

/// The state after the command, or `-` where it is refused and `=` where it was done before.
fn after(state: State, command: Command) -> &'static str {
    match decide(&merchant(state), command, NOW) {
        Ok((next, _)) => next.state.as_str(),
        Err(Rejection::Already) => "=",
        Err(Rejection::State(_)) => "-",
    }
}

#[test]
fn y1_y3_every_command_in_every_state() {
    type Row = (fn() -> Command, [&'static str; 5]);
    let table: [Row; 10] = [
        (
            || Command::AccountsOpened(accounts()),
            ["active", "=", "=", "=", "-"],
        ),
        (|| Command::AccountsRefused, ["refused", "-", "-", "-", "-"]),
        (|| Command::AccountsClosed, ["-", "-", "-", "-", "refused"]),
        (
            || Command::Postpone(WAIT),
            ["opening", "-", "-", "-", "refused"],
        ),
        (|| named("Other"), ["-", "active", "suspended", "-", "-"]),
        (|| to(State::Suspended), ["-", "suspended", "=", "-", "-"]),
        (|| to(State::Active), ["-", "=", "active", "-", "-"]),
        (|| to(State::Closed), ["-", "closed", "closed", "=", "-"]),
        (
            || Command::ChangeTerms(terms(100)),
            ["-", "active", "suspended", "-", "-"],
        ),
        (
            || Command::AddTerminal(terminal()),
            ["-", "active", "suspended", "-", "-"],
        ),
    ];
    for (command, expected) in table {
        let found = State::ALL.map(|state| after(state, command()));
        assert_eq!(found, expected, "{:?}", command());
    }
}

#[test]
fn facts_are_numbered_without_gaps_and_versions_rise_by_one() {
    for (state, command, fact) in [
        (
            State::Opening,
            Command::AccountsOpened(accounts()),
            Some(Fact::Created),
        ),
        (State::Opening, Command::AccountsRefused, None),
        (
            State::Active,
            named("Other"),
            Some(Fact::Updated(vec!["name"])),
        ),
        (
            State::Active,
            Command::ChangeTerms(terms(1)),
            Some(Fact::Updated(vec!["plan"])),
        ),
        (
            State::Active,
            Command::AddTerminal(terminal()),
            Some(Fact::TerminalAdded(terminal())),
        ),
    ] {
        let (next, told) = decide(&merchant(state), command, NOW).unwrap();
        assert_eq!(told, fact);
        assert_eq!(next.version, 8);
        assert_eq!(next.event_sequence, if fact.is_some() { 5 } else { 4 });
    }
}

#[test]
fn y2_a_plans_version_rises_with_its_terms_alone() {
    let version = |command| {
        decide(&merchant(State::Active), command, NOW)
            .unwrap()
            .0
            .plan
            .version
    };
    assert_eq!(version(Command::ChangeTerms(terms(291))), 4);
    assert_eq!(version(named("Other")), 3);
    assert_eq!(after(State::Active, Command::ChangeTerms(terms(290))), "=");
}

#[test]
fn y7_each_change_of_the_bank_account_says_when_and_nothing_else_does() {
    let to = |token: &str| {
        Command::Update(Update {
            destination: Some(token.to_owned()),
            ..Update::default()
        })
    };
    let first = merchant(State::Active);
    let (renamed, _) = decide(&first, named("Other"), NOW).unwrap();
    assert_eq!(renamed.destination_changed_at, None);
    assert_eq!(
        decide(&first, to("ba_1"), NOW).unwrap_err(),
        Rejection::Already
    );
    let (moved, _) = decide(&first, to("ba_2"), NOW).unwrap();
    assert_eq!(moved.destination_changed_at, Some(NOW));
    let later = NOW.plus(std::time::Duration::from_secs(1));
    let (renamed, _) = decide(&moved, named("Other"), later).unwrap();
    assert_eq!(renamed.destination_changed_at, Some(NOW));
    // Taken away and given again is a change each time: whoever does that waits as well.
    let (none, _) = decide(&moved, to(""), later).unwrap();
    let (again, fact) = decide(&none, to("ba_1"), later).unwrap();
    assert_eq!(again.destination_changed_at, Some(later));
    assert_eq!(fact, Some(Fact::Updated(vec!["payout_destination_token"])));
}

#[test]
fn an_empty_token_takes_the_bank_account_away() {
    let command = Command::Update(Update {
        destination: Some(String::new()),
        ..Update::default()
    });
    let (next, fact) = decide(&merchant(State::Active), command, NOW).unwrap();
    assert_eq!(next.destination, None);
    assert_eq!(fact, Some(Fact::Updated(vec!["payout_destination_token"])));
}
