//! Is a repeated id the same transfer? Names the fields that differ, as the contract names them.

use paymesh_kernel::id::TenantId;

use super::Book;
use crate::domain::{
    AccountId, Kind, Transfer, TransferId,
    transfer::{AccountRef, Asked, ClosedCredit, Given},
};

impl Book {
    /// The fields in which `asked` is not what was booked as `known`.
    pub(super) fn differing(&self, asked: &Asked, known: &Transfer) -> Vec<&'static str> {
        let ends_pending = known.kind.ends_pending();
        let pending = known.pending.and_then(|id| self.transfers.get(&id));
        let same_account = |given: &Given<AccountRef>, booked: AccountId| match given {
            Given::Missing => ends_pending,
            Given::Malformed => false,
            Given::Value(account) => self.resolve(known.tenant, account) == Some(booked),
        };
        let whole = if ends_pending { known.released } else { 0 };
        let code = match &asked.code {
            Given::Missing => pending.map(|pending| pending.code),
            Given::Malformed => None,
            Given::Value(code) => Some(*code),
        };
        let currency = match &asked.currency {
            Given::Missing if ends_pending => Some(known.currency),
            Given::Missing | Given::Malformed => None,
            Given::Value(currency) => Some(*currency),
        };
        let redirected_but_refuses =
            known.redirected_from.is_some() && asked.closed_credit == ClosedCredit::Refuse;
        let checks = [
            ("kind", asked.kind.value() == Some(&known.kind)),
            ("debit", same_account(&asked.debit, known.debit)),
            (
                "credit",
                same_account(&asked.credit, known.asked_credit())
                    || (ends_pending && same_account(&asked.credit, known.credit)),
            ),
            (
                "amount.minor",
                asked.amount.unwrap_or(whole) == known.amount,
            ),
            ("amount.currency", currency == Some(known.currency)),
            (
                "pending_id",
                asked.pending.value() == known.pending.as_ref(),
            ),
            ("code", code == Some(known.code)),
            ("expires_at_us", asked.expires_at == known.expires_at),
            (
                "effective_at_us",
                asked.effective_at.unwrap_or(known.booked_at) == known.effective_at,
            ),
            ("transaction_id", asked.transaction == known.transaction),
            ("metadata", asked.metadata == known.metadata),
            (
                "closed_credit",
                !redirected_but_refuses && asked.closed_credit == known.closed_credit,
            ),
        ];
        checks
            .into_iter()
            .filter_map(|(field, is_same)| (!is_same).then_some(field))
            .collect()
    }

    /// The id of a named account of the tenant, which need not exist yet; None when there cannot be one.
    pub(super) fn resolve(&self, tenant: TenantId, account: &AccountRef) -> Option<AccountId> {
        match account {
            AccountRef::Id(id) => self.account(tenant, *id).map(|account| account.id),
            AccountRef::Key(key) if key.tenant() == tenant => {
                let reference = key.reference();
                let known = self.references.get(&reference);
                let prospect = || {
                    key.purpose()
                        .opens_on_use()
                        .then(|| self.prospects.get(&reference))
                        .flatten()
                };
                known.or_else(prospect).copied()
            }
            AccountRef::Key(_) => None,
        }
    }

    /// The fields in which a void that left a tombstone differs from a transfer with its id.
    pub(super) fn differing_from_void(asked: &Asked, voided: TransferId) -> Vec<&'static str> {
        let mut fields = Vec::new();
        if asked.kind.value() != Some(&Kind::Void) {
            fields.push("kind");
        }
        if asked.pending.value() != Some(&voided) {
            fields.push("pending_id");
        }
        fields
    }
}
