//! Read models: what lists and summaries are made of. They are written by the consumer of our own facts and may be a little behind.

use paymesh_kernel::{
    ChangeSet, Database, Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use paymesh_money::Currency;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select,
    sea_query::{Expr, ExprTrait as _},
};
use uuid::Uuid;

use super::{
    StoreError,
    entity::{user_transaction, view},
    map,
};
use crate::domain::{
    AccountId, TerminalId, TransactionId,
    status::{Kind, Status},
};

/// A line of the read model.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The transaction's, or the operation's for refunds and chargebacks.
    pub(crate) id: Uuid,
    pub(crate) tenant: TenantId,
    pub(crate) transaction: TransactionId,
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) currency: String,
    pub(crate) amount_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) fee_currency: String,
    pub(crate) fee_minor: i64,
    pub(crate) payer_user: Option<UserId>,
    pub(crate) payee_user: Option<UserId>,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) terminal: Option<TerminalId>,
    pub(crate) payer_account: Option<AccountId>,
    pub(crate) payee_account: Option<AccountId>,
    pub(crate) purpose: String,
    pub(crate) business_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// What a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    pub(crate) status: Option<Status>,
    pub(crate) user: Option<UserId>,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) terminal: Option<TerminalId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) purpose: String,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// Where a page begins: after this place.
pub(crate) type Place = (Timestamp, Uuid);

/// Totals of one kind, state and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) status: Status,
    pub(crate) currency: Currency,
    pub(crate) count: i64,
    pub(crate) amount_minor: i64,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) fee_minor: i64,
}

/// Writes a line as it is now.
pub(crate) fn put(changes: &mut ChangeSet, of: &View) {
    changes.upsert(&view::Model {
        id: of.id,
        tenant_id: of.tenant,
        transaction_id: of.transaction,
        kind: of.kind.as_str().to_owned(),
        status: of.status.as_str().to_owned(),
        currency: of.currency.clone(),
        amount_minor: of.amount_minor,
        captured_minor: of.captured_minor,
        refunded_minor: of.refunded_minor,
        fee_currency: of.fee_currency.clone(),
        fee_minor: of.fee_minor,
        payer_user_id: of.payer_user,
        payee_user_id: of.payee_user,
        merchant_id: of.merchant,
        terminal_id: of.terminal,
        payer_account_id: of.payer_account,
        payee_account_id: of.payee_account,
        purpose: (!of.purpose.is_empty()).then(|| of.purpose.clone()),
        business_at: of.business_at,
        created_at: of.created_at,
        updated_at: of.updated_at,
    });
}

/// Writes the lines of both persons.
pub(crate) fn put_users(changes: &mut ChangeSet, of: &View) {
    let second = of.payee_user.filter(|payee| of.payer_user != Some(*payee));
    for user in of.payer_user.into_iter().chain(second) {
        changes.upsert(&user_transaction::Model {
            user_id: user,
            transaction_id: of.transaction,
            tenant_id: of.tenant,
            kind: of.kind.as_str().to_owned(),
            status: of.status.as_str().to_owned(),
            business_at: of.business_at,
            created_at: of.created_at,
        });
    }
}

/// Ids of transactions, newest first, with their places.
pub(crate) async fn list(
    database: &Database,
    tenant: TenantId,
    filter: &Filter,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<(TransactionId, Timestamp)>, StoreError> {
    use view::Column;
    let mut query = filtered(tenant, filter)
        .filter(Expr::col(Column::Id).equals(Column::TransactionId))
        .select_only()
        .column(Column::TransactionId)
        .column(Column::CreatedAt);
    if let Some((at, id)) = after {
        query = query.filter(
            Condition::any().add(Column::CreatedAt.lt(at)).add(
                Condition::all()
                    .add(Column::CreatedAt.eq(at))
                    .add(Column::Id.lt(id)),
            ),
        );
    }
    let rows = query
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(database.reader())
        .await?;
    Ok(rows)
}

/// Ids of a person's transactions, newest first, with their places.
pub(crate) async fn list_of_user(
    database: &Database,
    (tenant, user): (TenantId, UserId),
    filter: &Filter,
    (after, limit): (Option<Place>, u64),
) -> Result<Vec<(TransactionId, Timestamp)>, StoreError> {
    use user_transaction::Column;
    let mut wanted = Condition::all()
        .add(Column::UserId.eq(user))
        .add(Column::TenantId.eq(tenant));
    wanted = wanted
        .add_option(filter.kind.map(|kind| Column::Kind.eq(kind.as_str())))
        .add_option(
            filter
                .status
                .map(|status| Column::Status.eq(status.as_str())),
        )
        .add_option(filter.from.map(|from| Column::BusinessAt.gte(from)))
        .add_option(filter.until.map(|until| Column::BusinessAt.lt(until)));
    if let Some((at, id)) = after {
        wanted = wanted.add(
            Condition::any().add(Column::CreatedAt.lt(at)).add(
                Condition::all()
                    .add(Column::CreatedAt.eq(at))
                    .add(Column::TransactionId.lt(id)),
            ),
        );
    }
    let rows = user_transaction::Entity::find()
        .filter(wanted)
        .select_only()
        .column(Column::TransactionId)
        .column(Column::CreatedAt)
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::TransactionId)
        .limit(limit)
        .into_tuple()
        .all(database.reader())
        .await?;
    Ok(rows)
}

