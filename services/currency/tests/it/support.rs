//! A running component and its caller.

use std::{future::Future, sync::Arc, time::Duration};

use paymesh_bus::{Event, Tail, Tailed};
use paymesh_currency::{Config, Currency};
use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role, Timestamp, call::Scope};
use paymesh_mesh::{CallError, Channel, Tokens, token::EDGE};
use paymesh_proto::{
    currency::v1::{self as proto, currency_service_client::CurrencyServiceClient},
    types::v1::Money,
};
use paymesh_testkit::Harness;
use tonic::{Response, Status};
use uuid::Uuid;

/// The same scenario on both engines.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(paymesh_testkit::Harness::sqlite::<paymesh_currency::Currency>(&[]).await).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(harness) = paymesh_testkit::Harness::postgres::<paymesh_currency::Currency>(&[]).await {
                        super::$name(harness).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use on_both_engines;

pub(crate) type Client = CurrencyServiceClient<Channel>;

/// A running component.
pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) customer: Principal,
    pub(crate) finance: Principal,
}

impl World {
    pub(crate) async fn start(harness: Harness) -> Self {
        Self::with(harness, Config::default()).await
    }

    pub(crate) async fn with(mut harness: Harness, config: Config) -> Self {
        harness.launch::<Currency>(config).await;
        Self {
            customer: harness.person(Role::Customer),
            finance: harness.person(Role::Finance),
            harness,
        }
    }

    /// The component again, on the same database.
    pub(crate) async fn restart(&mut self, config: Config) {
        self.harness.restart().await;
        self.harness.launch::<Currency>(config).await;
    }

    /// The gateway alone signs for people; other components pass its token on.
    fn scope(&self, principal: &Principal) -> Scope {
        let clock = Arc::clone(&self.harness.platform.clock);
        let mut scope = Scope::new("test")
            .within(Duration::from_secs(60))
            .on_behalf_of(principal.clone());
        if !principal.has(Role::Component) {
            let tokens = Tokens::new(EDGE, self.harness.platform.keys.clone(), clock);
            scope.token = Some(tokens.principal(principal).unwrap());
        }
        scope
    }

    pub(crate) fn client(&self, caller: &'static str) -> Client {
        CurrencyServiceClient::new(self.harness.channel(caller, "currency"))
    }

    /// What a call of `transaction` for the customer answers.
    pub(crate) async fn call<T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        work: impl FnOnce(Client) -> F,
    ) -> Result<T, CallError> {
        self.call_as("transaction", &self.customer, work).await
    }

    /// What a call of a component for a principal answers.
    pub(crate) async fn call_as<T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        caller: &'static str,
        principal: &Principal,
        work: impl FnOnce(Client) -> F,
    ) -> Result<T, CallError> {
        let scope = self.scope(principal);
        let answer = scope.run(work(self.client(caller))).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    pub(crate) async fn rate(
        &self,
        base: &str,
        quote: &str,
        on: &str,
    ) -> Result<proto::Rate, CallError> {
        let request = proto::GetRateRequest {
            base_currency: base.to_owned(),
            quote_currency: quote.to_owned(),
            source: String::new(),
            business_at_us: noon(on),
        };
        let answer = self
            .call(|mut client| async move { client.get_rate(request).await })
            .await;
        answer.map(|answer| answer.rate.unwrap())
    }

    pub(crate) async fn lock(
        &self,
        request: &proto::LockQuoteRequest,
    ) -> Result<proto::LockQuoteResponse, CallError> {
        let request = request.clone();
        self.call(|mut client| async move { client.lock_quote(request).await })
            .await
    }

    pub(crate) async fn consume(
        &self,
        quote: &str,
        operation: &str,
    ) -> Result<proto::ConsumeQuoteResponse, CallError> {
        let request = proto::ConsumeQuoteRequest {
            quote_id: quote.to_owned(),
            operation_id: operation.to_owned(),
        };
        self.call(|mut client| async move { client.consume_quote(request).await })
            .await
    }

    pub(crate) async fn import(
        &self,
        source: &str,
        format: proto::RateFormat,
        content: &str,
    ) -> Result<proto::ImportResponse, CallError> {
        let request = proto::ImportRequest {
            source: source.to_owned(),
            format: format.into(),
            content: content.as_bytes().to_vec(),
        };
        self.call_as("gateway", &self.finance, |mut client| async move {
            client.import(request).await
        })
        .await
    }

    pub(crate) async fn sources(&self) -> Vec<proto::RateSource> {
        let request = proto::ListSourcesRequest::default();
        let answer = self.call_as("gateway", &self.customer, |mut client| async move {
            client.list_sources(request).await
        });
        answer.await.unwrap().sources
    }

    pub(crate) async fn tail(&self) -> Tail {
        self.harness.platform.bus.tail("currency").await.unwrap()
    }
}

/// The next event of a stream.
pub(crate) async fn next(tail: &mut Tail) -> Arc<Event> {
    match tail.next().await.unwrap() {
        Tailed::Event(event) => event,
        Tailed::Missed(count) => panic!("{count} events were missed"),
    }
}

/// Noon of a date; 0 for none.
pub(crate) fn noon(date: &str) -> i64 {
    if date.is_empty() {
        return 0;
    }
    Timestamp::parse(&format!("{date}T12:00:00Z"))
        .unwrap()
        .as_micros()
}

pub(crate) fn id(prefix: &str, n: u128) -> String {
    paymesh_kernel::id::encode(prefix, Uuid::from_u128(n))
}

pub(crate) fn money(minor: i64, currency: &str) -> Money {
    Money {
        minor,
        currency: currency.to_owned(),
    }
}

/// An exact decimal as people write it.
pub(crate) fn value(rate: &proto::Rate) -> String {
    let decimal = rate.value.unwrap();
    format!("{}e-{}", decimal.units, decimal.scale)
}

/// A hundred dollars to euros on the day of the fake clock.
pub(crate) fn lock_request(n: u128) -> proto::LockQuoteRequest {
    proto::LockQuoteRequest {
        quote_id: id("qt", n),
        amount: Some(money(10_000, "USD")),
        side: proto::QuoteSide::Source.into(),
        other_currency: "EUR".to_owned(),
        spread_side: proto::SpreadSide::Target.into(),
        ..proto::LockQuoteRequest::default()
    }
}

/// Kind, reason and the fields at fault.
pub(crate) fn refused<T: std::fmt::Debug>(
    answer: Result<T, CallError>,
) -> (ErrorKind, String, Vec<String>) {
    let error = answer.unwrap_err();
    let fields = error
        .violations()
        .into_iter()
        .map(|violation| violation.field.into_owned());
    (
        error.kind(),
        error.reason_text().to_owned(),
        fields.collect(),
    )
}

/// An open quote of the customer's.
pub(crate) async fn locked(world: &World, n: u128) -> proto::Quote {
    world.lock(&lock_request(n)).await.unwrap().quote.unwrap()
}
