//! Reconciliation of three sides, and what becomes of what does not agree.

use paymesh_kernel::{Principal, Role};
use paymesh_mesh::CallError;
use paymesh_proto::{
    account::v1::{AccountPurpose as Purpose, TransferCode},
    settlement::v1::{
        self as wire, BreakKind as Kind, BreakState, MatchState, PayoutState, StatementKind,
    },
    types::v1::Outcome,
};

use crate::world::{DAY, World, money, reason, world, worlds};

const REPORT: &str = "type,payment_id,operation_id,reference,currency,gross_minor,fee_minor,business_at,settlement_id\n";
pub(crate) const BANK: &str = "entry_id,business_at,type,end_to_end_id,currency,amount_minor\n";

/// A line of a report: operation, transaction, what it says.
fn told(operation: &str, transaction: &str, (currency, minor): (&str, i64)) -> String {
    let at = format!("{DAY}T12:00:00Z");
    format!(
        "capture,pay_1,{operation},{transaction}:authorize:forward,{currency},{minor},0,{at},\n"
    )
}

impl World {
    async fn assign(
        &self,
        by: &Principal,
        item: &str,
        to: &str,
    ) -> Result<wire::AssignBreakResponse, CallError> {
        let request = wire::AssignBreakRequest {
            break_id: item.to_owned(),
            assignee: to.to_owned(),
            note: "please look".to_owned(),
        };
        self.call(by, |mut client| async move {
            client.assign_break(request).await
        })
        .await
    }

    async fn request(
        &self,
        by: &Principal,
        item: &str,
    ) -> Result<wire::RequestWriteOffResponse, CallError> {
        let request = wire::RequestWriteOffRequest {
            break_id: item.to_owned(),
            note: "too small to follow".to_owned(),
        };
        self.call(by, |mut client| async move {
            client.request_write_off(request).await
        })
        .await
    }

    async fn approve(
        &self,
        by: &Principal,
        item: &str,
    ) -> Result<wire::ApproveWriteOffResponse, CallError> {
        let request = wire::ApproveWriteOffRequest {
            break_id: item.to_owned(),
        };
        self.call(by, |mut client| async move {
            client.approve_write_off(request).await
        })
        .await
    }

    fn booked(&self, pending: &str, minor: i64) -> String {
        self.booked_at(pending, minor, self.now_us())
    }

    fn booked_at(&self, pending: &str, minor: i64, at_us: i64) -> String {
        let transaction = self.new_id("txn");
        self.others
            .ledger
            .lock()
            .capture((pending, "EUR"), (minor, 0), (&transaction, at_us));
        transaction
    }

    /// Kind, reference and difference of each break, in a fixed order.
    async fn differences(&self) -> Vec<(Kind, String, i64)> {
        let show = |item: wire::Break| {
            let difference = item.difference.clone().unwrap();
            assert_eq!(difference.currency, "EUR");
            (item.kind(), item.reference, difference.minor)
        };
        let mut found: Vec<_> = self.breaks().await.into_iter().map(show).collect();
        found.sort_by_key(|(kind, _, minor)| (i32::from(*kind), *minor));
        found
    }

    async fn take(&self, kind: StatementKind, content: String) -> wire::Statement {
        let answer = self.import(kind, &content).await.unwrap();
        answer.statement.unwrap()
    }
}

#[tokio::test]
async fn r4_a_day_that_agrees_three_ways_has_no_breaks() {
    for world in worlds().await {
        let shop = world.rich_shop();
        world.paid(&shop.pending, 10_000).await;
        world.paid(&shop.pending, 2_500).await;
        let staff = world.harness.person(Role::Finance);
        let payout = world.pay_out(&staff, world.ask(&shop, "k", 700)).await;
        let id = payout.unwrap().payout.unwrap().id;
        world.until_payout_is(&id, PayoutState::Sent).await;
        world.close_day().await;
        world.import_report().await;
        world.import_bank().await;
        world.until_payout_is(&id, PayoutState::Confirmed).await;
        let done = world.reconcile("EUR").await;
        assert_eq!(world.breaks().await, []);
        assert_eq!((done.matched_count, done.break_count), (4, 0));
        assert_eq!(
            (done.ledger_total, done.provider_total, done.bank_total),
            (
                money(12_500, "EUR"),
                money(12_500, "EUR"),
                money(12_350, "EUR")
            )
        );
        assert_eq!(done.ledger_height, world.others.ledger.lock().height());
    }
}

