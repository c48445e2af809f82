#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use paymesh_money::Currency;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::{
    AccountId, MerchantId,
    exchange::{Decimal, Exchange, SpreadSide, tests::dollars_to_euros},
    ledger::{Share, net, opposite},
};

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn customer(n: u128) -> Book {
    Book::Account(AccountId::from(Uuid::from_u128(n)))
}

fn merchant(share: Share) -> Book {
    let id = Uuid::from_u128(9);
    Book::Merchant(MerchantId::from(id), share, AccountId::from(id))
}

fn transfer_id(n: u128) -> TransferId {
    TransferId::from(Uuid::from_u128(n))
}

/// Debit / credit amount, as the documents write a group.
fn print(legs: &[Leg]) -> Vec<String> {
    let name = |book: &Book| match book {
        Book::Account(id) => format!("customer:{}", id.as_uuid().as_u128()),
        Book::Merchant(_, Share::Pending, _) => "merchant.pending".to_owned(),
        Book::Merchant(_, Share::Available, _) => "merchant.available".to_owned(),
        Book::Merchant(_, Share::Reserve, _) => "merchant.reserve".to_owned(),
        Book::Receivable(connector) => format!("receivable:{connector}"),
        Book::ConnectorFees(connector) => format!("connector.fees:{connector}"),
        Book::Clearing => "clearing".to_owned(),
        Book::PayoutInTransit => "payout.in_transit".to_owned(),
        Book::FxPosition => "fx.position".to_owned(),
        Book::FxSpread => "fx.spread".to_owned(),
        Book::FeeRevenue => "fee.revenue".to_owned(),
    };
    let how = |by: Move| match by {
        Move::Single => "",
        Move::Pending => "pending ",
        Move::Post(_) => "post ",
        Move::Void(_) => "void ",
    };
    legs.iter()
        .map(|leg| {
            format!(
                "{}{} / {} {}",
                how(leg.by),
                name(&leg.debit),
                name(&leg.credit),
                leg.amount
            )
        })
        .collect()
}

fn refund_quote() -> Legs {
    let quote = Exchange {
        source: eur(9_246),
        target: usd(10_000),
        spread: eur(46),
        spread_side: SpreadSide::Source,
        mid_source: eur(9_200),
        mid_target: usd(10_000),
        mid_rate: Decimal {
            units: 10_870,
            scale: 4,
        },
        ..dollars_to_euros()
    };
    quote.check().unwrap().legs()
}

fn transfer_of_100_dollars_to_euros(funding: Funding) -> Payment {
    Payment {
        funding,
        amount: usd(10_000),
        payer_fee: usd(100),
        exchange: Some(dollars_to_euros().legs()),
        payee: customer(2),
        payee_fee: eur(0),
        taken: Taken::Debited,
        code: Code::Transfer,
        closed: Closed::Refuse,
    }
}

fn purchase_of_100_dollars(exchange: Option<Legs>, payee_fee: Money) -> Payment {
    Payment {
        funding: Funding::Connector("sim".to_owned()),
        amount: usd(10_000),
        payer_fee: usd(0),
        exchange,
        payee: merchant(Share::Pending),
        payee_fee,
        taken: Taken::Debited,
        code: Code::Purchase,
        closed: Closed::Suspense,
    }
}

fn held(legs: Vec<Leg>) -> Vec<Held> {
    let number = |(n, leg)| Held {
        id: transfer_id(100 + n),
        leg,
    };
    (0_u128..).zip(legs).map(number).collect()
}

fn draw_of(share: Share, amount: Money) -> Draw {
    Draw {
        from: merchant(share),
        amount,
        code: Code::Refund,
    }
}

#[test]
fn t3_a_transfer_of_100_dollars_plus_fee_1_to_euros_is_held_and_posted_as_agreed() {
    let reserve = hold(&customer(1), usd(10_000), usd(100), Code::Transfer);
    assert_eq!(
        print(&reserve),
        ["pending customer:1 / clearing USD 101.00"]
    );
    let funding = Funding::Held {
        account: customer(1),
        hold: transfer_id(5),
    };
    let legs = payment(&transfer_of_100_dollars_to_euros(funding));
    assert_eq!(
        print(&legs),
        [
            "post customer:1 / clearing USD 101.00",
            "clearing / fee.revenue USD 1.00",
            "clearing / fx.position USD 100.00",
            "fx.position / customer:2 EUR 91.54",
            "fx.position / fx.spread EUR 0.46",
        ]
    );
}

#[test]
fn t3_a_transfer_without_exchange_and_hold_does_not_pass_through_clearing() {
    let figures = Payment {
        exchange: None,
        payee_fee: usd(0),
        ..transfer_of_100_dollars_to_euros(Funding::Balance(customer(1)))
    };
    assert_eq!(
        print(&payment(&figures)),
        [
            "customer:1 / customer:2 USD 100.00",
            "customer:1 / fee.revenue USD 1.00"
        ]
    );
}

