//! What the gateway consumes: facts of transactions and payments, into the feed.

use paymesh_bus::{Event, HandleError, Handler, Subscription};
use paymesh_kernel::ChangeSet;
use serde_json::json;

use crate::{
    http::facts::{self, NotShown},
    store::feed::{self, NewEntry},
};

/// Who consumes.
const CONSUMER: &str = "gateway";
/// The streams that are followed.
pub(crate) const STREAMS: [&str; 2] = ["transaction", "payment"];

/// Puts facts into the feed.
#[derive(Debug)]
struct IntoFeed;

/// One subscription a stream.
pub(crate) fn subscriptions() -> Vec<Subscription> {
    STREAMS
        .into_iter()
        .map(|stream| Subscription::new(CONSUMER, stream, IntoFeed))
        .collect()
}

impl Handler for IntoFeed {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        let Some(tenant) = event.tenant else {
            return Ok(());
        };
        let (data, audience) = match facts::show(&event.kind, &event.payload) {
            Ok(shown) => shown,
            // A newer component may publish what this version does not know.
            Err(NotShown::Unknown) => return Ok(()),
            Err(NotShown::Malformed) => {
                return Err(HandleError::reject("the payload is not what its kind says"));
            }
        };
        let document = json!({
            "id": event.id,
            "type": event.kind,
            "occurred_at": event.occurred_at,
            "business_at": event.business_at,
            "sequence": event.sequence,
            "data": data,
        });
        let entry = NewEntry {
            id: event.id,
            tenant,
            kind: event.kind.to_string(),
            audience,
            data: document.to_string(),
            created_at: event.occurred_at,
        };
        feed::insert(changes, entry);
        std::future::ready(Ok(())).await
    }
}
