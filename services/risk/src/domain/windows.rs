//! What was paid in the last hour, day, week and month, by customer, payment method, merchant and country, and how much of what was
//! paid at a terminal was fraud: all of it in memory.
//!
//! Entities live in shards behind locks of their own. A shard keeps two generations: what is used moves into the young one, and when
//! that is full the old one is dropped, so what was not used for longest goes first and memory has a limit (R5). What was dropped
//! counts from zero again until the next start.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use paymesh_kernel::{Timestamp, id::TenantId};

use super::{
    DecisionId, Features, Label, LabelKind, Payment, Span,
    feature::{Entity, LABEL_DELAY_DAYS},
    series::{RETENTION_US, Series},
};

const SHARDS: usize = 64;
/// Fraud marks kept of one terminal; the oldest go first.
const MAX_MARKS: usize = 4_096;
/// Length of the delay of labels.
const DELAY: std::time::Duration = std::time::Duration::from_secs(LABEL_DELAY_DAYS * 24 * 3_600);

/// Limits of what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Customers, methods, merchants, countries and terminals, together.
    pub entities: usize,
    /// Moments of all of them, 24 bytes each.
    pub moments: usize,
}

/// All windows of a process.
#[derive(Debug)]
pub struct Windows {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    entity: Entity,
    id: Box<str>,
}

#[derive(Debug)]
struct Shard {
    young: HashMap<Key, Counted>,
    old: HashMap<Key, Counted>,
    /// Moments in the young generation.
    moments: usize,
    /// Half of the limits: one generation's.
    limits: Limits,
    evicted: u64,
}

/// What is counted of one entity.
#[derive(Debug, Default)]
struct Counted {
    /// By numeric code of the currency; most have one.
    paid: Vec<(u16, Series)>,
    failed: Series,
    frauds: Vec<Mark>,
}

/// A fraud at a terminal.
#[derive(Clone, Copy, Debug)]
struct Mark {
    payment: DecisionId,
    at: Timestamp,
    known_from: Timestamp,
    known_until: Timestamp,
}

// === impl Windows ===

impl Windows {
    /// Empty, with limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let part = |all: usize| all.div_euclid(2 * SHARDS).max(1);
        let limits = Limits {
            entities: part(limits.entities),
            moments: part(limits.moments),
        };
        let shard = |_| {
            Mutex::new(Shard {
                young: HashMap::new(),
                old: HashMap::new(),
                moments: 0,
                limits,
                evicted: 0,
            })
        };
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Counts the payment and tells its features: from this moment on it counts for all others (R3).
    #[must_use]
    pub fn observe(&self, tenant: TenantId, payment: &Payment) -> Features {
        let mut features = Features::of(payment);
        for (entity, id) in entities(payment) {
            self.with(tenant, entity, id, |counted| {
                counted.pay(payment);
                counted.read(entity, payment, &mut features);
            });
        }
        features
    }

    /// Counts a payment that was decided on before.
    pub fn count(&self, tenant: TenantId, payment: &Payment) {
        for (entity, id) in entities(payment) {
            self.with(tenant, entity, id, |counted| counted.pay(payment));
        }
    }

    /// Takes back a payment whose decision was not stored.
    pub fn take_back(&self, tenant: TenantId, payment: &Payment) {
        let code = payment.currency().numeric();
        for (entity, id) in entities(payment) {
            self.with(tenant, entity, id, |counted| {
                if let Some((_, series)) = counted.paid.iter_mut().find(|(known, _)| *known == code)
                {
                    series.remove(payment.business_at, payment.amount.minor());
                }
            });
        }
    }

    /// Takes what became known into account. The same once more changes nothing but the count of failures.
    pub fn learn(&self, label: &Label) {
        match label.kind {
            LabelKind::Fraud if !label.terminal.is_empty() => {
                self.with(label.tenant, Entity::Terminal, &label.terminal, |counted| {
                    counted.mark(label.payment, label.business_at, label.known_at);
                });
            }
            LabelKind::Cleared if !label.terminal.is_empty() => {
                self.with(label.tenant, Entity::Terminal, &label.terminal, |counted| {
                    counted.clear(label.payment, label.known_at);
                });
            }
            LabelKind::Fraud | LabelKind::Cleared => {}
            LabelKind::Failed => {
                let ids = [
                    (Entity::Customer, &label.customer),
                    (Entity::Method, &label.method),
                ];
                for (entity, id) in ids.into_iter().filter(|(_, id)| !id.is_empty()) {
                    self.with(label.tenant, entity, id, |counted| {
                        counted.failed.insert(label.known_at, 0);
                    });
                }
            }
        }
    }

