//! What is kept in memory of each tenant: its rules and lists, and that its windows are filled.
//!
//! A tenant is loaded once: at the start of the process when it is known, else with its first request. Whoever needs it meanwhile
//! waits. A tenant that nobody has met before gets the default rules, as rows of its own that it may change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use paymesh_kernel::{ChangeSet, Fault as _, Timestamp, error::chain, id::TenantId};
use tokio::sync::{Mutex as AsyncMutex, OnceCell, oneshot};

use super::{App, follow::Key};
use crate::{
    domain::{Label, LabelKind, Lists, Past, RuleSet, rule, series::RETENTION_US},
    error::Error,
    events,
    store::{self, Cut, Place, Range},
};

/// Rows read at once.
const PAGE: u64 = 5_000;
/// Labels of one tenant read at a start.
const MAX_LABELS: u64 = 500_000;

/// Tenants in memory.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    known: Mutex<HashMap<TenantId, Arc<Tenant>>>,
}

/// A tenant in memory.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    loaded: OnceCell<()>,
    rules: RwLock<Arc<RuleSet>>,
    pub(super) lists: RwLock<Lists>,
    /// Held while rules are read and put in place, so that an older reading never replaces a newer one.
    reading: AsyncMutex<()>,
}

// === impl Tenants ===

impl Tenants {
    /// The tenant, if this process has met it.
    pub(super) fn get(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.lock().get(&id).cloned()
    }

    fn slot(&self, id: TenantId, limit: usize) -> Result<Arc<Tenant>, Error> {
        let mut known = self.lock();
        if let Some(tenant) = known.get(&id) {
            return Ok(Arc::clone(tenant));
        }
        if known.len() >= limit {
            return Err(Error::TenantsExhausted);
        }
        let tenant = Arc::new(Tenant {
            id,
            loaded: OnceCell::new(),
            rules: RwLock::default(),
            lists: RwLock::default(),
            reading: AsyncMutex::default(),
        });
        known.insert(id, Arc::clone(&tenant));
        Ok(tenant)
    }

