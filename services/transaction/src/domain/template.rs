//! Posting templates: each step of each kind is a pure function from figures to a group of legs (T3).
//!
//! Two accounts of one leg are always of one currency, so debits equal credits in each ledger by construction; what has to be
//! shown, and is by the tests of this module, is that `clearing` is left at zero and that the figures are the agreed ones.

use paymesh_money::Money;
use serde::{Deserialize, Serialize};

use super::{
    TransferId,
    draw::Draw,
    exchange::Legs,
    ledger::{Book, Closed, Code, Group, Leg, Move},
};

/// Where the money of a payment comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Funding {
    /// A balance, at once.
    Balance(Book),
    /// A balance, out of a reservation against clearing.
    Held {
        /// Whose.
        account: Book,
        /// The pending transfer.
        hold: TransferId,
    },
    /// A provider, which has taken it already.
    Connector(String),
}

/// The figures of one payment or one capture of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// From where.
    pub funding: Funding,
    /// What the payer pays without the fee.
    pub amount: Money,
    /// What the payer pays on top, in the same currency.
    pub payer_fee: Money,
    /// When the payee has another currency.
    pub exchange: Option<Legs>,
    /// Who gets it.
    pub payee: Book,
    /// What the payee pays out of it, in the payee's currency.
    pub payee_fee: Money,
    /// How it is taken.
    pub taken: Taken,
    /// What it is.
    pub code: Code,
    /// When the payee's account is closed.
    pub closed: Closed,
}

/// How a payee's fee is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// The payee is credited in full and debited the fee: merchants see both.
    Debited,
    /// The payee is credited what is left. For balances that may be suspended, because a debit could be refused after the pivot.
    Netted,
}

/// One reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The pending transfer.
    pub id: TransferId,
    /// What it reserves.
    pub leg: Leg,
}

/// A payment: transfers, purchases, top-ups.
#[must_use]
pub fn payment(figures: &Payment) -> Vec<Leg> {
    let Payment {
        amount,
        payer_fee,
        payee,
        code,
        ..
    } = figures;
    let mut group = Group::new(figures.closed);
    let fees = Book::FeeRevenue;
    let netted = match figures.taken {
        Taken::Debited => Money::zero(figures.payee_fee.currency()),
        Taken::Netted => figures.payee_fee,
    };
    match (&figures.funding, &figures.exchange) {
        // Nothing lies between the two accounts: clearing would only be passed through.
        (Funding::Balance(account), None) => {
            group.single(account, payee, less(*amount, netted), *code);
            group.single(account, &fees, total(*payer_fee, netted), Code::Fee);
        }
        (Funding::Connector(connector), None) => {
            let receivable = Book::Receivable(connector.clone());
            group.single(&receivable, payee, less(*amount, netted), *code);
            group.single(&receivable, &fees, netted, Code::Fee);
        }
        (funding, exchange) => {
            into_clearing(&mut group, funding, total(*amount, *payer_fee), *code);
            group.single(&Book::Clearing, &fees, *payer_fee, Code::Fee);
            let from = match exchange {
                None => {
                    group.single(&Book::Clearing, payee, less(*amount, netted), *code);
                    Book::Clearing
                }
                Some(legs) => {
                    group.single(
                        &Book::Clearing,
                        &Book::FxPosition,
                        legs.mid_source,
                        Code::Exchange,
                    );
                    group.single(&Book::FxPosition, payee, less(legs.target, netted), *code);
                    group.single(
                        &Book::FxPosition,
                        &Book::FxSpread,
                        legs.spread,
                        Code::Spread,
                    );
                    Book::FxPosition
                }
            };
            group.single(&from, &fees, netted, Code::Fee);
        }
    }
    group.single(payee, &fees, less(figures.payee_fee, netted), Code::Fee);
    group.legs()
}

