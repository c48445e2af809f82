//! Random commands against a model that is too simple to be wrong, in batches of any size.

use std::collections::BTreeMap;

use paymesh_money::Currency;
use proptest::prelude::*;

use super::world::{World, asked, between, by_key, codes, customer, ending, system, tenant, xfer};
use crate::domain::{
    AccountId, Kind, Purpose,
    book::ResultCode as C,
    transfer::{Asked, Given},
};

/// Customers with bounded accounts; the bank is account 0 and unbounded.
const PEOPLE: usize = 4;
/// Few ids, so that they meet.
const IDS: u128 = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    id: u128,
    kind: Kind,
    debit: usize,
    credit: usize,
    amount: i64,
    pending: u128,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        3 => Just(Kind::Single),
        3 => Just(Kind::Pending),
        2 => Just(Kind::Post),
        1 => Just(Kind::Void),
    ];
    (1..=IDS, kind, 0..=PEOPLE, 0..=PEOPLE, 1..40_i64, 1..=IDS).prop_map(
        |(id, kind, debit, credit, amount, pending)| Step {
            id,
            kind,
            debit,
            credit,
            amount,
            pending,
        },
    )
}

fn calls() -> impl Strategy<Value = Vec<Vec<Step>>> {
    prop::collection::vec(prop::collection::vec(step(), 1..4), 1..30)
}

/// The ledger as a child would write it: no sets, no journal, everything copied for each group.
#[derive(Clone, Default)]
struct Model {
    /// Debits pending, debits posted, credits pending, credits posted.
    sums: Vec<[i64; 4]>,
    known: BTreeMap<u128, Step>,
    /// Of pending transfers: open, or how they ended.
    fate: BTreeMap<u128, Option<Kind>>,
    /// Buried id → the void.
    buried: BTreeMap<u128, u128>,
}

impl Model {
    fn group(&mut self, group: &[Step]) -> Vec<C> {
        let repeated = |id| group.iter().filter(|s| s.id == id).count() > 1;
        let mut next = self.clone();
        let mut codes = Vec::new();
        for (place, step) in group.iter().enumerate() {
            let code = if repeated(step.id) {
                C::IdInvalid
            } else {
                next.one(*step)
            };
            if !matches!(code, C::Applied | C::Tombstoned) {
                let answer = |(at, s): (usize, &Step)| match self.known.get(&s.id) {
                    _ if at == place => code,
                    Some(known) if known == s => C::Applied,
                    _ => C::GroupRejected,
                };
                return group.iter().enumerate().map(answer).collect();
            }
            codes.push(code);
        }
        *self = next;
        codes
    }

    fn one(&mut self, step: Step) -> C {
        if let Some(known) = self.known.get(&step.id) {
            return if *known == step {
                C::Applied
            } else {
                C::IdConflict
            };
        }
        if let Some((buried, _)) = self.buried.iter().find(|(_, void)| **void == step.id) {
            let same = step.kind == Kind::Void && step.pending == *buried;
            return if same { C::Tombstoned } else { C::IdConflict };
        }
        if self.buried.contains_key(&step.id) {
            return C::IdTombstoned;
        }
        match step.kind {
            Kind::Single | Kind::Pending => self.debit_and_credit(step),
            Kind::Post | Kind::Void => self.end(step),
        }
    }

    fn debit_and_credit(&mut self, step: Step) -> C {
        if step.debit == step.credit {
            return C::AccountsSame;
        }
        let column = usize::from(step.kind == Kind::Single);
        let mut debit = self.sums[step.debit];
        debit[column] += step.amount;
        if step.debit != 0 && debit[0] + debit[1] > debit[3] {
            return C::DebitBoundExceeded;
        }
        self.sums[step.debit] = debit;
        self.sums[step.credit][2 + column] += step.amount;
        self.known.insert(step.id, step);
        if step.kind == Kind::Pending {
            self.fate.insert(step.id, None);
        }
        C::Applied
    }

