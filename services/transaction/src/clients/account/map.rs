//! Legs become transfers, results become refusals.

use std::collections::HashMap;

use paymesh_money::Currency;
use paymesh_proto::{account::v1 as wire, types::v1::OwnerKind};

use super::{Account, Booking, Purpose};
use crate::{
    clients::wire::to_money,
    domain::{
        answer::Refusal,
        ledger::{Book, Closed, Code, Move},
        party::Holder,
        template::Held,
    },
};

pub(super) fn transfer(held: &Held, booking: Booking) -> wire::Transfer {
    let Held { id, leg } = held;
    let currency = leg.amount.currency();
    let (kind, pending) = match leg.by {
        Move::Single => (wire::TransferKind::Single, None),
        Move::Pending => (wire::TransferKind::Pending, None),
        Move::Post(pending) => (wire::TransferKind::Post, Some(pending)),
        Move::Void(pending) => (wire::TransferKind::Void, Some(pending)),
    };
    // A post or void has the accounts and the code of what it ends; a void its amount too.
    let is_new = pending.is_none();
    let closed = match leg.closed {
        Closed::Refuse => wire::ClosedCreditPolicy::Refuse,
        Closed::Suspense => wire::ClosedCreditPolicy::Suspense,
    };
    wire::Transfer {
        id: id.to_string(),
        kind: kind.into(),
        debit: is_new.then(|| account_ref(&leg.debit, currency)),
        credit: is_new.then(|| account_ref(&leg.credit, currency)),
        amount: (!matches!(leg.by, Move::Void(_))).then(|| to_money(leg.amount)),
        pending_id: pending.map(|id| id.to_string()).unwrap_or_default(),
        code: if is_new {
            code(leg.code).into()
        } else {
            wire::TransferCode::Unspecified.into()
        },
        expires_at_us: 0,
        effective_at_us: booking
            .effective_at
            .map_or(0, paymesh_kernel::Timestamp::as_micros),
        transaction_id: booking.transaction.to_string(),
        metadata: HashMap::new(),
        closed_credit: closed.into(),
    }
}

fn account_ref(book: &Book, currency: Currency) -> wire::AccountRef {
    use wire::AccountPurpose as Purpose;
    let system = |purpose: Purpose, connector: &str| {
        wire::account_ref::By::System(wire::SystemAccount {
            purpose: purpose.into(),
            currency: currency.code().to_owned(),
            connector: connector.to_owned(),
            owner: None,
        })
    };
    let by = match book {
        Book::Account(id) | Book::Merchant(_, _, id) => wire::account_ref::By::Id(id.to_string()),
        Book::Receivable(connector) => system(Purpose::ConnectorReceivable, connector),
        Book::ConnectorFees(connector) => system(Purpose::ConnectorFees, connector),
        Book::Clearing => system(Purpose::Clearing, ""),
        Book::PayoutInTransit => system(Purpose::PayoutInTransit, ""),
        Book::FxPosition => system(Purpose::FxPosition, ""),
        Book::FxSpread => system(Purpose::FxSpread, ""),
        Book::FeeRevenue => system(Purpose::FeeRevenue, ""),
    };
    wire::AccountRef { by: Some(by) }
}

const fn code(code: Code) -> wire::TransferCode {
    match code {
        Code::Transfer => wire::TransferCode::Transfer,
        Code::Purchase => wire::TransferCode::Purchase,
        Code::TopUp => wire::TransferCode::TopUp,
        Code::Withdrawal => wire::TransferCode::Withdrawal,
        Code::Payout => wire::TransferCode::Payout,
        Code::Fee => wire::TransferCode::Fee,
        Code::Exchange => wire::TransferCode::Exchange,
        Code::Spread => wire::TransferCode::Spread,
        Code::Refund => wire::TransferCode::Refund,
        Code::ForcedRefund => wire::TransferCode::ProviderRefund,
        Code::Chargeback => wire::TransferCode::Chargeback,
        Code::ConnectorFee => wire::TransferCode::ConnectorFee,
        Code::Reversal => wire::TransferCode::Reversal,
        Code::Correction => wire::TransferCode::Correction,
        Code::Adjustment => wire::TransferCode::Adjustment,
    }
}

/// Why a group was refused; None when it is booked, by this call or an earlier one.
pub(super) fn refusal(result: &wire::TransferGroupResult) -> Option<Refusal> {
    if result.applied {
        return None;
    }
    let mut seen = None;
    for transfer in &result.transfers {
        let found = refusal_of(transfer.code());
        // The first that was refused by itself says why.
        seen = seen.or(found);
    }
    let settled = |transfer: &wire::TransferResult| {
        use wire::TransferResultCode::{Applied, Tombstoned};
        matches!(transfer.code(), Applied | Tombstoned)
    };
    if seen.is_none() && !result.transfers.is_empty() && result.transfers.iter().all(settled) {
        return None;
    }
    Some(seen.unwrap_or(Refusal::Defect))
}

const fn refusal_of(code: wire::TransferResultCode) -> Option<Refusal> {
    use wire::TransferResultCode as Of;
    Some(match code {
        Of::Applied | Of::Tombstoned | Of::GroupRejected | Of::Unspecified => return None,
        Of::DebitBoundExceeded => Refusal::Funds,
        Of::CreditBoundExceeded | Of::BalanceOverflow => Refusal::CreditBound,
        Of::DebitAccountSuspended => Refusal::Suspended,
        Of::DebitAccountClosed => Refusal::DebitClosed,
        Of::CreditAccountClosed => Refusal::CreditClosed,
        Of::PeriodClosed => Refusal::PeriodClosed,
        Of::IdTombstoned
        | Of::PendingAlreadyPosted
        | Of::PendingAlreadyVoided
        | Of::PendingExpired
        | Of::PendingNotFound => Refusal::HoldGone,
        Of::DebitAccountNotFound | Of::CreditAccountNotFound | Of::AccountCurrencyDiffers => {
            Refusal::AccountUnknown
        }
        Of::IdInvalid
        | Of::IdConflict
        | Of::KindInvalid
        | Of::AmountInvalid
        | Of::CurrencyInvalid
        | Of::CodeInvalid
        | Of::ExpiryInvalid
        | Of::PendingIdInvalid
        | Of::AccountsSame
        | Of::PendingKindInvalid
        | Of::PendingAccountsDiffer
        | Of::PendingAmountExceeded => Refusal::Defect,
    })
}

pub(super) fn account(of: &wire::Account) -> Option<Account> {
    let owner = of.owner.as_ref()?;
    let holder = match owner.kind() {
        OwnerKind::User => Holder::User(owner.id.parse().ok()?),
        OwnerKind::Merchant => Holder::Merchant(owner.id.parse().ok()?),
        OwnerKind::Tenant | OwnerKind::Connector => Holder::House,
        OwnerKind::Unspecified => return None,
    };
    let purpose = if of.purpose() == wire::AccountPurpose::CustomerBalance {
        Purpose::CustomerBalance
    } else if of.purpose() == wire::AccountPurpose::MerchantAvailable {
        Purpose::MerchantAvailable
    } else {
        Purpose::Other
    };
    Some(Account {
        id: of.id.parse().ok()?,
        holder,
        purpose,
        currency: of.currency.parse().ok()?,
    })
}
