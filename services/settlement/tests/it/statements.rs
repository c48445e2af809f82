//! Statements of a real simulated provider and bank, taken and booked.

use paymesh_proto::{
    account::v1::AccountPurpose as Purpose,
    settlement::v1::{self as wire, StatementKind as Kind},
    types::v1::Outcome,
};
use serde_json::json;

use crate::{
    breaks::BANK,
    world::{DAY, World, amount, money, page, reason, world, worlds},
};

impl World {
    /// A card payment at the provider, and in the ledger as transaction books it.
    pub(crate) async fn paid(&self, pending: &str, minor: i64) -> String {
        let transaction = self.new_id("txn");
        let body = json!({
            "amount": amount(minor, "EUR"),
            "token": "tok_ok",
            "reference": format!("{transaction}:authorize:forward"),
        });
        self.at_provider("/v1/payments", Some(body)).await;
        let now = self.now_us();
        self.others
            .ledger
            .lock()
            .capture((pending, "EUR"), (minor, 0), (&transaction, now));
        transaction
    }

    /// The provider closes the day and pays into the bank.
    pub(crate) async fn close_day(&self) {
        let body = json!({ "date": DAY });
        self.at_provider("/v1/settlements", Some(body)).await;
        self.eventually("the deposit is at the bank", || async {
            self.bank_statement().await.contains(",deposit,")
        })
        .await;
    }

    pub(crate) fn receivable(&self) -> i64 {
        -self
            .others
            .ledger
            .lock()
            .of(Purpose::ConnectorReceivable, "EUR")
    }
}

#[tokio::test]
async fn i3_report_and_deposit_leave_nothing_at_the_connector() {
    for report_first in [true, false] {
        for world in worlds().await {
            let shop = world.shop("EUR", 0);
            world.paid(&shop.pending, 10_000).await;
            world.paid(&shop.pending, 2_500).await;
            world.close_day().await;
            if report_first {
                world.import_report().await;
                assert_eq!(world.receivable(), 12_500 - 150);
                world.import_bank().await;
            } else {
                world.import_bank().await;
                let held = world.others.ledger.lock().of(Purpose::Suspense, "EUR");
                assert_eq!(held, 12_350, "nobody knows yet what the deposit is");
                world.import_report().await;
            }
            let ledger = world.others.ledger.lock();
            ledger.assert_sound();
            assert_eq!(ledger.of(Purpose::ConnectorReceivable, "EUR"), 0);
            assert_eq!(ledger.of(Purpose::ConnectorFees, "EUR"), -150);
            assert_eq!(ledger.of(Purpose::BankCash, "EUR"), -12_350);
            assert_eq!(ledger.of(Purpose::Suspense, "EUR"), 0);
        }
    }
}

#[tokio::test]
async fn i1_the_same_content_is_taken_once_and_a_grown_day_books_what_is_new() {
    for world in worlds().await {
        let shop = world.shop("EUR", 0);
        world.paid(&shop.pending, 10_000).await;
        let first = world.import_report().await;
        let again = world.import_report().await;
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        assert_eq!(
            again.statement.unwrap().id,
            first.statement.clone().unwrap().id
        );
        world.paid(&shop.pending, 2_500).await;
        let grown = world.import_report().await;
        assert_eq!(grown.outcome(), Outcome::Applied);
        let grown = grown.statement.unwrap();
        assert_eq!((grown.line_count, grown.content_sha256.len()), (2, 64));
        let states: Vec<_> = world
            .lines(&grown.id)
            .await
            .iter()
            .map(wire::StatementLine::match_state)
            .collect();
        assert_eq!(
            states,
            [wire::MatchState::Matched, wire::MatchState::Unmatched]
        );
        let fees = world.others.ledger.lock().of(Purpose::ConnectorFees, "EUR");
        assert_eq!(fees, -150, "each capture is charged once");
    }
}

#[tokio::test]
async fn i1_statements_that_come_at_the_same_time_book_what_they_share_once() {
    const ROUNDS: i64 = 25;
    for world in worlds().await {
        world
            .import(Kind::Provider, &report_of(0..ROUNDS))
            .await
            .unwrap();
        for round in 0..ROUNDS {
            let known = ("deposit", format!("stl_{round}"), 100);
            let unknown = ("interest", String::new(), 1);
            let file = |lines: &[(&str, String, i64)]| {
                let mut content = BANK.to_owned();
                for (kind, reference, minor) in lines {
                    let row =
                        format!("e{round}{kind},{DAY}T10:00:00Z,{kind},{reference},EUR,{minor}\n");
                    content += &row;
                }
                content
            };
            let (one, other) = (
                file(&[known.clone(), unknown.clone()]),
                file(&[unknown, known]),
            );
            let both = tokio::join!(
                world.import(Kind::Bank, &one),
                world.import(Kind::Bank, &other)
            );
            assert_eq!(both.0.unwrap().outcome(), Outcome::Applied);
            assert_eq!(both.1.unwrap().outcome(), Outcome::Applied);
            let (one, other) = (fees(round, "a"), fees(round, "b"));
            let both = tokio::join!(
                world.import(Kind::Provider, &one),
                world.import(Kind::Provider, &other)
            );
            both.0.unwrap();
            both.1.unwrap();
        }
        let ledger = world.others.ledger.lock();
        ledger.assert_sound();
        assert_eq!(ledger.of(Purpose::BankCash, "EUR"), -101 * ROUNDS);
        assert_eq!(ledger.of(Purpose::Suspense, "EUR"), ROUNDS);
        assert_eq!(ledger.of(Purpose::ConnectorFees, "EUR"), -7 * ROUNDS);
    }
}

