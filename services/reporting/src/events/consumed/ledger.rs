//! Accounts and their sums after each batch.

use paymesh_bus::{Event, HandleError};
use paymesh_kernel::{ChangeSet, Timestamp, id::TenantId};
use paymesh_proto::{
    Fact as _,
    account::v1::{AccountCreated, BalanceUpdated},
};

use super::{lacking, read};
use crate::{
    domain::trial::Sums,
    store::ledger::{self, Account, Balance},
    wire::{signed, word},
};

pub(super) fn take(
    event: &Event,
    tenant: TenantId,
    changes: &mut ChangeSet,
) -> Result<(), HandleError> {
    match &*event.kind {
        AccountCreated::TYPE => {
            let fact: AccountCreated = read(event)?;
            let account = Account {
                tenant,
                class: word(fact.class().as_str_name(), "ACCOUNT_CLASS_"),
                purpose: word(fact.purpose().as_str_name(), "ACCOUNT_PURPOSE_"),
                id: fact.account_id,
                currency: fact.currency,
                opened_at: Timestamp::from_micros(fact.opened_at_us),
            };
            ledger::put_account(changes, account);
        }
        BalanceUpdated::TYPE => {
            let fact: BalanceUpdated = read(event)?;
            let sums = fact.balance.ok_or_else(|| lacking("balance"))?;
            let balance = Balance {
                account: fact.account_id,
                height: signed(fact.batch_height),
                sums: Sums {
                    debits_posted: sums.debits_posted_minor,
                    credits_posted: sums.credits_posted_minor,
                    debits_pending: sums.debits_pending_minor,
                    credits_pending: sums.credits_pending_minor,
                    accounts: 1,
                },
                booked_at: Timestamp::from_micros(fact.booked_at_us),
            };
            ledger::put_balance(changes, balance);
        }
        _ => {}
    }
    Ok(())
}