/// Reserves the payer's money for a payment.
#[must_use]
pub fn hold(account: &Book, amount: Money, payer_fee: Money, code: Code) -> Vec<Leg> {
    let mut group = Group::new(Closed::Refuse);
    group.add(
        (account, &Book::Clearing),
        total(amount, payer_fee),
        Move::Pending,
        code,
    );
    group.legs()
}

/// Reserves money for a bank: the amount in transit and, beside it, the fee.
#[must_use]
pub fn payout_hold(account: &Book, amount: Money, fee: Money, code: Code) -> Vec<Leg> {
    let mut group = Group::new(Closed::Refuse);
    group.add(
        (account, &Book::PayoutInTransit),
        amount,
        Move::Pending,
        code,
    );
    group.add((account, &Book::FeeRevenue), fee, Move::Pending, Code::Fee);
    group.legs()
}

/// Books reservations in full.
#[must_use]
pub fn post(holds: &[Held]) -> Vec<Leg> {
    let mut group = Group::new(Closed::Suspense);
    for Held { id, leg } in holds {
        group.add(
            (&leg.debit, &leg.credit),
            leg.amount,
            Move::Post(*id),
            leg.code,
        );
    }
    group.legs()
}

/// Releases reservations.
#[must_use]
pub fn void(holds: &[Held]) -> Vec<Leg> {
    let mut group = Group::new(Closed::Suspense);
    for Held { id, leg } in holds {
        group.add(
            (&leg.debit, &leg.credit),
            leg.amount,
            Move::Void(*id),
            leg.code,
        );
    }
    group.legs()
}

/// Where refunded money goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Back to the provider, which has given it to the payer already.
    Connector(String),
    /// Back to the payer's balance.
    Balance(Book),
}

impl Destination {
    fn book(&self) -> Book {
        match self {
            Self::Connector(connector) => Book::Receivable(connector.clone()),
            Self::Balance(account) => account.clone(),
        }
    }
}

/// Reserves what a refund draws from the payee.
#[must_use]
pub fn refund_hold(draws: &[Draw]) -> Vec<Leg> {
    let mut group = Group::new(Closed::Refuse);
    for draw in draws {
        group.add(
            (&draw.from, &Book::Clearing),
            draw.amount,
            Move::Pending,
            draw.code,
        );
    }
    group.legs()
}

/// A refund out of its reservations, after the provider has given the money back.
#[must_use]
pub fn refund_post(holds: &[Held], exchange: Option<&Legs>, to: &Destination) -> Vec<Leg> {
    let mut group = Group::new(Closed::Suspense);
    for Held { id, leg } in holds {
        group.add(
            (&leg.debit, &leg.credit),
            leg.amount,
            Move::Post(*id),
            leg.code,
        );
    }
    out_of_clearing_back(
        &mut group,
        holds.iter().map(|held| held.leg.amount),
        exchange,
        to,
    );
    group.legs()
}

/// A refund to a balance: nothing lies between drawing and giving, so it is one group.
#[must_use]
pub fn refund_at_once(draws: &[Draw], exchange: Option<&Legs>, to: &Destination) -> Vec<Leg> {
    let mut group = Group::new(Closed::Suspense);
    for draw in draws {
        group.single(&draw.from, &Book::Clearing, draw.amount, draw.code);
    }
    out_of_clearing_back(
        &mut group,
        draws.iter().map(|draw| draw.amount),
        exchange,
        to,
    );
    group.legs()
}

/// The figures of a chargeback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chargeback {
    /// Who bears it: `merchant.available`, or the balance that was topped up.
    pub from: Book,
    /// What the bearer gives, in the bearer's currency.
    pub taken: Money,
    /// When the payer's currency is another one.
    pub exchange: Option<Legs>,
    /// Who took it.
    pub connector: String,
    /// What the connector charges for it.
    pub connector_fee: Option<Money>,
    /// What the bearer is charged for it.
    pub fee: Money,
}

