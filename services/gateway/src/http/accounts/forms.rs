//! Forms of accounts.

use paymesh_proto::{account::v1 as pb, types::v1 as types};

use super::super::form::{Amount, Moment, Owner, Word, form, request, shape, words};

words! {
    types::OwnerKind = OwnerKind "OWNER_KIND_";
    pb::AccountPurpose = AccountPurpose "ACCOUNT_PURPOSE_";
    pb::AccountClass = AccountClass "ACCOUNT_CLASS_";
    pb::NormalSide = NormalSide "NORMAL_SIDE_";
    pb::AccountState = AccountState "ACCOUNT_STATE_";
    pb::BalanceBasis = BalanceBasis "BALANCE_BASIS_";
    pb::EntrySide = EntrySide "ENTRY_SIDE_";
    pb::TransferKind = TransferKind "TRANSFER_KIND_";
    pb::TransferCode = TransferCode "TRANSFER_CODE_";
}

form! {
    /// An account's sums in minor units of its currency. Only `booked_minor` and `available_minor` may be negative.
    Balance from pb::Balance {
        currency: String,
        /// What may be spent: booked, less what is held.
        available_minor: i64,
        /// Posted on the normal side, less posted on the other.
        booked_minor: i64,
        debits_pending_minor: i64,
        debits_posted_minor: i64,
        credits_pending_minor: i64,
        credits_posted_minor: i64,
        /// Rises by one with each batch that touched the account.
        version: u64,
    }
}

form! {
    /// An account of the ledger, one for each owner, purpose and currency.
    Account from pb::Account {
        /// `acct_…`
        id: String,
        owner: Option<Owner>,
        purpose: Word<pb::AccountPurpose>,
        class: Word<pb::AccountClass>,
        currency: String,
        normal_side: Word<pb::NormalSide>,
        state: Word<pb::AccountState>,
        /// Why it is suspended or closed.
        state_reason: Option<String>,
        balance: Option<Balance>,
        /// Of a receivable from a connector.
        connector: Option<String>,
        opened_at: Moment = opened_at_us,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// A balance as it was.
    BalanceAsOf from pb::BalanceAsOfResponse {
        account_id: String,
        balance: Option<Balance>,
        /// Last batch of the ledger that counted.
        batch_height: u64,
    }
}

form! {
    /// One line of a statement: an account's half of a booked transfer.
    Entry from pb::Entry {
        account_id: String,
        /// From 1, without gaps.
        sequence: u64,
        transfer_id: String,
        kind: Word<pb::TransferKind>,
        side: Word<pb::EntrySide>,
        amount: Option<Amount>,
        code: Word<pb::TransferCode>,
        transaction_id: Option<String>,
        counter_account_id: Option<String>,
        balance_after: Option<Balance>,
        booked_at: Moment = booked_at_us,
        effective_at: Option<Moment> = effective_at_us,
        batch_height: u64,
    }
}

shape! {
    /// Entries of an account, oldest first, with the balances around them.
    Statement {
        account_id: String,
        opening: Option<Balance>,
        closing: Option<Balance>,
        data: Vec<Entry>,
        /// For the query `page`; left out on the last page.
        next_page: Option<String>,
    }
}

request! {
    /// A new account. A customer who leaves the owner out opens one of their own.
    OpenAccount {
        /// ISO 4217.
        currency: String,
        owner: Option<Owner>,
        /// `customer_balance`, if it is left out.
        purpose: Option<Word<pb::AccountPurpose>>,
        /// For accounts of a connector.
        connector: Option<String>,
    }
}

request! {
    /// Why the state of an account changes.
    StateReason {
        /// Shown to staff; no personal data.
        reason: String,
    }
}

request! {
    /// Which accounts.
    AccountFilter {
        owner_kind: Option<Word<types::OwnerKind>>,
        /// With `owner_kind`.
        owner_id: Option<String>,
        purpose: Option<Word<pb::AccountPurpose>>,
        currency: Option<String>,
        state: Option<Word<pb::AccountState>>,
    }
}

request! {
    /// Which moment.
    BalanceQuery {
        /// Exclusive; now, if it is left out.
        as_of: Option<Moment>,
        /// `booked`, if it is left out.
        basis: Option<Word<pb::BalanceBasis>>,
        /// The balance after this batch of the ledger, instead of a moment.
        height: Option<u64>,
    }
}

request! {
    /// Which entries.
    StatementQuery {
        from: Option<Moment>,
        /// Exclusive.
        until: Option<Moment>,
        /// `booked`, if it is left out.
        basis: Option<Word<pb::BalanceBasis>>,
        /// Only entries of batches above this.
        after_height: Option<u64>,
        /// Only entries of batches up to this.
        until_height: Option<u64>,
    }
}
