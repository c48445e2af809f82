//! P6: money by account class agrees with the ledger to the cent, or there is no report.

use std::{collections::HashMap, time::Duration};

use paymesh_proto::{
    account::v1::{AccountClass, AccountPurpose},
    reporting::v1::{ReportKind, RunState},
};

use crate::world::{DAY_US, TODAY_US, World, read_csv, rows};

crate::scenario! {
    p6_money_by_class_and_purpose_is_what_the_ledger_says;
    p6_one_cent_of_difference_fails_the_report;
    p6_facts_that_are_on_their_way_are_waited_for;
    p6_a_moment_in_the_past_has_the_sums_of_its_height;
    p10_old_days_keep_their_last_sums_and_say_so_within_the_day;
    p4_a_ledger_that_is_away_puts_a_run_back;
}

/// Receivable, pending of a merchant, fees; in dollars.
async fn chart(world: &mut World) -> (usize, usize, usize) {
    let receivable = (AccountClass::Asset, AccountPurpose::ConnectorReceivable);
    let pending = (AccountClass::Liability, AccountPurpose::MerchantPending);
    let fees = (AccountClass::Income, AccountPurpose::FeeRevenue);
    let receivable = world.open_account(receivable, "USD").await;
    let pending = world.open_account(pending, "USD").await;
    let fees = world.open_account(fees, "USD").await;
    world.advance(Duration::from_secs(1));
    (receivable, pending, fees)
}

fn booked(lines: &[HashMap<String, String>], column: &str) -> Vec<(String, i64)> {
    lines
        .iter()
        .map(|line| (line[column].clone(), line["booked_minor"].parse().unwrap()))
        .collect()
}

async fn p6_money_by_class_and_purpose_is_what_the_ledger_says(mut world: World) {
    let (receivable, pending, fees) = chart(&mut world).await;
    let other = (AccountClass::Liability, AccountPurpose::MerchantPending);
    let other = world.open_account(other, "USD").await;
    for n in 1..=20 {
        world.transfer((receivable, pending), 1_000 * n).await;
        world.transfer((pending, fees), 29 * n).await;
        world.advance(Duration::from_secs(1));
    }
    world.transfer((receivable, other), 7).await;
    let lines = world.lines((ReportKind::TrialBalance, &[]), None).await;
    assert_eq!(
        booked(&lines, "purpose"),
        [
            ("connector_receivable".to_owned(), 210_007),
            ("fee_revenue".to_owned(), 6_090),
            ("merchant_pending".to_owned(), 203_917),
        ]
    );
    assert_eq!(lines[2]["account_count"], "2");
    assert_eq!(lines[0]["batch_height"], "41");
    let by_class = (ReportKind::TrialBalance, &[("by", "class")][..]);
    let lines = world.lines(by_class, None).await;
    assert_eq!(
        booked(&lines, "class"),
        [
            ("asset".to_owned(), 210_007),
            ("income".to_owned(), 6_090),
            ("liability".to_owned(), 203_917),
        ]
    );
    let euros = (ReportKind::TrialBalance, &[("currency", "EUR")][..]);
    assert!(world.lines(euros, None).await.is_empty());
    // Income by booking day, from the same copy.
    let booked = (ReportKind::Fees, &[("view", "ledger")][..]);
    let lines = world.lines(booked, None).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["day"], "2026-01-15");
    assert_eq!(lines[0]["earned_minor"], "6090");
}

async fn p10_old_days_keep_their_last_sums_and_say_so_within_the_day(mut world: World) {
    const DAY: Duration = Duration::from_secs(86_400);
    let (receivable, pending, fees) = chart(&mut world).await;
    for _ in 0..4 {
        for _ in 0..5 {
            world.transfer((receivable, pending), 1_000).await;
            world.transfer((pending, fees), 100).await;
            world.advance(Duration::from_secs(60));
        }
        world.advance(DAY);
    }
    let midnight = |days: i64| (TODAY_US / DAY_US + days) * DAY_US;
    let ask = async |world: &World, until: i64| {
        let definition = world.defined(ReportKind::TrialBalance, &[]).await;
        world.run(&definition, Some((0, until))).await
    };
    let database = world.database().await;
    world
        .harness
        .eventually("all is taken in", || async {
            rows(&database, "ledger_balances").await == 4 * 5 * 4
        })
        .await;
    world.settings.balance_days = 1;
    world.restart().await;
    world
        .harness
        .eventually("three old days are thinned", async || {
            // Of the last day every batch stays.
            rows(&database, "ledger_balances").await == 3 * 3 + 5 * 4
        })
        .await;
    for days in 1..=4 {
        let run = ask(&world, midnight(days)).await;
        assert_eq!(run.state(), RunState::Completed, "P10: {}", run.reason);
    }
    let last_day = ask(&world, midnight(3) + 120_000_000).await;
    assert_eq!(
        last_day.state(),
        RunState::Completed,
        "P10: {}",
        last_day.reason
    );
    let within = ask(&world, midnight(1) + 120_000_000).await;
    assert_eq!(within.state(), RunState::Failed, "P10");
    assert!(
        within.reason.starts_with("MOMENT_NOT_KEPT: "),
        "{}",
        within.reason
    );
    let booked = (ReportKind::Fees, &[("view", "ledger")][..]);
    let lines = world.lines(booked, None).await;
    let earned: Vec<_> = lines
        .iter()
        .map(|line| line["earned_minor"].as_str())
        .collect();
    assert_eq!(earned, ["500"; 4], "P10: each day is whole");
}

