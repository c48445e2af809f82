//! One GET with limits of time and size.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, redirect::Policy};

use super::SourceError;
use crate::formats::FILE_LIMIT;

/// Redirects that are followed.
const REDIRECTS: usize = 3;

/// A client of one source.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
}

// === impl Http ===

impl Http {
    /// Every request, its answer included, ends within `limit`.
    ///
    /// # Errors
    /// When the TLS stack cannot be set up.
    pub(crate) fn try_new(limit: Duration) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(limit)
            .connect_timeout(limit)
            .redirect(Policy::limited(REDIRECTS))
            .user_agent(concat!("paymesh/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    /// A request that is not sent yet.
    pub(super) fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }
}

/// Sends a request and reads its answer.
///
/// # Errors
/// [`SourceError`], without the address, which may hold a key.
pub(super) async fn send(request: RequestBuilder) -> Result<Vec<u8>, SourceError> {
    let broken = |error: reqwest::Error| SourceError::Unreachable(error.without_url());
    let mut response = request.send().await.map_err(broken)?;
    if !response.status().is_success() {
        return Err(SourceError::Status(response.status().as_u16()));
    }
    let mut content = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if content.len().saturating_add(chunk.len()) > FILE_LIMIT {
            return Err(SourceError::TooLarge {
                limit_bytes: FILE_LIMIT,
            });
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}