#[tokio::test]
async fn r1_each_difference_is_a_break_of_its_kind_and_is_opened_once() {
    for world in worlds().await {
        let shop = world.shop("EUR", 0);
        let staff = world.harness.person(Role::Finance);
        let rich = world.rich_shop();
        let payout = world.pay_out(&staff, world.ask(&rich, "k", 300)).await;
        let lost = payout.unwrap().payout.unwrap().id;
        world.until_payout_is(&lost, PayoutState::Sent).await;
        let unreported = world.booked(&shop.pending, 100);
        let short = world.booked(&shop.pending, 200);
        let other = world.booked(&shop.pending, 400);
        let twice = world.booked(&shop.pending, 500);
        let two_days = 2 * 86_400_000_000;
        let late = world.booked_at(&shop.pending, 600, world.now_us() - two_days);
        let unbooked = world.new_id("txn");
        let report = [
            told("cap_1", &short, ("EUR", 190)),
            told("cap_2", &other, ("USD", 400)),
            told("cap_3", &twice, ("EUR", 500)),
            told("cap_3", &twice, ("EUR", 500)),
            told("cap_4", &late, ("EUR", 600)),
            told("cap_5", &unbooked, ("EUR", 700)),
            format!("capture,pay_2,cap_6,{short},EUR,50,0,{DAY}T12:00:00Z,stl_1\n")
                .replace(&short, "who knows"),
        ];
        world
            .take(
                StatementKind::Provider,
                REPORT.to_owned() + &report.concat(),
            )
            .await;
        let at = format!("{DAY}T13:00:00Z");
        let bank =
            format!("{BANK}e1,{at},payout,po_stranger,EUR,-80\ne2,{at},deposit,stl_9,EUR,900\n");
        world.take(StatementKind::Bank, bank).await;
        let done = world.reconcile("EUR").await;
        let found = world.differences().await;
        let mut wanted = vec![
            (Kind::MissingInLedger, "po_stranger".to_owned(), -80),
            (Kind::MissingInLedger, "who knows".to_owned(), 50),
            (Kind::MissingInLedger, unbooked, 700),
            (Kind::MissingAtProvider, other.clone(), -400),
            (Kind::MissingAtProvider, unreported, -100),
            (Kind::MissingAtProvider, "stl_9".to_owned(), 900),
            (Kind::MissingAtBank, "stl_1".to_owned(), -50),
            (Kind::MissingAtBank, lost.clone(), 300),
            (Kind::AmountDiffers, short, -10),
            (Kind::Duplicate, twice, 500),
            (Kind::Late, late, 0),
        ];
        wanted.sort_by_key(|(kind, _, minor)| (i32::from(*kind), *minor));
        assert_eq!(found, wanted);
        assert_eq!(usize::try_from(done.break_count).unwrap(), wanted.len());
        let again = world.reconcile("EUR").await;
        assert_eq!(again.break_count, 0, "W1");
        assert_eq!(world.breaks().await.len(), wanted.len());
    }
}

#[tokio::test]
async fn r1_what_is_told_in_another_currency_is_a_break_of_both() {
    let world = world().await;
    let shop = world.shop("EUR", 0);
    let transaction = world.booked(&shop.pending, 400);
    let line = told("cap_2", &transaction, ("USD", 400));
    world
        .take(StatementKind::Provider, REPORT.to_owned() + &line)
        .await;
    assert_eq!(world.reconcile("EUR").await.break_count, 1);
    assert_eq!(world.reconcile("USD").await.break_count, 1);
    let breaks = world.breaks().await;
    let item = breaks
        .into_iter()
        .find(|item| item.kind() == Kind::CurrencyDiffers)
        .unwrap();
    assert_eq!(
        (item.ledger_amount, item.statement_amount),
        (money(400, "EUR"), money(400, "USD"))
    );
}

