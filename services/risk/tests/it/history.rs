//! ImportHistory.

use paymesh_kernel::Fault as _;
use paymesh_mesh::CallError;
use paymesh_proto::{risk::v1 as pb, types::v1::Outcome};

use crate::world::{DAY_US, World, usd};

crate::scenario! {
    r9_a_piece_of_history_is_taken_once;
    imported_payments_count_and_their_frauds_make_a_terminal_suspicious;
    items_at_fault_are_named_and_nothing_is_taken;
}

fn item(world: &World, reference: &str, ago_us: i64) -> pb::HistoryItem {
    pb::HistoryItem {
        reference: reference.to_owned(),
        customer_id: "a".to_owned(),
        terminal_id: "trm_1".to_owned(),
        amount: Some(usd(1_000)),
        business_at_us: world.now_us() - ago_us,
        ..Default::default()
    }
}

async fn import(
    world: &World,
    chunk: i32,
    items: Vec<pb::HistoryItem>,
) -> Result<pb::ImportHistoryResponse, CallError> {
    let request = pb::ImportHistoryRequest {
        import_id: "handbook".to_owned(),
        chunk,
        items,
    };
    world
        .staff(|mut client| async move { client.import_history(request).await })
        .await
}

async fn r9_a_piece_of_history_is_taken_once(mut world: World) {
    let first: Vec<pb::HistoryItem> = (0..50)
        .map(|number| item(&world, &format!("h{number}"), 5 + number))
        .collect();
    let answer = import(&world, 0, first.clone()).await.unwrap();
    assert_eq!(
        (answer.imported_count, answer.outcome()),
        (50, Outcome::Applied)
    );
    for _ in 0..2 {
        let answer = import(&world, 0, first.clone()).await.unwrap();
        assert_eq!(
            (answer.imported_count, answer.outcome()),
            (50, Outcome::AlreadyApplied),
            "R9"
        );
        world.restart().await;
    }
    let other = import(&world, 0, first[..1].to_vec()).await.unwrap_err();
    assert_eq!(other.reason_text(), "IMPORT_CHUNK_REUSED", "R9");
    let again = import(&world, 1, first[..1].to_vec()).await.unwrap_err();
    assert_eq!(again.reason_text(), "IMPORT_REFERENCE_EXISTS", "R9");
    import(&world, 1, vec![item(&world, "new", 0)])
        .await
        .unwrap();
    assert_eq!(
        world.probe(&world.purchase("a"), "customer_nb_tx_1h").await,
        52.0,
        "R9"
    );
}

async fn imported_payments_count_and_their_frauds_make_a_terminal_suspicious(mut world: World) {
    let items = (0..8).map(|number| pb::HistoryItem {
        fraud: number % 2 == 0,
        ..item(&world, &format!("h{number}"), 9 * DAY_US + number)
    });
    import(&world, 0, items.collect()).await.unwrap();
    for _ in 0..2 {
        let decision = world.assess(&world.purchase("b")).await;
        assert_eq!(world.feature(&decision.id, "terminal_nb_tx_7d").await, 8.0);
        assert_eq!(world.feature(&decision.id, "terminal_risk_7d").await, 0.5);
        assert_eq!(decision.decision(), pb::Decision::Deny);
        assert_eq!(decision.reasons[0].text, "compromised-terminal");
        world.restart().await;
    }
    let request = pb::ListAlertsRequest {
        kind: pb::AlertKind::TerminalCompromised.into(),
        ..Default::default()
    };
    let alerts = world
        .staff(|mut client| async move { client.list_alerts(request).await })
        .await
        .unwrap();
    assert!(!alerts.alerts.is_empty());
    // History is no decision.
    let request = pb::ListDecisionsRequest {
        customer_id: "a".to_owned(),
        ..Default::default()
    };
    let listed = world
        .staff(|mut client| async move { client.list_decisions(request).await })
        .await
        .unwrap();
    assert!(listed.decisions.is_empty());
}

async fn items_at_fault_are_named_and_nothing_is_taken(world: World) {
    let mut broken = item(&world, "h1", 0);
    broken.amount = Some(usd(-1));
    let error = import(&world, 0, vec![item(&world, "h0", 0), broken])
        .await
        .unwrap_err();
    assert_eq!(error.violations()[0].field, "items[1].amount.minor");
    let error = import(&world, 0, Vec::new()).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "items");
    let answer = import(&world, 0, vec![item(&world, "h0", 0)])
        .await
        .unwrap();
    assert_eq!(answer.outcome(), Outcome::Applied);
}
