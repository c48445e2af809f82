//! The record after a crash: what was answered is there, to the byte.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Caller, Reply, eur, id, manual, payment, provider_config, start_provider};

const CHILD_FOLDER: &str = "PAYMESH_SIMULATORS_TEST_FOLDER";
const LISTENING: &str = "the child listens at ";

/// What one caller asked for, and got.
struct Answered {
    path: String,
    key: String,
    body: Value,
    reply: Reply,
}

/// Everything that can be seen from outside.
async fn picture(caller: &Caller) -> (Vec<Value>, Vec<Value>, Value, Vec<Value>) {
    let record = caller.record().await;
    let mut payments = Vec::new();
    for fact in record
        .iter()
        .filter(|fact| fact["type"] == "payment_created")
    {
        payments.push(
            caller
                .get(&format!("/v1/payments/{}", id(&fact["payment"])))
                .await
                .expect(200),
        );
    }
    let (report, _) = caller.csv("/v1/reports/settlement?date=2026-03-02").await;
    (
        record,
        payments,
        caller.get("/v1/status").await.expect(200),
        report,
    )
}

#[tokio::test]
async fn e1_the_state_after_a_drop_without_shutdown_is_the_state_before() {
    let folder = tempfile::tempdir().unwrap();
    let config = || {
        let mut config = provider_config(folder.path());
        config.public_url = Some("https://provider.example".to_owned());
        config
    };
    let (handle, caller) = start_provider(config()).await;
    for token in [
        "tok_ok",
        "tok_declined",
        "tok_chargeback",
        "tok_3ds_challenge",
        "tok_refund_fails_later",
    ] {
        let made = caller.pay(token, token).await;
        if made["status"] == "captured" {
            let refund = json!({ "amount": eur(100), "reference": format!("f-{token}") });
            caller
                .post(&format!("/v1/payments/{}/refunds", id(&made)), &refund)
                .await
                .expect(201);
        }
    }
    let open = caller
        .post("/v1/payments", &manual("tok_ok", "manual"))
        .await
        .expect(201);
    caller
        .post(
            &format!("/v1/payments/{}/captures", id(&open)),
            &json!({ "amount": eur(1) }),
        )
        .await
        .expect(201);
    let before = picture(&caller).await;
    drop(handle);

    let (handle, caller) = start_provider(config()).await;
    assert_eq!(picture(&caller).await, before);
    assert_eq!(before.2["timers"], 3);
    caller.run_timers().await;
    assert_eq!(caller.get("/v1/status").await.expect(200)["timers"], 0);
    handle.shutdown().await;
}

#[tokio::test]
async fn a_journal_cut_anywhere_opens_as_a_prefix_of_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, caller) = start_provider(provider_config(folder.path())).await;
    for number in 0..3 {
        caller
            .post_with_key(
                "/v1/payments",
                &format!("k-{number}"),
                &payment("tok_ok", "r"),
            )
            .await
            .expect(201);
    }
    let whole = caller.record().await;
    handle.shutdown().await;
    let bytes = std::fs::read(folder.path().join("journal.jsonl")).unwrap();
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in (header..=bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("journal.jsonl"), &bytes[..cut]).unwrap();
        let (_handle, caller) = start_provider(provider_config(folder.path())).await;
        let record = caller.record().await;
        assert!(whole.starts_with(&record));
        let complete = bytes[header..cut]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        // A payment and its capture are one line: both or neither.
        assert_eq!(record.len(), complete * 2);
        caller.pay("tok_ok", "after").await;
    }
}

/// Not a test of its own: the process that the next test kills. Without the folder it has nothing to do.
#[tokio::test]
#[allow(
    clippy::disallowed_methods,
    reason = "a child process is told its folder by its environment"
)]
async fn the_child_that_is_killed_serves_until_then() {
    let Ok(folder) = std::env::var(CHILD_FOLDER) else {
        return;
    };
    let (handle, _) = start_provider(provider_config(folder.as_ref())).await;
    std::io::stdout()
        .write_all(format!("\n{LISTENING}{}\n", handle.url()).as_bytes())
        .unwrap();
    std::io::stdout().flush().unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::disallowed_methods, reason = "the child is this very binary")]
async fn e2_every_answer_given_before_kill_9_is_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::the_child_that_is_killed_serves_until_then",
            "--nocapture",
        ])
        .env(CHILD_FOLDER, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines
        .find_map(|line| line.unwrap().strip_prefix(LISTENING).map(str::to_owned))
        .unwrap();

    let caller = Caller::at(url);
    let answers = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for number in 0..24 {
        callers.spawn(work_until_killed(
            caller.clone(),
            number,
            Arc::clone(&answers),
        ));
    }
    while answers.load(Ordering::SeqCst) < 300 {
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let answered: Vec<Answered> = callers.join_all().await.into_iter().flatten().collect();
    assert!(answered.len() >= 300);

    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    for Answered {
        path,
        key,
        body,
        reply,
    } in &answered
    {
        let again = caller.post_with_key(path, key, body).await;
        assert!(again.is_replayed(), "{key} is lost");
        assert_eq!((again.status, &again.text), (reply.status, &reply.text));
    }
    let created = caller
        .record()
        .await
        .iter()
        .filter(|fact| fact["type"] == "payment_created")
        .count();
    let acknowledged = answered
        .iter()
        .filter(|answer| answer.path == "/v1/payments")
        .count();
    // Each caller had at most one request under way when the child died.
    assert!((acknowledged..=acknowledged + 24).contains(&created));
}

async fn work_until_killed(
    caller: Caller,
    number: usize,
    answers: Arc<AtomicUsize>,
) -> Vec<Answered> {
    let mut answered = Vec::new();
    for round in 0.. {
        let (mut path, mut body) = (
            "/v1/payments".to_owned(),
            manual("tok_ok", &format!("r-{number}-{round}")),
        );
        for step in ["pay", "capture"] {
            let key = format!("{step}-{number}-{round}");
            let Ok(reply) = caller.try_post_with_key(&path, &key, &body).await else {
                return answered;
            };
            let payment_id = id(&reply.expect(201));
            answers.fetch_add(1, Ordering::SeqCst);
            answered.push(Answered {
                path,
                key,
                body,
                reply,
            });
            path = format!("/v1/payments/{payment_id}/captures");
            body = json!({ "amount": eur(2_500) });
        }
    }
    answered
}
