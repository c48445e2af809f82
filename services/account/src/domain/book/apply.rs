//! Booking groups of transfers: all of a group or none, each transfer seeing those before it.

use std::{collections::HashSet, sync::Arc};

use paymesh_kernel::id::TenantId;

use super::{
    Book, Undo,
    check::{Party, Plan, Posting},
    result::{GroupResult, ResultCode, TransferResult},
};
use crate::domain::{
    Account, AccountId, Entry, Kind, PendingState, Side, Transfer, TransferId,
    batch::{Fact, What},
    transfer::{Asked, Pending, Tombstone},
};

impl Book {
    /// Books the groups of one call, each on its own.
    pub fn post_groups(
        &mut self,
        tenant: TenantId,
        groups: &[Vec<Asked>],
        cause: usize,
    ) -> Vec<GroupResult> {
        let repeated = repeated_ids(groups);
        groups
            .iter()
            .map(|group| self.post_group(tenant, group, &repeated, cause))
            .collect()
    }

    fn post_group(
        &mut self,
        tenant: TenantId,
        group: &[Asked],
        repeated: &HashSet<TransferId>,
        cause: usize,
    ) -> GroupResult {
        let mark = self.mark();
        let first = group.iter().find_map(|asked| asked.id);
        let mut transfers = Vec::with_capacity(group.len());
        let mut rejected = false;
        for asked in group {
            let is_repeated = asked.id.is_some_and(|id| repeated.contains(&id));
            let result = if is_repeated {
                Err(TransferResult::rejected(ResultCode::IdInvalid))
            } else {
                self.post_one(tenant, asked, first, cause)
            };
            match result {
                Ok(result) => transfers.push(result),
                Err(rejection) => {
                    rejected = true;
                    transfers.push(rejection);
                    break;
                }
            }
        }
        if rejected {
            self.roll_back(mark);
            self.answer_rejected(tenant, group, &mut transfers);
        }
        GroupResult {
            applied: !rejected,
            transfers,
        }
    }

    /// The answers of a group of which one was rejected: what an earlier call booked stays booked, the rest is not.
    fn answer_rejected(
        &self,
        tenant: TenantId,
        group: &[Asked],
        transfers: &mut Vec<TransferResult>,
    ) {
        let rejected_at = transfers.len().saturating_sub(1);
        for (place, asked) in group.iter().enumerate() {
            if place == rejected_at {
                continue;
            }
            let known = asked.id.and_then(|id| self.transfer(tenant, id));
            let result = match known {
                Some(known) if self.differing(asked, known).is_empty() => {
                    TransferResult::already(known)
                }
                Some(_) | None => TransferResult::rejected(ResultCode::GroupRejected),
            };
            match transfers.get_mut(place) {
                Some(earlier) => *earlier = result,
                None => transfers.push(result),
            }
        }
    }

    fn post_one(
        &mut self,
        tenant: TenantId,
        asked: &Asked,
        first: Option<TransferId>,
        cause: usize,
    ) -> Result<TransferResult, TransferResult> {
        match self.check(tenant, asked)? {
            Plan::Nothing(result) => Ok(result),
            Plan::Bury(pending) => {
                if let Some(void) = asked.id {
                    self.bury(tenant, pending, void);
                }
                Ok(TransferResult::rejected(ResultCode::Tombstoned))
            }
            Plan::Book(posting) => {
                let group = first.unwrap_or(posting.id);
                let transfer = self.transfer_of(tenant, &posting, asked, group);
                self.book(*posting, &transfer, cause);
                Ok(TransferResult::applied(&transfer))
            }
        }
    }

    fn bury(&mut self, tenant: TenantId, id: TransferId, void: TransferId) {
        if self.tombstones.contains_key(&(tenant, id)) {
            return;
        }
        let tombstone = Tombstone {
            id,
            tenant,
            void,
            created_at: self.at,
        };
        self.journal.push(Undo::Tombstone(tombstone));
        self.add_tombstone(tombstone);
        self.buried.push(tombstone);
    }

