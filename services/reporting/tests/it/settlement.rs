//! Settlement, payouts, reconciliations and breaks.

use paymesh_kernel::id::encode;
use paymesh_proto::{
    reporting::v1::ReportKind,
    settlement::v1::{
        Batch, BatchState, Break, BreakClosed, BreakKind, BreakOpened, BreakState, Payout,
        PayoutConfirmed, PayoutCreated, PayoutState, Position, PositionReleased, Reconciliation,
        ReconciliationCompleted, SettlementProcessed,
    },
    types::v1::{Owner, OwnerKind},
};
use uuid::Uuid;

use crate::{
    facts::{CAFE, SHOP},
    world::{World, money},
};

crate::scenario! {
    settlement_is_shown_line_by_line_and_summed_by_owner;
    positions_that_no_fact_carried_are_asked_for_once;
    reconciliations_are_shown_with_their_breaks;
}

fn position(batch: Uuid, merchant: &str, gross: i64) -> Position {
    Position {
        batch_id: encode("sb", batch),
        merchant_id: merchant.to_owned(),
        currency: "USD".to_owned(),
        gross: money(gross, "USD"),
        fees: money(30, "USD"),
        refunds: money(0, "USD"),
        chargebacks: money(0, "USD"),
        net: money(gross - 30, "USD"),
        transaction_count: 1,
        ..Position::default()
    }
}

fn processed(world: &World, batch: Uuid, positions: Vec<Position>) -> SettlementProcessed {
    SettlementProcessed {
        batch: Some(Batch {
            id: encode("sb", batch),
            state: BatchState::Closed.into(),
            currency: "USD".to_owned(),
            from_height: 1,
            until_height: 9,
            closed_at_us: world.now_us(),
            ..Batch::default()
        }),
        positions,
        positions_complete: true,
    }
}

/// A payout to the shop that is reserved and confirmed.
async fn pay_out(world: &mut World, minor: i64) {
    let id = world.uuid();
    let payout = |state: PayoutState| Payout {
        id: encode("po", id),
        state: state.into(),
        owner: Some(Owner {
            kind: OwnerKind::Merchant.into(),
            id: SHOP.to_owned(),
        }),
        amount: money(minor, "USD"),
        end_to_end_id: "-E2E".to_owned(),
        created_at_us: world.now_us(),
        ..Payout::default()
    };
    let created = PayoutCreated {
        payout: Some(payout(PayoutState::Reserved)),
    };
    let confirmed = PayoutConfirmed {
        payout: Some(payout(PayoutState::Confirmed)),
    };
    world.tell(id, &created).await;
    world.tell(id, &confirmed).await;
}

async fn settlement_is_shown_line_by_line_and_summed_by_owner(mut world: World) {
    let batch = world.uuid();
    let shop = position(batch, SHOP, 1_000);
    let fact = processed(
        &world,
        batch,
        vec![shop.clone(), position(batch, CAFE, 500)],
    );
    world.tell(batch, &fact).await;
    let released = PositionReleased {
        position: Some(shop),
        released_at_us: world.now_us(),
    };
    world.tell(batch, &released).await;
    pay_out(&mut world, 970).await;
    let lines_of = (ReportKind::Settlement, &[][..]);
    world.taken_in(lines_of, 3).await;
    world
        .harness
        .eventually("every fact is taken in", async || {
            let lines = world.lines(lines_of, None).await;
            let is = |state: &str| lines.iter().any(|line| line["state"] == state);
            is("released") && is("pending") && is("confirmed")
        })
        .await;
    let lines = world.lines(lines_of, None).await;
    let paid = lines
        .iter()
        .find(|line| line["record"] == "payout")
        .unwrap();
    assert_eq!(paid["net_minor"], "970");
    assert_eq!(paid["end_to_end_id"], "'-E2E");
    assert_eq!(paid["owner_kind"], "merchant");
    let summary = (ReportKind::Settlement, &[("view", "summary")][..]);
    let lines = world.lines(summary, None).await;
    assert_eq!(lines.len(), 2);
    let shop = lines.iter().find(|line| line["owner_id"] == SHOP).unwrap();
    assert_eq!(
        [
            "gross_minor",
            "fees_minor",
            "net_minor",
            "payout_count",
            "paid_minor",
            "in_flight_minor"
        ]
        .map(|column| shop[column].as_str()),
        ["1000", "30", "970", "1", "970", "0"]
    );
}

