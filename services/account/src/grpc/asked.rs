//! Transfers as asked: what has a result code of its own is handed on as it is, everything else is refused with its path.

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_proto::account::v1 as pb;

use super::fields::Violations;
use crate::{
    config::CALL_TRANSFERS,
    domain::{
        AccountKey, Owner, TransactionId,
        transfer::{AccountRef, Asked, ClosedCredit, Given, Metadata},
    },
    error::Error,
    proto,
};

/// Most groups of a call.
const CALL_GROUPS: usize = 1_024;
/// Most transfers of a group.
const GROUP_TRANSFERS: usize = 64;
/// Most labels of a transfer.
const LABELS: usize = 16;
/// Longest key of a label, in characters.
const LABEL_KEY: usize = 64;
/// Longest value of a label, in characters.
const LABEL_VALUE: usize = 256;
/// Violations that are named; a call with more is wrong anyway.
const NAMED_VIOLATIONS: usize = 32;

/// The groups of a call.
pub(super) fn groups(
    tenant: TenantId,
    request: &pb::PostTransfersRequest,
) -> Result<Vec<Vec<Asked>>, Error> {
    if !(1..=CALL_GROUPS).contains(&request.groups.len()) {
        return Err(Error::field("groups", "must be 1 to 1024 groups"));
    }
    let total: usize = request
        .groups
        .iter()
        .map(|group| group.transfers.len())
        .sum();
    if total > CALL_TRANSFERS {
        return Err(Error::field(
            "groups",
            "must hold at most 8192 transfers in all",
        ));
    }
    let mut violations = Violations::default();
    let mut named = 0_usize;
    let mut groups = Vec::with_capacity(request.groups.len());
    for (place, group) in request.groups.iter().enumerate() {
        if !(1..=GROUP_TRANSFERS).contains(&group.transfers.len()) {
            violations.add(
                format!("groups[{place}].transfers"),
                "must be 1 to 64 transfers",
            );
            named = named.saturating_add(1);
        }
        let mut asked = Vec::with_capacity(group.transfers.len());
        for (index, transfer) in group.transfers.iter().enumerate() {
            let path = |field: &str| format!("groups[{place}].transfers[{index}].{field}");
            match one(tenant, transfer) {
                Ok(transfer) => asked.push(transfer),
                Err((field, rule)) => {
                    violations.add(path(field), rule);
                    named = named.saturating_add(1);
                }
            }
        }
        groups.push(asked);
        if named >= NAMED_VIOLATIONS {
            break;
        }
    }
    violations.check()?;
    Ok(groups)
}

type Wrong = (&'static str, &'static str);

fn one(tenant: TenantId, transfer: &pb::Transfer) -> Result<Asked, Wrong> {
    if transfer.effective_at_us < 0 {
        return Err(("effective_at_us", "must be microseconds since 1970, or 0"));
    }
    let transaction: Option<TransactionId> = match transfer.transaction_id.as_str() {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|_| ("transaction_id", "must be a `txn_` id, or empty"))?,
        ),
    };
    let closed_credit = match pb::ClosedCreditPolicy::try_from(transfer.closed_credit) {
        Ok(pb::ClosedCreditPolicy::Unspecified | pb::ClosedCreditPolicy::Refuse) => {
            ClosedCredit::Refuse
        }
        Ok(pb::ClosedCreditPolicy::Suspense) => ClosedCredit::Suspense,
        Err(_) => return Err(("closed_credit", "must be refuse or suspense")),
    };
    let given = |micros: i64| (micros != 0).then(|| Timestamp::from_micros(micros));
    let (amount, currency) = match &transfer.amount {
        None => (None, Given::Missing),
        Some(money) => (
            Some(money.minor),
            money
                .currency
                .parse()
                .map_or(Given::Malformed, Given::Value),
        ),
    };
    Ok(Asked {
        id: transfer.id.parse().ok(),
        kind: proto::kind_in(transfer.kind).map_or(Given::Malformed, Given::Value),
        debit: account(tenant, transfer.debit.as_ref()),
        credit: account(tenant, transfer.credit.as_ref()),
        amount,
        currency,
        pending: match transfer.pending_id.as_str() {
            "" => Given::Missing,
            text => text.parse().map_or(Given::Malformed, Given::Value),
        },
        code: match transfer.code {
            0 => Given::Missing,
            number => proto::code_in(number).map_or(Given::Malformed, Given::Value),
        },
        expires_at: given(transfer.expires_at_us),
        effective_at: given(transfer.effective_at_us),
        transaction,
        metadata: labels(transfer)?,
        closed_credit,
    })
}

fn labels(transfer: &pb::Transfer) -> Result<Metadata, Wrong> {
    let is_short = |text: &str, limit: usize| text.len() <= limit || text.chars().count() <= limit;
    let is_plain = |text: &str| !text.contains('\0');
    let fits = transfer.metadata.len() <= LABELS
        && transfer.metadata.iter().all(|(key, value)| {
            !key.is_empty()
                && is_short(key, LABEL_KEY)
                && is_short(value, LABEL_VALUE)
                && is_plain(key)
                && is_plain(value)
        });
    if !fits {
        return Err((
            "metadata",
            "must be at most 16 pairs, a key of 1 to 64 and a value of at most 256 characters, without NUL",
        ));
    }
    Ok(transfer
        .metadata
        .iter()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect())
}

fn account(tenant: TenantId, account: Option<&pb::AccountRef>) -> Given<AccountRef> {
    match account.and_then(|account| account.by.as_ref()) {
        None => Given::Missing,
        Some(pb::account_ref::By::Id(text)) => text
            .parse()
            .map_or(Given::Malformed, |id| Given::Value(AccountRef::Id(id))),
        Some(pb::account_ref::By::System(system)) => {
            key(tenant, system).map_or(Given::Malformed, |key| Given::Value(AccountRef::Key(key)))
        }
    }
}

fn key(tenant: TenantId, system: &pb::SystemAccount) -> Option<AccountKey> {
    let purpose = proto::purpose_in(system.purpose)?;
    let currency = system.currency.parse().ok()?;
    let owner = match system
        .owner
        .as_ref()
        .filter(|owner| owner.kind != 0 || !owner.id.is_empty())
    {
        None => None,
        Some(owner) => Some(Owner {
            kind: proto::owner_kind_in(owner.kind)?,
            id: owner.id.clone(),
        }),
    };
    AccountKey::try_new(tenant, owner, purpose, currency, &system.connector).ok()
}
