//! What is in the files: transactions, declines, fees, decisions, statements.

use paymesh_proto::{
    account::v1::{Balance, Entry, EntrySide, TransferCode, TransferKind},
    reporting::v1::{ReportKind, RunState},
    risk::v1::{Decision, Reason, RiskAssessmentCompleted},
    transaction::v1::{
        ChargebackStage, Exchange, TransactionChargedBack, TransactionCompleted, TransactionKind,
        TransactionRefunded, TransactionSnapshot, TransactionStatus,
    },
    types::v1::DeclineReason,
};

use crate::{
    facts::{CAFE, SHOP, Sale},
    world::{DAY_US, TODAY_US, World, columns, money},
};

crate::scenario! {
    transactions_are_summed_by_day_merchant_and_currency;
    p9_facts_that_come_twice_or_out_of_order_count_once;
    declines_are_counted_by_reason;
    fees_are_summed_by_day_and_currency_and_given_back_when_reversed;
    decisions_of_risk_are_listed_with_their_reasons;
    p6_a_statement_shows_entries_that_follow_each_other_or_fails;
}

fn sale(merchant: &'static str, amount: (i64, &'static str), day: i64) -> Sale {
    Sale {
        merchant,
        amount,
        business_at_us: TODAY_US + day * DAY_US + 3_600_000_000,
    }
}

async fn transactions_are_summed_by_day_merchant_and_currency(mut world: World) {
    for n in 0..5 {
        world.sell(sale(SHOP, (1_000, "USD"), n % 2), 30).await;
    }
    world.sell(sale(SHOP, (500, "EUR"), 0), 15).await;
    world.sell(sale(CAFE, (300, "USD"), 0), 9).await;
    let reason = DeclineReason::InsufficientFunds;
    world.decline(sale(CAFE, (700, "USD"), 0), reason).await;
    world.taken_in((ReportKind::Transactions, &[]), 8).await;
    world
        .taken_in((ReportKind::Transactions, &[("status", "completed")]), 7)
        .await;
    let by_day = (ReportKind::Transactions, &[("view", "by_day")][..]);
    let lines = world.lines(by_day, None).await;
    let mut told = columns(
        &lines,
        &[
            "day",
            "merchant_id",
            "currency",
            "transaction_count",
            "completed_count",
            "declined_count",
            "amount_minor",
            "captured_minor",
        ],
    );
    told.sort();
    let wanted = [
        format!("2026-01-15 {SHOP} EUR 1 1 0 500 500"),
        format!("2026-01-15 {SHOP} USD 3 3 0 3000 3000"),
        format!("2026-01-15 {CAFE} USD 2 1 1 1000 300"),
        format!("2026-01-16 {SHOP} USD 2 2 0 2000 2000"),
    ];
    assert_eq!(told, wanted);
    // Half of a day, one merchant.
    let of_shop = (
        ReportKind::Transactions,
        &[
            ("view", "by_day"),
            ("merchant_id", SHOP),
            ("currency", "USD"),
        ][..],
    );
    let first_day = Some((TODAY_US, TODAY_US + DAY_US));
    let lines = world.lines(of_shop, first_day).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["transaction_count"], "3");
    // One by one, in pages, by business time.
    let lines = world
        .lines((ReportKind::Transactions, &[]), first_day)
        .await;
    assert_eq!(lines.len(), 6);
    let times: Vec<&String> = lines.iter().map(|line| &line["business_at"]).collect();
    assert!(times.is_sorted());
}

async fn p9_facts_that_come_twice_or_out_of_order_count_once(mut world: World) {
    let (id, of) = (world.uuid(), sale(SHOP, (1_000, "USD"), 0));
    let completed = TransactionCompleted {
        transaction: Some(TransactionSnapshot {
            kind: TransactionKind::Transfer.into(),
            status: TransactionStatus::Completed.into(),
            fee: money(25, "USD"),
            ..world.snapshot(id, &of)
        }),
        ..TransactionCompleted::default()
    };
    let initiated = paymesh_proto::transaction::v1::TransactionInitiated {
        transaction: Some(world.snapshot(id, &of)),
    };
    // The end of it comes first, and each comes twice.
    for sequence in [2, 1, 2, 1] {
        let event = match sequence {
            1 => world.event((id, sequence), &initiated, of.business_at_us),
            _ => world.event((id, sequence), &completed, of.business_at_us),
        };
        world.publish(event).await;
    }
    world
        .taken_in((ReportKind::Transactions, &[("status", "completed")]), 1)
        .await;
    let lines = world.lines((ReportKind::Transactions, &[]), None).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["status"], "completed");
    let fees = world.lines((ReportKind::Fees, &[]), None).await;
    assert_eq!(fees.len(), 1);
    assert_eq!(fees[0]["fees_minor"], "25");
    assert_eq!(fees[0]["charge_count"], "1");
}

async fn declines_are_counted_by_reason(mut world: World) {
    for (minor, reason) in [
        (100, DeclineReason::InsufficientFunds),
        (200, DeclineReason::InsufficientFunds),
        (300, DeclineReason::DoNotHonor),
    ] {
        world.decline(sale(SHOP, (minor, "USD"), 0), reason).await;
    }
    world.sell(sale(SHOP, (1_000, "USD"), 0), 30).await;
    world.taken_in((ReportKind::Transactions, &[]), 4).await;
    let declines = (ReportKind::Transactions, &[("view", "declines")][..]);
    let lines = world.lines(declines, None).await;
    let told = columns(
        &lines,
        &["decline_reason", "transaction_count", "amount_minor"],
    );
    assert_eq!(told, ["do_not_honor 1 300", "insufficient_funds 2 300"]);
}

