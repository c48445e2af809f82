//! What is played: the handbook's payments of one day, and what is mixed in, in order of business time.
//!
//! - A plan follows from dataset, world and seed alone.
//! - What one customer does comes in order; a refund comes after its purchase.
//! - A payment of zero cents, which the simulator draws now and then, is nothing to pay and is left out.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{
    handbook::{DAY_SECONDS, Dataset, Scenario},
    world::World,
};

/// Purchases of which one is given back.
const PURCHASES_A_REFUND: u32 = 50;
/// Refunds of which one gives back a half only.
const REFUNDS_A_HALF: u32 = 3;
/// Seconds from a purchase to its refund, at least and at most.
const REFUND_AFTER_SECONDS: (i64, i64) = (1_800, 6 * 3_600);
/// What somebody puts on a balance in the morning, in minor units.
const TOP_UP_MINOR: (i64, i64) = (5_000, 40_000);
/// What somebody gives to somebody else, in minor units.
const TRANSFER_MINOR: (i64, i64) = (200, 9_000);
/// Most transfers that somebody makes on the day.
const MOST_TRANSFERS: u32 = 4;
/// Hours of the day in which people top up, and in which they give.
const MORNING_SECONDS: (i64, i64) = (6 * 3_600, 9 * 3_600);
const DAYTIME_SECONDS: (i64, i64) = (9 * 3_600, 23 * 3_600);
/// So that a day's mixed parts are not drawn from the numbers that drew the world.
const SALT: u64 = 0x706c_616e;

/// A card payment of the handbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purchase {
    /// Its number on the day.
    pub(super) number: usize,
    pub(super) terminal: u32,
    /// In minor units of the customer's currency.
    pub(super) minor: i64,
    pub(super) fraud: Option<Scenario>,
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Pays a merchant by card.
    Purchase(Purchase),
    /// Gets money back for a purchase: all of it, without an amount.
    Refund { purchase: usize, minor: Option<i64> },
    /// Puts money on the balance by card.
    TopUp { minor: i64 },
    /// Gives from the balance to another customer.
    Transfer { to: u32, minor: i64 },
}

/// A deed, its time and who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act {
    /// Unix seconds, business time.
    pub(super) at: i64,
    pub(super) customer: u32,
    pub(super) deed: Deed,
}

/// The day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// In order of time.
    pub(super) acts: Vec<Act>,
    /// Its first second, in Unix seconds.
    pub(super) day_start: i64,
    /// Payments of zero cents that were left out.
    pub(super) skipped: usize,
}

// === impl Plan ===

impl Plan {
    /// The plan of one day.
    pub(super) fn of(dataset: &Dataset, world: &World, day: u16, seed: u64) -> Self {
        let day_start = dataset.start_unix_seconds + i64::from(day) * i64::from(DAY_SECONDS);
        let mut plan = Self {
            acts: Vec::new(),
            day_start,
            skipped: 0,
        };
        let mut rng = StdRng::seed_from_u64(seed ^ SALT);
        plan.add_purchases(dataset, world, day, &mut rng);
        plan.add_wallets(world, &mut rng);
        // A stable sort: what one customer does in the same second stays in order.
        plan.acts.sort_by_key(|act| act.at);
        plan
    }

    /// Card payments of the day.
    pub(super) fn purchases(&self) -> impl Iterator<Item = (u32, Purchase)> {
        self.acts.iter().filter_map(|act| match act.deed {
            Deed::Purchase(purchase) => Some((act.customer, purchase)),
            Deed::Refund { .. } | Deed::TopUp { .. } | Deed::Transfer { .. } => None,
        })
    }

    fn add_purchases(&mut self, dataset: &Dataset, world: &World, day: u16, rng: &mut StdRng) {
        let last = self.day_start + i64::from(DAY_SECONDS) - 1;
        for (number, paid) in dataset.day(day).iter().enumerate() {
            if paid.amount_cents == 0 {
                self.skipped += 1;
                continue;
            }
            let at = dataset.unix_seconds(paid);
            let purchase = Purchase {
                number,
                terminal: paid.terminal,
                minor: paid.amount_cents,
                fraud: paid.fraud,
            };
            let mut add = |at, deed| {
                self.acts.push(Act {
                    at,
                    customer: paid.customer,
                    deed,
                });
            };
            add(at, Deed::Purchase(purchase));
            let is_returned = paid.fraud.is_none()
                && world.card(paid.customer).pays()
                && rng.random_range(0..PURCHASES_A_REFUND) == 0;
            if is_returned {
                let (soonest, latest) = REFUND_AFTER_SECONDS;
                let at = (at + rng.random_range(soonest..=latest)).min(last);
                let is_half = rng.random_range(0..REFUNDS_A_HALF) == 0 && paid.amount_cents > 1;
                let minor = is_half.then_some(paid.amount_cents / 2);
                let purchase = number;
                add(at, Deed::Refund { purchase, minor });
            }
        }
    }