#[tokio::test]
async fn r3_a_won_dispute_agrees_with_the_report_whatever_the_connector_keeps_of_its_fee() {
    // What the line of the reversal has as fee, what the ledger gave back beside the amount, and the difference.
    for (told_fee, given_back, difference) in [
        (0, 0, None),
        (-1_500, 1_500, None),
        (0, 1_500, Some(-1_500)),
    ] {
        let world = world().await;
        let shop = world.shop("EUR", 0);
        let transaction = world.booked(&shop.pending, 10_000);
        {
            let mut ledger = world.others.ledger.lock();
            let owed = ledger.system_id(Purpose::ConnectorReceivable, "EUR", "simulated");
            let now = world.now_us();
            let taken = (TransferCode::Chargeback, 11_500);
            ledger.book((&shop.pending, &owed), taken, (&transaction, now));
            let back = (TransferCode::Reversal, 10_000 + given_back);
            ledger.book((&owed, &shop.pending), back, (&transaction, now));
        }
        let dispute = |kind: &str, operation: &str, (gross, fee): (i64, i64)| {
            told(operation, &transaction, ("EUR", gross))
                .replace("capture", kind)
                .replace(&format!(",{gross},0,"), &format!(",{gross},{fee},"))
        };
        let report = [
            told("cap_1", &transaction, ("EUR", 10_000)),
            dispute("chargeback", "dsp_1", (-10_000, 1_500)),
            dispute("chargeback_reversal", "dsp_1", (10_000, told_fee)),
        ];
        let report = REPORT.to_owned() + &report.concat();
        world.take(StatementKind::Provider, report).await;
        world.reconcile("EUR").await;
        let found: Vec<i64> = world.differences().await.iter().map(|of| of.2).collect();
        assert_eq!(found, Vec::from_iter(difference), "{told_fee} {given_back}");
    }
}

#[tokio::test]
async fn r4_a_run_is_known_by_its_id_and_a_later_statement_resolves() {
    for world in worlds().await {
        let shop = world.shop("EUR", 0);
        let transaction = world.booked(&shop.pending, 100);
        let request = wire::ReconcileRequest {
            reconciliation_id: world.new_id("rec"),
            range: Some(world.around()),
            currency: "EUR".to_owned(),
        };
        let run = async |request: wire::ReconcileRequest| {
            let call = world.staff(|mut client| async move { client.reconcile(request).await });
            call.await
        };
        let first = run(request.clone()).await.unwrap();
        assert_eq!(first.reconciliation.clone().unwrap().break_count, 1);
        let line = told("cap_1", &transaction, ("EUR", 100));
        let statement = world
            .take(StatementKind::Provider, REPORT.to_owned() + &line)
            .await;
        let again = run(request.clone()).await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        assert_eq!(again.reconciliation, first.reconciliation);
        let other = wire::ReconcileRequest {
            currency: "USD".to_owned(),
            ..request
        };
        assert_eq!(reason(run(other).await), "ID_REUSED");
        world.reconcile("EUR").await;
        let item = world.breaks().await.remove(0);
        assert_eq!(item.state(), BreakState::Resolved);
        assert!(item.closed_at_us > 0);
        let lines = world.lines(&statement.id).await;
        assert_eq!(lines[0].match_state(), MatchState::Matched);
    }
}

