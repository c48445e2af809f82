//! P4, P5: a run survives a kill at any step, and zombies spoil nothing.

use std::time::Duration;

use paymesh_kernel::Database;
use paymesh_proto::{
    account::v1::{AccountClass, AccountPurpose},
    reporting::v1::{ReportKind, RunState},
};
use sea_orm::ConnectionTrait as _;

use crate::{
    facts::{SHOP, Sale},
    world::{TODAY_US, World, reason},
};

crate::scenario! {
    p4_a_run_that_was_killed_is_made_by_the_next_process;
    p4_a_run_that_kills_every_process_fails;
    p5_a_process_that_lost_its_lease_stops_and_its_attempt_does_not_count;
    p5_pieces_of_a_dead_attempt_are_no_part_of_the_file;
    files_are_taken_away_after_their_time;
}

/// Longer than a lease.
const LEASE: Duration = Duration::from_secs(31);

/// A trial balance that waits, because the ledger says something else.
async fn waiting_run(world: &mut World) -> String {
    world.settings.catch_up_ms = 600_000;
    world.restart().await;
    let cash = (AccountClass::Asset, AccountPurpose::BankCash);
    world.open_account(cash, "USD").await;
    world.advance(Duration::from_secs(1));
    world.others.books(|books| books.lie_minor = 1);
    let definition = world.defined(ReportKind::TrialBalance, &[]).await;
    let id = world.run_id();
    world.start_run(&id, &definition, None).await.unwrap();
    is_asked(world).await;
    id
}

async fn is_asked(world: &World) {
    let before = world.others.books(|books| books.asked);
    world
        .harness
        .eventually("the run is being made", async || {
            world.others.books(|books| books.asked > before)
        })
        .await;
}

impl World {
    async fn sql(&mut self, sql: &str) -> u64 {
        let config = self.harness.database_of("reporting").await;
        let database = Database::open(&config).await.unwrap();
        let done = database.writer().execute_unprepared(sql).await.unwrap();
        database.close().await;
        done.rows_affected()
    }
}

async fn p4_a_run_that_was_killed_is_made_by_the_next_process(mut world: World) {
    let id = waiting_run(&mut world).await;
    world.restart().await;
    assert_eq!(world.get_run(&id, 0).await.state(), RunState::Running);
    // The lease of the dead process holds until it has run out.
    world.advance(LEASE);
    is_asked(&world).await;
    // What the ledger says is unbalanced too, so the agreement alone does not make a report.
    world.others.books(|books| books.lie_minor = 0);
    let run = world.get_run(&id, 8_000).await;
    assert_eq!(run.state(), RunState::Completed, "{run:?}");
    assert_eq!(run.row_count, 1);
}

async fn p4_a_run_that_kills_every_process_fails(mut world: World) {
    world.settings.attempts = 2;
    let id = waiting_run(&mut world).await;
    world.restart().await;
    world.advance(LEASE);
    is_asked(&world).await;
    world.restart().await;
    world.advance(LEASE);
    let run = world.get_run(&id, 8_000).await;
    assert_eq!(run.state(), RunState::Failed, "{run:?}");
    assert_eq!(run.reason, "ATTEMPTS_EXHAUSTED");
}

async fn p5_a_process_that_lost_its_lease_stops_and_its_attempt_does_not_count(mut world: World) {
    world.settings.concurrent_runs = 1;
    let id = waiting_run(&mut world).await;
    // As if another process had taken the run up and would keep it for long.
    let far = world.now_us() * 2;
    let taken =
        format!("UPDATE runs SET version = version + 1, attempts = attempts + 1, wake_at = {far}");
    assert_eq!(world.sql(&taken).await, 1);
    // The renewal of the first one is refused, and it stops.
    world.advance(LEASE / 2);
    // It had the only slot: another run is made when it has stopped.
    let other = world.defined(ReportKind::Fees, &[]).await;
    world.run(&other, None).await;
    world.others.books(|books| books.lie_minor = 0);
    assert_eq!(world.get_run(&id, 0).await.state(), RunState::Running);
    // The other one dies: the third attempt makes the file.
    let now = world.now_us();
    let died = format!("UPDATE runs SET wake_at = {now} WHERE state = 'running'");
    assert_eq!(world.sql(&died).await, 1);
    let run = world.get_run(&id, 8_000).await;
    assert_eq!(run.state(), RunState::Completed, "{run:?}");
    let third = "UPDATE runs SET file_attempt = 3 WHERE file_attempt = 3 AND attempts = 3";
    assert_eq!(world.sql(third).await, 1);
}

async fn p5_pieces_of_a_dead_attempt_are_no_part_of_the_file(mut world: World) {
    let id = waiting_run(&mut world).await;
    world.restart().await;
    // As if the dead process had written a piece before it died.
    let bytes = match world
        .harness
        .database_of("reporting")
        .await
        .url
        .starts_with("sqlite")
    {
        true => "x'00'",
        false => "'\\x00'::bytea",
    };
    let sql = format!(
        "INSERT INTO file_chunks (run_id, attempt, number, content) SELECT id, 1, 0, {bytes} FROM runs"
    );
    let put = world.sql(&sql).await;
    assert_eq!(put, 1);
    world.others.books(|books| books.lie_minor = 0);
    world.advance(LEASE);
    let run = world.get_run(&id, 8_000).await;
    assert_eq!(run.state(), RunState::Completed, "{run:?}");
    let text = world.file(&id).await;
    assert!(text.starts_with("currency,class,purpose,"), "{text}");
}

async fn files_are_taken_away_after_their_time(mut world: World) {
    let sale = Sale {
        merchant: SHOP,
        amount: (100, "USD"),
        business_at_us: TODAY_US,
    };
    world.sell(sale, 3).await;
    world.taken_in((ReportKind::Fees, &[]), 1).await;
    let definition = world.defined(ReportKind::Fees, &[]).await;
    let run = world.run(&definition, None).await;
    assert!(!world.file(&run.id).await.is_empty());
    world.advance(Duration::from_secs(401 * 86_400));
    world
        .harness
        .eventually("the file is gone", async || {
            world.download(&run.id, 0).await.is_err()
        })
        .await;
    assert_eq!(
        reason(world.download(&run.id, 0).await),
        "REPORT_FILE_EXPIRED"
    );
    let kept = world.get_run(&run.id, 0).await;
    assert_eq!(kept.content_sha256, run.content_sha256, "the run stays");
}