/// What a connector keeps of its fee for a dispute that was won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All that it charged.
    All,
    /// This much.
    Part(Money),
    /// The fee came back.
    Nothing,
}

/// A chargeback. Its legs against the bearer are forced: the scheme has taken the money already.
#[must_use]
pub fn chargeback(figures: &Chargeback) -> Vec<Leg> {
    let mut group = Group::new(Closed::Suspense);
    let receivable = Book::Receivable(figures.connector.clone());
    match &figures.exchange {
        None => group.single(&figures.from, &receivable, figures.taken, Code::Chargeback),
        Some(legs) => {
            group.single(
                &figures.from,
                &Book::Clearing,
                figures.taken,
                Code::Chargeback,
            );
            exchange_back(&mut group, legs, &receivable);
        }
    }
    if let Some(fee) = figures.connector_fee {
        let fees = Book::ConnectorFees(figures.connector.clone());
        group.single(&fees, &receivable, fee, Code::ConnectorFee);
    }
    group.single(
        &figures.from,
        &Book::FeeRevenue,
        figures.fee,
        Code::Chargeback,
    );
    group.legs()
}

/// What is given back of a booked chargeback when its dispute is won: all of it at the original figures, but what the connector keeps
/// of its fee, which the connector alone knows.
#[must_use]
pub fn chargeback_won(booked: &[Leg], kept: Kept) -> Vec<Leg> {
    let comes_back = |leg: &Leg| {
        if !matches!(leg.debit, Book::ConnectorFees(_)) {
            return Some(leg.clone());
        }
        let kept = match kept {
            Kept::Nothing => return Some(leg.clone()),
            Kept::Part(kept) => kept,
            Kept::All => leg.amount,
        };
        let amount = leg.amount.checked_sub(kept).ok()?;
        amount.is_positive().then(|| Leg {
            amount,
            ..leg.clone()
        })
    };
    booked.iter().filter_map(comes_back).collect()
}

/// A correction by two people.
#[must_use]
pub fn adjustment(debit: &Book, credit: &Book, amount: Money) -> Vec<Leg> {
    let mut group = Group::new(Closed::Refuse);
    group.single(debit, credit, amount, Code::Adjustment);
    group.legs()
}

fn into_clearing(group: &mut Group, funding: &Funding, amount: Money, code: Code) {
    let clearing = Book::Clearing;
    match funding {
        Funding::Balance(account) => group.single(account, &clearing, amount, code),
        Funding::Held { account, hold } => {
            group.add((account, &clearing), amount, Move::Post(*hold), code)
        }
        Funding::Connector(connector) => {
            group.single(
                &Book::Receivable(connector.clone()),
                &clearing,
                amount,
                code,
            );
        }
    }
}

fn out_of_clearing_back(
    group: &mut Group,
    drawn: impl Iterator<Item = Money>,
    exchange: Option<&Legs>,
    to: &Destination,
) {
    let to = to.book();
    match exchange {
        Some(legs) => exchange_back(group, legs, &to),
        None => drawn.for_each(|amount| group.single(&Book::Clearing, &to, amount, Code::Refund)),
    }
}

/// The spread of a refund is in the currency of the payee, who gives more.
fn exchange_back(group: &mut Group, legs: &Legs, to: &Book) {
    group.single(
        &Book::Clearing,
        &Book::FxPosition,
        legs.mid_source,
        Code::Exchange,
    );
    group.single(&Book::Clearing, &Book::FxSpread, legs.spread, Code::Spread);
    group.single(&Book::FxPosition, to, legs.target, Code::Exchange);
}

fn total(amount: Money, fee: Money) -> Money {
    amount
        .checked_add(fee)
        .expect("T3: amount and fee were checked to be of one currency and within the limits when the transaction began")
}

fn less(amount: Money, part: Money) -> Money {
    amount
        .checked_sub(part)
        .expect("T3: a fee that is netted is of the payee's currency and was checked to be less than the amount")
}

#[cfg(test)]
mod tests;
