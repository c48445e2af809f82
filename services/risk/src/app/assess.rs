//! Deciding on a payment: from memory, and then one commit.

use paymesh_kernel::{
    ChangeSet, CommitError, Principal, call,
    id::{TenantId, reexport::Uuid},
};
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::{App, tenants::Tenant, turns::Turn};
use crate::{
    domain::{Alert, Assessment, DecisionId, Outcome, Payment, verdict},
    error::Error,
    events, metrics, store,
};

/// A payment to decide on.
#[derive(Clone, Debug)]
pub(crate) struct Assess {
    /// The id of the decision, which is the key of the request.
    pub(crate) id: DecisionId,
    /// The transaction.
    pub(crate) transaction: String,
    /// What is to be paid.
    pub(crate) payment: Payment,
    /// Hash of what was asked.
    pub(crate) fingerprint: Uuid,
}

// === impl App ===

impl App {
    /// Decides on a payment, once for each id (R2).
    ///
    /// # Errors
    /// When the id was used for another payment, or the decision cannot be stored. In both cases the payment does not count.
    pub(crate) async fn assess(
        &self,
        principal: &Principal,
        command: Assess,
    ) -> Result<Outcome<Assessment>, Error> {
        let tenant = self.tenant(principal.tenant).await?;
        let turn = self.inner.turns.take(command.id).await;
        let (assessment, alert) = self.decide(&tenant, command);
        // A caller that gives up must not leave a payment counted whose decision was not stored, so this goes on without it.
        let (done, result) = oneshot::channel();
        let (app, scope) = (self.clone(), call::current());
        let work = async move {
            let stored = app.store(assessment, alert, &turn).await;
            drop(turn);
            done.send(stored).ok();
        };
        let work = async move {
            match scope {
                Some(scope) => scope.run(work).await,
                None => work.await,
            }
        };
        self.parts().tasks.spawn_once(work.in_current_span());
        result.await.unwrap_or(Err(Error::Stopping))
    }

    /// Counts the payment and decides, in memory.
    pub(super) fn decide(&self, tenant: &Tenant, command: Assess) -> (Assessment, Option<Alert>) {
        let rules = tenant.rules();
        let Assess {
            id,
            transaction,
            payment,
            fingerprint,
        } = command;
        let features = self.inner.windows.observe(tenant.id, &payment);
        let verdict = {
            let lists = tenant
                .lists
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            verdict::judge(
                &rules,
                &lists,
                (&payment, &features),
                self.settings().thresholds(),
            )
        };
        let assessment = Assessment {
            id,
            tenant: tenant.id,
            transaction,
            payment,
            verdict,
            features,
            decided_at: self.now(),
            fingerprint,
        };
        let alert = self.alert_of(&assessment);
        (assessment, alert)
    }

    fn alert_of(&self, assessment: &Assessment) -> Option<Alert> {
        let kind = assessment.verdict.alert?;
        if !self
            .inner
            .quiet
            .lets(assessment.tenant, kind, &assessment.payment)
        {
            return None;
        }
        let text = assessment
            .verdict
            .reasons
            .first()
            .map_or_else(String::new, |reason| reason.text.clone());
        Some(Alert {
            kind,
            text,
            ..self.blank_alert(assessment)
        })
    }

    /// An alert about a decision, whose kind and text are to be filled in.
    pub(super) fn blank_alert(&self, assessment: &Assessment) -> Alert {
        let payment = &assessment.payment;
        Alert {
            id: self.ids().next(),
            tenant: assessment.tenant,
            kind: crate::domain::AlertKind::Denied,
            decision: assessment.id,
            transaction: assessment.transaction.clone(),
            customer: payment.customer.clone(),
            merchant: payment.merchant.clone(),
            terminal: payment.terminal.clone(),
            score: assessment.verdict.score,
            text: String::new(),
            business_at: payment.business_at,
            raised_at: self.now(),
        }
    }

    async fn store(
        &self,
        assessment: Assessment,
        alert: Option<Alert>,
        _: &Turn,
    ) -> Result<Outcome<Assessment>, Error> {
        let mut changes = ChangeSet::new();
        store::payments::insert(&mut changes, &assessment, self.inner.node);
        events::publish_assessment(&mut changes, self.ids(), &assessment);
        if let Some(alert) = &alert {
            store::alerts::insert(&mut changes, alert);
            events::publish_alert(&mut changes, self.ids(), alert);
        }
        let error = match self.commit(changes).await {
            Ok(()) => {
                metrics::decided(assessment.verdict.decision);
                return Ok(Outcome::Applied(assessment));
            }
            Err(error) => error,
        };
        let (tenant, payment) = (assessment.tenant, &assessment.payment);
        if error == CommitError::Unknown {
            return self.resolve(assessment).await;
        }
        self.inner.windows.take_back(tenant, payment);
        if error.is_duplicate(store::PAYMENTS_KEY) {
            return self.repeated(&assessment).await;
        }
        Err(error.into())
    }

    /// The decision that an earlier call with this id made.
    async fn repeated(&self, asked: &Assessment) -> Result<Outcome<Assessment>, Error> {
        let stored = store::payments::find(self.database(), asked.id).await?;
        match stored {
            Some(stored) if is_same(&stored, asked) => Ok(Outcome::AlreadyApplied(stored)),
            Some(_) | None => Err(Error::DecisionReused),
        }
    }

    /// What became of a commit whose answer was lost. When that cannot be told, memory is no longer sure of the tenant and is filled
    /// anew.
    async fn resolve(&self, assessment: Assessment) -> Result<Outcome<Assessment>, Error> {
        match store::payments::find(self.database(), assessment.id).await {
            Ok(Some(stored))
                if stored.decided_at == assessment.decided_at && is_same(&stored, &assessment) =>
            {
                metrics::decided(assessment.verdict.decision);
                Ok(Outcome::Applied(stored))
            }
            Ok(Some(_)) => {
                self.inner
                    .windows
                    .take_back(assessment.tenant, &assessment.payment);
                self.repeated(&assessment).await
            }
            Ok(None) => {
                self.inner
                    .windows
                    .take_back(assessment.tenant, &assessment.payment);
                Err(CommitError::Unknown.into())
            }
            Err(_) => {
                self.inner.tenants.drop_tenant(assessment.tenant);
                Err(CommitError::Unknown.into())
            }
        }
    }
}

fn is_same(stored: &Assessment, asked: &Assessment) -> bool {
    let owner = |assessment: &Assessment| -> (TenantId, Uuid) {
        (assessment.tenant, assessment.fingerprint)
    };
    owner(stored) == owner(asked)
}
