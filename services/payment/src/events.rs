//! Facts that this component publishes. It consumes none.

use paymesh_bus::Event;
use paymesh_kernel::{
    ChangeSet, Ids, Timestamp, call,
    id::{TenantId, reexport::Uuid},
};
use paymesh_proto::{payment::v1 as proto, types::v1::Money};

use crate::{
    convert,
    domain::{Attempt, Book, Came, Dispute, DisputeFact, Fact, PaymentMethod, Told},
};

/// What an event needs beside its payload.
struct Place {
    tenant: TenantId,
    aggregate_id: Uuid,
    sequence: i64,
    correlation_id: String,
    business_at: Timestamp,
}

/// Publishes into a change set.
pub(crate) struct Publisher<'a> {
    pub(crate) changes: &'a mut ChangeSet,
    pub(crate) ids: &'a Ids,
    pub(crate) now: Timestamp,
}

// === impl Publisher ===

impl Publisher<'_> {
    /// Publishes what a book has told since it was loaded.
    pub(crate) fn book(&mut self, book: &mut Book) {
        for told in std::mem::take(&mut book.told) {
            match told {
                Told::Attempt(attempt, fact) => self.attempt(&attempt, fact),
                Told::Dispute(dispute, fact) => self.dispute(&book.attempt, &dispute, fact),
            }
        }
    }

    /// Publishes that a payment method was stored.
    pub(crate) fn method_created(&mut self, method: &PaymentMethod) {
        let payload = proto::PaymentMethodCreated {
            payment_method_id: method.id.to_string(),
            customer_id: method.customer.to_string(),
            connector: method.connector.clone(),
            kind: convert::method_kind(method.kind).into(),
            brand: method.details.brand.clone(),
            issuer_country: method.details.issuer_country.clone(),
            created_at_us: method.created_at.as_micros(),
        };
        self.event(self.method_place(method, 1), &payload);
    }

    /// Publishes that a payment method was forgotten.
    pub(crate) fn method_detached(&mut self, method: &PaymentMethod) {
        let payload = proto::PaymentMethodDetached {
            payment_method_id: method.id.to_string(),
            customer_id: method.customer.to_string(),
            detached_at_us: convert::moment(method.detached_at),
        };
        self.event(self.method_place(method, 2), &payload);
    }

    fn method_place(&self, method: &PaymentMethod, sequence: i64) -> Place {
        Place {
            tenant: method.tenant,
            aggregate_id: method.id.as_uuid(),
            sequence,
            correlation_id: request_id(),
            business_at: self.now,
        }
    }

    fn attempt(&mut self, attempt: &Attempt, fact: Fact) {
        let place = Place {
            tenant: attempt.tenant,
            aggregate_id: attempt.id.as_uuid(),
            sequence: attempt.event_sequence,
            correlation_id: attempt.correlation_id.clone(),
            business_at: attempt.business_time(self.now),
        };
        let snapshot = Some(convert::snapshot(attempt));
        let at_us = self.now.as_micros();
        let money = |minor| Some(money_of(attempt, minor));
        match fact {
            Fact::Authorized => self.event(
                place,
                &proto::PaymentAuthorized {
                    attempt: snapshot,
                    authorization_expires_at_us: convert::moment(attempt.authorization_expires_at),
                },
            ),
            Fact::Processed {
                capture,
                amount_minor,
            } => self.event(
                place,
                &proto::PaymentProcessed {
                    attempt: snapshot,
                    operation_id: capture.to_string(),
                    amount: money(amount_minor),
                    processed_at_us: at_us,
                },
            ),
            Fact::Failed { reason } => self.event(
                place,
                &proto::PaymentFailed {
                    attempt: snapshot,
                    reason,
                    failed_at_us: at_us,
                },
            ),
            Fact::Updated { previous } => self.event(
                place,
                &proto::PaymentUpdated {
                    attempt: snapshot,
                    previous_state: convert::attempt_state(previous).into(),
                    changed_at_us: at_us,
                },
            ),
            refund @ (Fact::RefundInitiated { .. }
            | Fact::RefundProcessed { .. }
            | Fact::RefundFailed { .. }) => self.refund(place, attempt, refund),
        }
    }

    fn refund(&mut self, place: Place, attempt: &Attempt, fact: Fact) {
        let snapshot = Some(convert::snapshot(attempt));
        let at_us = self.now.as_micros();
        let money = |minor| Some(money_of(attempt, minor));
        match fact {
            Fact::RefundInitiated {
                refund,
                amount_minor,
            } => self.event(
                place,
                &proto::RefundInitiated {
                    attempt: snapshot,
                    refund_id: refund.to_string(),
                    amount: money(amount_minor),
                    initiated_at_us: at_us,
                },
            ),
            Fact::RefundProcessed {
                refund,
                amount_minor,
                connector_reference,
            } => self.event(
                place,
                &proto::RefundProcessed {
                    attempt: snapshot,
                    refund_id: refund.to_string(),
                    amount: money(amount_minor),
                    connector_reference,
                    processed_at_us: at_us,
                },
            ),
            Fact::RefundFailed {
                refund,
                amount_minor,
                decline,
                came,
            } => self.event(
                place,
                &proto::RefundFailed {
                    attempt: snapshot,
                    refund_id: refund.to_string(),
                    amount: money(amount_minor),
                    decline_reason: convert::decline_reason(decline.as_ref()).into(),
                    after_success: came == Came::AfterSuccess,
                    failed_at_us: at_us,
                },
            ),
            Fact::Authorized
            | Fact::Processed { .. }
            | Fact::Failed { .. }
            | Fact::Updated { .. } => {}
        }
    }

    fn dispute(&mut self, attempt: &Attempt, dispute: &Dispute, fact: DisputeFact) {
        let place = Place {
            tenant: dispute.tenant,
            aggregate_id: dispute.id.as_uuid(),
            sequence: dispute.event_sequence,
            correlation_id: attempt.correlation_id.clone(),
            business_at: attempt.business_time(self.now),
        };
        let at_us = self.now.as_micros();
        let shown = Some(convert::dispute(dispute));
        let customer_id = convert::optional(dispute.customer.as_ref());
        let merchant_id = convert::optional(dispute.merchant.as_ref());
        match fact {
            DisputeFact::Opened => self.event(
                place,
                &proto::DisputeOpened {
                    dispute: shown,
                    customer_id,
                    merchant_id,
                    opened_at_us: at_us,
                },
            ),
            DisputeFact::EvidenceSubmitted => self.event(
                place,
                &proto::DisputeEvidenceSubmitted {
                    dispute: shown,
                    submitted_at_us: at_us,
                },
            ),
            DisputeFact::Won => self.event(
                place,
                &proto::DisputeWon {
                    dispute: shown,
                    customer_id,
                    merchant_id,
                    decided_at_us: at_us,
                },
            ),
            DisputeFact::Lost => self.event(
                place,
                &proto::DisputeLost {
                    dispute: shown,
                    customer_id,
                    merchant_id,
                    decided_at_us: at_us,
                },
            ),
        }
    }

    fn event<F: paymesh_proto::Fact>(&mut self, place: Place, fact: &F) {
        let event = Event {
            id: self.ids.next(),
            tenant: Some(place.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: place.aggregate_id,
            sequence: place.sequence,
            causation_id: request_id(),
            correlation_id: place.correlation_id,
            occurred_at: self.now,
            business_at: place.business_at,
            traceparent: None,
            payload: fact.encode_to_vec(),
        };
        paymesh_bus::publish(self.changes, event);
    }
}

// === free functions ===

/// The request that is being worked on; empty in background work.
pub(crate) fn request_id() -> String {
    call::current().map_or_else(String::new, |scope| scope.request_id.as_ref().to_owned())
}

fn money_of(attempt: &Attempt, minor: i64) -> Money {
    convert::money(minor, attempt.currency)
}
