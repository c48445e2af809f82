//! currencyapi.com: rates per the base that is asked for, one answer a call, the key in a header.

use futures::future::BoxFuture;
use paymesh_chassis::Secret;
use paymesh_money::Currency;

use super::{Http, RateSource, SourceError, http::send};
use crate::{
    domain::{Publication, RateDate},
    formats::currencyapi,
};

/// currencyapi.com.
#[derive(Clone, Debug)]
pub(super) struct CurrencyApi {
    http: Http,
    url: String,
    key: Secret,
}

// === impl CurrencyApi ===

impl CurrencyApi {
    /// `<url>/v3/latest` is asked.
    pub(super) fn new(http: Http, url: &str, key: Secret) -> Self {
        Self {
            http,
            url: format!("{}/v3/latest", url.trim_end_matches('/')),
            key,
        }
    }
}

impl RateSource for CurrencyApi {
    fn fetch(
        &self,
        _newest: Option<RateDate>,
        _today: RateDate,
    ) -> BoxFuture<'_, Result<Publication, SourceError>> {
        Box::pin(async move {
            let request = self
                .http
                .get(&self.url)
                .header("apikey", self.key.expose())
                .query(&[("base_currency", Currency::EUR.code()), ("type", "fiat")]);
            let content = send(request).await?;
            Ok(currencyapi::read(&content, Currency::EUR)?)
        })
    }
}
