//! Payments and the decisions on them.

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    id::{TenantId, reexport::Uuid},
};
use paymesh_money::Amount;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select, sea_query::Expr,
};

use super::{
    Cut, Place, Range, StoreError, detail,
    entity::payment::{Column, Entity, Model},
};
use crate::domain::{Assessment, Decision, DecisionId, Past, Payment, Verdict, payment::Newness};

const TABLE: &str = "payments";
/// As the partial indexes say it; a bound value would not match them.
const IS_DECIDED: &str = "decision <> ''";

/// Which decisions are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) decision: Option<Decision>,
    pub(crate) customer: String,
    pub(crate) terminal: String,
    pub(crate) business: Range,
}

/// A row without what only an explanation needs.
#[derive(Debug, FromQueryResult)]
struct Row {
    id: DecisionId,
    tenant_id: TenantId,
    kind: String,
    amount_minor: i64,
    currency: String,
    customer_id: String,
    payee_id: String,
    payment_method: String,
    is_new_method: bool,
    issuer_country: String,
    merchant_id: String,
    terminal_id: String,
    country: String,
    business_at: Timestamp,
    recorded_at: Timestamp,
    fraud_at: Option<Timestamp>,
}

/// A new decision.
pub(crate) fn insert(changes: &mut ChangeSet, assessment: &Assessment, node: i64) {
    let verdict = &assessment.verdict;
    let row = row(
        &assessment.payment,
        (assessment.id, assessment.tenant),
        assessment.decided_at,
        node,
    );
    changes.insert(&Model {
        transaction_id: assessment.transaction.clone(),
        decision: verdict.decision.as_str().to_owned(),
        score: verdict.score,
        fingerprint: assessment.fingerprint,
        detail: detail::encode(&verdict.reasons, &verdict.matched, &assessment.features),
        ..row
    });
}

/// A payment of the past.
pub(crate) fn insert_past(changes: &mut ChangeSet, past: &Past, node: i64) {
    let row = row(
        &past.payment,
        (past.id, past.tenant),
        past.recorded_at,
        node,
    );
    changes.insert(&Model {
        fraud_at: past.fraud_at,
        ..row
    });
}

/// A decision by id.
pub(crate) async fn find(
    database: &Database,
    id: DecisionId,
) -> Result<Option<Assessment>, StoreError> {
    let found = Entity::find_by_id(id)
        .filter(Expr::cust(IS_DECIDED))
        .one(database.reader())
        .await?;
    found.map(assessment).transpose()
}

/// The decision on a transaction.
pub(crate) async fn find_by_transaction(
    database: &Database,
    tenant: TenantId,
    transaction: &str,
) -> Result<Option<Assessment>, StoreError> {
    let found = Entity::find()
        .filter(Column::TransactionId.eq(transaction))
        .filter(Column::TenantId.eq(tenant))
        .filter(Expr::cust(IS_DECIDED))
        .order_by_asc(Column::RecordedAt)
        .one(database.reader())
        .await?;
    found.map(assessment).transpose()
}

/// Decisions, the newest first.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    filter: &Filter,
    cut: Cut,
) -> Result<Vec<Assessment>, StoreError> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .filter(Expr::cust(IS_DECIDED));
    if let Some(decision) = filter.decision {
        query = query.filter(Column::Decision.eq(decision.as_str()));
    }
    if !filter.customer.is_empty() {
        query = query.filter(Column::CustomerId.eq(filter.customer.as_str()));
    }
    if !filter.terminal.is_empty() {
        query = query
            .filter(Column::TerminalId.eq(filter.terminal.as_str()))
            .filter(Expr::cust("terminal_id <> ''"));
    }
    query = in_range(query, filter.business);
    if let Some(Place { at, id }) = cut.from {
        let same = Condition::all()
            .add(Column::RecordedAt.eq(at))
            .add(Column::Id.lt(id));
        let before = Condition::any().add(Column::RecordedAt.lt(at)).add(same);
        query = query.filter(Column::RecordedAt.lte(at)).filter(before);
    }
    let rows = query
        .order_by_desc(Column::RecordedAt)
        .order_by_desc(Column::Id)
        .limit(cut.limit)
        .all(database.reader())
        .await?;
    rows.into_iter().map(assessment).collect()
}

/// The business time of the newest payment but so many.
pub(crate) async fn newest_but(
    database: &Database,
    tenant: TenantId,
    newer: u64,
) -> Result<Option<Timestamp>, StoreError> {
    let newest: Option<Timestamp> = Entity::find()
        .select_only()
        .column(Column::BusinessAt)
        .filter(Column::TenantId.eq(tenant))
        .order_by_desc(Column::BusinessAt)
        .offset(newer)
        .limit(1)
        .into_tuple()
        .one(database.reader())
        .await?;
    Ok(newest)
}