    fn add_wallets(&mut self, world: &World, rng: &mut StdRng) {
        let people: Vec<u32> = (0..)
            .take(world.wallets)
            .filter(|&customer| world.card(customer).pays())
            .collect();
        let day = self.day_start;
        for &customer in &people {
            let at = day + between(rng, MORNING_SECONDS);
            let minor = between(rng, TOP_UP_MINOR);
            let deed = Deed::TopUp { minor };
            self.acts.push(Act { at, customer, deed });
            for _ in 0..rng.random_range(0..=MOST_TRANSFERS) {
                let Some(&to) = people.choose(rng).filter(|&&to| to != customer) else {
                    continue;
                };
                let at = day + between(rng, DAYTIME_SECONDS);
                let minor = between(rng, TRANSFER_MINOR);
                let deed = Deed::Transfer { to, minor };
                self.acts.push(Act { at, customer, deed });
            }
        }
    }
}

fn between(rng: &mut StdRng, (least, most): (i64, i64)) -> i64 {
    rng.random_range(least..=most)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::demo::handbook::{Settings, simulate};

    const DAY: u16 = 20;

    fn dataset() -> Dataset {
        simulate(&Settings {
            customers: 300,
            terminals: 600,
            radius: 10.0,
            days: 40,
            ..Settings::default()
        })
    }

    fn plan(dataset: &Dataset, seed: u64) -> Plan {
        Plan::of(dataset, &World::of(dataset, seed), DAY, seed)
    }

    #[test]
    fn the_same_seed_gives_the_same_day_and_another_seed_another() {
        let dataset = dataset();
        assert_eq!(plan(&dataset, 1), plan(&dataset, 1));
        assert_ne!(plan(&dataset, 1), plan(&dataset, 2));
    }

    #[test]
    fn every_payment_of_the_handbooks_day_is_in_the_plan_once_and_unchanged() {
        let dataset = dataset();
        let plan = plan(&dataset, 1);
        let payments = dataset.day(DAY);
        assert_eq!(plan.purchases().count() + plan.skipped, payments.len());
        for (customer, purchase) in plan.purchases() {
            let paid = payments[purchase.number];
            assert_eq!(
                (customer, purchase.terminal, purchase.minor, purchase.fraud),
                (paid.customer, paid.terminal, paid.amount_cents, paid.fraud)
            );
        }
    }

    #[test]
    fn time_never_goes_back_and_stays_within_the_day() {
        let dataset = dataset();
        let plan = plan(&dataset, 1);
        let mut before = plan.day_start;
        for act in &plan.acts {
            assert!(act.at >= before, "{act:?}");
            before = act.at;
        }
        assert!(before < plan.day_start + i64::from(DAY_SECONDS));
    }

    #[test]
    fn a_refund_comes_after_its_purchase_from_the_same_customer_and_never_for_more() {
        let dataset = dataset();
        let plan = plan(&dataset, 1);
        let mut bought = HashMap::new();
        let mut refunds = 0;
        for act in &plan.acts {
            match act.deed {
                Deed::Purchase(purchase) => {
                    bought.insert(purchase.number, (act.customer, purchase.minor));
                }
                Deed::Refund { purchase, minor } => {
                    let (customer, paid) = bought[&purchase];
                    assert_eq!(customer, act.customer);
                    assert!(minor.unwrap_or(paid) <= paid && minor != Some(0));
                    refunds += 1;
                }
                Deed::TopUp { .. } | Deed::Transfer { .. } => {}
            }
        }
        assert!(refunds > 0, "the day has refunds");
    }

    #[test]
    fn who_gives_has_topped_up_before_and_gives_to_somebody_else() {
        let dataset = dataset();
        let mut has = HashMap::new();
        let mut transfers = 0;
        for act in plan(&dataset, 1).acts {
            match act.deed {
                Deed::TopUp { minor } => {
                    has.insert(act.customer, minor);
                }
                Deed::Transfer { to, minor } => {
                    assert!(has.contains_key(&act.customer) && to != act.customer && minor > 0);
                    transfers += 1;
                }
                Deed::Purchase(_) | Deed::Refund { .. } => {}
            }
        }
        assert!(transfers > 0, "the day has transfers");
    }
}