    fn transfer_of(
        &self,
        tenant: TenantId,
        posting: &Posting,
        asked: &Asked,
        group: TransferId,
    ) -> Arc<Transfer> {
        Arc::new(Transfer {
            id: posting.id,
            tenant,
            kind: posting.kind,
            debit: posting.debit.id,
            credit: posting.credit.id,
            redirected_from: posting.redirected_from,
            amount: posting.amount,
            released: posting.released,
            currency: posting.currency,
            pending: posting.pending,
            code: posting.code,
            transaction: asked.transaction,
            group,
            metadata: asked.metadata.clone(),
            closed_credit: asked.closed_credit,
            expires_at: asked.expires_at,
            effective_at: posting.effective_at,
            booked_at: self.at,
            leaf_index: self.next_leaf(),
            batch_height: self.height(),
        })
    }

    /// Writes a checked posting into the working set.
    pub(super) fn book(&mut self, posting: Posting, transfer: &Arc<Transfer>, cause: usize) {
        self.journal.push(Undo::Transfer(transfer.id));
        self.transfers.insert(transfer.id, Arc::clone(transfer));
        self.booked.push(Arc::clone(transfer));
        self.settle_pending(transfer);
        let may_cross = posting.code.is_forced() && !posting.kind.ends_pending();
        for (party, side) in [(posting.debit, Side::Debit), (posting.credit, Side::Credit)] {
            let (account, crossed) = (party.id, party.crossed);
            self.enter(party, side, transfer, cause);
            if may_cross && crossed > 0 {
                let what = What::Overdrawn {
                    transfer: Arc::clone(transfer),
                    by: crossed,
                };
                self.tell(account, cause, what);
            }
        }
    }

    fn settle_pending(&mut self, transfer: &Transfer) {
        let state = match transfer.kind {
            Kind::Single => return,
            Kind::Pending => PendingState::Pending,
            Kind::Post => PendingState::Posted,
            Kind::Void => PendingState::Voided,
        };
        let pending = match transfer.pending {
            None => Pending {
                id: transfer.id,
                state,
                expires_at: transfer.expires_at,
                resolved_by: None,
                version: 1,
            },
            Some(ended) => Pending {
                state,
                resolved_by: Some(transfer.id),
                ..self.pending(ended)
            },
        };
        self.change_pending(pending);
    }

    fn enter(&mut self, party: Party, side: Side, transfer: &Arc<Transfer>, cause: usize) {
        if let Some(key) = party.opening {
            let bounds = key.purpose().bounds();
            let account = Account::open(party.id, Arc::new(key), bounds, self.at);
            self.insert_account(account, cause);
            self.tell(party.id, cause, What::Created);
        }
        let mut line = (0, 0);
        self.change_account(party.id, cause, |account| {
            account.balance = party.balance;
            account.entry_sequence = account.entry_sequence.saturating_add(1);
            line = (account.entry_sequence, account.version);
        });
        let (sequence, account_version) = line;
        self.entries.push(Entry {
            account: party.id,
            sequence,
            side,
            balance: party.balance,
            account_version,
            transfer: Arc::clone(transfer),
        });
    }

    /// Adds a fact about an account, in the order of its sequence.
    pub(super) fn tell(&mut self, id: AccountId, cause: usize, what: What) {
        let mut told = None;
        self.change_account(id, cause, |account| {
            account.event_sequence = account.event_sequence.saturating_add(1);
            told = Some((account.event_sequence, Arc::clone(&account.key)));
        });
        if let Some((sequence, key)) = told {
            self.facts.push(Fact {
                account: id,
                key,
                sequence,
                cause,
                what,
            });
        }
    }
}

/// Ids that a call has more than once.
fn repeated_ids(groups: &[Vec<Asked>]) -> HashSet<TransferId> {
    let mut seen = HashSet::new();
    groups
        .iter()
        .flatten()
        .filter_map(|asked| asked.id)
        .filter(|id| !seen.insert(*id))
        .collect()
}
