//! Facts in their JSON forms, for streams of events.

mod forms;

use paymesh_proto::{Fact, payment::v1 as payment, transaction::v1 as transaction};
use serde::Serialize;
use serde_json::Value;

use super::form::Form;
use crate::domain::audience::Audience;

pub(crate) use forms::{
    DisputeEvidenceSubmitted, DisputeLost, DisputeOpened, DisputeWon, PaymentAuthorized,
    PaymentFailed, PaymentMethodCreated, PaymentMethodDetached, PaymentProcessed, PaymentUpdated,
    RefundFailed, RefundInitiated, RefundProcessed, TransactionAuthorized, TransactionCaptured,
    TransactionChargedBack, TransactionCompleted, TransactionFailed, TransactionInitiated,
    TransactionRefunded, TransactionUpdated,
};

/// Whom a fact concerns.
trait Concerns {
    /// Payer and payee, or the customer; then the merchant.
    fn concerns(&self) -> (Vec<&str>, &str);
}

macro_rules! of_transaction {
    ($($name:ident),* $(,)?) => {
        $(impl Concerns for transaction::$name {
            fn concerns(&self) -> (Vec<&str>, &str) {
                match &self.transaction {
                    Some(it) => (vec![&it.payer_user_id, &it.payee_user_id], &it.merchant_id),
                    None => (Vec::new(), ""),
                }
            }
        })*
    };
}

of_transaction!(
    TransactionInitiated,
    TransactionAuthorized,
    TransactionCaptured,
    TransactionUpdated,
    TransactionCompleted,
    TransactionFailed,
    TransactionRefunded,
    TransactionChargedBack,
);

macro_rules! of_attempt {
    ($($name:ident),* $(,)?) => {
        $(impl Concerns for payment::$name {
            fn concerns(&self) -> (Vec<&str>, &str) {
                match &self.attempt {
                    Some(it) => (vec![&it.customer_id], &it.merchant_id),
                    None => (Vec::new(), ""),
                }
            }
        })*
    };
}

of_attempt!(
    PaymentAuthorized,
    PaymentProcessed,
    PaymentFailed,
    PaymentUpdated,
    RefundInitiated,
    RefundProcessed,
    RefundFailed,
);

macro_rules! of_parties {
    ($($name:ident),* $(,)?) => {
        $(impl Concerns for payment::$name {
            fn concerns(&self) -> (Vec<&str>, &str) {
                (vec![&self.customer_id], &self.merchant_id)
            }
        })*
    };
}

of_parties!(DisputeOpened, DisputeWon, DisputeLost);

/// The fact does not say whom the dispute concerns: staff sees it.
impl Concerns for payment::DisputeEvidenceSubmitted {
    fn concerns(&self) -> (Vec<&str>, &str) {
        (Vec::new(), "")
    }
}

impl Concerns for payment::PaymentMethodCreated {
    fn concerns(&self) -> (Vec<&str>, &str) {
        (vec![&self.customer_id], "")
    }
}

impl Concerns for payment::PaymentMethodDetached {
    fn concerns(&self) -> (Vec<&str>, &str) {
        (vec![&self.customer_id], "")
    }
}

/// Why a fact is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotShown {
    /// Its kind is not known here.
    Unknown,
    /// It cannot be read.
    Malformed,
}

macro_rules! facts {
    ($($message:ty => $form:ty),* $(,)?) => {
        /// Kinds of facts that are shown.
        #[cfg(test)]
        const SHOWN: &[&str] = &[$(<$message as Fact>::TYPE),*];

        /// The JSON form of a fact, and whom it concerns.
        pub(crate) fn show(kind: &str, payload: &[u8]) -> Result<(Value, Audience), NotShown> {
            match kind {
                $(<$message as Fact>::TYPE => show_as::<$message, $form>(payload),)*
                _ => Err(NotShown::Unknown),
            }
        }
    };
}

