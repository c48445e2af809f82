//! Between the domain and the contract.

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;
use paymesh_proto::{
    account::v1 as pb,
    types::v1::{Money, Outcome as PbOutcome, Owner as PbOwner, OwnerKind as PbOwnerKind},
};

use crate::{
    app::{Outcome, transfers::Shown},
    domain::{
        Account, AccountState, Balance, Bounds, Class, Code, Kind, NormalSide, Owner, OwnerKind,
        PendingState, Period, Purpose, Side,
        book::{ResultCode, TransferResult},
        chain::BatchHead,
    },
    store::entry::Line,
};

/// Defines both directions of an enum.
macro_rules! pairs {
    ($to:ident, $from:ident: $domain:ident = $proto:path { $($member:ident = $value:ident),+ $(,)? }) => {
        pub(crate) const fn $to(value: $domain) -> $proto {
            use $proto as Proto;
            match value {
                $($domain::$member => Proto::$value),+
            }
        }

        pub(crate) fn $from(number: i32) -> Option<$domain> {
            $domain::ALL.iter().copied().find(|value| i32::from($to(*value)) == number)
        }
    };
}

/// Defines the way out of an enum.
macro_rules! outward {
    ($to:ident: $domain:ident = $proto:path { $($member:ident = $value:ident),+ $(,)? }) => {
        pub(crate) const fn $to(value: $domain) -> $proto {
            use $proto as Proto;
            match value {
                $($domain::$member => Proto::$value),+
            }
        }
    };
}

pairs!(purpose_out, purpose_in: Purpose = pb::AccountPurpose {
    BankCash = BankCash,
    ConnectorReceivable = ConnectorReceivable,
    CustomerBalance = CustomerBalance,
    MerchantPending = MerchantPending,
    MerchantAvailable = MerchantAvailable,
    MerchantReserve = MerchantReserve,
    Clearing = Clearing,
    PayoutInTransit = PayoutInTransit,
    Suspense = Suspense,
    FxPosition = FxPosition,
    FeeRevenue = FeeRevenue,
    FxSpread = FxSpread,
    ConnectorFees = ConnectorFees,
    Losses = Losses,
    ReconciliationDifference = ReconciliationDifference,
});

pairs!(state_out, state_in: AccountState = pb::AccountState {
    Active = Active,
    Suspended = Suspended,
    Closed = Closed,
});

pairs!(owner_kind_out, owner_kind_in: OwnerKind = PbOwnerKind {
    Tenant = Tenant,
    User = User,
    Merchant = Merchant,
    Connector = Connector,
});

pairs!(kind_out, kind_in: Kind = pb::TransferKind {
    Single = Single,
    Pending = Pending,
    Post = Post,
    Void = Void,
});

pairs!(code_out, code_in: Code = pb::TransferCode {
    Transfer = Transfer,
    Purchase = Purchase,
    TopUp = TopUp,
    Withdrawal = Withdrawal,
    Fee = Fee,
    Exchange = Exchange,
    Spread = Spread,
    Refund = Refund,
    ConnectorFee = ConnectorFee,
    ConnectorSettlement = ConnectorSettlement,
    Release = Release,
    Reserve = Reserve,
    Payout = Payout,
    PayoutConfirmation = PayoutConfirmation,
    PayoutReturn = PayoutReturn,
    Treasury = Treasury,
    Reversal = Reversal,
    WriteOff = WriteOff,
    Adjustment = Adjustment,
    Chargeback = Chargeback,
    ProviderRefund = ProviderRefund,
    Correction = Correction,
});

outward!(class_out: Class = pb::AccountClass {
    Asset = Asset,
    Liability = Liability,
    Position = Position,
    Income = Income,
    Expense = Expense,
});

outward!(normal_side_out: NormalSide = pb::NormalSide { Debit = Debit, Credit = Credit });

outward!(side_out: Side = pb::EntrySide { Debit = Debit, Credit = Credit });

outward!(pending_state_out: PendingState = pb::PendingState {
    Pending = Pending,
    Posted = Posted,
    Voided = Voided,
    Expired = Expired,
});