#[test]
fn t3_a_captured_card_purchase_of_100_dollars_for_a_merchant_in_euros_is_booked_as_agreed() {
    let legs = payment(&purchase_of_100_dollars(
        Some(dollars_to_euros().legs()),
        eur(295),
    ));
    assert_eq!(
        print(&legs),
        [
            "receivable:sim / clearing USD 100.00",
            "clearing / fx.position USD 100.00",
            "fx.position / merchant.pending EUR 91.54",
            "fx.position / fx.spread EUR 0.46",
            "merchant.pending / fee.revenue EUR 2.95",
        ]
    );
    let same_currency = payment(&purchase_of_100_dollars(None, usd(320)));
    assert_eq!(
        print(&same_currency),
        [
            "receivable:sim / merchant.pending USD 100.00",
            "merchant.pending / fee.revenue USD 3.20"
        ]
    );
}

#[test]
fn t3_a_refund_of_100_dollars_by_a_merchant_in_euros_is_held_and_posted_as_agreed() {
    let legs = refund_hold(&[draw_of(Share::Available, eur(9_246))]);
    assert_eq!(
        print(&legs),
        ["pending merchant.available / clearing EUR 92.46"]
    );
    let to = Destination::Connector("sim".to_owned());
    let booked = refund_post(&held(legs), Some(&refund_quote()), &to);
    assert_eq!(
        print(&booked),
        [
            "post merchant.available / clearing EUR 92.46",
            "clearing / fx.position EUR 92.00",
            "clearing / fx.spread EUR 0.46",
            "fx.position / receivable:sim USD 100.00",
        ]
    );
    assert_eq!(
        print(&opposite(&booked, Code::Reversal)),
        [
            "receivable:sim / fx.position USD 100.00",
            "fx.spread / clearing EUR 0.46",
            "fx.position / clearing EUR 92.00",
            "clearing / merchant.available EUR 92.46",
        ],
        "a refund that the provider fails later: the group reversed"
    );
}

#[test]
fn t3_a_chargeback_is_booked_as_agreed_and_reversed_at_the_original_figures() {
    let legs = chargeback(&Chargeback {
        from: merchant(Share::Available),
        taken: eur(9_246),
        exchange: Some(refund_quote()),
        connector: "sim".to_owned(),
        connector_fee: Some(usd(1_500)),
        fee: eur(1_400),
    });
    assert_eq!(
        print(&legs),
        [
            "merchant.available / clearing EUR 92.46",
            "clearing / fx.position EUR 92.00",
            "clearing / fx.spread EUR 0.46",
            "fx.position / receivable:sim USD 100.00",
            "connector.fees:sim / receivable:sim USD 15.00",
            "merchant.available / fee.revenue EUR 14.00",
        ]
    );
    let on_merchant = |leg: &&Leg| leg.debit == merchant(Share::Available);
    assert!(
        legs.iter()
            .filter(on_merchant)
            .all(|leg| leg.code == Code::Chargeback),
        "T3: forced"
    );
    let both = [legs.clone(), opposite(&legs, Code::Reversal)].concat();
    assert!(
        net(&both).iter().all(|(_, _, sum)| *sum == 0),
        "T3: {both:?}"
    );
}

#[test]
fn t3_a_won_dispute_gives_back_all_but_what_the_connector_keeps_of_its_fee() {
    let legs = chargeback(&Chargeback {
        from: merchant(Share::Available),
        taken: eur(9_246),
        exchange: Some(refund_quote()),
        connector: "sim".to_owned(),
        connector_fee: Some(usd(1_500)),
        fee: eur(1_400),
    });
    for (kept, fee) in [
        (
            Kept::Nothing,
            Some("receivable:sim / connector.fees:sim USD 15.00"),
        ),
        (
            Kept::Part(usd(500)),
            Some("receivable:sim / connector.fees:sim USD 10.00"),
        ),
        (Kept::Part(usd(1_500)), None),
        (Kept::All, None),
        // What cannot be true moves nothing more.
        (Kept::Part(usd(1_501)), None),
        (Kept::Part(eur(1_500)), None),
    ] {
        let wanted: Vec<&str> = ["fee.revenue / merchant.available EUR 14.00"]
            .into_iter()
            .chain(fee)
            .chain([
                "receivable:sim / fx.position USD 100.00",
                "fx.spread / clearing EUR 0.46",
                "fx.position / clearing EUR 92.00",
                "clearing / merchant.available EUR 92.46",
            ])
            .collect();
        let back = opposite(&chargeback_won(&legs, kept), Code::Reversal);
        assert_eq!(print(&back), wanted, "T3: {kept:?}");
        assert!(
            is_balanced(&back) && clearing_is_zero(&back),
            "T3: {kept:?}"
        );
    }
}

