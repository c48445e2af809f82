//! Transactions, and what they were charged.
//!
//! A purchase is charged with each capture, everything else when it is completed. A refund earns a spread of its own; one that is
//! reversed, and a chargeback that is won, give back what they were charged.

use paymesh_bus::{Event, HandleError};
use paymesh_kernel::{ChangeSet, Timestamp, id::TenantId};
use paymesh_proto::{
    Fact as _,
    transaction::v1::{
        ChargebackStage, Exchange, TransactionAuthorized, TransactionCaptured,
        TransactionChargedBack, TransactionCompleted, TransactionFailed, TransactionInitiated,
        TransactionKind, TransactionRefunded, TransactionSnapshot, TransactionUpdated,
    },
    types::v1::Money,
};

use super::{lacking, read};
use crate::{
    store::{
        fees::{self, CHARGEBACK_FEE, CONNECTOR_FEE, Charge, FEE, SPREAD},
        transactions::{self, Transaction},
    },
    wire::{currency, minor, word},
};

/// What a fact says was charged.
type Charges = Vec<(&'static str, Money)>;

/// What a fact says.
struct Told {
    snapshot: Option<TransactionSnapshot>,
    charges: Charges,
}

pub(super) fn take(
    event: &Event,
    tenant: TenantId,
    changes: &mut ChangeSet,
) -> Result<(), HandleError> {
    let Some(Told { snapshot, charges }) = told(event)? else {
        return Ok(());
    };
    let snapshot = snapshot.ok_or_else(|| lacking("transaction"))?;
    for (kind, amount) in charges {
        if amount.minor == 0 {
            continue;
        }
        let charge = Charge {
            event_id: event.id,
            kind: kind.to_owned(),
            tenant_id: tenant,
            transaction_id: snapshot.transaction_id.clone(),
            merchant_id: snapshot.merchant_id.clone(),
            currency: amount.currency,
            amount_minor: amount.minor,
            business_at: event.business_at,
        };
        fees::put(changes, &charge);
    }
    transactions::put(changes, &row(snapshot, tenant));
    Ok(())
}

fn told(event: &Event) -> Result<Option<Told>, HandleError> {
    let told = match &*event.kind {
        TransactionInitiated::TYPE => uncharged(read::<TransactionInitiated>(event)?.transaction),
        TransactionAuthorized::TYPE => uncharged(read::<TransactionAuthorized>(event)?.transaction),
        TransactionUpdated::TYPE => uncharged(read::<TransactionUpdated>(event)?.transaction),
        TransactionFailed::TYPE => uncharged(read::<TransactionFailed>(event)?.transaction),
        TransactionCaptured::TYPE => captured(read(event)?),
        TransactionCompleted::TYPE => completed(read(event)?),
        TransactionRefunded::TYPE => refunded(read(event)?),
        TransactionChargedBack::TYPE => charged_back(read(event)?),
        _ => return Ok(None),
    };
    Ok(Some(told))
}

const fn uncharged(snapshot: Option<TransactionSnapshot>) -> Told {
    Told {
        snapshot,
        charges: Vec::new(),
    }
}

fn captured(fact: TransactionCaptured) -> Told {
    Told {
        charges: charges([(FEE, fact.fee), (SPREAD, spread(fact.exchange))]),
        snapshot: fact.transaction,
    }
}

fn completed(fact: TransactionCompleted) -> Told {
    let snapshot = fact.transaction;
    // Captures of purchases are facts of their own.
    let charged = snapshot
        .clone()
        .filter(|snapshot| snapshot.kind() != TransactionKind::Purchase);
    let charges = charged.map_or_else(Vec::new, |of| {
        charges([(FEE, of.fee), (SPREAD, spread(of.exchange))])
    });
    Told { snapshot, charges }
}

fn refunded(fact: TransactionRefunded) -> Told {
    let mut charges = charges([(SPREAD, spread(fact.exchange))]);
    if fact.reversed {
        negate(&mut charges);
    }
    Told {
        snapshot: fact.transaction,
        charges,
    }
}

fn charged_back(fact: TransactionChargedBack) -> Told {
    let stage = fact.stage();
    let mut charges = charges([
        (CHARGEBACK_FEE, fact.merchant_fee),
        (CONNECTOR_FEE, fact.connector_fee),
    ]);
    match stage {
        ChargebackStage::Opened => {}
        ChargebackStage::Won => negate(&mut charges),
        // It was charged when it was opened.
        ChargebackStage::Lost | ChargebackStage::Unspecified => charges.clear(),
    }
    Told {
        snapshot: fact.transaction,
        charges,
    }
}

fn charges<const N: usize>(of: [(&'static str, Option<Money>); N]) -> Charges {
    of.into_iter()
        .filter_map(|(kind, amount)| amount.map(|amount| (kind, amount)))
        .collect()
}

fn negate(charges: &mut Charges) {
    for (_, amount) in charges {
        amount.minor = amount.minor.saturating_neg();
    }
}

fn spread(exchange: Option<Exchange>) -> Option<Money> {
    exchange.and_then(|exchange| exchange.spread)
}

fn row(of: TransactionSnapshot, tenant: TenantId) -> Transaction {
    Transaction {
        tenant_id: tenant,
        kind: word(of.kind().as_str_name(), "TRANSACTION_KIND_"),
        status: word(of.status().as_str_name(), "TRANSACTION_STATUS_"),
        decline_reason: word(of.decline_reason().as_str_name(), "DECLINE_REASON_"),
        currency: currency(of.amount.as_ref()),
        amount_minor: minor(of.amount.as_ref()),
        authorized_minor: minor(of.authorized.as_ref()),
        captured_minor: minor(of.captured.as_ref()),
        refunded_minor: minor(of.refunded.as_ref()),
        fee_minor: minor(of.fee.as_ref()),
        fee_currency: currency(of.fee.as_ref()),
        id: of.transaction_id,
        payer_user_id: of.payer_user_id,
        payee_user_id: of.payee_user_id,
        merchant_id: of.merchant_id,
        terminal_id: of.terminal_id,
        country: of.country,
        connector: of.connector,
        purpose: of.purpose,
        risk_decision_id: of.risk_decision_id,
        risk_score: of.risk_score,
        business_at: Timestamp::from_micros(of.business_at_us),
        created_at: Timestamp::from_micros(of.created_at_us),
        updated_at: Timestamp::from_micros(of.updated_at_us),
    }
}
