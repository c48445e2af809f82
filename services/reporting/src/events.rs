//! Facts told to others, and what is made of theirs.

pub(crate) mod consumed;

use paymesh_bus::Event;
use paymesh_kernel::{
    ChangeSet, Ids, Timestamp, call,
    id::{TenantId, reexport::Uuid},
};
use paymesh_proto::reporting::v1::{ReportDefinitionUpdated, ReportRunCompleted, ReportRunFailed};

use crate::{
    convert,
    domain::{Definition, Run, State},
    wire::unsigned,
};

/// What a fact is about.
struct About {
    tenant: TenantId,
    aggregate: Uuid,
    sequence: i64,
    at: Timestamp,
}

/// A definition that was made or changed to `definition`.
pub(crate) fn publish_definition(changes: &mut ChangeSet, ids: &Ids, definition: &Definition) {
    let about = About {
        tenant: definition.tenant,
        aggregate: definition.id.as_uuid(),
        sequence: definition.event_sequence,
        at: definition.updated_at,
    };
    let fact = ReportDefinitionUpdated {
        definition_id: definition.id.to_string(),
        kind: convert::kind(definition.form.kind).into(),
        version: unsigned(definition.version),
        updated_by: definition.updated_by.clone(),
        updated_at_us: definition.updated_at.as_micros(),
    };
    publish(changes, ids, &about, &fact);
}

/// A run that has ended, which is its one fact.
pub(crate) fn publish_run(changes: &mut ChangeSet, ids: &Ids, run: &Run) {
    let about = About {
        tenant: run.tenant,
        aggregate: run.id.as_uuid(),
        sequence: 1,
        at: run.finished_at.unwrap_or(run.created_at),
    };
    match run.state {
        State::Completed => {
            let run = Some(convert::run(run));
            publish(changes, ids, &about, &ReportRunCompleted { run });
        }
        State::Failed => {
            let run = Some(convert::run(run));
            publish(changes, ids, &about, &ReportRunFailed { run });
        }
        State::Queued | State::Running => {
            unreachable!("P4: only the end of a run is told")
        }
    }
}

fn publish<F: paymesh_proto::Fact>(changes: &mut ChangeSet, ids: &Ids, about: &About, payload: &F) {
    let request_id = call::current().map_or_else(String::new, |scope| scope.request_id.to_string());
    paymesh_bus::publish(
        changes,
        Event {
            id: ids.next(),
            tenant: Some(about.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: about.aggregate,
            sequence: about.sequence,
            causation_id: request_id.clone(),
            correlation_id: request_id,
            occurred_at: about.at,
            business_at: about.at,
            traceparent: None,
            payload: payload.encode_to_vec(),
        },
    );
}