const HEAD: &str = "type,payment_id,operation_id,reference,currency,gross_minor,fee_minor,business_at,settlement_id\n";

/// A report of settlements of 1.00 each.
fn report_of(settlements: std::ops::Range<i64>) -> String {
    let row = |n: i64| format!("transfer,set_{n},op_{n},,EUR,-100,0,{DAY}T09:00:00Z,stl_{n}\n");
    HEAD.to_owned() + &settlements.map(row).collect::<String>()
}

/// A report with a fee of 0.07 that is in other reports as well, and a line of its own that costs nothing.
fn fees(round: i64, own: &str) -> String {
    let at = format!("{DAY}T11:00:00Z");
    format!(
        "{HEAD}fee,,fee_{round},,EUR,-7,0,{at},\ncapture,pay_{own},cap_{round},who_{own},EUR,1,0,{at},\n"
    )
}

#[tokio::test]
async fn i2_a_wrong_line_is_named_and_nothing_of_the_statement_is_taken() {
    let world = world().await;
    let shop = world.shop("EUR", 0);
    world.paid(&shop.pending, 10_000).await;
    let report = world.report().await;
    let wrong = report.replace(",EUR,", ",EUROS,");
    let refused = world.import(Kind::Provider, &wrong).await.unwrap_err();
    assert_eq!(refused.reason_text(), "STATEMENT_INVALID");
    assert_eq!(
        refused.to_string(),
        "the statement cannot be taken: line 2: currency must be an ISO 4217 code"
    );
    assert_eq!(
        reason(world.import(Kind::Unspecified, &report).await),
        "REQUEST_INVALID"
    );
    let request = wire::ListStatementsRequest {
        page: page(10),
        ..Default::default()
    };
    let none = world.staff(|mut client| async move { client.list_statements(request).await });
    assert!(none.await.unwrap().statements.is_empty());
}

#[tokio::test]
async fn a_statement_as_large_as_it_may_be_is_taken_and_a_larger_one_is_not() {
    let mut world = world().await;
    world.settings.statement_lines = 2_000;
    world.restart().await;
    let head = "entry_id,business_at,type,end_to_end_id,currency,amount_minor\n";
    let row = |n: usize| format!("e{n},2026-01-15T10:00:00Z,interest,,EUR,1\n");
    let lines = |count: usize| head.to_owned() + &(0..count).map(row).collect::<String>();
    let taken = world.import(Kind::Bank, &lines(2_000)).await.unwrap();
    let taken = taken.statement.unwrap();
    assert_eq!(taken.line_count, 2_000);
    world
        .eventually("what nobody knows waits in suspense", || async {
            world.others.ledger.lock().of(Purpose::Suspense, "EUR") == 2_000
        })
        .await;
    let refused = world.import(Kind::Bank, &lines(2_001)).await;
    assert_eq!(reason(refused), "STATEMENT_INVALID");
    let mut seen = Vec::new();
    let mut token = String::new();
    for _ in 0..21 {
        let request = wire::ListStatementLinesRequest {
            statement_id: taken.id.clone(),
            page: Some(paymesh_proto::types::v1::Page { size: 100, token }),
            ..Default::default()
        };
        let answer =
            world.staff(|mut client| async move { client.list_statement_lines(request).await });
        let answer = answer.await.unwrap();
        seen.extend(answer.lines.iter().map(|line| line.line_number));
        token = answer.page_info.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, (1..=2_000).collect::<Vec<u64>>());
}

#[tokio::test]
async fn what_belongs_into_a_closed_period_is_booked_today() {
    let world = world().await;
    let shop = world.shop("EUR", 0);
    world.paid(&shop.pending, 10_000).await;
    world.close_day().await;
    world.others.ledger.lock().closed_until_us = world.now_us() + 1;
    world.import_report().await;
    world.import_bank().await;
    assert_eq!(world.receivable(), 0);
    let statement = world.import_bank().await.statement.unwrap();
    let lines = world.lines(&statement.id).await;
    assert_eq!(lines[0].amount, money(9_880, "EUR"));
}