    /// Makes the next request load the tenant anew.
    pub(super) fn drop_tenant(&self, id: TenantId) {
        self.lock().remove(&id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Arc<Tenant>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Tenant ===

impl Tenant {
    /// The rules as they are now.
    pub(crate) fn rules(&self) -> Arc<RuleSet> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A copy of the lists as they are now.
    pub(super) fn copy_of_lists(&self) -> Lists {
        self.lists
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Entries in force.
    pub(super) fn entries(&self) -> usize {
        self.lists
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    pub(super) fn change_lists(&self, change: impl FnOnce(&mut Lists)) {
        change(&mut self.lists.write().unwrap_or_else(PoisonError::into_inner));
    }
}

// === impl App ===

impl App {
    /// The tenant, loaded.
    pub(super) async fn tenant(&self, id: TenantId) -> Result<Arc<Tenant>, Error> {
        let tenant = self.inner.tenants.slot(id, self.settings().max_tenants)?;
        if tenant.loaded.initialized() {
            return Ok(tenant);
        }
        // The work goes on when the caller gives up, or callers with short deadlines would begin it again and again.
        let (done, result) = oneshot::channel();
        let (app, slot) = (self.clone(), Arc::clone(&tenant));
        self.parts().tasks.spawn_once(async move {
            let loaded = slot.loaded.get_or_try_init(|| app.load(&slot)).await;
            done.send(loaded.copied()).ok();
        });
        result.await.unwrap_or(Err(Error::Stopping))?;
        Ok(tenant)
    }

    /// Loads every known tenant, so that first requests need not wait.
    pub(crate) fn start_warm_up(&self) {
        let app = self.clone();
        self.parts().tasks.spawn_once(async move {
            let limit = u64::try_from(app.settings().max_tenants).unwrap_or(u64::MAX);
            let tenants = match store::tenants::all(app.database(), limit).await {
                Ok(tenants) => tenants,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "tenants are loaded with their first requests");
                    return;
                }
            };
            for id in tenants {
                if app.parts().tasks.stopping().is_cancelled() {
                    return;
                }
                if let Err(error) = app.tenant(id).await {
                    tracing::warn!(tenant = %id, reason = error.reason(), "a tenant is loaded with its first request");
                }
            }
        });
    }

    async fn load(&self, tenant: &Tenant) -> Result<(), Error> {
        self.give_defaults(tenant.id).await?;
        self.read_rules(tenant).await?;
        self.read_lists(tenant).await?;
        self.inner.windows.forget(tenant.id);
        let Some(newest) = store::payments::newest_but(self.database(), tenant.id, 0).await? else {
            return Ok(());
        };
        let most = self.settings().max_rebuilt_payments;
        let limit = store::payments::newest_but(self.database(), tenant.id, most).await?;
        let oldest = newest
            .as_micros()
            .saturating_sub(RETENTION_US)
            .max(limit.map_or(i64::MIN, Timestamp::as_micros));
        let count = self.count_past(tenant.id, oldest).await?;
        let since = Timestamp::from_micros(oldest);
        let labels =
            store::labels::of_payments_since(self.database(), tenant.id, since, MAX_LABELS).await?;
        for (label, recorded_at) in labels {
            self.inner.recent.first_time(label_key(&label), recorded_at);
            self.inner.windows.learn(&label);
        }
        tracing::info!(tenant = %tenant.id, payments = count, "windows are filled");
        Ok(())
    }

    async fn count_past(&self, tenant: TenantId, oldest: i64) -> Result<u64, Error> {
        let range = Range {
            from_us: Some(oldest),
            until_us: None,
        };
        let (mut from, mut count) = (None, 0);
        loop {
            let cut = Cut { from, limit: PAGE };
            let page = store::payments::past(self.database(), tenant, range, cut).await?;
            for past in &page {
                self.inner
                    .recent
                    .first_time((past.id, None), past.recorded_at);
                self.inner.windows.count(tenant, &past.payment);
                self.learn_of(past);
            }
            count += u64::try_from(page.len()).unwrap_or(0);
            from = page.last().map(|last| Place {
                at: last.payment.business_at.as_micros(),
                id: last.id.as_uuid(),
            });
            if u64::try_from(page.len()).unwrap_or(0) < PAGE {
                return Ok(count);
            }
        }
    }

    /// What imported history tells with the payment itself.
    pub(super) fn learn_of(&self, past: &Past) {
        if let Some(known_at) = past.fraud_at {
            self.inner.windows.learn(&label_of(past, known_at));
        }
    }

    async fn give_defaults(&self, tenant: TenantId) -> Result<(), Error> {
        if store::tenants::is_known(self.database(), tenant).await? {
            return Ok(());
        }
        let now = self.now();
        let mut changes = ChangeSet::new();
        store::tenants::insert(&mut changes, tenant, now);
        for rule in rule::defaults(tenant, now) {
            store::rules::insert(&mut changes, &rule);
            events::publish_rule(&mut changes, self.ids(), &rule);
        }
        match self.commit(changes).await {
            // Another replica was faster.
            Err(error)
                if error.is_duplicate(store::TENANTS_KEY)
                    || error.is_duplicate(store::RULES_KEY) =>
            {
                Ok(())
            }
            result => Ok(result?),
        }
    }

    /// Reads the rules of a tenant and puts them in place.
    pub(super) async fn read_rules(&self, tenant: &Tenant) -> Result<(), Error> {
        let reading = tenant.reading.lock().await;
        let rules = store::rules::all(self.database(), tenant.id).await?;
        let ready = RuleSet::of(&rules, |rule, error| {
            tracing::error!(rule = %rule.id, %error, "a stored rule cannot be read and is left out");
        });
        *tenant.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ready);
        drop(reading);
        Ok(())
    }

    async fn read_lists(&self, tenant: &Tenant) -> Result<(), Error> {
        let mut after = None;
        loop {
            let all = store::lists::Filter::default();
            let page = store::lists::list(self.database(), tenant.id, all, (after, PAGE)).await?;
            tenant.change_lists(|lists| page.iter().for_each(|entry| lists.put(entry)));
            after = page.last().map(|entry| entry.id.as_uuid());
            if u64::try_from(page.len()).unwrap_or(0) < PAGE {
                return Ok(());
            }
        }
    }
}

/// What names a label among those that were taken in.
pub(super) fn label_key(label: &Label) -> Key {
    (label.payment, Some(label.kind))
}

/// The label that imported history comes with.
pub(super) fn label_of(past: &Past, known_at: Timestamp) -> Label {
    Label {
        payment: past.id,
        tenant: past.tenant,
        kind: LabelKind::Fraud,
        known_at,
        customer: past.payment.customer.clone(),
        method: past.payment.method.clone(),
        terminal: past.payment.terminal.clone(),
        business_at: past.payment.business_at,
    }
}
