//! Facts of transactions: captures, refunds and chargebacks of merchants, and payouts that transactions hold.

use paymesh_bus::{Event, HandleError, Handler};
use paymesh_kernel::{ChangeSet, Timestamp, id::TenantId};
use paymesh_proto::{
    Fact as _,
    transaction::v1::{self as wire, TransactionKind, TransactionSnapshot, TransactionStatus},
};
use prost::Message;

use crate::{
    app::App,
    clients::{moment, money},
    domain::payout::{Fact, Owner, OwnerKind, Payout, State, Step},
    events, store,
    store::activities::Activity,
};

/// The stream that is read.
pub(crate) const STREAM: &str = "transaction";

/// Consumes the stream of transaction.
#[derive(Clone, Debug)]
pub(crate) struct Transactions {
    app: App,
}

/// What a fact says of a merchant's transaction.
struct News {
    tenant: TenantId,
    snapshot: TransactionSnapshot,
    /// What it settles in.
    settled: Option<paymesh_money::Money>,
    /// When it is due, if the fact says so.
    available_at: Option<Timestamp>,
    is_charged_back: bool,
}

// === impl Transactions ===

impl Transactions {
    pub(crate) const fn new(app: App) -> Self {
        Self { app }
    }

    /// Notes that something of a merchant is to be settled (S4). Nothing is summed here: the ledger has the figures.
    async fn note(
        &self,
        changes: &mut ChangeSet,
        news: News,
        business_at: Timestamp,
    ) -> Result<(), HandleError> {
        let snapshot = &news.snapshot;
        if snapshot.merchant_id.is_empty() {
            return Ok(());
        }
        let transaction = parse(&snapshot.transaction_id, "transaction_id")?;
        let merchant = parse(&snapshot.merchant_id, "merchant_id")?;
        let known = store::activities::find(&self.app.parts.database, transaction).await?;
        let Some(settled) = news.settled else {
            return Ok(());
        };
        let Some(known) = known else {
            let activity = Activity {
                transaction,
                tenant: news.tenant,
                merchant,
                currency: settled.currency(),
                available_at: news.available_at.unwrap_or(business_at),
                business_at,
                is_charged_back: news.is_charged_back,
                is_open: true,
                version: 1,
            };
            store::activities::insert(changes, &activity);
            return Ok(());
        };
        let activity = Activity {
            available_at: news.available_at.unwrap_or(known.available_at),
            business_at: known.business_at.max(business_at),
            is_charged_back: known.is_charged_back || news.is_charged_back,
            is_open: true,
            version: known.version.saturating_add(1),
            ..known
        };
        store::activities::update(changes, &activity);
        Ok(())
    }

    /// A withdrawal or payout whose money a transaction holds waits for the bank.
    async fn to_bank(
        &self,
        changes: &mut ChangeSet,
        (tenant, snapshot): (TenantId, TransactionSnapshot),
        business_at: Timestamp,
    ) -> Result<(), HandleError> {
        let is_to_bank = matches!(
            snapshot.kind(),
            TransactionKind::Withdrawal | TransactionKind::Payout
        );
        if !is_to_bank || snapshot.status() != TransactionStatus::Processing {
            return Ok(());
        }
        let transaction = parse(&snapshot.transaction_id, "transaction_id")?;
        let database = &self.app.parts.database;
        if store::payouts::of_transaction(database, transaction)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let amount = money(snapshot.amount.as_ref())
            .ok_or_else(|| HandleError::reject("the fact has no amount"))?;
        let owner = if snapshot.merchant_id.is_empty() {
            Owner {
                kind: OwnerKind::User,
                id: snapshot.payer_user_id,
            }
        } else {
            Owner {
                kind: OwnerKind::Merchant,
                id: snapshot.merchant_id,
            }
        };
        let (now, owner_kind) = (self.app.now(), owner.kind);
        let payout = Payout {
            id: self.app.parts.ids.next(),
            tenant,
            created_by: owner.id.clone(),
            owner,
            account: parse(&snapshot.payer_account_id, "payer_account_id")?,
            amount,
            destination: snapshot.bank_destination_token,
            batch: None,
            transaction: Some(transaction),
            reason: String::new(),
            state: State::Reserved,
            // People name the bank account themselves; a merchant's has to be the one that it has registered.
            step: match owner_kind {
                OwnerKind::User => Step::Send,
                OwnerKind::Merchant => Step::Hold,
            },
            transfers: self.app.parts.ids.next(),
            attempts: 0,
            held_until: None,
            is_seen: false,
            seen_line: None,
            returned_line: None,
            asked_at: None,
            next_wake_at: Some(now),
            business_at,
            created_at: now,
            sent_at: None,
            finished_at: None,
            event_sequence: 1,
            version: 1,
        };
        store::payouts::insert(changes, &payout);
        events::payout(changes, &self.app.parts.ids, (&payout, Fact::Created), now);
        Ok(())
    }
}

impl Handler for Transactions {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        let Some(tenant) = event.tenant else {
            return Ok(());
        };
        let at = event.business_at;
        match &*event.kind {
            wire::TransactionCaptured::TYPE => {
                let fact: wire::TransactionCaptured = decode(event)?;
                let news = News {
                    tenant,
                    snapshot: snapshot(fact.transaction)?,
                    settled: money(fact.merchant_gross.as_ref()),
                    available_at: moment(fact.available_at_us),
                    is_charged_back: false,
                };
                self.note(changes, news, at).await
            }
            wire::TransactionRefunded::TYPE => {
                let fact: wire::TransactionRefunded = decode(event)?;
                let news = News {
                    tenant,
                    snapshot: snapshot(fact.transaction)?,
                    settled: money(fact.merchant_amount.as_ref()),
                    available_at: None,
                    is_charged_back: false,
                };
                self.note(changes, news, at).await
            }
            wire::TransactionChargedBack::TYPE => {
                let fact: wire::TransactionChargedBack = decode(event)?;
                let news = News {
                    tenant,
                    snapshot: snapshot(fact.transaction)?,
                    settled: money(fact.merchant_amount.as_ref()),
                    available_at: None,
                    is_charged_back: true,
                };
                self.note(changes, news, at).await
            }
            wire::TransactionUpdated::TYPE => {
                let fact: wire::TransactionUpdated = decode(event)?;
                let snapshot = snapshot(fact.transaction)?;
                self.to_bank(changes, (tenant, snapshot), at).await
            }
            _ => Ok(()),
        }
    }
}

// === free functions ===

fn decode<T: Message + Default>(event: &Event) -> Result<T, HandleError> {
    T::decode(&*event.payload).map_err(|_| HandleError::reject("the fact is malformed"))
}

fn snapshot(of: Option<TransactionSnapshot>) -> Result<TransactionSnapshot, HandleError> {
    of.ok_or_else(|| HandleError::reject("the fact has no transaction"))
}

fn parse<T: std::str::FromStr>(text: &str, field: &'static str) -> Result<T, HandleError> {
    text.parse()
        .map_err(|_| HandleError::reject(format!("the fact has no good {field}")))
}