outward!(result_code_out: ResultCode = pb::TransferResultCode {
    Applied = Applied,
    Tombstoned = Tombstoned,
    IdInvalid = IdInvalid,
    IdConflict = IdConflict,
    IdTombstoned = IdTombstoned,
    KindInvalid = KindInvalid,
    AmountInvalid = AmountInvalid,
    CurrencyInvalid = CurrencyInvalid,
    CodeInvalid = CodeInvalid,
    ExpiryInvalid = ExpiryInvalid,
    PendingIdInvalid = PendingIdInvalid,
    AccountsSame = AccountsSame,
    PendingNotFound = PendingNotFound,
    PendingKindInvalid = PendingKindInvalid,
    PendingAccountsDiffer = PendingAccountsDiffer,
    PendingAlreadyPosted = PendingAlreadyPosted,
    PendingAlreadyVoided = PendingAlreadyVoided,
    PendingExpired = PendingExpired,
    PendingAmountExceeded = PendingAmountExceeded,
    DebitAccountNotFound = DebitAccountNotFound,
    CreditAccountNotFound = CreditAccountNotFound,
    AccountCurrencyDiffers = AccountCurrencyDiffers,
    DebitAccountClosed = DebitAccountClosed,
    CreditAccountClosed = CreditAccountClosed,
    DebitAccountSuspended = DebitAccountSuspended,
    PeriodClosed = PeriodClosed,
    BalanceOverflow = BalanceOverflow,
    DebitBoundExceeded = DebitBoundExceeded,
    CreditBoundExceeded = CreditBoundExceeded,
    GroupRejected = GroupRejected,
});

/// A number that is never below zero.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).expect("heights, sizes, sequences and versions are not below zero")
}

/// Microseconds of an optional moment; 0 is none.
pub(crate) fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}

