//! Facts told to others. Ids only, never personal data.

use paymesh_bus::Event;
use paymesh_kernel::{ChangeSet, Ids, Timestamp, call, id::TenantId};
use paymesh_proto::user::v1::{
    ApiKeyCreated, ApiKeyRevoked, TenantCreated, UserCreated, UserDeleted, UserUpdated,
};
use uuid::Uuid;

use crate::{
    domain::{ApiKey, Fact, Tenant, User},
    proto,
};

/// What a fact is about.
struct About {
    tenant: TenantId,
    aggregate: Uuid,
    sequence: i64,
    at: Timestamp,
}

/// A fact of a user who was changed to `user`.
pub(crate) fn publish_user(changes: &mut ChangeSet, ids: &Ids, user: &User, fact: Fact) {
    let about = About {
        tenant: user.tenant,
        aggregate: user.id.as_uuid(),
        sequence: user.event_sequence,
        at: user.updated_at,
    };
    match fact {
        Fact::Created => {
            let payload = UserCreated {
                user_id: user.id.to_string(),
                country: user.country.to_string(),
                currency: user.currency.code().to_owned(),
                roles: proto::roles(&user.roles),
                created_at_us: user.created_at.as_micros(),
            };
            publish(changes, ids, &about, &payload);
        }
        Fact::Updated(fields) => {
            let payload = UserUpdated {
                user_id: user.id.to_string(),
                state: proto::state(user.state).into(),
                country: user.country.to_string(),
                roles: proto::roles(&user.roles),
                changed_fields: fields.into_iter().map(str::to_owned).collect(),
                version: proto::unsigned(user.version),
                updated_at_us: user.updated_at.as_micros(),
            };
            publish(changes, ids, &about, &payload);
        }
        Fact::Deleted => {
            let payload = UserDeleted {
                user_id: user.id.to_string(),
                state: proto::state(user.state).into(),
                erases_at_us: user.erases_at.map_or(0, Timestamp::as_micros),
                deleted_at_us: user.updated_at.as_micros(),
            };
            publish(changes, ids, &about, &payload);
        }
    }
}

/// A new tenant.
pub(crate) fn publish_tenant(changes: &mut ChangeSet, ids: &Ids, tenant: &Tenant) {
    let about = About {
        tenant: tenant.id,
        aggregate: tenant.id.as_uuid(),
        sequence: 1,
        at: tenant.created_at,
    };
    let payload = TenantCreated {
        tenant_id: tenant.id.to_string(),
        mode: proto::mode(tenant.mode).into(),
        country: tenant.country.to_string(),
        default_currency: tenant.default_currency.code().to_owned(),
        created_at_us: tenant.created_at.as_micros(),
    };
    publish(changes, ids, &about, &payload);
}

/// A new API key.
pub(crate) fn publish_api_key(changes: &mut ChangeSet, ids: &Ids, key: &ApiKey) {
    let about = About {
        tenant: key.tenant,
        aggregate: key.id.as_uuid(),
        sequence: 1,
        at: key.created_at,
    };
    let payload = ApiKeyCreated {
        api_key_id: key.id.to_string(),
        roles: proto::roles(&key.roles),
        created_by: key.created_by.clone(),
        created_at_us: key.created_at.as_micros(),
    };
    publish(changes, ids, &about, &payload);
}

/// An API key that `subject` revoked at `at`.
pub(crate) fn publish_api_key_revoked(
    changes: &mut ChangeSet,
    ids: &Ids,
    (key, at): (&ApiKey, Timestamp),
    subject: &str,
) {
    let about = About {
        tenant: key.tenant,
        aggregate: key.id.as_uuid(),
        sequence: 2,
        at,
    };
    let payload = ApiKeyRevoked {
        api_key_id: key.id.to_string(),
        revoked_by: subject.to_owned(),
        revoked_at_us: at.as_micros(),
    };
    publish(changes, ids, &about, &payload);
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
