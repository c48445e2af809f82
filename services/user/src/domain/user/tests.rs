#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use uuid::Uuid;

use super::*;
use crate::domain::personal::ConsentPurpose;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

fn user(state: State) -> User {
    User {
        id: Uuid::nil().into(),
        tenant: Uuid::nil().into(),
        state,
        sealed: Some(Sealed {
            email_hash: "h".to_owned(),
            personal: vec![1],
        }),
        country: "DE".parse().unwrap(),
        currency: Currency::EUR,
        roles: vec![Role::Customer],
        consents: Vec::new(),
        merchant: None,
        account: None,
        erases_at: None,
        next_wake_at: Some(NOW),
        attempts: 2,
        event_sequence: 4,
        version: 7,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

fn account() -> AccountId {
    Uuid::from_u128(9).into()
}

fn country(code: &str) -> Command {
    Command::Update(Update {
        country: Some(code.parse().unwrap()),
        ..Update::default()
    })
}

/// The state after the command, or `-` where it is refused and `=` where it was done before.
fn after(state: State, command: Command) -> &'static str {
    match decide(&user(state), command, NOW) {
        Ok((next, _)) => next.state.as_str(),
        Err(Rejection::Already) => "=",
        Err(Rejection::State(refused)) => {
            assert_eq!(refused, state);
            "-"
        }
    }
}

#[test]
fn u1_u4_every_command_in_every_state() {
    type Row = (fn() -> Command, [&'static str; 6]);
    let table: [Row; 8] = [
        (
            || Command::AccountOpened(account()),
            ["active", "=", "-", "-", "-", "-"],
        ),
        (
            || Command::AccountRefused,
            ["refused", "-", "-", "-", "-", "-"],
        ),
        (
            || Command::Postpone(YEAR),
            ["opening", "-", "-", "restricted", "-", "-"],
        ),
        (
            || country("FR"),
            ["-", "active", "suspended", "-", "-", "-"],
        ),
        (
            || Command::AssignRoles(vec![Role::Support]),
            ["-", "active", "suspended", "-", "-", "-"],
        ),
        (
            || Command::Restrict(YEAR),
            ["-", "restricted", "restricted", "=", "=", "-"],
        ),
        (
            || Command::Restrict(Duration::ZERO),
            ["-", "erased", "erased", "=", "=", "-"],
        ),
        (|| Command::Erase, ["-", "-", "-", "erased", "-", "-"]),
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
            Command::AccountOpened(account()),
            Some(Fact::Created),
        ),
        (State::Opening, Command::Postpone(YEAR), None),
        (State::Opening, Command::AccountRefused, None),
        (
            State::Active,
            country("FR"),
            Some(Fact::Updated(vec!["country"])),
        ),
        (State::Active, Command::Restrict(YEAR), Some(Fact::Deleted)),
        (State::Restricted, Command::Erase, Some(Fact::Deleted)),
    ] {
        let (next, told) = decide(&user(state), command, NOW).unwrap();
        assert_eq!(told, fact);
        assert_eq!(next.version, 8);
        assert_eq!(next.event_sequence, if fact.is_some() { 5 } else { 4 });
        assert_eq!(next.updated_at, NOW);
    }
}

#[test]
fn u4_nothing_personal_is_left_when_a_user_is_erased_or_refused() {
    for (state, command) in [
        (State::Restricted, Command::Erase),
        (State::Active, Command::Restrict(Duration::ZERO)),
        (State::Opening, Command::AccountRefused),
    ] {
        let (next, _) = decide(&user(state), command, NOW).unwrap();
        assert_eq!(next.sealed, None);
        assert!(next.consents.is_empty() && !next.state.shows_personal());
        assert_eq!(next.next_wake_at, None);
    }
}

#[test]
fn a_restricted_user_wakes_when_the_retention_ends() {
    let (next, _) = decide(&user(State::Active), Command::Restrict(YEAR), NOW).unwrap();
    assert_eq!(next.erases_at, Some(NOW.plus(YEAR)));
    assert_eq!(next.next_wake_at, next.erases_at);
}

#[test]
fn an_update_that_changes_nothing_was_done_before() {
    assert_eq!(after(State::Active, country("DE")), "=");
    assert_eq!(
        after(State::Active, Command::AssignRoles(vec![Role::Customer])),
        "="
    );
}

#[test]
fn the_newest_consent_of_a_purpose_counts() {
    let consent = |purpose, granted, at| Consent {
        purpose,
        granted,
        version: "1".to_owned(),
        recorded_at: Timestamp::from_micros(at),
    };
    let before = vec![
        consent(ConsentPurpose::Marketing, true, 1),
        consent(ConsentPurpose::Terms, true, 1),
    ];
    let after = merged(
        &before,
        vec![
            consent(ConsentPurpose::Marketing, true, 2),
            consent(ConsentPurpose::Marketing, false, 3),
        ],
    );
    assert_eq!(
        after,
        [
            consent(ConsentPurpose::Marketing, false, 3),
            consent(ConsentPurpose::Terms, true, 1)
        ]
    );
}