    /// Forgets all of a tenant, before it is counted anew.
    pub fn forget(&self, tenant: TenantId) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.young.retain(|key, _| key.tenant != tenant);
            shard.old.retain(|key, _| key.tenant != tenant);
            shard.moments = shard.young.values().map(Counted::moments).sum();
        }
    }

    /// Entities that are counted now, and how many were dropped since the start.
    #[must_use]
    pub fn usage(&self) -> (usize, u64) {
        let mut usage = (0, 0);
        for shard in &self.shards {
            let shard = lock(shard);
            usage.0 += shard.young.len() + shard.old.len();
            usage.1 += shard.evicted;
        }
        usage
    }

    fn with(&self, tenant: TenantId, entity: Entity, id: &str, work: impl FnOnce(&mut Counted)) {
        let key = Key {
            tenant,
            entity,
            id: id.into(),
        };
        let hash = self.hasher.hash_one(&key);
        let place = usize::try_from(hash >> 32).unwrap_or(0) % SHARDS;
        lock(&self.shards[place]).with(key, work);
    }
}

// === impl Shard ===

impl Shard {
    fn with(&mut self, key: Key, work: impl FnOnce(&mut Counted)) {
        let mut counted = match self.young.remove(&key) {
            Some(counted) => {
                self.moments -= counted.moments().min(self.moments);
                counted
            }
            None => self.old.remove(&key).unwrap_or_default(),
        };
        work(&mut counted);
        if self.young.len() >= self.limits.entities || self.moments >= self.limits.moments {
            let gone = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.evicted += u64::try_from(gone.len()).unwrap_or(u64::MAX);
            self.moments = 0;
        }
        self.moments += counted.moments();
        self.young.insert(key, counted);
    }
}

// === impl Counted ===

impl Counted {
    fn moments(&self) -> usize {
        let paid: usize = self.paid.iter().map(|(_, series)| series.len()).sum();
        paid + self.failed.len() + self.frauds.len() + 1
    }

    fn pay(&mut self, payment: &Payment) {
        let code = payment.currency().numeric();
        let place = self.paid.iter().position(|(known, _)| *known == code);
        let place = place.unwrap_or_else(|| {
            self.paid.push((code, Series::default()));
            self.paid.len() - 1
        });
        let (_, series) = &mut self.paid[place];
        series.insert(payment.business_at, payment.amount.minor());
    }

    fn read(&self, entity: Entity, payment: &Payment, features: &mut Features) {
        if entity == Entity::Terminal {
            return self.read_risk(payment, features);
        }
        let (until, code) = (payment.business_at, payment.currency().numeric());
        for span in Span::ALL {
            let from = until.minus(span.length());
            let (mut count, mut same) = (0, (0, 0));
            for (currency, series) in &self.paid {
                let window = series.window(from, until);
                count += window.0;
                if *currency == code {
                    same = window;
                }
            }
            features.set_window(entity, span, (count, same.1));
            if entity == Entity::Customer && span != Span::Hour {
                features.set_average(span, same);
            }
            features.set_failed(entity, span, self.failed.window(from, until).0);
        }
    }

    /// Windows that end before the delay, and of frauds only what is known by now.
    fn read_risk(&self, payment: &Payment, features: &mut Features) {
        let now = payment.business_at;
        let until = now.minus(DELAY);
        for span in Span::DAYS {
            let from = until.minus(span.length());
            let count: i64 = self
                .paid
                .iter()
                .map(|(_, series)| series.window(from, until).0)
                .sum();
            let frauds = self
                .frauds
                .iter()
                .filter(|mark| mark.at > from && mark.at <= until)
                .filter(|mark| mark.known_from <= now && now < mark.known_until)
                .count();
            features.set_terminal(span, (count, i64::try_from(frauds).unwrap_or(i64::MAX)));
        }
    }

    fn mark(&mut self, payment: DecisionId, at: Timestamp, known_from: Timestamp) {
        if let Some(mark) = self.frauds.iter_mut().find(|mark| mark.payment == payment) {
            mark.known_from = mark.known_from.min(known_from);
            return;
        }
        let newest = self.frauds.last().map_or(at, |mark| mark.at.max(at));
        let oldest = newest.as_micros().saturating_sub(RETENTION_US);
        self.frauds.retain(|mark| mark.at.as_micros() > oldest);
        if self.frauds.len() >= MAX_MARKS {
            self.frauds.remove(0);
        }
        let place = self.frauds.partition_point(|mark| mark.at <= at);
        let known_until = Timestamp::from_micros(i64::MAX);
        let mark = Mark {
            payment,
            at,
            known_from,
            known_until,
        };
        self.frauds.insert(place, mark);
    }

    fn clear(&mut self, payment: DecisionId, known_at: Timestamp) {
        for mark in self
            .frauds
            .iter_mut()
            .filter(|mark| mark.payment == payment)
        {
            mark.known_until = mark.known_until.min(known_at);
        }
    }
}

/// What a payment counts for.
fn entities(payment: &Payment) -> impl Iterator<Item = (Entity, &str)> {
    [
        (Entity::Customer, payment.customer.as_str()),
        (Entity::Method, payment.method.as_str()),
        (Entity::Merchant, payment.merchant.as_str()),
        (Entity::Country, payment.country.as_str()),
        (Entity::Terminal, payment.terminal.as_str()),
    ]
    .into_iter()
    .filter(|(_, id)| !id.is_empty())
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