async fn positions_that_no_fact_carried_are_asked_for_once(mut world: World) {
    let batch = world.uuid();
    let merchants: Vec<String> = (0..8).map(|_| world.id("mrc")).collect();
    let positions: Vec<Position> = merchants
        .iter()
        .map(|merchant| position(batch, merchant, 1_000))
        .collect();
    let fact = SettlementProcessed {
        positions: positions[..2].to_vec(),
        positions_complete: false,
        ..processed(&world, batch, Vec::new())
    };
    world
        .others
        .books(|books| books.positions.clone_from(&positions));
    // One of them is released, which its list does not say yet.
    world.tell(batch, &fact).await;
    let released = PositionReleased {
        position: Some(positions[0].clone()),
        released_at_us: world.now_us(),
    };
    world.tell(batch, &released).await;
    world.taken_in((ReportKind::Settlement, &[]), 8).await;
    let asked = world.others.books(|books| books.positions_asked);
    assert_eq!(asked, 3, "three pages, once");
    world
        .harness
        .eventually("the release is known", async || {
            let lines = world.lines((ReportKind::Settlement, &[]), None).await;
            let known = lines.iter().filter(|line| line["state"] == "released");
            known.count() == 1
        })
        .await;
    let summary = (ReportKind::Settlement, &[("view", "summary")][..]);
    assert_eq!(world.lines(summary, None).await.len(), 8);
    assert_eq!(world.others.books(|books| books.positions_asked), 3);
}

async fn reconciliations_are_shown_with_their_breaks(mut world: World) {
    let id = world.uuid();
    let reconciliation = Reconciliation {
        id: encode("rec", id),
        ledger_height: 7,
        matched_count: 10,
        break_count: 2,
        ledger_total: money(1_000, "USD"),
        provider_total: money(990, "USD"),
        bank_total: money(0, "USD"),
        started_at_us: world.now_us(),
        finished_at_us: world.now_us(),
        ..Reconciliation::default()
    };
    let fact = ReconciliationCompleted {
        reconciliation: Some(reconciliation),
    };
    world.tell(id, &fact).await;
    for (n, state) in [BreakState::Open, BreakState::Resolved]
        .into_iter()
        .enumerate()
    {
        let found = world.uuid();
        let item = |state: BreakState| Break {
            id: encode("brk", found),
            kind: BreakKind::MissingAtProvider.into(),
            state: state.into(),
            reconciliation_id: encode("rec", id),
            ledger_amount: money(10, "USD"),
            difference: money(-10, "USD"),
            line_number: u64::try_from(n).unwrap(),
            opened_at_us: world.now_us(),
            ..Break::default()
        };
        let (opened, closed) = (item(BreakState::Open), item(state));
        world.tell(found, &BreakOpened { item: Some(opened) }).await;
        if state == BreakState::Resolved {
            world.tell(found, &BreakClosed { item: Some(closed) }).await;
        }
    }
    let open = (ReportKind::Reconciliation, &[("status", "open")][..]);
    let resolved = (ReportKind::Reconciliation, &[("status", "resolved")][..]);
    world.taken_in(resolved, 2).await;
    world.taken_in(open, 2).await;
    let lines = world.lines(open, None).await;
    assert_eq!(lines[0]["record"], "reconciliation");
    assert_eq!(lines[0]["provider_minor"], "990");
    assert_eq!(lines[1]["kind"], "missing_at_provider");
    assert_eq!(
        lines[1]["difference_minor"], "-10",
        "a number is no formula"
    );
    assert_eq!(lines[1]["statement_minor"], "");
}
