//! P4, P5, P7: runs and their files.

use std::time::Duration;

use paymesh_bus::Tailed;
use paymesh_proto::{
    Fact as _,
    reporting::v1::{self as pb, ReportFormat, ReportKind, ReportRunCompleted, RunState},
    types::v1::{Outcome, Page},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    facts::{SHOP, Sale},
    world::{TODAY_US, World, reason},
};

crate::scenario! {
    p4_a_run_is_made_once_for_its_id;
    p5_a_large_file_comes_in_pieces_with_its_hash_from_any_offset;
    p7_csv_guards_formulas_and_json_has_one_object_a_line;
    p8_runs_and_files_of_another_tenant_do_not_exist;
    runs_are_listed_newest_first_and_their_number_is_limited;
}

async fn p4_a_run_is_made_once_for_its_id(world: World) {
    let mut facts = world.harness.platform.bus.tail("reporting").await.unwrap();
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let id = world.run_id();
    let range = Some((TODAY_US, TODAY_US + 1));
    let first = world.start_run(&id, &definition, range).await.unwrap();
    assert_eq!(first.outcome(), Outcome::Applied);
    let done = world.get_run(&id, 8_000).await;
    assert_eq!(done.state(), RunState::Completed);
    assert_eq!((done.row_count, done.reason.as_str()), (0, ""));
    let again = world.start_run(&id, &definition, range).await.unwrap();
    assert_eq!(again.outcome(), Outcome::AlreadyApplied);
    assert_eq!(again.run.unwrap(), done);
    let other = world.start_run(&id, &definition, None).await;
    assert_eq!(reason(other), "IDEMPOTENCY_KEY_REUSED");
    loop {
        let next = tokio::time::timeout(Duration::from_secs(10), facts.next());
        let Some(Tailed::Event(event)) = next.await.expect("a fact in time") else {
            panic!("no facts are left out");
        };
        if event.kind == ReportRunCompleted::TYPE {
            let fact = ReportRunCompleted::decode(&*event.payload).unwrap();
            assert_eq!((event.sequence, fact.run.unwrap()), (1, done));
            break;
        }
    }
}

async fn p5_a_large_file_comes_in_pieces_with_its_hash_from_any_offset(mut world: World) {
    world.settings.page_rows = 1_000;
    world.restart().await;
    for n in 0..900 {
        let sale = Sale {
            merchant: SHOP,
            amount: (n + 1, "USD"),
            business_at_us: TODAY_US + n,
        };
        let id = world.uuid();
        let snapshot = world.snapshot(id, &sale);
        let fact = paymesh_proto::transaction::v1::TransactionInitiated {
            transaction: Some(snapshot),
        };
        world.tell(id, &fact).await;
    }
    world.taken_in((ReportKind::Transactions, &[]), 900).await;
    let definition = world.defined(ReportKind::Transactions, &[]).await;
    let run = world.run(&definition, None).await;
    let parts = world.download(&run.id, 0).await.unwrap();
    assert!(parts.len() > 1, "{} bytes", run.size_bytes);
    assert!(parts.iter().all(|part| part.chunk.len() <= 64 * 1024));
    let mut whole = Vec::new();
    for part in parts {
        assert_eq!(part.offset_bytes, u64::try_from(whole.len()).unwrap());
        whole.extend(part.chunk);
    }
    assert_eq!(u64::try_from(whole.len()).unwrap(), run.size_bytes);
    assert_eq!(hex::encode(Sha256::digest(&whole)), run.content_sha256);
    for offset in [1, 65_535, 65_536, 65_537, whole.len() - 1, whole.len()] {
        let begin = u64::try_from(offset).unwrap();
        let rest = world.download(&run.id, begin).await.unwrap();
        let rest: Vec<u8> = rest.into_iter().flat_map(|part| part.chunk).collect();
        assert!(rest == whole[offset..], "from {offset}");
    }
    let behind = world.download(&run.id, run.size_bytes + 1).await;
    assert_eq!(reason(behind), "REQUEST_INVALID");
}

async fn p7_csv_guards_formulas_and_json_has_one_object_a_line(mut world: World) {
    let sale = Sale {
        merchant: SHOP,
        amount: (1_234, "USD"),
        business_at_us: TODAY_US,
    };
    let id = world.sell(sale, 30).await;
    world
        .taken_in((ReportKind::Transactions, &[("status", "completed")]), 1)
        .await;
    let lines = world.lines((ReportKind::Transactions, &[]), None).await;
    assert_eq!(lines[0]["purpose"], "'=order");
    let request = pb::PutDefinitionRequest {
        format: ReportFormat::Json.into(),
        ..world.definition(ReportKind::Transactions, &[])
    };
    world.put(&request).await.unwrap();
    let run = world.run(&request.definition_id, None).await;
    let text = world.file(&run.id).await;
    assert_eq!(text.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["transaction_id"], id);
    assert_eq!(line["purpose"], "=order");
    assert_eq!(line["amount_minor"], 1_234);
    assert_eq!(line["terminal_id"], serde_json::Value::Null);
    assert_eq!(line["business_at"], "2026-01-15T00:00:00Z");
}

async fn p8_runs_and_files_of_another_tenant_do_not_exist(world: World) {
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let run = world.run(&definition, None).await;
    let stranger = world.stranger();
    let get = pb::GetRunRequest {
        run_id: run.id.clone(),
        wait_ms: 0,
    };
    let seen = world
        .call_as(
            &stranger,
            |mut client| async move { client.get_run(get).await },
        )
        .await;
    assert_eq!(reason(seen), "REPORT_RUN_NOT_FOUND");
    let get = pb::DownloadRequest {
        run_id: run.id.clone(),
        offset_bytes: 0,
    };
    let seen = world
        .call_as(
            &stranger,
            |mut client| async move { client.download(get).await },
        )
        .await;
    assert_eq!(
        seen.map(|_| ()).unwrap_err().reason_text(),
        "REPORT_RUN_NOT_FOUND"
    );
    let list = pb::ListRunsRequest::default();
    let seen = world
        .call_as(&stranger, |mut client| async move {
            client.list_runs(list).await
        })
        .await;
    assert!(seen.unwrap().runs.is_empty());
}

async fn runs_are_listed_newest_first_and_their_number_is_limited(mut world: World) {
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.run(&definition, None).await.id);
        world.advance(Duration::from_secs(1));
    }
    made.reverse();
    let mut listed = Vec::new();
    let mut token = String::new();
    loop {
        let request = pb::ListRunsRequest {
            page: Some(Page { size: 2, token }),
            ..pb::ListRunsRequest::default()
        };
        let answer = world
            .call(|mut client| async move { client.list_runs(request).await })
            .await
            .unwrap();
        listed.extend(answer.runs.into_iter().map(|run| run.id));
        token = answer.page_info.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, made);
    // A ledger that does not agree keeps runs open.
    world.settings.open_runs = 2;
    world.settings.catch_up_ms = 5_000;
    world.restart().await;
    let trial = world.defined(ReportKind::TrialBalance, &[]).await;
    let asset = paymesh_proto::account::v1::AccountClass::Asset;
    let cash = paymesh_proto::account::v1::AccountPurpose::BankCash;
    world.open_account((asset, cash), "USD").await;
    world.advance(Duration::from_secs(1));
    world.others.books(|books| books.lie_minor = 1);
    for _ in 0..2 {
        world
            .start_run(&world.run_id(), &trial, None)
            .await
            .unwrap();
    }
    let third = world.start_run(&world.run_id(), &trial, None).await;
    assert_eq!(reason(third), "REPORT_RUNS_LIMIT");
}
