//! The components that settlement calls: small and strict, with records of their own.

mod ledger;
mod others;

use std::sync::{Arc, Mutex, MutexGuard};

use paymesh_kernel::{ErrorKind, Fault};
use paymesh_testkit::Harness;
use tonic::{Status, service::Routes};

pub(crate) use ledger::Ledger;
pub(crate) use others::{Merchants, Transactions};

/// Implements a service: the methods given, and an answer of "not part of this fake" for all others.
macro_rules! service {
    ($trait:path, $fake:ty { $($body:tt)* } unused { $($name:ident($request:ty) -> $response:ty;)* }) => {
        #[tonic::async_trait]
        impl $trait for $fake {
            $($body)*
            $(async fn $name(&self, _: tonic::Request<$request>) -> Result<tonic::Response<$response>, tonic::Status> {
                Err(tonic::Status::unimplemented("not part of this fake"))
            })*
        }
    };
}
pub(crate) use service;

/// All of them, with their records. They outlive the component under test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others {
    pub(crate) ledger: Shared<Ledger>,
    pub(crate) merchants: Shared<Merchants>,
    pub(crate) transactions: Shared<Transactions>,
}

/// A fake's records.
#[derive(Debug, Default)]
pub(crate) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Shared<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

/// Places of the fakes and of who calls settlement.
pub(crate) const PLACES: [&str; 4] = ["account", "merchant", "transaction", "gateway"];

impl Others {
    /// Puts all of them in their places.
    pub(crate) fn attach(&self, harness: &Harness) {
        use paymesh_proto::{
            account::v1::account_service_server::AccountServiceServer,
            merchant::v1::merchant_service_server::MerchantServiceServer,
            transaction::v1::transaction_service_server::TransactionServiceServer,
        };
        harness.fake(
            "account",
            Routes::new(AccountServiceServer::new(self.ledger.clone())),
        );
        harness.fake(
            "merchant",
            Routes::new(MerchantServiceServer::new(self.merchants.clone())),
        );
        harness.fake(
            "transaction",
            Routes::new(TransactionServiceServer::new(self.transactions.clone())),
        );
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the fake says {reason}")]
struct Said {
    kind: ErrorKind,
    reason: &'static str,
}

impl Fault for Said {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn reason(&self) -> &'static str {
        self.reason
    }
}

pub(crate) fn not_found(reason: &'static str) -> Status {
    let kind = ErrorKind::NotFound;
    paymesh_mesh::to_status(&Said { kind, reason })
}

pub(crate) fn unreachable() -> Status {
    let kind = ErrorKind::Unavailable;
    let reason = "COMPONENT_UNREACHABLE";
    paymesh_mesh::to_status(&Said { kind, reason })
}