/// The text of an optional id; empty is none.
pub(crate) fn optional<I: std::fmt::Display>(id: Option<I>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

pub(crate) fn money(minor: i64, currency: Currency) -> Money {
    Money {
        minor,
        currency: currency.code().to_owned(),
    }
}

pub(crate) fn owner(owner: &Owner) -> PbOwner {
    PbOwner {
        kind: owner_kind_out(owner.kind).into(),
        id: owner.id.clone(),
    }
}

pub(crate) fn balance(
    sums: Balance,
    (purpose, currency): (Purpose, Currency),
    version: i64,
) -> pb::Balance {
    let normal = purpose.normal_side();
    pb::Balance {
        debits_pending_minor: sums.debits_pending,
        debits_posted_minor: sums.debits_posted,
        credits_pending_minor: sums.credits_pending,
        credits_posted_minor: sums.credits_posted,
        booked_minor: sums.booked(normal),
        available_minor: sums.available(normal),
        currency: currency.code().to_owned(),
        version: unsigned(version),
    }
}

const fn bounds(bounds: Bounds) -> pb::Bounds {
    pb::Bounds {
        debits_within_credits: bounds.debits_within_credits,
        credits_within_debits: bounds.credits_within_debits,
    }
}

pub(crate) fn account_balance(account: &Account) -> pb::Balance {
    let key = &account.key;
    balance(
        account.balance,
        (key.purpose(), key.currency()),
        account.version,
    )
}

pub(crate) fn account(account: &Account) -> pb::Account {
    let key = &account.key;
    let purpose = key.purpose();
    pb::Account {
        id: account.id.to_string(),
        owner: Some(owner(key.owner())),
        purpose: purpose_out(purpose).into(),
        class: class_out(purpose.class()).into(),
        currency: key.currency().code().to_owned(),
        normal_side: normal_side_out(purpose.normal_side()).into(),
        bounds: Some(bounds(account.bounds)),
        state: state_out(account.state).into(),
        balance: Some(account_balance(account)),
        connector: key.connector().to_owned(),
        state_reason: account.state_reason.as_ref().to_owned(),
        opened_at_us: account.opened_at.as_micros(),
        updated_at_us: account.updated_at.as_micros(),
    }
}

pub(crate) fn result(id: String, result: TransferResult) -> pb::TransferResult {
    let booked = result.booked;
    pb::TransferResult {
        id,
        code: result_code_out(result.code).into(),
        already_applied: result.already_applied,
        differing_fields: result
            .differing_fields
            .into_iter()
            .map(str::to_owned)
            .collect(),
        leaf_index: booked.map_or(0, |booked| unsigned(booked.leaf_index)),
        booked_at_us: micros(booked.map(|booked| booked.booked_at)),
        credited_account_id: booked.map_or_else(String::new, |booked| booked.credited.to_string()),
    }
}

pub(crate) fn transfer(shown: Shown) -> pb::BookedTransfer {
    let transfer = shown.transfer;
    let state = shown
        .state
        .map_or(pb::PendingState::Unspecified, pending_state_out);
    pb::BookedTransfer {
        id: transfer.id.to_string(),
        kind: kind_out(transfer.kind).into(),
        debit_account_id: transfer.debit.to_string(),
        credit_account_id: transfer.credit.to_string(),
        amount: Some(money(transfer.amount, transfer.currency)),
        pending_id: optional(transfer.pending),
        pending_state: state.into(),
        code: code_out(transfer.code).into(),
        transaction_id: optional(transfer.transaction),
        group_id: transfer.group.to_string(),
        metadata: transfer.metadata.into_iter().collect(),
        expires_at_us: micros(transfer.expires_at),
        effective_at_us: transfer.effective_at.as_micros(),
        booked_at_us: transfer.booked_at.as_micros(),
        leaf_index: unsigned(transfer.leaf_index),
        batch_height: unsigned(transfer.batch_height),
    }
}

pub(crate) fn entry(line: Line, purpose: Purpose) -> pb::Entry {
    pb::Entry {
        account_id: line.account.to_string(),
        sequence: unsigned(line.sequence),
        transfer_id: line.transfer.to_string(),
        kind: kind_out(line.kind).into(),
        side: side_out(line.side).into(),
        amount: Some(money(line.amount, line.currency)),
        code: code_out(line.code).into(),
        transaction_id: optional(line.transaction),
        counter_account_id: line.counter_account.to_string(),
        balance_after: Some(balance(
            line.balance,
            (purpose, line.currency),
            line.account_version,
        )),
        booked_at_us: line.booked_at.as_micros(),
        effective_at_us: line.effective_at.as_micros(),
        batch_height: unsigned(line.batch_height),
    }
}

pub(crate) fn head(head: &BatchHead) -> pb::BatchHead {
    pb::BatchHead {
        height: unsigned(head.height),
        size: unsigned(head.size),
        root: head.root.to_vec(),
        chain_hash: head.chain.to_vec(),
        committed_at_us: head.committed_at.as_micros(),
    }
}

pub(crate) fn period(period: &Period) -> pb::Period {
    pb::Period {
        currency: period
            .currency
            .map_or_else(String::new, |c| c.code().to_owned()),
        until_at_us: period.until.as_micros(),
        batch_height: unsigned(period.batch_height),
        closed_at_us: period.closed_at.as_micros(),
        closed_by: period.closed_by.clone(),
    }
}

/// The object of an outcome, and the word for it.
pub(crate) fn outcome<T>(outcome: Outcome<T>) -> (T, i32) {
    match outcome {
        Outcome::Applied(object) => (object, PbOutcome::Applied.into()),
        Outcome::AlreadyApplied(object) => (object, PbOutcome::AlreadyApplied.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_contract_is_known_but_the_unspecified() {
        for number in 0..60 {
            let known = pb::TransferCode::try_from(number).is_ok() && number != 0;
            assert_eq!(code_in(number).is_some(), known, "code {number}");
            let known = pb::AccountPurpose::try_from(number).is_ok() && number != 0;
            assert_eq!(purpose_in(number).is_some(), known, "purpose {number}");
            let known = pb::TransferKind::try_from(number).is_ok() && number != 0;
            assert_eq!(kind_in(number).is_some(), known, "kind {number}");
        }
    }

    #[test]
    fn result_codes_are_numbered_in_the_order_of_their_checks() {
        let checked = [
            ResultCode::IdInvalid,
            ResultCode::IdConflict,
            ResultCode::IdTombstoned,
            ResultCode::KindInvalid,
            ResultCode::AmountInvalid,
            ResultCode::CurrencyInvalid,
            ResultCode::CodeInvalid,
            ResultCode::ExpiryInvalid,
            ResultCode::PendingIdInvalid,
            ResultCode::AccountsSame,
            ResultCode::PendingNotFound,
            ResultCode::GroupRejected,
        ];
        let numbers = checked.map(|code| i32::from(result_code_out(code)));
        assert!(numbers.is_sorted() && checked.is_sorted());
    }
}