async fn fees_are_summed_by_day_and_currency_and_given_back_when_reversed(mut world: World) {
    let (id, of) = (world.uuid(), sale(SHOP, (1_000, "USD"), 0));
    world.sell(sale(SHOP, (1_000, "USD"), 0), 30).await;
    world.sell(sale(CAFE, (2_000, "USD"), 0), 60).await;
    let snapshot = Some(world.snapshot(id, &of));
    for (spread, reversed) in [(8, false), (5, false), (5, true)] {
        let fact = TransactionRefunded {
            transaction: snapshot.clone(),
            exchange: Some(Exchange {
                spread: money(spread, "EUR"),
                ..Exchange::default()
            }),
            reversed,
            ..TransactionRefunded::default()
        };
        world.tell_at(id, &fact, of.business_at_us).await;
    }
    for stage in [
        ChargebackStage::Opened,
        ChargebackStage::Won,
        ChargebackStage::Opened,
        ChargebackStage::Lost,
    ] {
        let fact = TransactionChargedBack {
            transaction: snapshot.clone(),
            stage: stage.into(),
            merchant_fee: money(1_500, "USD"),
            connector_fee: money(1_400, "USD"),
            ..TransactionChargedBack::default()
        };
        world.tell_at(id, &fact, of.business_at_us + DAY_US).await;
    }
    let fees = (ReportKind::Fees, &[][..]);
    world.taken_in(fees, 3).await;
    world
        .harness
        .eventually("the last chargeback is taken in", async || {
            let lines = world.lines(fees, None).await;
            lines.iter().any(|line| line["charge_count"] == "6")
        })
        .await;
    let lines = world.lines(fees, None).await;
    let told = columns(
        &lines,
        &[
            "day",
            "currency",
            "fees_minor",
            "spreads_minor",
            "chargeback_fees_minor",
            "connector_fees_minor",
        ],
    );
    assert_eq!(
        told,
        [
            "2026-01-15 EUR 0 8 0 0",
            "2026-01-15 USD 90 0 0 0",
            "2026-01-16 USD 0 0 1500 1400",
        ]
    );
    let by_merchant = (ReportKind::Fees, &[("view", "by_merchant")][..]);
    let lines = world
        .lines(by_merchant, Some((TODAY_US, TODAY_US + DAY_US)))
        .await;
    assert_eq!(lines.len(), 3);
}

async fn decisions_of_risk_are_listed_with_their_reasons(mut world: World) {
    for (n, decision) in [
        Decision::Allow,
        Decision::Deny,
        Decision::Deny,
        Decision::Review,
    ]
    .into_iter()
    .enumerate()
    {
        let id = world.uuid();
        let reason = |code: &str| Reason {
            code: code.to_owned(),
            ..Reason::default()
        };
        let fact = RiskAssessmentCompleted {
            decision_id: paymesh_kernel::id::encode("rd", id),
            decision: decision.into(),
            score: 40,
            reasons: vec![reason("rule_1"), reason("velocity")],
            amount: money(100, "USD"),
            merchant_id: SHOP.to_owned(),
            business_at_us: TODAY_US + i64::try_from(n).unwrap(),
            decided_at_us: world.now_us(),
            ..RiskAssessmentCompleted::default()
        };
        world.tell(id, &fact).await;
    }
    world.taken_in((ReportKind::RiskDecisions, &[]), 4).await;
    let denied = (ReportKind::RiskDecisions, &[("decision", "deny")][..]);
    let lines = world.lines(denied, None).await;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["reasons"], "rule_1 velocity");
    assert_eq!(lines[0]["score"], "40");
}

async fn p6_a_statement_shows_entries_that_follow_each_other_or_fails(world: World) {
    let account = world.id("acct");
    let entry = |sequence, minor, after| Entry {
        sequence,
        kind: TransferKind::Single.into(),
        side: EntrySide::Credit.into(),
        code: TransferCode::TopUp.into(),
        amount: money(minor, "USD"),
        balance_after: Some(Balance {
            booked_minor: after,
            available_minor: after,
            ..Balance::default()
        }),
        booked_at_us: TODAY_US,
        effective_at_us: TODAY_US,
        ..Entry::default()
    };
    world.others.books(|books| {
        books.opening_minor = 100;
        books.closing_minor = 110;
        let entries = (1..=5).map(|n| entry(n, 2, 100 + 2 * i64::try_from(n).unwrap()));
        books.entries.insert(account.clone(), entries.collect());
    });
    let parameters = [("account_id", account.as_str())];
    let statement = (ReportKind::AccountStatement, &parameters[..]);
    let lines = world.lines(statement, None).await;
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[4]["booked_after_minor"], "110");
    assert_eq!(lines[0]["code"], "top_up");
    world.others.books(|books| books.closing_minor = 111);
    let definition = world.defined(statement.0, statement.1).await;
    let run = world.run(&definition, None).await;
    assert_eq!(run.state(), RunState::Failed);
    assert!(run.reason.starts_with("STATEMENT_DIFFERS: "), "{run:?}");
    let nobody = world.id("acct");
    let definition = world
        .defined(
            ReportKind::AccountStatement,
            &[("account_id", nobody.as_str())],
        )
        .await;
    let run = world.run(&definition, None).await;
    assert_eq!(run.state(), RunState::Failed, "{run:?}");
}
