//! Facts: rates that came in, quotes that were locked and consumed. This component reads no stream.

use std::borrow::Cow;

use paymesh_bus::{Event, publish};
use paymesh_kernel::{ChangeSet, Ids, Timestamp, call, id::TenantId};
use paymesh_proto::{Fact, currency::v1 as proto};
use uuid::Uuid;

use crate::{
    domain::{History, Imported, Quote},
    wire,
};

/// Rates of the newest date that a fact holds at most.
const RATES_LIMIT: usize = 200;

/// Where a fact has its place.
struct Place {
    tenant: Option<TenantId>,
    aggregate: Uuid,
    sequence: i64,
    occurred_at: Timestamp,
    business_at: Timestamp,
}

/// Rates came in. `history` is the source as it is afterwards.
pub(crate) fn rates_updated(
    changes: &mut ChangeSet,
    ids: &Ids,
    history: &History,
    imported: &Imported,
) {
    let source = &history.source;
    let newest = history.newest().and_then(|date| history.until(date).next());
    let newest_rates = newest.map_or_else(Vec::new, |found| {
        let currencies = found.day.rates.keys().take(RATES_LIMIT);
        let mids = currencies.filter_map(|quote| found.mid((source.base, *quote), found.date).ok());
        mids.map(|mid| wire::rate(&mid)).collect()
    });
    let fact = proto::ExchangeRatesUpdated {
        source: source.name.to_string(),
        base_currency: source.base.code().to_owned(),
        oldest_date: imported.oldest.to_string(),
        newest_date: imported.newest.to_string(),
        imported_count: imported.count,
        newest_rates,
        imported_at_us: source.imported_at.as_micros(),
    };
    let place = Place {
        tenant: None,
        aggregate: source.id.as_uuid(),
        sequence: source.version,
        occurred_at: source.imported_at,
        business_at: source.imported_at,
    };
    put(changes, ids, &fact, place);
}

/// A quote was locked, or locked and consumed in one.
pub(crate) fn quote_changed(changes: &mut ChangeSet, ids: &Ids, quote: &Quote, now: Timestamp) {
    let place = Place {
        tenant: Some(quote.tenant),
        aggregate: quote.id.as_uuid(),
        sequence: quote.version,
        occurred_at: now,
        business_at: quote.business_at,
    };
    let quoted = Some(wire::quote(quote, now));
    if quote.consumed.is_some() {
        put(changes, ids, &proto::QuoteConsumed { quote: quoted }, place);
    } else {
        put(changes, ids, &proto::QuoteLocked { quote: quoted }, place);
    }
}

fn put<F: Fact>(changes: &mut ChangeSet, ids: &Ids, fact: &F, place: Place) {
    let cause = call::current().map_or_else(String::new, |scope| scope.request_id.to_string());
    publish(
        changes,
        Event {
            id: ids.next(),
            tenant: place.tenant,
            stream: Cow::Borrowed(F::COMPONENT),
            kind: Cow::Borrowed(F::TYPE),
            aggregate_type: Cow::Borrowed(F::AGGREGATE),
            aggregate_id: place.aggregate,
            sequence: place.sequence,
            causation_id: cause.clone(),
            correlation_id: cause,
            occurred_at: place.occurred_at,
            business_at: place.business_at,
            traceparent: None,
            payload: fact.encode_to_vec(),
        },
    );
}