async fn p6_one_cent_of_difference_fails_the_report(mut world: World) {
    let (receivable, pending, _) = chart(&mut world).await;
    world.transfer((receivable, pending), 1_000).await;
    world.others.books(|books| books.lie_minor = 1);
    let definition = world.defined(ReportKind::TrialBalance, &[]).await;
    let run = world.run(&definition, None).await;
    assert_eq!(run.state(), RunState::Failed);
    assert_eq!(
        run.reason,
        "TRIAL_BALANCE_DIFFERS: USD connector_receivable credits_posted: facts say 0, the ledger says 1, at height 1"
    );
    let file = world.download(&run.id, 0).await;
    assert_eq!(crate::world::reason(file), "REPORT_RUN_NOT_COMPLETED");
    world.others.books(|books| books.lie_minor = 0);
    assert_eq!(
        world.run(&definition, None).await.state(),
        RunState::Completed
    );
}

async fn p6_facts_that_are_on_their_way_are_waited_for(mut world: World) {
    world.settings.catch_up_ms = 8_000;
    world.restart().await;
    let (receivable, pending, _) = chart(&mut world).await;
    world.transfer((receivable, pending), 1_000).await;
    let late = world.book((receivable, pending), 500);
    let definition = world.defined(ReportKind::TrialBalance, &[]).await;
    let id = world.run_id();
    world.start_run(&id, &definition, None).await.unwrap();
    let asked = world.others.books(|books| books.asked);
    world
        .harness
        .eventually("the ledger is asked again", async || {
            world.others.books(|books| books.asked > asked + 1)
        })
        .await;
    assert_eq!(world.get_run(&id, 0).await.state(), RunState::Running);
    for fact in late {
        world.tell_balance(fact).await;
    }
    let run = world.get_run(&id, 9_000).await;
    assert_eq!(run.state(), RunState::Completed, "{run:?}");
    let lines = read_csv(&world.file(&id).await);
    assert_eq!(lines[0]["booked_minor"], "1500");
}

async fn p6_a_moment_in_the_past_has_the_sums_of_its_height(mut world: World) {
    let (receivable, pending, _) = chart(&mut world).await;
    world.transfer((receivable, pending), 1_000).await;
    world.advance(Duration::from_secs(60));
    let then = world.now_us();
    world.transfer((receivable, pending), 500).await;
    let trial = (ReportKind::TrialBalance, &[][..]);
    let lines = world.lines(trial, Some((0, then))).await;
    assert_eq!(lines[0]["booked_minor"], "1000");
    assert_eq!(lines[0]["batch_height"], "1");
    let lines = world.lines(trial, None).await;
    assert_eq!(lines[0]["booked_minor"], "1500");
}

async fn p4_a_ledger_that_is_away_puts_a_run_back(mut world: World) {
    let (receivable, pending, _) = chart(&mut world).await;
    world.transfer((receivable, pending), 1_000).await;
    // More than the mesh tries by itself.
    world.others.books(|books| books.outages = 1_000);
    let definition = world.defined(ReportKind::TrialBalance, &[]).await;
    let id = world.run_id();
    world.start_run(&id, &definition, None).await.unwrap();
    world
        .harness
        .eventually("the run waits", async || {
            let run = world.get_run(&id, 0).await;
            world.others.books(|books| books.asked > 0) && run.state() == RunState::Queued
        })
        .await;
    assert_eq!(world.get_run(&id, 0).await.reason, "", "it has not failed");
    world.others.books(|books| books.outages = 0);
    world.advance(Duration::from_secs(2));
    let run = world.get_run(&id, 8_000).await;
    assert_eq!(run.state(), RunState::Completed, "{run:?}");
}
