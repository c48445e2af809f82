//! The components that transaction calls, small and strict: they keep records of their own, honour keys and ids, and can lose
//! answers or be unreachable when a test says so.

mod ledger;
mod provider;
mod small;

use std::sync::{Arc, Mutex, MutexGuard};

use paymesh_testkit::Harness;
use tonic::service::Routes;

pub(crate) use ledger::Ledger;
pub(crate) use provider::{Behaviour, Provider};
pub(crate) use small::{Market, Merchants, RiskDesk, Tenants, Verdict};

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

/// A component that may lose answers or be away.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    /// Calls that have their effect and whose answer is lost.
    pub(crate) answers_to_lose: u32,
    /// Calls that never arrive.
    pub(crate) calls_to_refuse: u32,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    AnswerLost,
    NeverArrives,
}

impl Line {
    pub(crate) fn next(&mut self) -> Fate {
        if self.calls_to_refuse > 0 {
            self.calls_to_refuse -= 1;
            return Fate::NeverArrives;
        }
        if self.answers_to_lose > 0 {
            self.answers_to_lose -= 1;
            return Fate::AnswerLost;
        }
        Fate::Answered
    }
}

/// All of them, with their records. They outlive the component under test.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) ledger: Shared<Ledger>,
    pub(crate) provider: Shared<Provider>,
    pub(crate) risk: Shared<RiskDesk>,
    pub(crate) market: Shared<Market>,
    pub(crate) merchants: Shared<Merchants>,
    pub(crate) tenants: Shared<Tenants>,
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

/// Places of the fakes.
pub(crate) const PLACES: [&str; 6] = ["account", "payment", "risk", "currency", "merchant", "user"];

impl World {
    /// Puts all of them in their places.
    pub(crate) fn attach(&self, harness: &Harness) {
        use paymesh_proto::{
            account::v1::account_service_server::AccountServiceServer,
            currency::v1::currency_service_server::CurrencyServiceServer,
            merchant::v1::merchant_service_server::MerchantServiceServer,
            payment::v1::payment_service_server::PaymentServiceServer,
            risk::v1::risk_service_server::RiskServiceServer,
            user::v1::user_service_server::UserServiceServer,
        };
        harness.fake(
            "account",
            Routes::new(AccountServiceServer::new(self.ledger.clone())),
        );
        harness.fake(
            "payment",
            Routes::new(PaymentServiceServer::new(self.provider.clone())),
        );
        harness.fake(
            "risk",
            Routes::new(RiskServiceServer::new(self.risk.clone())),
        );
        harness.fake(
            "currency",
            Routes::new(CurrencyServiceServer::new(self.market.clone())),
        );
        harness.fake(
            "merchant",
            Routes::new(MerchantServiceServer::new(self.merchants.clone())),
        );
        harness.fake(
            "user",
            Routes::new(UserServiceServer::new(self.tenants.clone())),
        );
    }
}
