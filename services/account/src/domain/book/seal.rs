//! The end of a batch: facts about balances, the new head, and the assertions that hold for each batch.

use std::collections::HashMap;

use super::{Book, Origin};
use crate::domain::{
    Batch, Entry, Side,
    batch::What,
    chain::{BatchHead, link},
    entry, leaf, tree,
};

impl Book {
    /// Ends the batch.
    ///
    /// # Panics
    /// When debits and credits of a ledger differ (A1).
    #[must_use]
    pub fn seal(mut self) -> Batch {
        assert_balanced(&self.entries);
        self.tell_balances();
        let (mut opened, mut changed) = (Vec::new(), Vec::new());
        for id in std::mem::take(&mut self.touched) {
            // Opened by a group that was rejected: it is not there any more.
            let Some(slot) = self.accounts.remove(&id).filter(|slot| slot.touched) else {
                continue;
            };
            assert!(slot.account.balance.is_sound(), "A2: no sum is below zero");
            match slot.origin {
                Origin::New => opened.push(slot.account),
                Origin::Stored => changed.push(slot.account),
            }
        }
        let (mut reserved, mut resolved) = (Vec::new(), Vec::new());
        for (_, slot) in self.pendings.drain().filter(|(_, slot)| slot.touched) {
            match slot.origin {
                Origin::New => reserved.push(slot.pending),
                Origin::Stored => {
                    let mut pending = slot.pending;
                    pending.version = pending.version.saturating_add(1);
                    resolved.push(pending);
                }
            }
        }
        let mut head = self.head.clone();
        let mut nodes = Vec::new();
        for transfer in &self.booked {
            assert_eq!(
                transfer.leaf_index,
                head.frontier.size(),
                "A6: leaves have no gaps"
            );
            let leaf = tree::leaf_hash(&leaf::encode(transfer));
            head.frontier.append(leaf, &mut nodes);
        }
        let link = (!self.booked.is_empty()).then(|| {
            let (height, size) = (self.height(), head.frontier.size());
            let root = head.frontier.root();
            let previous =
                std::mem::replace(&mut head.chain, link(&self.head.chain, height, size, &root));
            head.height = height;
            BatchHead {
                height,
                size,
                root,
                previous,
                chain: head.chain,
                committed_at: self.at,
            }
        });
        head.committed_at = self.at;
        head.version = head.version.saturating_add(1);
        Batch {
            head,
            link,
            nodes,
            opened,
            changed,
            transfers: self.booked,
            entries: self.entries,
            reserved,
            resolved,
            tombstones: self.buried,
            periods: self.closings,
            facts: self.facts,
        }
    }

    /// One `balance.updated` for each account with a new entry, after everything else about it.
    fn tell_balances(&mut self) {
        let before: HashMap<_, _> = self
            .entries
            .iter()
            .map(|e| (e.account, e.sequence))
            .collect();
        for id in self.touched.clone() {
            if !before.contains_key(&id) {
                continue;
            }
            let Some(cause) = self.accounts.get(&id).map(|slot| slot.cause) else {
                continue;
            };
            let account = self.accounts.get(&id).map(|slot| slot.account.clone());
            if let Some(account) = account {
                self.tell(id, cause, What::BalanceUpdated(account));
            }
        }
    }
}

/// A1: in each ledger as much is debited as is credited, posted and pending alike.
fn assert_balanced(entries: &[Entry]) {
    let mut sums: HashMap<_, (i128, i128)> = HashMap::new();
    for entry in entries {
        let transfer = &entry.transfer;
        let delta = entry::delta(transfer.kind, transfer.amount, transfer.released);
        let ledger = sums
            .entry((transfer.tenant, transfer.currency))
            .or_default();
        let (pending, posted) = (i128::from(delta.pending), i128::from(delta.posted));
        let (pending, posted) = match entry.side {
            Side::Debit => (pending, posted),
            Side::Credit => (pending.saturating_neg(), posted.saturating_neg()),
        };
        ledger.0 = ledger.0.saturating_add(pending);
        ledger.1 = ledger.1.saturating_add(posted);
    }
    for (ledger, sum) in sums {
        assert_eq!(sum, (0, 0), "A1: debits equal credits in {ledger:?}");
    }
}
