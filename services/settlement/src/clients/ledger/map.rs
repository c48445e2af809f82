//! Legs become transfers, results become verdicts, entries become ours.

use std::collections::HashMap;

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;
use paymesh_proto::account::v1 as wire;

use super::{Account, Code, Leg, Move, Touched, Verdict};
use crate::{
    clients::{money, to_money},
    domain::{
        batch::{Entry, Purpose, Side},
        ids::AccountId,
    },
};

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn transfer(leg: &Leg) -> wire::Transfer {
    let currency = leg.amount.currency();
    let (kind, pending) = match leg.by {
        Move::Single => (wire::TransferKind::Single, None),
        Move::Pending => (wire::TransferKind::Pending, None),
        Move::Post(pending) => (wire::TransferKind::Post, Some(pending)),
        Move::Void(pending) => (wire::TransferKind::Void, Some(pending)),
    };
    // A post or void has the accounts and the code of what it ends; a void its amount too.
    let is_new = pending.is_none();
    wire::Transfer {
        id: leg.id.to_string(),
        kind: kind.into(),
        debit: is_new.then(|| account_ref(&leg.debit, Some(currency))),
        credit: is_new.then(|| account_ref(&leg.credit, Some(currency))),
        amount: (!matches!(leg.by, Move::Void(_))).then(|| to_money(leg.amount)),
        pending_id: pending.map(|id| id.to_string()).unwrap_or_default(),
        code: if is_new {
            code(leg.code).into()
        } else {
            wire::TransferCode::Unspecified.into()
        },
        expires_at_us: 0,
        effective_at_us: leg.effective_at.map_or(0, Timestamp::as_micros),
        transaction_id: String::new(),
        metadata: HashMap::new(),
        // What the bank or a connector has done is booked in any case.
        closed_credit: wire::ClosedCreditPolicy::Suspense.into(),
    }
}

pub(super) fn account_ref(account: &Account, currency: Option<Currency>) -> wire::AccountRef {
    use wire::AccountPurpose as Purpose;
    let system = |purpose: Purpose, connector: &str| {
        wire::account_ref::By::System(wire::SystemAccount {
            purpose: purpose.into(),
            currency: currency.map_or_else(String::new, |currency| currency.code().to_owned()),
            connector: connector.to_owned(),
            owner: None,
        })
    };
    let by = match account {
        Account::Id(id) => wire::account_ref::By::Id(id.to_string()),
        Account::BankCash => system(Purpose::BankCash, ""),
        Account::InTransit => system(Purpose::PayoutInTransit, ""),
        Account::Suspense => system(Purpose::Suspense, ""),
        Account::Difference => system(Purpose::ReconciliationDifference, ""),
        Account::Receivable(connector) => system(Purpose::ConnectorReceivable, connector),
        Account::ConnectorFees(connector) => system(Purpose::ConnectorFees, connector),
    };
    wire::AccountRef { by: Some(by) }
}

const fn code(code: Code) -> wire::TransferCode {
    match code {
        Code::Release => wire::TransferCode::Release,
        Code::Payout => wire::TransferCode::Payout,
        Code::Withdrawal => wire::TransferCode::Withdrawal,
        Code::Confirmation => wire::TransferCode::PayoutConfirmation,
        Code::Return => wire::TransferCode::PayoutReturn,
        Code::ConnectorFee => wire::TransferCode::ConnectorFee,
        Code::ConnectorSettlement => wire::TransferCode::ConnectorSettlement,
        Code::WriteOff => wire::TransferCode::WriteOff,
        Code::Correction => wire::TransferCode::Adjustment,
    }
}

pub(super) fn verdict(result: &wire::TransferGroupResult) -> Verdict {
    use wire::TransferResultCode as Of;
    let settled =
        |transfer: &wire::TransferResult| matches!(transfer.code(), Of::Applied | Of::Tombstoned);
    if result.applied || result.transfers.iter().all(settled) {
        return Verdict::Booked;
    }
    // The first that was refused by itself says why.
    let refused = result
        .transfers
        .iter()
        .find(|transfer| !settled(transfer) && transfer.code() != Of::GroupRejected);
    match refused.map(wire::TransferResult::code) {
        Some(Of::DebitBoundExceeded) => Verdict::NotCovered,
        Some(Of::PeriodClosed) => Verdict::PeriodClosed,
        Some(code) => {
            let name = code.as_str_name();
            let name = name.strip_prefix("TRANSFER_RESULT_CODE_").unwrap_or(name);
            Verdict::Refused(name.to_owned())
        }
        None => Verdict::Refused("GROUP_REJECTED".to_owned()),
    }
}

