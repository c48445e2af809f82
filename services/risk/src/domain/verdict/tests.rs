#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::{Amount, Currency};
use uuid::Uuid;

use super::*;
use crate::domain::{EntryId, ListEntry, ListSubject, Rule, RuleState, payment::Newness};

use Decision::{Allow, Challenge, Deny, Review};

const NEVER: Thresholds = Thresholds {
    challenge: 101,
    review: 101,
};

fn payment() -> Payment {
    Payment {
        kind: "purchase".to_owned(),
        amount: Amount::try_new(1_000, Currency::USD).unwrap(),
        customer: "user_1".to_owned(),
        payee: String::new(),
        method: "fp_1".to_owned(),
        newness: Newness::Known,
        issuer_country: "US".to_owned(),
        merchant: "mrc_1".to_owned(),
        terminal: "t_1".to_owned(),
        country: "DE".to_owned(),
        business_at: Timestamp::from_micros(1_000),
    }
}

fn rule(number: u128, expression: &str, decision: Option<Decision>, points: i32) -> Rule {
    Rule {
        id: RuleId::from(Uuid::from_u128(number)),
        tenant: TenantId::from(Uuid::from_u128(1)),
        name: format!("rule-{number}"),
        expression: expression.to_owned(),
        decision,
        points,
        priority: 0,
        state: RuleState::Enabled,
        version: 1,
        updated_by: String::new(),
        updated_at: Timestamp::EPOCH,
    }
}

fn entry(number: u128, kind: ListKind, subject: ListSubject, value: &str) -> ListEntry {
    ListEntry {
        id: EntryId::from(Uuid::from_u128(number)),
        tenant: TenantId::from(Uuid::from_u128(1)),
        kind,
        subject,
        value: value.to_owned(),
        note: String::new(),
        created_by: String::new(),
        expires_at: None,
        created_at: Timestamp::EPOCH,
        version: 1,
    }
}

fn judged(rules: &[Rule], entries: &[ListEntry], thresholds: Thresholds) -> Verdict {
    let rules = RuleSet::of(rules, |rule, error| unreachable!("{}: {error}", rule.name));
    let mut lists = Lists::default();
    entries.iter().for_each(|entry| lists.put(entry));
    let payment = payment();
    judge(
        &rules,
        &lists,
        (&payment, &Features::of(&payment)),
        thresholds,
    )
}

#[test]
fn r1_deny_wins_over_allow_and_allow_over_review_and_challenge() {
    let by_list =
        |kind: Option<ListKind>| kind.map(|kind| entry(9, kind, ListSubject::Customer, "user_1"));
    for (rules, list, wanted) in [
        (&[][..], None, Allow),
        (&[Challenge], None, Challenge),
        (&[Review, Challenge], None, Review),
        (&[Challenge, Review], None, Review),
        (&[Allow, Review], None, Allow),
        (&[Review, Allow, Challenge], None, Allow),
        (&[Allow, Deny], None, Deny),
        (&[Deny, Allow], None, Deny),
        (&[Challenge], Some(ListKind::Allow), Allow),
        (&[Review], Some(ListKind::Allow), Allow),
        (&[Deny], Some(ListKind::Allow), Deny),
        (&[Allow], Some(ListKind::Deny), Deny),
        (&[Allow], Some(ListKind::Review), Allow),
        (&[Challenge], Some(ListKind::Review), Review),
        (&[], Some(ListKind::Deny), Deny),
    ] {
        let rules: Vec<Rule> = rules
            .iter()
            .zip(1..)
            .map(|(decision, number)| rule(number, "true", Some(*decision), 10))
            .collect();
        let entries: Vec<ListEntry> = by_list(list).into_iter().collect();
        let verdict = judged(&rules, &entries, NEVER);
        assert_eq!(verdict.decision, wanted, "R1: {rules:?} {list:?}");
    }
}

#[test]
fn a_shadow_is_named_and_has_no_effect_and_a_disabled_rule_is_not_even_named() {
    let mut shadow = rule(1, "true", Some(Deny), 100);
    shadow.state = RuleState::Shadow;
    let mut disabled = rule(2, "true", Some(Deny), 100);
    disabled.state = RuleState::Disabled;
    let verdict = judged(&[shadow.clone(), disabled], &[], NEVER);
    assert_eq!((verdict.decision, verdict.score), (Allow, 0));
    assert_eq!(verdict.matched, [shadow.id]);
    assert!(verdict.reasons.is_empty());
}

