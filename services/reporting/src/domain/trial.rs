//! Sums of all accounts: our copy beside the ledger's own (P6).

use std::collections::BTreeMap;

/// Which sums: a ledger, and what its accounts are for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) currency: String,
    pub(crate) class: String,
    pub(crate) purpose: String,
}

/// Sums in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) debits_posted: i64,
    pub(crate) credits_posted: i64,
    pub(crate) debits_pending: i64,
    pub(crate) credits_pending: i64,
    /// Accounts that are summed.
    pub(crate) accounts: i64,
}

/// Sums by place.
pub(crate) type Trial = BTreeMap<Place, Sums>;

/// A sum leaves the range of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

// === impl Sums ===

impl Sums {
    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Result<Self, Overflow> {
        let add = |a: i64, b: i64| a.checked_add(b).ok_or(Overflow);
        Ok(Self {
            debits_posted: add(self.debits_posted, other.debits_posted)?,
            credits_posted: add(self.credits_posted, other.credits_posted)?,
            debits_pending: add(self.debits_pending, other.debits_pending)?,
            credits_pending: add(self.credits_pending, other.credits_pending)?,
            accounts: add(self.accounts, other.accounts)?,
        })
    }

    /// Posted on the normal side of the class, less posted on the other.
    pub(crate) fn booked(self, class: &str) -> Result<i64, Overflow> {
        let (normal, other) = if matches!(class, "asset" | "expense") {
            (self.debits_posted, self.credits_posted)
        } else {
            (self.credits_posted, self.debits_posted)
        };
        normal.checked_sub(other).ok_or(Overflow)
    }

    const fn named(&self) -> [(&'static str, i64); 5] {
        [
            ("debits_posted", self.debits_posted),
            ("credits_posted", self.credits_posted),
            ("debits_pending", self.debits_pending),
            ("credits_pending", self.credits_pending),
            ("accounts", self.accounts),
        ]
    }
}

/// What differs first between our copy and the ledger; None when nothing does.
pub(crate) fn difference(ours: &Trial, ledger: &Trial) -> Option<String> {
    let places: std::collections::BTreeSet<&Place> = ours.keys().chain(ledger.keys()).collect();
    places.into_iter().find_map(|place| {
        let (mine, theirs) = (
            ours.get(place).copied().unwrap_or_default(),
            ledger.get(place).copied().unwrap_or_default(),
        );
        let pairs = mine.named().into_iter().zip(theirs.named());
        let mut differing = pairs.filter(|(mine, theirs)| mine.1 != theirs.1);
        differing.next().map(|((name, mine), (_, theirs))| {
            format!(
                "{} {} {name}: facts say {mine}, the ledger says {theirs}",
                place.currency, place.purpose
            )
        })
    })
}

/// The ledger in which debits and credits differ; None when they never do.
pub(crate) fn unbalanced(trial: &Trial) -> Result<Option<String>, Overflow> {
    let mut totals: BTreeMap<&str, Sums> = BTreeMap::new();
    for (place, sums) in trial {
        let total = totals.entry(&place.currency).or_default();
        *total = total.plus(*sums)?;
    }
    let broken = totals.into_iter().find(|(_, total)| {
        total.debits_posted != total.credits_posted || total.debits_pending != total.credits_pending
    });
    Ok(broken.map(|(currency, _)| currency.to_owned()))
}

/// Sums of classes: purposes are left out.
pub(crate) fn by_class(trial: &Trial) -> Result<Trial, Overflow> {
    let mut classes = Trial::new();
    for (place, sums) in trial {
        let place = Place {
            purpose: String::new(),
            ..place.clone()
        };
        let total = classes.entry(place).or_default();
        *total = total.plus(*sums)?;
    }
    Ok(classes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(currency: &str, class: &str, purpose: &str) -> Place {
        Place {
            currency: currency.to_owned(),
            class: class.to_owned(),
            purpose: purpose.to_owned(),
        }
    }

    fn sums(debits: i64, credits: i64) -> Sums {
        Sums {
            debits_posted: debits,
            credits_posted: credits,
            accounts: 1,
            ..Sums::default()
        }
    }

    fn books() -> Trial {
        Trial::from([
            (
                place("USD", "asset", "connector_receivable"),
                sums(1_000, 0),
            ),
            (
                place("USD", "liability", "merchant_pending"),
                sums(30, 1_000),
            ),
            (place("USD", "income", "fee_revenue"), sums(0, 30)),
        ])
    }

    #[test]
    fn p6_one_cent_of_difference_is_named() {
        let (ours, mut ledger) = (books(), books());
        assert_eq!(difference(&ours, &ledger), None);
        ledger.insert(place("USD", "income", "fee_revenue"), sums(0, 31));
        assert_eq!(
            difference(&ours, &ledger).unwrap(),
            "USD fee_revenue credits_posted: facts say 30, the ledger says 31"
        );
        ledger.remove(&place("USD", "income", "fee_revenue"));
        assert!(
            difference(&ours, &ledger).is_some(),
            "a line that the ledger has not"
        );
        assert!(
            difference(&ledger, &ours).is_some(),
            "a line that we have not"
        );
    }

    #[test]
    fn p6_debits_equal_credits_and_balances_count_on_the_normal_side() {
        let mut books = books();
        assert_eq!(unbalanced(&books), Ok(None));
        assert_eq!(sums(1_000, 400).booked("asset"), Ok(600));
        assert_eq!(sums(1_000, 400).booked("income"), Ok(-600));
        books.insert(place("EUR", "asset", "bank_cash"), sums(1, 0));
        assert_eq!(unbalanced(&books), Ok(Some("EUR".to_owned())));
        books.insert(
            place("EUR", "asset", "connector_receivable"),
            sums(i64::MAX, 0),
        );
        assert_eq!(unbalanced(&books), Err(Overflow), "never a wrong number");
    }

    proptest! {
        #[test]
        fn p6_classes_hold_what_their_purposes_hold(
            amounts in proptest::collection::vec((0_i64..1_000_000, 0_i64..1_000_000), 1..20),
        ) {
            let trial: Trial = amounts
                .iter()
                .enumerate()
                .map(|(n, (debits, credits))| {
                    let class = if n % 2 == 0 { "asset" } else { "liability" };
                    (place("USD", class, &format!("p{n}")), sums(*debits, *credits))
                })
                .collect();
            let classes = by_class(&trial).unwrap();
            let total = |trial: &Trial| trial.values().map(|sums| sums.debits_posted - sums.credits_posted).sum::<i64>();
            prop_assert_eq!(total(&classes), total(&trial));
            prop_assert!(classes.len() <= 2);
        }
    }
}
