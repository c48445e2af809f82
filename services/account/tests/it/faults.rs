//! The database refuses a batch, or breaks off in the middle of a commit.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use paymesh_account::Account;
use paymesh_chassis::{Section, launch};
use paymesh_kernel::{Database, Fault as _, Outcome, database::Backend};
use paymesh_mesh::{CallError, Mesh, MeshConfig, Tokens};
use paymesh_proto::account::v1::{self as pb, account_service_client::AccountServiceClient};
use paymesh_testkit::database::with_database;
use sea_orm::ConnectionTrait as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    on_both_engines,
    world::{Client, Purpose, R, World, by_id, single, system},
};

/// An amount that the database of a test refuses.
const REFUSED: i64 = 13;

async fn a7_what_the_database_refuses_costs_its_neighbours_nothing(mut world: World) {
    let config = world.harness.database_of("account").await;
    let database = Database::open(&config).await.unwrap();
    let rule = match database.backend() {
        Backend::Postgres => {
            format!(
                "ALTER TABLE transfers ADD CONSTRAINT unlucky CHECK (amount_minor <> {REFUSED})"
            )
        }
        Backend::Sqlite => format!(
            "CREATE TRIGGER unlucky BEFORE INSERT ON transfers WHEN NEW.amount_minor = {REFUSED} \
             BEGIN SELECT RAISE(ABORT, 'unlucky'); END"
        ),
    };
    database.writer().execute_unprepared(&rule).await.unwrap();
    let anna = world.funded(1_000_000).await;
    let world = Arc::new(world);
    let mut callers = JoinSet::new();
    for caller in 0..64_i64 {
        let (world, anna) = (Arc::clone(&world), anna.id.clone());
        callers.spawn(async move {
            let minor = if caller % 16 == 3 { REFUSED } else { 100 };
            let pay = single(
                world.xfer(),
                by_id(&anna),
                system(Purpose::FeeRevenue),
                minor,
            );
            (minor, world.post(vec![vec![pay]]).await)
        });
    }
    for (minor, answer) in callers.join_all().await {
        match answer {
            Ok(answer) => assert!(answer.groups[0].applied && minor != REFUSED),
            Err(error) => {
                assert_eq!(minor, REFUSED);
                assert_eq!(
                    (error.reason_text(), error.outcome()),
                    ("STORAGE_REFUSED", Outcome::NotProcessed)
                );
            }
        }
    }
    assert_eq!(world.sums(&anna.id).await, [0, 6_000, 0, 1_000_000]);
    assert_eq!(world.head().await.size, 61);
}

on_both_engines!(a7_what_the_database_refuses_costs_its_neighbours_nothing);

/// What a proxy does with the next COMMIT that it sees.
const PASS: u32 = 0;
/// The server never sees it.
const CUT_BEFORE: u32 = 1;
/// The server has done it, and its answer never arrives.
const CUT_AFTER: u32 = 2;

/// Stands between the ledger and its server, and breaks off as it is told.
async fn proxy(server: String, plan: Arc<AtomicU32>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let upstream = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(relay(client, upstream, Arc::clone(&plan)));
        }
    });
    port
}

async fn relay(mut client: TcpStream, mut server: TcpStream, plan: Arc<AtomicU32>) {
    let (mut asked, mut answered) = (vec![0_u8; 65_536], vec![0_u8; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let commits = asked[..count].windows(6).any(|bytes| bytes == b"COMMIT");
                let cut = if commits { plan.swap(PASS, Ordering::SeqCst) } else { PASS };
                if cut == CUT_BEFORE || server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
                if cut == CUT_AFTER {
                    // The answer of the commit arrived, and is lost here.
                    assert_ne!(server.read(&mut answered).await.unwrap(), 0);
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A replica of the ledger that reaches its database through a proxy.
async fn replica(world: &mut World, plan: &Arc<AtomicU32>) -> Client {
    let mut database = world.harness.database_of("account").await;
    let url = database.url.clone();
    let (_, place) = url.split_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let port = proxy(server.to_owned(), Arc::clone(plan)).await;
    database.url = with_database(&url.replace(server, &format!("127.0.0.1:{port}")), name);
    let section = Section::<paymesh_account::Settings> {
        database,
        ..Section::default()
    };
    let mut platform = world.harness.platform.clone();
    platform.mesh = Mesh::new(MeshConfig::default(), &["account"]);
    launch::<Account>(section, &platform).await.unwrap();
    let clock = Arc::new(world.harness.clock.clone());
    let tokens = Tokens::new("transaction", platform.keys.clone(), clock);
    AccountServiceClient::new(platform.mesh.channel("account", tokens).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a7_a_commit_that_breaks_off_is_found_out_and_booked_exactly_once() {
    let Some(mut world) = World::postgres().await else {
        return;
    };
    let plan = Arc::new(AtomicU32::new(PASS));
    let client = replica(&mut world, &plan).await;
    let anna = world.funded(100).await;
    let principal = world.component();
    for (cut, spent) in [(CUT_AFTER, 10), (CUT_BEFORE, 20), (CUT_AFTER, 30)] {
        plan.store(cut, Ordering::SeqCst);
        let pay = single(
            world.xfer(),
            by_id(&anna.id),
            system(Purpose::FeeRevenue),
            10,
        );
        let request = pb::PostTransfersRequest {
            groups: vec![pb::TransferGroup {
                transfers: vec![pay.clone()],
            }],
        };
        let mut client = client.clone();
        let answer = world
            .harness
            .act(&principal, client.post_transfers(request))
            .await;
        let answer = answer.map_err(CallError::from).unwrap().into_inner();
        assert_eq!(plan.load(Ordering::SeqCst), PASS, "the commit was cut");
        let result = &answer.groups[0].transfers[0];
        assert_eq!((result.code(), result.already_applied), (R::Applied, false));
        assert_eq!(world.sums(&anna.id).await, [0, spent, 0, 100]);
        let booked = world.transfer(&pay.id).await;
        assert_eq!(
            (booked.leaf_index, booked.batch_height),
            (result.leaf_index, answer.batch_height)
        );
    }
    assert_eq!(world.head().await.size, 4);
}