#[test]
fn the_score_stays_between_0_and_100_and_asks_for_a_person_from_its_threshold_on() {
    let thresholds = Thresholds {
        challenge: 50,
        review: 80,
    };
    for (points, score, decision) in [
        (&[-30][..], 0, Allow),
        (&[49], 49, Allow),
        (&[50], 50, Challenge),
        (&[50, 30], 80, Review),
        (&[100, 100], 100, Review),
        (&[100, -60], 40, Allow),
    ] {
        let rules: Vec<Rule> = points
            .iter()
            .zip(1..)
            .map(|(points, number)| rule(number, "true", None, *points))
            .collect();
        let verdict = judged(&rules, &[], thresholds);
        assert_eq!(
            (verdict.score, verdict.decision),
            (score, decision),
            "{points:?}"
        );
    }
}

#[test]
fn reasons_begin_with_what_decided() {
    let rules = [
        rule(1, "true", None, 70),
        rule(2, "true", Some(Review), 10),
        rule(3, "true", Some(Review), 20),
        rule(4, "false", Some(Deny), 20),
    ];
    let verdict = judged(&rules, &[], NEVER);
    let texts: Vec<&str> = verdict
        .reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect();
    assert_eq!(texts, ["rule-3", "rule-2", "rule-1"]);
    assert_eq!(verdict.score, 100);
}

#[test]
fn an_alert_names_what_was_behind_the_decision() {
    let risk = "terminal_risk_7d >= 0";
    let pace = "customer_nb_tx_1h >= 0";
    for (expression, decision, wanted) in [
        ("true", Some(Deny), Some(AlertKind::Denied)),
        ("true", Some(Review), None),
        (risk, Some(Deny), Some(AlertKind::TerminalCompromised)),
        (risk, Some(Review), Some(AlertKind::TerminalCompromised)),
        (pace, Some(Challenge), Some(AlertKind::Velocity)),
        (pace, None, None),
        (pace, Some(Allow), None),
    ] {
        let verdict = judged(&[rule(1, expression, decision, 5)], &[], NEVER);
        assert_eq!(verdict.alert, wanted, "{expression} {decision:?}");
    }
    let listed = entry(1, ListKind::Deny, ListSubject::Country, "US");
    let verdict = judged(&[rule(1, risk, Some(Deny), 5)], &[listed], NEVER);
    assert_eq!(verdict.alert, Some(AlertKind::ListHit));
}

#[test]
fn entries_are_compared_with_what_they_are_about_and_end_in_business_time() {
    for (subject, value, is_met) in [
        (ListSubject::Customer, "user_1", true),
        (ListSubject::Customer, "fp_1", false),
        (ListSubject::Method, "fp_1", true),
        (ListSubject::Merchant, "mrc_1", true),
        (ListSubject::Terminal, "t_1", true),
        (ListSubject::Country, "DE", true),
        (ListSubject::Country, "US", true),
        (ListSubject::Country, "FR", false),
    ] {
        let verdict = judged(&[], &[entry(1, ListKind::Deny, subject, value)], NEVER);
        assert_eq!(verdict.decision == Deny, is_met, "{subject:?} {value}");
    }
    for (expires_at, is_met) in [(1_000, false), (1_001, true)] {
        let mut entry = entry(1, ListKind::Deny, ListSubject::Customer, "user_1");
        entry.expires_at = Some(Timestamp::from_micros(expires_at));
        assert_eq!(
            judged(&[], &[entry], NEVER).decision == Deny,
            is_met,
            "{expires_at}"
        );
    }
}

#[test]
fn a_newer_version_of_an_entry_replaces_the_older_whatever_comes_first() {
    let old = entry(1, ListKind::Deny, ListSubject::Customer, "user_1");
    let mut new = entry(1, ListKind::Deny, ListSubject::Customer, "user_2");
    new.version = 2;
    for order in [[&old, &new], [&new, &old]] {
        let mut lists = Lists::default();
        order.into_iter().for_each(|entry| lists.put(entry));
        assert!(lists.of(&payment()).is_empty());
        assert_eq!(lists.len(), 1);
        lists.take_out(new.id, 2);
        assert_eq!(lists.len(), 1, "version 2 is the entry, not its end");
        lists.take_out(new.id, 3);
        lists.put(&new);
        assert!(lists.is_empty());
    }
}
