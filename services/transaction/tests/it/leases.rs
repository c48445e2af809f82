//! Who takes over what a dead process drove, and when.

use std::time::Duration;

use paymesh_proto::transaction::v1::{self as wire, TransactionStatus as Status};
use paymesh_testkit::harness::Engine;

use crate::platform::{BOB_EUR, BOB_USD, DiesAt, Platform, transfer};

/// The process dies here: its first commit is made, and nobody is called yet.
const BEFORE_THE_FIRST_CALL: usize = 3;

impl Platform {
    /// A replica of this name begins a transfer, and dies in it.
    async fn dies_as(&mut self, name: &str) -> wire::Transaction {
        name.clone_into(&mut self.harness.platform.instance);
        self.config.wait_ms = 60;
        let dies = DiesAt::new(BEFORE_THE_FIRST_CALL);
        self.start_until(Some(dies.clone())).await;
        let begun = self.create(&self.alice, transfer("k1", BOB_USD)).await;
        assert!(dies.is_dead());
        begun.unwrap().transaction.unwrap()
    }

    /// A replica of this name starts, while the clock stands.
    async fn starts_as(&mut self, name: &str) {
        self.harness.restart().await;
        self.world.attach(&self.harness);
        name.clone_into(&mut self.harness.platform.instance);
        self.start().await;
    }
}

async fn platforms() -> Vec<Platform> {
    let mut platforms = vec![Platform::new().await];
    platforms.extend(Platform::on(Engine::Postgres).await);
    platforms
}

#[tokio::test]
async fn t10_a_replica_that_starts_again_takes_up_at_once_what_it_drove_before() {
    for mut platform in platforms().await {
        let begun = platform.dies_as("replica_1").await;
        assert_eq!(begun.status(), Status::Initiated);
        platform.starts_as("replica_1").await;
        // No time passes at all.
        platform.is_seen(&begun.id, Status::Completed).await;
        let ledger = platform.world.ledger.lock();
        assert_eq!((ledger.groups_booked, ledger.balance(BOB_USD)), (1, 10_000));
    }
}

#[tokio::test]
async fn t10_what_another_replica_drives_is_left_to_it_until_its_lease_ends() {
    // Names that are like the other's only in part, or as a pattern, are other names.
    for name in ["replica_2", "replica_12", "replica", "replica__", "%"] {
        for mut platform in platforms().await {
            let begun = platform.dies_as("replica_1").await;
            platform.starts_as(name).await;
            // When all of these are done the runner has looked at what is due again and again: each needs rounds of it.
            for key in ["k2", "k3", "k4"] {
                platform.world.ledger.lock().line.calls_to_refuse = 2;
                let own = platform.create(&platform.alice, transfer(key, BOB_EUR));
                let own = own.await.unwrap().transaction.unwrap();
                platform.until(&own.id, Status::Completed).await;
            }
            let left = platform.get(&begun.id).await;
            assert_eq!(left.status(), Status::Initiated, "{name}");

            let lease = Duration::from_millis(platform.config.lease_ms);
            platform.harness.clock.advance(lease);
            platform.is_seen(&begun.id, Status::Completed).await;
            let ledger = platform.world.ledger.lock();
            assert_eq!(ledger.balance(BOB_USD), 10_000, "{name}");
        }
    }
}
