//! Fixer: rates per euro, one answer a call, the key in the query.

use futures::future::BoxFuture;
use paymesh_chassis::Secret;

use super::{Http, RateSource, SourceError, http::send};
use crate::{
    domain::{Publication, RateDate},
    formats::fixer,
};

/// Fixer.
#[derive(Clone, Debug)]
pub(super) struct Fixer {
    http: Http,
    url: String,
    key: Secret,
}

// === impl Fixer ===

impl Fixer {
    /// `<url>/latest` is asked.
    pub(super) fn new(http: Http, url: &str, key: Secret) -> Self {
        Self {
            http,
            url: format!("{}/latest", url.trim_end_matches('/')),
            key,
        }
    }
}

impl RateSource for Fixer {
    fn fetch(
        &self,
        _newest: Option<RateDate>,
        _today: RateDate,
    ) -> BoxFuture<'_, Result<Publication, SourceError>> {
        Box::pin(async move {
            let request = self
                .http
                .get(&self.url)
                .query(&[("access_key", self.key.expose())]);
            let content = send(request).await?;
            Ok(fixer::read(&content)?)
        })
    }
}
