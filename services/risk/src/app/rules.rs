//! Rules: data that people change.

use paymesh_kernel::{ChangeSet, CommitError, Principal};

use super::{App, DECISIONS};
use crate::{
    domain::{Decision, Outcome, Rule, RuleId, RuleState},
    error::Error,
    events,
    store::{self, Cut, rules::Stored},
};

/// A rule as it is to be.
#[derive(Clone, Debug)]
pub(crate) struct PutRule {
    pub(crate) id: RuleId,
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) decision: Option<Decision>,
    pub(crate) points: i32,
    pub(crate) priority: i32,
    pub(crate) state: RuleState,
    /// None: create, or replace whatever is there.
    pub(crate) expected_version: Option<i64>,
}

// === impl App ===

impl App {
    /// Creates or replaces a rule. Its expression is read before anything is written.
    ///
    /// # Errors
    /// When the expression cannot be read, the name is taken, the version is another one or there are too many.
    pub(crate) async fn put_rule(
        &self,
        principal: &Principal,
        command: &PutRule,
    ) -> Result<Outcome<Rule>, Error> {
        let tenant = self.tenant(principal.tenant).await?;
        for _ in 0..DECISIONS {
            let stored = store::rules::find(self.database(), command.id).await?;
            let rule = self.draft(principal, command, stored.as_ref())?;
            rule.compile().map_err(|source| Error::Expression {
                field: "expression".to_owned(),
                source,
            })?;
            let live = stored.as_ref().filter(|stored| stored.deleted_at.is_none());
            if let Some(live) = live.filter(|live| live.rule.says_the_same(&rule)) {
                return Ok(Outcome::AlreadyApplied(live.rule.clone()));
            }
            check_version(command, live)?;
            if live.is_none() {
                self.check_room(principal).await?;
            }
            let mut changes = ChangeSet::new();
            match &stored {
                None => store::rules::insert(&mut changes, &rule),
                Some(_) => store::rules::update(&mut changes, &rule),
            }
            events::publish_rule(&mut changes, self.ids(), &rule);
            match self.commit(changes).await {
                Ok(()) => {
                    self.read_rules(&tenant).await?;
                    return Ok(Outcome::Applied(rule));
                }
                Err(error) if error.is_duplicate(store::RULE_NAMES) => {
                    return Err(Error::RuleNameTaken);
                }
                Err(error)
                    if error == CommitError::Stale || error.is_duplicate(store::RULES_KEY) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// A rule.
    ///
    /// # Errors
    /// When there is none in the tenant.
    pub(crate) async fn rule(&self, principal: &Principal, id: RuleId) -> Result<Rule, Error> {
        self.tenant(principal.tenant).await?;
        let stored = store::rules::find(self.database(), id).await?;
        stored
            .filter(|stored| stored.rule.tenant == principal.tenant && stored.deleted_at.is_none())
            .map(|stored| stored.rule)
            .ok_or(Error::RuleNotFound)
    }

    /// Rules by priority.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn rules(
        &self,
        principal: &Principal,
        state: Option<RuleState>,
        cut: Cut,
    ) -> Result<Vec<Rule>, Error> {
        self.tenant(principal.tenant).await?;
        Ok(store::rules::list(self.database(), principal.tenant, state, cut).await?)
    }

    /// Deletes a rule; decisions keep its id.
    ///
    /// # Errors
    /// When there never was one in the tenant.
    pub(crate) async fn delete_rule(
        &self,
        principal: &Principal,
        id: RuleId,
    ) -> Result<Outcome<()>, Error> {
        let tenant = self.tenant(principal.tenant).await?;
        for _ in 0..DECISIONS {
            let stored = store::rules::find(self.database(), id).await?;
            let stored = stored
                .filter(|stored| stored.rule.tenant == principal.tenant)
                .ok_or(Error::RuleNotFound)?;
            if stored.deleted_at.is_some() {
                return Ok(Outcome::AlreadyApplied(()));
            }
            let rule = Rule {
                version: stored.rule.version + 1,
                updated_by: principal.subject.clone(),
                updated_at: self.now(),
                ..stored.rule
            };
            let mut changes = ChangeSet::new();
            store::rules::delete(&mut changes, &rule);
            events::publish_rule_deleted(&mut changes, self.ids(), &rule);
            match self.commit(changes).await {
                Ok(()) => {
                    self.read_rules(&tenant).await?;
                    return Ok(Outcome::Applied(()));
                }
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    fn draft(
        &self,
        principal: &Principal,
        command: &PutRule,
        stored: Option<&Stored>,
    ) -> Result<Rule, Error> {
        if stored.is_some_and(|stored| stored.rule.tenant != principal.tenant) {
            return Err(Error::RuleNotFound);
        }
        Ok(Rule {
            id: command.id,
            tenant: principal.tenant,
            name: command.name.clone(),
            expression: command.expression.clone(),
            decision: command.decision,
            points: command.points,
            priority: command.priority,
            state: command.state,
            version: stored.map_or(1, |stored| stored.rule.version + 1),
            updated_by: principal.subject.clone(),
            updated_at: self.now(),
        })
    }

    async fn check_room(&self, principal: &Principal) -> Result<(), Error> {
        let limit = self.settings().max_rules;
        let rules = store::rules::all(self.database(), principal.tenant).await?;
        if rules.len() >= limit {
            return Err(Error::RulesExhausted { limit });
        }
        Ok(())
    }
}

fn check_version(command: &PutRule, live: Option<&Stored>) -> Result<(), Error> {
    match (command.expected_version, live) {
        (None, _) => Ok(()),
        (Some(expected), Some(live)) if live.rule.version == expected => Ok(()),
        (Some(_), Some(_) | None) => Err(Error::RuleVersionConflict),
    }
}
