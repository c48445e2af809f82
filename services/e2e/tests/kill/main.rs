//! Power cuts: every process, PostgreSQL, RabbitMQ and the simulators are killed (-9) while payments are made, in a seeded order.
//!
//! Afterwards every request has been answered, every transaction has ended, and three records tell one story: the client's own log,
//! the provider's record, and the databases. Nothing is lost and nothing is done twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it has seen"
)]

mod audit;
mod traffic;

use std::{fs, process::Command, time::Duration};

use paymesh_e2e::{
    Platform,
    platform::{COMPONENTS, SIMULATORS, Servers, Settings},
};
use paymesh_kernel::{Database, DatabaseConfig};
use paymesh_testkit::servers;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::traffic::Traffic;

/// Draws the order and the pauses; the same seed kills in the same order.
const SEED: u64 = 20_261_121;
/// Times that each is killed.
const ROUNDS: usize = 2;
/// Times that the one process is killed.
const KILLS_ALL_IN_ONE: usize = 20;
/// Between two kills, in milliseconds: long enough that some payments get through, short enough that most are hit.
const PAUSE_MS: std::ops::Range<u64> = 150..900;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_killed_again_and_again_loses_nothing() {
    let mut platform =
        Platform::all_in_one_with(hurried().into_iter().chain(ports()).collect()).unwrap();
    assert_durable(&platform).await;
    let (mut random, traffic) = (StdRng::seed_from_u64(SEED), Traffic::start(&platform).await);
    for kill in 1..=KILLS_ALL_IN_ONE {
        pause(&mut random).await;
        println!("kill {kill}: paymesh, {} answered", traffic.answered());
        platform
            .process("paymesh")
            .unwrap()
            .kill_and_restart()
            .unwrap();
    }
    let log = traffic.stop().await;
    audit::tells_one_story(&platform, &log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_and_server_killed_loses_nothing() {
    let Some(on) = Servers::of_tests().await else {
        return;
    };
    let Some(pid_files) = servers::pid_files() else {
        return;
    };
    let mut platform = Platform::split_on(&on, hurried()).unwrap();
    assert_durable(&platform).await;
    // Other tests' databases are no part of what has to be recovered.
    audit::query(&platform, "account", "CHECKPOINT").await;
    let (mut random, traffic) = (StdRng::seed_from_u64(SEED), Traffic::start(&platform).await);
    let names: Vec<&str> = COMPONENTS
        .into_iter()
        .chain(SIMULATORS)
        .chain(["postgres", "rabbitmq"])
        .collect();
    let mut kills = 0;
    for _ in 0..ROUNDS {
        let mut order = names.clone();
        order.shuffle(&mut random);
        for name in order {
            pause(&mut random).await;
            kills += 1;
            println!("kill {kills}: {name}, {} answered", traffic.answered());
            match pid_files.get(name) {
                Some(file) => kill(&fs::read_to_string(file).unwrap()),
                None => platform.process(name).unwrap().kill_and_restart().unwrap(),
            }
        }
    }
    assert!(kills >= 20, "{kills}");
    let log = traffic.stop().await;
    audit::tells_one_story(&platform, &log).await;
}

/// A provider that was killed is given up on, asked and told again within seconds instead of minutes.
fn hurried() -> Settings {
    [
        (
            "PAYMENT__SETTINGS__CONNECTORS__SIMULATED__TIMEOUT_MS",
            "2000",
        ),
        ("PAYMENT__SETTINGS__CONNECTORS__SIMULATED__TRIES", "2"),
        (
            "PAYMENT__SETTINGS__CONNECTORS__SIMULATED__RETRY_MAX_MS",
            "200",
        ),
        // Risk may be away for as long as its database needs to recover.
        ("TRANSACTION__SETTINGS__FORWARD_FAILURES", "9"),
        ("PAYMENT__SETTINGS__RESOLVE__FIRST_MS", "100"),
        ("PAYMENT__SETTINGS__RESOLVE__MAX_MS", "1000"),
    ]
    .into_iter()
    .map(|(name, value)| (format!("PAYMESH__{name}"), value.to_owned()))
    .collect()
}

/// A restart has to find the same ports, which free ones would not be.
fn ports() -> Settings {
    let ports = paymesh_e2e::platform::free_ports(4).unwrap();
    [
        "LISTEN__GATEWAY",
        "LISTEN__ADMIN",
        "SIMULATORS__PROVIDER",
        "SIMULATORS__BANK",
    ]
    .into_iter()
    .zip(ports)
    .map(|(name, port)| (format!("PAYMESH__PROCESS__{name}_PORT"), port.to_string()))
    .collect()
}

async fn pause(random: &mut StdRng) {
    tokio::time::sleep(Duration::from_millis(random.random_range(PAUSE_MS))).await;
}

/// A commit that is acknowledged is on the disk, or this test would show nothing.
async fn assert_durable(platform: &Platform) {
    for component in COMPONENTS {
        let config = DatabaseConfig {
            url: platform.database(component).to_owned(),
            ..DatabaseConfig::default()
        };
        let database = Database::open(&config).await.unwrap();
        let durability = database.durability().await.unwrap();
        assert!(
            ["synchronous=2", "fsync=on synchronous_commit=on"].contains(&durability.as_str()),
            "{component}: {durability}"
        );
        database.close().await;
    }
}

fn kill(pid: &str) {
    Command::new("kill")
        .args(["-9", pid.trim()])
        .status()
        .unwrap();
}