    fn end(&mut self, step: Step) -> C {
        if step.pending == step.id {
            return C::PendingIdInvalid;
        }
        let Some(pending) = self.known.get(&step.pending).copied() else {
            if step.kind == Kind::Post {
                return C::PendingNotFound;
            }
            self.buried.entry(step.pending).or_insert(step.id);
            return C::Tombstoned;
        };
        match self.fate.get(&step.pending) {
            None => return C::PendingKindInvalid,
            Some(Some(Kind::Post)) => return C::PendingAlreadyPosted,
            Some(Some(_)) => return C::PendingAlreadyVoided,
            Some(None) => {}
        }
        if step.kind == Kind::Post && step.amount > pending.amount {
            return C::PendingAmountExceeded;
        }
        let posted = if step.kind == Kind::Post {
            step.amount
        } else {
            0
        };
        self.sums[pending.debit][0] -= pending.amount;
        self.sums[pending.debit][1] += posted;
        self.sums[pending.credit][2] -= pending.amount;
        self.sums[pending.credit][3] += posted;
        self.known.insert(step.id, step);
        self.fate.insert(step.pending, Some(step.kind));
        C::Applied
    }
}

fn asked_of(step: Step, accounts: &[AccountId]) -> Asked {
    match step.kind {
        Kind::Single | Kind::Pending => Asked {
            kind: Given::Value(step.kind),
            ..between(
                step.id,
                accounts[step.debit],
                accounts[step.credit],
                step.amount,
            )
        },
        Kind::Post => Asked {
            amount: Some(step.amount),
            currency: Given::Value(Currency::USD),
            ..ending(step.id, Kind::Post, step.pending)
        },
        Kind::Void => ending(step.id, Kind::Void, step.pending),
    }
}

/// What of a step counts when it is repeated: a post names no accounts, a void no amount either.
fn as_repeated(step: Step) -> Step {
    match step.kind {
        Kind::Single | Kind::Pending => Step { pending: 0, ..step },
        Kind::Post => Step {
            debit: 0,
            credit: 0,
            ..step
        },
        Kind::Void => Step {
            debit: 0,
            credit: 0,
            amount: 0,
            ..step
        },
    }
}

fn world() -> (World, Vec<AccountId>) {
    let mut world = World::new();
    let bank = asked(900, Kind::Single);
    world.one(bank);
    let mut accounts = vec![world.id_of(&system(Purpose::BankCash, Currency::USD))];
    for n in 1..=PEOPLE {
        let key = customer(u128::try_from(n).unwrap(), Currency::USD);
        let id = world.open(key.clone());
        let gift = Asked {
            credit: by_key(&key),
            ..asked(900 + u128::try_from(n).unwrap(), Kind::Single)
        };
        world.one(gift);
        accounts.push(id);
    }
    (world, accounts)
}

fn model(world: &World, accounts: &[AccountId]) -> Model {
    Model {
        sums: accounts.iter().map(|id| world.sums(*id)).collect(),
        ..Model::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a7_batches_of_any_size_come_to_what_the_model_says(calls in calls(), cuts in prop::collection::vec(1..6_usize, 30)) {
        let calls: Vec<Vec<Step>> = calls.into_iter().map(|c| c.into_iter().map(as_repeated).collect()).collect();
        let (mut world, accounts) = world();
        let mut model = model(&world, &accounts);
        let mut rest = calls.as_slice();
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let size = cuts.next().unwrap_or(1).min(rest.len());
            let (now, later) = rest.split_at(size);
            rest = later;
            let mut book = world.book(&[]);
            for call in now {
                let group: Vec<Asked> = call.iter().map(|s| asked_of(*s, &accounts)).collect();
                let result = book.post_groups(tenant(), &[group], 0);
                let wanted = model.group(call);
                prop_assert_eq!(codes(&result[0]), wanted, "{:?}", call);
            }
            world.keep(book.seal());
            world.assert_sound();
            for (place, id) in accounts.iter().enumerate() {
                prop_assert_eq!(world.sums(*id), model.sums[place]);
                let [dp, dr, _, cr] = world.sums(*id);
                prop_assert!(place == 0 || dp + dr <= cr, "A3");
            }
        }
        let booked = model.known.keys().filter(|id| world.transfers.contains_key(&xfer(**id))).count();
        prop_assert_eq!(booked, model.known.len());
    }
}
