//! N1 to N5.

use std::{sync::atomic::Ordering, time::Duration};

use paymesh_kernel::{ErrorKind, Fault as _, Outcome, Role, call::Scope};
use paymesh_mesh::{CallError, Channel, Keys, Tokens};
use paymesh_proto::currency::v1::{
    GetRateRequest, ImportRequest, currency_service_client::CurrencyServiceClient,
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, task::JoinSet};

use crate::callee::{Net, clock, person};

fn as_customer() -> Scope {
    Scope::new("req-1")
        .within(Duration::from_secs(5))
        .on_behalf_of(person(Role::Customer))
}

async fn get_rate(channel: Channel) -> Result<(), CallError> {
    let mut client = CurrencyServiceClient::new(channel);
    client
        .get_rate(GetRateRequest::default())
        .await
        .map(|_| ())
        .map_err(CallError::from)
}

async fn import(channel: Channel) -> Result<(), CallError> {
    let mut client = CurrencyServiceClient::new(channel);
    client
        .import(ImportRequest::default())
        .await
        .map(|_| ())
        .map_err(CallError::from)
}

async fn a_call_arrives_with_the_rest_of_its_deadline(net: &Net) {
    net.seen.gate.add_permits(1);
    as_customer()
        .run(get_rate(net.channel("gateway")))
        .await
        .unwrap();
    let left = net.seen.left.lock().unwrap().unwrap();
    assert!(
        left < Duration::from_secs(5) && left > Duration::from_secs(3),
        "{left:?}"
    );
}

async fn a_call_ends_with_its_deadline_and_its_outcome_is_unknown(net: &Net) {
    let scope = as_customer().within(Duration::from_millis(60));
    let error = scope
        .run(get_rate(net.channel("gateway")))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::DeadlineExceeded, Outcome::Unknown)
    );
}

async fn only_named_callers_and_holders_of_the_permission_get_through(net: &Net) {
    net.seen.gate.add_permits(10);
    let error = as_customer()
        .run(get_rate(net.channel("payment")))
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "CALLER_NOT_ALLOWED");
    let error = as_customer()
        .run(import(net.channel("gateway")))
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "PERMISSION_MISSING");
    let error = Scope::new("r")
        .run(get_rate(net.channel("gateway")))
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "PRINCIPAL_TOKEN_INVALID");
    let stranger = Tokens::new("gateway", Keys::ephemeral().unwrap(), clock());
    let error = as_customer()
        .run(get_rate(net.mesh.channel("currency", stranger).unwrap()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.reason_text(), error.outcome()),
        ("SERVICE_TOKEN_INVALID", Outcome::NotProcessed)
    );
    assert_eq!(
        net.seen.calls.load(Ordering::SeqCst),
        0,
        "the component saw none of them"
    );
}

async fn a_full_server_refuses_at_once(net: &Net) {
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        calls.spawn(as_customer().run(get_rate(net.channel("gateway"))));
    }
    let refused = calls.join_next().await.unwrap().unwrap().unwrap_err();
    assert_eq!(
        (refused.kind(), refused.outcome()),
        (ErrorKind::ResourceExhausted, Outcome::NotProcessed)
    );
    assert!(refused.retry_after_ms().is_some());
    net.seen.gate.add_permits(2);
    assert!(
        calls
            .join_all()
            .await
            .into_iter()
            .all(|result| result.is_ok())
    );
}

macro_rules! on_both_ways {
    ($($name:ident),* $(,)?) => {
        mod in_process {
            $(#[tokio::test] async fn $name() { super::$name(&super::Net::in_process()).await; })*
        }
        mod over_a_socket {
            $(#[tokio::test] async fn $name() { super::$name(&super::Net::over_a_socket().await).await; })*
        }
    };
}

on_both_ways!(
    a_call_arrives_with_the_rest_of_its_deadline,
    a_call_ends_with_its_deadline_and_its_outcome_is_unknown,
    only_named_callers_and_holders_of_the_permission_get_through,
    a_full_server_refuses_at_once,
);

#[tokio::test]
async fn n3_nobody_there_means_not_processed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let tokens = Tokens::new("gateway", Keys::ephemeral().unwrap(), clock());
    let channel = Net::mesh_to(&address).channel("currency", tokens).unwrap();
    let error = as_customer().run(get_rate(channel)).await.unwrap_err();
    assert_eq!(
        (error.reason_text(), error.outcome()),
        ("COMPONENT_UNREACHABLE", Outcome::NotProcessed)
    );
}

#[tokio::test]
async fn n4_a_broken_connection_is_unknown_and_only_repeatable_methods_are_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let connections = tokio::spawn(async move {
        let mut count = 0;
        while let Ok(Ok((mut stream, _))) =
            tokio::time::timeout(Duration::from_secs(2), listener.accept()).await
        {
            count += 1;
            // Reads the request's frames, then hangs up without an answer.
            let mut bytes = [0_u8; 4096];
            if stream.read(&mut bytes).await.is_err() {
                break;
            }
        }
        count
    });
    let tokens = Tokens::new("gateway", Keys::ephemeral().unwrap(), clock());
    let channel = Net::mesh_to(&address).channel("currency", tokens).unwrap();
    let error = as_customer().run(get_rate(channel)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Unavailable, Outcome::Unknown),
        "{error:?}"
    );
    assert!(connections.await.unwrap() >= 2, "a read is tried again");
}

#[tokio::test]
async fn a_server_that_stops_lets_running_calls_end() {
    let net = Net::over_a_socket().await;
    let channel = net.channel("gateway");
    let call = tokio::spawn(as_customer().run(get_rate(channel)));
    while net.seen.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let tasks = net.tasks.clone();
    let stopping = tokio::spawn(async move { tasks.stop(Duration::from_secs(5)).await });
    net.seen.gate.add_permits(1);
    call.await.unwrap().unwrap();
    assert!(stopping.await.unwrap(), "everything ended in time");
}