#[tokio::test]
async fn w2_two_people_write_a_difference_off_and_it_is_booked_once() {
    for mut world in worlds().await {
        let shop = world.shop("EUR", 0);
        let transaction = world.booked(&shop.pending, 200);
        let line = told("cap_1", &transaction, ("EUR", 190));
        let statement = world
            .take(StatementKind::Provider, REPORT.to_owned() + &line)
            .await;
        world.reconcile("EUR").await;
        let item = world.breaks().await.remove(0);
        let [anna, ben] = [(); 2].map(|()| world.harness.person(Role::Finance));
        assert_eq!(
            reason(world.approve(&ben, &item.id).await),
            "WRITE_OFF_NOT_REQUESTED"
        );
        let assigned = world.assign(&anna, &item.id, &anna.subject).await.unwrap();
        assert_eq!(assigned.item.unwrap().state(), BreakState::Assigned);
        let key = Principal {
            subject: world.new_id("key"),
            ..anna.clone()
        };
        assert_eq!(reason(world.request(&key, &item.id).await), "PERSON_NEEDED");
        world.request(&anna, &item.id).await.unwrap();
        let repeat = world.request(&anna, &item.id).await.unwrap();
        assert_eq!(repeat.outcome(), Outcome::AlreadyApplied);
        assert_eq!(
            reason(world.approve(&anna, &item.id).await),
            "SECOND_PERSON_NEEDED"
        );
        assert_eq!(
            reason(world.assign(&ben, &item.id, "").await),
            "BREAK_STATE"
        );
        let key = Principal {
            subject: world.new_id("key"),
            ..ben.clone()
        };
        assert_eq!(reason(world.approve(&key, &item.id).await), "PERSON_NEEDED");
        world.others.ledger.lock().answers_to_lose = 1;
        let approved = world.approve(&ben, &item.id).await.unwrap().item.unwrap();
        assert_eq!(approved.state(), BreakState::WriteOffRequested);
        world.restart().await;
        world.advance(std::time::Duration::from_secs(600));
        world
            .eventually("it is written off", || async {
                world.breaks().await[0].state() == BreakState::WrittenOff
            })
            .await;
        let ledger = world.others.ledger.lock().clone();
        ledger.assert_sound();
        assert_eq!(ledger.of(Purpose::ReconciliationDifference, "EUR"), -10);
        assert_eq!(ledger.of(Purpose::ConnectorReceivable, "EUR"), -190);
        let lines = world.lines(&statement.id).await;
        assert_eq!(lines[0].match_state(), MatchState::WrittenOff);
        let again = world.approve(&ben, &item.id).await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    }
}

#[tokio::test]
async fn a_gain_is_written_off_the_other_way() {
    let world = world().await;
    let at = format!("{DAY}T13:00:00Z");
    let bank = format!("{BANK}e1,{at},interest,,EUR,900\n");
    world.take(StatementKind::Bank, bank).await;
    world.reconcile("EUR").await;
    let item = world.breaks().await.remove(0);
    let [anna, ben] = [(); 2].map(|()| world.harness.person(Role::Finance));
    world.request(&anna, &item.id).await.unwrap();
    let done = world.approve(&ben, &item.id).await.unwrap().item.unwrap();
    assert_eq!(done.state(), BreakState::WrittenOff);
    assert_eq!(done.write_off_approved_by, ben.subject);
    let ledger = world.others.ledger.lock();
    assert_eq!(ledger.of(Purpose::ReconciliationDifference, "EUR"), 900);
    assert_eq!(ledger.of(Purpose::Suspense, "EUR"), 0);
    ledger.assert_sound();
}

#[tokio::test]
async fn a_span_without_an_end_or_with_too_much_in_it_is_refused() {
    let mut world = world().await;
    world.settings.reconciliation_movements = 2;
    world.restart().await;
    let shop = world.shop("EUR", 0);
    for _ in 0..3 {
        world.booked(&shop.pending, 100);
    }
    let mut request = wire::ReconcileRequest {
        reconciliation_id: world.new_id("rec"),
        range: Some(world.around()),
        currency: "EUR".to_owned(),
    };
    let wide = request.clone();
    let answer = world.staff(|mut client| async move { client.reconcile(wide).await });
    assert_eq!(reason(answer.await), "SPAN_TOO_LARGE");
    request.range = None;
    let answer = world.staff(|mut client| async move { client.reconcile(request).await });
    assert_eq!(reason(answer.await), "REQUEST_INVALID");
}
