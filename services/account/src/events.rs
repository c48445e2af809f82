//! Facts: what the ledger publishes of a batch, and what it does when a user leaves.
//!
//! Each account numbers its facts; a batch adds one `balance.updated` for each account that it touched, after everything else.

use paymesh_bus::{Event, HandleError, Handler, publish};
use paymesh_kernel::{ChangeSet, Ids, Principal, Timestamp, call::Scope, id::TenantId};
use paymesh_proto::{Fact as FactMessage, account::v1 as pb, user::v1::UserDeleted};
use prost::Message as _;
use uuid::Uuid;

use crate::{
    app::{
        App,
        command::{Cause, Command, Request},
    },
    domain::{
        Batch, Owner, OwnerKind, Period, Transfer,
        batch::{Fact, What},
    },
    proto,
};

/// The stream that is read.
pub(crate) const USER_STREAM: &str = "user";
/// Why the accounts of somebody who leaves are suspended or closed.
const OWNER_DELETED: &str = "owner_deleted";

/// Where an event belongs.
struct Place {
    tenant: TenantId,
    aggregate: Uuid,
    sequence: i64,
    at: Timestamp,
}

/// Adds the facts of a batch to its rows.
pub(crate) fn publish_batch(
    changes: &mut ChangeSet,
    ids: &Ids,
    batch: &Batch,
    requests: &[Request],
) {
    let height = batch.link.as_ref().map_or(0, |link| link.height);
    let at = batch.head.committed_at;
    for fact in &batch.facts {
        let place = Place {
            tenant: fact.key.tenant(),
            aggregate: fact.account.as_uuid(),
            sequence: fact.sequence,
            at,
        };
        if let Some(request) = requests.get(fact.cause) {
            publish(
                changes,
                account_event(ids, fact, (place, &request.cause), height),
            );
        }
    }
    for period in &batch.periods {
        if let Some(request) = requests.iter().find(|request| closed(request, period)) {
            let place = Place {
                tenant: period.tenant,
                aggregate: period.tenant.as_uuid(),
                sequence: period.sequence,
                at,
            };
            let message = pb::PeriodClosed {
                period: Some(proto::period(period)),
            };
            publish(changes, event(ids, &message, &place, &request.cause));
        }
    }
}

fn closed(request: &Request, period: &Period) -> bool {
    match &request.command {
        Command::ClosePeriod(wish) => wish.id == period.id,
        Command::Post { .. } | Command::Open(_) | Command::Change { .. } | Command::Expire(_) => {
            false
        }
    }
}

fn account_event(ids: &Ids, fact: &Fact, (place, cause): (Place, &Cause), height: i64) -> Event {
    let key = &fact.key;
    let account_id = fact.account.to_string();
    let owner = Some(proto::owner(key.owner()));
    let purpose = proto::purpose_out(key.purpose()).into();
    let at_us = place.at.as_micros();
    match &fact.what {
        What::Created => {
            let message = pb::AccountCreated {
                account_id,
                owner,
                purpose,
                class: proto::class_out(key.purpose().class()).into(),
                currency: key.currency().code().to_owned(),
                connector: key.connector().to_owned(),
                opened_at_us: at_us,
            };
            event(ids, &message, &place, cause)
        }
        What::Suspended(reason) => {
            let message = pb::AccountSuspended {
                account_id,
                owner,
                reason: reason.to_string(),
                suspended_at_us: at_us,
            };
            event(ids, &message, &place, cause)
        }
        What::Resumed(reason) => {
            let message = pb::AccountResumed {
                account_id,
                owner,
                reason: reason.to_string(),
                resumed_at_us: at_us,
            };
            event(ids, &message, &place, cause)
        }
        What::Closed(reason) => {
            let message = pb::AccountClosed {
                account_id,
                owner,
                reason: reason.to_string(),
                closed_at_us: at_us,
            };
            event(ids, &message, &place, cause)
        }
        What::Overdrawn { transfer, by } => {
            let message = overdrawn(fact, transfer, *by);
            event(ids, &message, &place, cause)
        }
        What::HoldExpired(transfer) => {
            let message = hold_expired(fact, transfer, at_us);
            event(ids, &message, &place, cause)
        }
        What::BalanceUpdated(account) => {
            let message = pb::BalanceUpdated {
                account_id,
                owner,
                purpose,
                balance: Some(proto::account_balance(account)),
                batch_height: proto::unsigned(height),
                booked_at_us: at_us,
            };
            event(ids, &message, &place, cause)
        }
    }
}

fn overdrawn(fact: &Fact, transfer: &Transfer, by: i64) -> pb::AccountOverdrawn {
    pb::AccountOverdrawn {
        account_id: fact.account.to_string(),
        owner: Some(proto::owner(fact.key.owner())),
        purpose: proto::purpose_out(fact.key.purpose()).into(),
        transfer_id: transfer.id.to_string(),
        code: proto::code_out(transfer.code).into(),
        transaction_id: proto::optional(transfer.transaction),
        overdrawn: Some(proto::money(by, transfer.currency)),
        booked_at_us: transfer.booked_at.as_micros(),
    }
}

fn hold_expired(fact: &Fact, transfer: &Transfer, at_us: i64) -> pb::HoldExpired {
    pb::HoldExpired {
        account_id: fact.account.to_string(),
        transfer_id: transfer.id.to_string(),
        transaction_id: proto::optional(transfer.transaction),
        amount: Some(proto::money(transfer.amount, transfer.currency)),
        expired_at_us: at_us,
    }
}

fn event<M: FactMessage>(ids: &Ids, message: &M, place: &Place, cause: &Cause) -> Event {
    Event {
        id: ids.next(),
        tenant: Some(place.tenant),
        stream: M::COMPONENT.into(),
        kind: M::TYPE.into(),
        aggregate_type: M::AGGREGATE.into(),
        aggregate_id: place.aggregate,
        sequence: place.sequence,
        causation_id: cause.causation_id.as_ref().to_owned(),
        correlation_id: cause.correlation_id.as_ref().to_owned(),
        occurred_at: place.at,
        business_at: place.at,
        traceparent: None,
        payload: message.encode_to_vec(),
    }
}

/// Reads the facts of users.
#[derive(Debug)]
pub(crate) struct UserFacts {
    pub(crate) app: App,
}

impl Handler for UserFacts {
    /// A user who leaves: accounts that are empty are closed, the others are suspended. The ledger's writer does it, in a commit of its
    /// own; a repeat finds it done.
    async fn handle(&self, event: &Event, _: &mut ChangeSet) -> Result<(), HandleError> {
        let Some(tenant) = event.tenant.filter(|_| event.kind == UserDeleted::TYPE) else {
            return Ok(());
        };
        let message = UserDeleted::decode(&*event.payload).map_err(HandleError::reject)?;
        let owner = Owner {
            kind: OwnerKind::User,
            id: message.user_id,
        };
        let principal = Principal::component(tenant, "account");
        let retire = self.app.retire_owner(&principal, &owner, OWNER_DELETED);
        Scope::new(event.correlation_id.as_str())
            .run(retire)
            .await?;
        Ok(())
    }
}
