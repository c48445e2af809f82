//! Read models from facts. Each fact has its effect once and in the order of its aggregate, as the bus sees to; an effect is a row
//! that is put, so that doing it again would change nothing (P9).

pub(crate) mod ledger;
pub(crate) mod risk;
pub(crate) mod settlement;
pub(crate) mod transaction;

use paymesh_bus::{Event, HandleError, Handler};
use paymesh_kernel::{ChangeSet, id::TenantId};
use paymesh_proto::Fact;

/// Takes in the facts of one stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intake {
    take: Take,
}

/// What one fact of a tenant does.
type Take = fn(&Event, TenantId, &mut ChangeSet) -> Result<(), HandleError>;

// === impl Intake ===

impl Intake {
    /// Of a stream; None when nothing is known to be made of it.
    pub(crate) fn of(stream: &str) -> Option<Self> {
        let take: Take = match stream {
            "account" => ledger::take,
            "risk" => risk::take,
            "settlement" => settlement::take,
            "transaction" => transaction::take,
            _ => return None,
        };
        Some(Self { take })
    }
}

impl Handler for Intake {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        match event.tenant {
            Some(tenant) => (self.take)(event, tenant, changes),
            None => Ok(()),
        }
    }
}

fn read<F: Fact>(event: &Event) -> Result<F, HandleError> {
    F::decode(event.payload.as_slice())
        .map_err(|_| HandleError::reject("the payload is not the message that its kind names"))
}

fn lacking(what: &'static str) -> HandleError {
    HandleError::reject(format!("the payload has no {what}"))
}