/// Only what is posted counts: reservations and their releases move nothing.
pub(super) fn entry(of: &wire::Entry) -> Option<Entry> {
    if !is_posted(of.kind()) {
        return None;
    }
    let side = match of.side() {
        wire::EntrySide::Debit => Side::Debit,
        wire::EntrySide::Credit => Side::Credit,
        wire::EntrySide::Unspecified => return None,
    };
    Some(Entry {
        transaction: of.transaction_id.parse().ok(),
        minor: of.amount.as_ref()?.minor,
        side,
        purpose: purpose(of.code()),
        height: signed(of.batch_height),
        effective_at: Timestamp::from_micros(of.effective_at_us),
    })
}

/// The entry of a booked transfer on one of the accounts.
pub(super) fn touched(of: &wire::BookedTransfer, accounts: &[AccountId]) -> Option<Touched> {
    if !is_posted(of.kind()) {
        return None;
    }
    let debit = of.debit_account_id.parse().ok();
    let credit = of.credit_account_id.parse().ok();
    let is_ours = |account: &AccountId| accounts.contains(account);
    let (account, side) = match (debit.filter(is_ours), credit.filter(is_ours)) {
        (Some(account), _) => (account, Side::Debit),
        (None, Some(account)) => (account, Side::Credit),
        (None, None) => return None,
    };
    let amount = money(of.amount.as_ref())?;
    Some(Touched {
        account,
        entry: Entry {
            transaction: of.transaction_id.parse().ok(),
            minor: amount.minor(),
            side,
            purpose: purpose(of.code()),
            height: signed(of.batch_height),
            effective_at: Timestamp::from_micros(of.effective_at_us),
        },
        currency: amount.currency(),
    })
}

const fn is_posted(kind: wire::TransferKind) -> bool {
    matches!(kind, wire::TransferKind::Single | wire::TransferKind::Post)
}

const fn purpose(code: wire::TransferCode) -> Purpose {
    use wire::TransferCode as Of;
    match code {
        Of::Fee => Purpose::Fee,
        Of::Refund | Of::ProviderRefund => Purpose::Refund,
        Of::Chargeback => Purpose::Chargeback,
        Of::Reversal => Purpose::Reversal,
        Of::ConnectorFee => Purpose::ConnectorFee,
        Of::Release
        | Of::Reserve
        | Of::Payout
        | Of::PayoutConfirmation
        | Of::PayoutReturn
        | Of::ConnectorSettlement
        | Of::WriteOff => Purpose::Own,
        Of::Unspecified
        | Of::Transfer
        | Of::Purchase
        | Of::TopUp
        | Of::Withdrawal
        | Of::Exchange
        | Of::Spread
        | Of::Treasury
        | Of::Adjustment
        | Of::Correction => Purpose::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_refused_for_the_reason_of_its_own_first_refusal() {
        use wire::TransferResultCode as Of;
        let group = |codes: &[Of]| wire::TransferGroupResult {
            applied: codes.iter().all(|code| *code == Of::Applied),
            transfers: codes
                .iter()
                .map(|code| wire::TransferResult {
                    code: (*code).into(),
                    ..wire::TransferResult::default()
                })
                .collect(),
        };
        for (codes, wanted) in [
            (vec![Of::Applied], Verdict::Booked),
            (vec![Of::Tombstoned], Verdict::Booked),
            (
                vec![Of::GroupRejected, Of::DebitBoundExceeded],
                Verdict::NotCovered,
            ),
            (
                vec![Of::PeriodClosed, Of::GroupRejected],
                Verdict::PeriodClosed,
            ),
            (
                vec![Of::CreditAccountClosed],
                Verdict::Refused("CREDIT_ACCOUNT_CLOSED".to_owned()),
            ),
        ] {
            assert_eq!(verdict(&group(&codes)), wanted, "{codes:?}");
        }
    }
}
