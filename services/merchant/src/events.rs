//! Facts told to others. A merchant numbers its own facts and those of its terminals in one sequence.

use paymesh_bus::Event;
use paymesh_kernel::{ChangeSet, Ids, call};
use paymesh_proto::merchant::v1::{
    MerchantCreated, MerchantUpdated, TerminalAdded, TerminalUpdated,
};

use crate::{
    domain::{Fact, Merchant},
    proto,
};

/// A fact of a merchant that was changed to `merchant`.
pub(crate) fn publish(changes: &mut ChangeSet, ids: &Ids, merchant: &Merchant, fact: Fact) {
    match fact {
        Fact::Created => {
            let payload = MerchantCreated {
                merchant_id: merchant.id.to_string(),
                state: proto::state(merchant.state).into(),
                country: merchant.country.to_string(),
                settlement_currency: merchant.currency.code().to_owned(),
                plan: Some(proto::plan(&merchant.plan)),
                created_at_us: merchant.created_at.as_micros(),
            };
            publish_one(changes, ids, merchant, &payload);
        }
        Fact::Updated(fields) => {
            let payload = MerchantUpdated {
                merchant_id: merchant.id.to_string(),
                state: proto::state(merchant.state).into(),
                country: merchant.country.to_string(),
                settlement_currency: merchant.currency.code().to_owned(),
                plan: Some(proto::plan(&merchant.plan)),
                changed_fields: fields.into_iter().map(str::to_owned).collect(),
                version: proto::unsigned(merchant.version),
                updated_at_us: merchant.updated_at.as_micros(),
            };
            publish_one(changes, ids, merchant, &payload);
        }
        Fact::TerminalAdded(terminal) => {
            let payload = TerminalAdded {
                terminal_id: terminal.id.to_string(),
                merchant_id: merchant.id.to_string(),
                country: terminal.country.to_string(),
                state: proto::terminal_state(terminal.state).into(),
                created_at_us: terminal.created_at.as_micros(),
            };
            publish_one(changes, ids, merchant, &payload);
        }
        Fact::TerminalUpdated(terminal) => {
            let payload = TerminalUpdated {
                terminal_id: terminal.id.to_string(),
                merchant_id: merchant.id.to_string(),
                state: proto::terminal_state(terminal.state).into(),
                updated_at_us: merchant.updated_at.as_micros(),
            };
            publish_one(changes, ids, merchant, &payload);
        }
    }
}

fn publish_one<F: paymesh_proto::Fact>(
    changes: &mut ChangeSet,
    ids: &Ids,
    merchant: &Merchant,
    payload: &F,
) {
    let request_id = call::current().map_or_else(String::new, |scope| scope.request_id.to_string());
    paymesh_bus::publish(
        changes,
        Event {
            id: ids.next(),
            tenant: Some(merchant.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: merchant.id.as_uuid(),
            sequence: merchant.event_sequence,
            causation_id: request_id.clone(),
            correlation_id: request_id,
            occurred_at: merchant.updated_at,
            business_at: merchant.updated_at,
            traceparent: None,
            payload: payload.encode_to_vec(),
        },
    );
}