/// Totals, and how fresh they are.
pub(crate) async fn summary(
    database: &Database,
    tenant: TenantId,
    filter: &Filter,
) -> Result<(Vec<Line>, Option<Timestamp>), StoreError> {
    use view::Column;
    type Row = (String, String, String, i64, i64, i64, i64);
    let sum = |column: Column| Expr::col(column).sum().cast_as("BIGINT");
    let rows: Vec<Row> = filtered(tenant, filter)
        .select_only()
        .column(Column::Kind)
        .column(Column::Status)
        .column(Column::Currency)
        .column_as(Column::Id.count(), "transaction_count")
        .column_as(sum(Column::AmountMinor), "amount_minor")
        .column_as(sum(Column::CapturedMinor), "captured_minor")
        .column_as(sum(Column::RefundedMinor), "refunded_minor")
        .group_by(Column::Kind)
        .group_by(Column::Status)
        .group_by(Column::Currency)
        .into_tuple()
        .all(database.reader())
        .await?;
    let fees: Vec<(String, String, String, i64)> = filtered(tenant, filter)
        .filter(Column::FeeMinor.gt(0))
        .select_only()
        .column(Column::Kind)
        .column(Column::Status)
        .column(Column::FeeCurrency)
        .column_as(sum(Column::FeeMinor), "fee_minor")
        .group_by(Column::Kind)
        .group_by(Column::Status)
        .group_by(Column::FeeCurrency)
        .into_tuple()
        .all(database.reader())
        .await?;
    // The newest one that is counted; its index has it first.
    let fresh: Option<Timestamp> = view::Entity::find()
        .filter(Column::TenantId.eq(tenant))
        .select_only()
        .column(Column::CreatedAt)
        .order_by_desc(Column::CreatedAt)
        .limit(1)
        .into_tuple()
        .one(database.reader())
        .await?;
    Ok((lines(rows, fees)?, fresh))
}

fn lines(
    rows: Vec<(String, String, String, i64, i64, i64, i64)>,
    fees: Vec<(String, String, String, i64)>,
) -> Result<Vec<Line>, StoreError> {
    let empty = |kind: &str, status: &str, code: &str| {
        Ok::<Line, StoreError>(Line {
            kind: map::kind(kind)?,
            status: map::status(status)?,
            currency: map::currency(code, "currency")?,
            count: 0,
            amount_minor: 0,
            captured_minor: 0,
            refunded_minor: 0,
            fee_minor: 0,
        })
    };
    let mut lines = Vec::with_capacity(rows.len());
    for (kind, status, code, count, amount_minor, captured_minor, refunded_minor) in rows {
        let line = empty(&kind, &status, &code)?;
        lines.push(Line {
            count,
            amount_minor,
            captured_minor,
            refunded_minor,
            ..line
        });
    }
    // A fee may be in another currency than its transaction; then it has a line of its own, which counts none.
    for (kind, status, code, fee_minor) in fees {
        let wanted = empty(&kind, &status, &code)?;
        let same = |line: &&mut Line| {
            (line.kind, line.status, line.currency) == (wanted.kind, wanted.status, wanted.currency)
        };
        match lines.iter_mut().find(same) {
            Some(line) => line.fee_minor = fee_minor,
            None => lines.push(Line {
                fee_minor,
                ..wanted
            }),
        }
    }
    lines.sort_by_key(|line| (line.kind.as_str(), line.status.as_str(), line.currency));
    Ok(lines)
}

fn filtered(tenant: TenantId, filter: &Filter) -> Select<view::Entity> {
    use view::Column;
    let either = |first: Column, second: Column, value: sea_orm::Value| {
        Condition::any()
            .add(first.eq(value.clone()))
            .add(second.eq(value))
    };
    let users = |user: UserId| either(Column::PayerUserId, Column::PayeeUserId, user.into());
    let accounts = |account: AccountId| {
        either(
            Column::PayerAccountId,
            Column::PayeeAccountId,
            account.into(),
        )
    };
    let wanted = Condition::all()
        .add(Column::TenantId.eq(tenant))
        .add_option(filter.kind.map(|kind| Column::Kind.eq(kind.as_str())))
        .add_option(
            filter
                .status
                .map(|status| Column::Status.eq(status.as_str())),
        )
        .add_option(filter.user.map(users))
        .add_option(
            filter
                .merchant
                .map(|merchant| Column::MerchantId.eq(merchant)),
        )
        .add_option(
            filter
                .terminal
                .map(|terminal| Column::TerminalId.eq(terminal)),
        )
        .add_option(filter.account.map(accounts))
        .add_option(
            (!filter.purpose.is_empty()).then(|| Column::Purpose.eq(filter.purpose.as_str())),
        )
        .add_option(filter.from.map(|from| Column::BusinessAt.gte(from)))
        .add_option(filter.until.map(|until| Column::BusinessAt.lt(until)));
    view::Entity::find().filter(wanted)
}