facts! {
    transaction::TransactionInitiated => TransactionInitiated,
    transaction::TransactionAuthorized => TransactionAuthorized,
    transaction::TransactionCaptured => TransactionCaptured,
    transaction::TransactionUpdated => TransactionUpdated,
    transaction::TransactionCompleted => TransactionCompleted,
    transaction::TransactionFailed => TransactionFailed,
    transaction::TransactionRefunded => TransactionRefunded,
    transaction::TransactionChargedBack => TransactionChargedBack,
    payment::PaymentAuthorized => PaymentAuthorized,
    payment::PaymentProcessed => PaymentProcessed,
    payment::PaymentFailed => PaymentFailed,
    payment::PaymentUpdated => PaymentUpdated,
    payment::RefundInitiated => RefundInitiated,
    payment::RefundProcessed => RefundProcessed,
    payment::RefundFailed => RefundFailed,
    payment::DisputeOpened => DisputeOpened,
    payment::DisputeEvidenceSubmitted => DisputeEvidenceSubmitted,
    payment::DisputeWon => DisputeWon,
    payment::DisputeLost => DisputeLost,
    payment::PaymentMethodCreated => PaymentMethodCreated,
    payment::PaymentMethodDetached => PaymentMethodDetached,
}

fn show_as<M: Fact + Concerns, F: Form<M> + Serialize>(
    payload: &[u8],
) -> Result<(Value, Audience), NotShown> {
    let message = M::decode(payload).map_err(|_| NotShown::Malformed)?;
    let (users, merchant) = message.concerns();
    let mut users: Vec<String> = users
        .into_iter()
        .filter(|user| !user.is_empty())
        .map(str::to_owned)
        .collect();
    users.dedup();
    let audience = Audience {
        users,
        merchant: (!merchant.is_empty()).then(|| merchant.to_owned()),
    };
    let value = serde_json::to_value(F::form(message)).map_err(|_| NotShown::Malformed)?;
    Ok((value, audience))
}

#[cfg(test)]
mod tests {
    use paymesh_proto::{FACTS, types::v1 as types};
    use prost::Message as _;

    use super::*;

    #[test]
    fn every_fact_of_the_streams_that_are_followed_is_shown() {
        for fact in FACTS
            .iter()
            .filter(|fact| ["transaction", "payment"].contains(&fact.component))
        {
            assert!(SHOWN.contains(&fact.key), "{} is not shown", fact.key);
            assert!(show(fact.key, &[]).is_ok(), "{}", fact.key);
        }
    }

    #[test]
    fn a_fact_is_shown_in_the_same_form_as_its_resource() {
        let fact = transaction::TransactionCompleted {
            transaction: Some(transaction::TransactionSnapshot {
                transaction_id: "txn_1".to_owned(),
                status: transaction::TransactionStatus::Completed.into(),
                amount: Some(types::Money {
                    minor: 1_999,
                    currency: "USD".to_owned(),
                }),
                payer_user_id: "user_1".to_owned(),
                merchant_id: "mrc_1".to_owned(),
                ..Default::default()
            }),
            completed_at_us: 1_768_478_400_000_000,
            ..Default::default()
        };
        let shown = show("transaction.completed.v1", &fact.encode_to_vec());
        let (value, audience) = shown.expect("the fact is known");
        assert_eq!(value["completed_at"], "2026-01-15T12:00:00Z");
        assert_eq!(value["transaction"]["status"], "completed");
        assert_eq!(value["transaction"]["amount"]["minor"], 1_999);
        assert_eq!(audience.users, ["user_1"]);
        assert_eq!(audience.merchant.as_deref(), Some("mrc_1"));
        assert_eq!(show("else.v1", &[]).err(), Some(NotShown::Unknown));
        assert_eq!(
            show("transaction.completed.v1", &[0xff]).err(),
            Some(NotShown::Malformed)
        );
    }
}