/// Payments in the order of business time.
pub(crate) async fn past(
    database: &Database,
    tenant: TenantId,
    range: Range,
    cut: Cut,
) -> Result<Vec<Past>, StoreError> {
    let mut query = in_range(Entity::find().filter(Column::TenantId.eq(tenant)), range);
    if let Some(Place { at, id }) = cut.from {
        let same = Condition::all()
            .add(Column::BusinessAt.eq(at))
            .add(Column::Id.gt(id));
        let after = Condition::any().add(Column::BusinessAt.gt(at)).add(same);
        query = query.filter(Column::BusinessAt.gte(at)).filter(after);
    }
    let rows = lean(query)
        .order_by_asc(Column::BusinessAt)
        .order_by_asc(Column::Id)
        .limit(cut.limit)
        .into_model::<Row>()
        .all(database.reader())
        .await?;
    rows.into_iter().map(past_of).collect()
}

/// Payments that other processes wrote since, some of them left out.
pub(crate) async fn of_others_since(
    database: &Database,
    node: i64,
    (since, skipped, limit): (Timestamp, u64, u64),
) -> Result<Vec<Past>, StoreError> {
    let query = Entity::find()
        .filter(Column::RecordedAt.gt(since))
        .filter(Column::Node.ne(node));
    let rows = lean(query)
        .order_by_asc(Column::RecordedAt)
        .order_by_asc(Column::Id)
        .offset(skipped)
        .limit(limit)
        .into_model::<Row>()
        .all(database.reader())
        .await?;
    rows.into_iter().map(past_of).collect()
}

fn lean(query: Select<Entity>) -> Select<Entity> {
    query.select_only().columns([
        Column::Id,
        Column::TenantId,
        Column::Kind,
        Column::AmountMinor,
        Column::Currency,
        Column::CustomerId,
        Column::PayeeId,
        Column::PaymentMethod,
        Column::IsNewMethod,
        Column::IssuerCountry,
        Column::MerchantId,
        Column::TerminalId,
        Column::Country,
        Column::BusinessAt,
        Column::RecordedAt,
        Column::FraudAt,
    ])
}

fn in_range(mut query: Select<Entity>, range: Range) -> Select<Entity> {
    if let Some(from) = range.from_us {
        query = query.filter(Column::BusinessAt.gte(from));
    }
    if let Some(until) = range.until_us {
        query = query.filter(Column::BusinessAt.lt(until));
    }
    query
}

fn row(
    payment: &Payment,
    (id, tenant_id): (DecisionId, TenantId),
    recorded_at: Timestamp,
    node: i64,
) -> Model {
    Model {
        id,
        tenant_id,
        transaction_id: String::new(),
        kind: payment.kind.clone(),
        amount_minor: payment.amount.minor(),
        currency: payment.currency().code().to_owned(),
        customer_id: payment.customer.clone(),
        payee_id: payment.payee.clone(),
        payment_method: payment.method.clone(),
        is_new_method: payment.newness.is_new(),
        issuer_country: payment.issuer_country.clone(),
        merchant_id: payment.merchant.clone(),
        terminal_id: payment.terminal.clone(),
        country: payment.country.clone(),
        business_at: payment.business_at,
        recorded_at,
        node,
        fraud_at: None,
        decision: String::new(),
        score: 0,
        fingerprint: Uuid::nil(),
        detail: Vec::new(),
    }
}

fn amount(minor: i64, currency: &str) -> Result<Amount, StoreError> {
    let currency = currency
        .parse()
        .map_err(|_| StoreError::malformed(TABLE, "currency"))?;
    Amount::try_new(minor, currency).map_err(|_| StoreError::malformed(TABLE, "amount_minor"))
}

fn past_of(row: Row) -> Result<Past, StoreError> {
    Ok(Past {
        id: row.id,
        tenant: row.tenant_id,
        fraud_at: row.fraud_at,
        recorded_at: row.recorded_at,
        payment: Payment {
            amount: amount(row.amount_minor, &row.currency)?,
            kind: row.kind,
            customer: row.customer_id,
            payee: row.payee_id,
            method: row.payment_method,
            newness: Newness::of(row.is_new_method),
            issuer_country: row.issuer_country,
            merchant: row.merchant_id,
            terminal: row.terminal_id,
            country: row.country,
            business_at: row.business_at,
        },
    })
}

fn assessment(row: Model) -> Result<Assessment, StoreError> {
    let decision = Decision::ALL
        .into_iter()
        .find(|decision| decision.as_str() == row.decision)
        .ok_or(StoreError::malformed(TABLE, "decision"))?;
    let payment = Payment {
        amount: amount(row.amount_minor, &row.currency)?,
        kind: row.kind,
        customer: row.customer_id,
        payee: row.payee_id,
        method: row.payment_method,
        newness: Newness::of(row.is_new_method),
        issuer_country: row.issuer_country,
        merchant: row.merchant_id,
        terminal: row.terminal_id,
        country: row.country,
        business_at: row.business_at,
    };
    let (reasons, matched, features) =
        detail::decode(&row.detail, &payment).ok_or(StoreError::malformed(TABLE, "detail"))?;
    Ok(Assessment {
        id: row.id,
        tenant: row.tenant_id,
        transaction: row.transaction_id,
        payment,
        verdict: Verdict {
            decision,
            score: row.score,
            reasons,
            matched,
            alert: None,
        },
        features,
        decided_at: row.recorded_at,
        fingerprint: row.fingerprint,
    })
}