#[test]
fn t3_a_top_up_and_a_withdrawal_are_booked_as_agreed() {
    let top_up = Payment {
        payee: customer(1),
        payee_fee: usd(50),
        taken: Taken::Netted,
        code: Code::TopUp,
        ..purchase_of_100_dollars(None, usd(0))
    };
    assert_eq!(
        print(&payment(&top_up)),
        [
            "receivable:sim / customer:1 USD 99.50",
            "receivable:sim / fee.revenue USD 0.50"
        ]
    );
    let legs = payout_hold(&customer(1), eur(8_859), eur(25), Code::Withdrawal);
    assert_eq!(
        print(&legs),
        [
            "pending customer:1 / payout.in_transit EUR 88.59",
            "pending customer:1 / fee.revenue EUR 0.25"
        ]
    );
    let holds = held(legs);
    assert_eq!(
        print(&post(&holds)),
        [
            "post customer:1 / payout.in_transit EUR 88.59",
            "post customer:1 / fee.revenue EUR 0.25"
        ]
    );
    assert_eq!(
        print(&void(&holds)),
        [
            "void customer:1 / payout.in_transit EUR 88.59",
            "void customer:1 / fee.revenue EUR 0.25"
        ]
    );
}

fn clearing_is_zero(legs: &[Leg]) -> bool {
    net(legs)
        .iter()
        .all(|(book, _, sum)| *book != Book::Clearing || *sum == 0)
}

/// Debits equal credits in each ledger.
fn is_balanced(legs: &[Leg]) -> bool {
    [Currency::USD, Currency::EUR].into_iter().all(|currency| {
        let sum: i128 = net(legs)
            .iter()
            .filter(|(_, of, _)| *of == currency)
            .map(|(_, _, sum)| sum)
            .sum();
        sum == 0
    })
}

/// A sound quote of any figures.
fn any_legs(mid_source: i64, target: i64, spread: i64, side: SpreadSide) -> Legs {
    let (source, mid_target, spread) = match side {
        SpreadSide::Target => (usd(mid_source), eur(target + spread), eur(spread)),
        SpreadSide::Source => (usd(mid_source + spread), eur(target), usd(spread)),
    };
    Legs {
        source,
        mid_source: usd(mid_source),
        mid_target,
        target: eur(target),
        spread,
    }
}

proptest! {
    #[test]
    fn t3_every_payment_is_balanced_and_leaves_clearing_at_zero(
        amount in 1_i64..1_000_000_000, target in 1_i64..1_000_000_000, spread in 0_i64..1_000_000, fee in 0_i64..10_000,
        way in 0_usize..3, crosses: bool, nets: bool,
    ) {
        let fee = if nets { fee.min(target).min(amount) } else { fee };
        let funding = [
            Funding::Balance(customer(1)),
            Funding::Held { account: customer(1), hold: transfer_id(5) },
            Funding::Connector("sim".to_owned()),
        ][way].clone();
        let payer_fee = if way == 2 { usd(0) } else { usd(fee) };
        let legs = payment(&Payment {
            funding,
            amount: usd(amount),
            payer_fee,
            exchange: crosses.then(|| any_legs(amount, target, spread, SpreadSide::Target)),
            payee: merchant(Share::Pending),
            payee_fee: if crosses { eur(fee) } else { usd(fee) },
            taken: if nets { Taken::Netted } else { Taken::Debited },
            code: Code::Purchase,
            closed: Closed::Refuse,
        });
        prop_assert!(is_balanced(&legs) && clearing_is_zero(&legs), "T3: {:?}", print(&legs));
        prop_assert!(legs.iter().all(|leg| leg.amount.is_positive()));
    }

    #[test]
    fn t3_every_refund_is_balanced_and_leaves_clearing_at_zero(
        parts in proptest::collection::vec(1_i64..1_000_000, 1..4), spread in 0_i64..100, target in 1_i64..1_000_000,
        crosses: bool, at_once: bool,
    ) {
        let drawn: i64 = parts.iter().sum();
        prop_assume!(drawn > spread);
        let draws: Vec<Draw> = parts.iter().map(|part| draw_of(Share::Available, usd(*part))).collect();
        let exchange = crosses.then(|| any_legs(drawn - spread, target, spread, SpreadSide::Source));
        let to = Destination::Connector("sim".to_owned());
        let legs = if at_once {
            refund_at_once(&draws, exchange.as_ref(), &to)
        } else {
            refund_post(&held(refund_hold(&draws)), exchange.as_ref(), &to)
        };
        prop_assert!(is_balanced(&legs) && clearing_is_zero(&legs), "T3: {:?}", print(&legs));
        let both = [legs.clone(), opposite(&legs, Code::Reversal)].concat();
        prop_assert!(net(&both).iter().all(|(_, _, sum)| *sum == 0));
    }

    #[test]
    fn t3_every_chargeback_is_balanced_and_leaves_clearing_at_zero(
        taken in 200_i64..1_000_000, spread in 0_i64..100, target in 1_i64..1_000_000, fee in 0_i64..10_000, crosses: bool,
    ) {
        let exchange = crosses.then(|| any_legs(taken - spread, target, spread, SpreadSide::Source));
        let legs = chargeback(&Chargeback {
            from: merchant(Share::Available),
            taken: usd(taken),
            exchange,
            connector: "sim".to_owned(),
            connector_fee: (fee > 0).then(|| eur(fee)),
            fee: usd(fee),
        });
        prop_assert!(is_balanced(&legs) && clearing_is_zero(&legs), "T3: {:?}", print(&legs));
    }
}
