//! Rules: an expression, and what comes of it when it holds.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, reexport::Uuid},
};
use serde::Deserialize;

use super::{
    Decision, RuleId, ids,
    language::{Expression, LanguageError},
};

/// Rules that every tenant begins with.
const DEFAULTS: &str = include_str!("../../data/default_rules.json");
/// Who is named as their author.
const AUTHOR: &str = "risk";

/// What a rule does when it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    /// It takes part.
    Enabled,
    /// It is evaluated and named in explanations, without effect.
    Shadow,
    /// It is not looked at.
    Disabled,
}

/// A rule as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// Whose.
    pub tenant: TenantId,
    /// Unique in the tenant.
    pub name: String,
    /// In the language of rules.
    pub expression: String,
    /// The decision is at least this; None adds points only.
    pub decision: Option<Decision>,
    /// Added to the score, -100 to 100.
    pub points: i32,
    /// Lower first.
    pub priority: i32,
    /// What it does.
    pub state: RuleState,
    /// From 1, one more with each change.
    pub version: i64,
    /// Subject.
    pub updated_by: String,
    /// Clock time.
    pub updated_at: Timestamp,
}

/// A rule that is ready.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its id; nil for a rule that is only tried.
    pub id: RuleId,
    /// Its name.
    pub name: String,
    /// What it comes to.
    pub decision: Option<Decision>,
    /// Added to the score.
    pub points: i32,
    /// False for a shadow.
    pub takes_part: Part,
    /// When.
    pub expression: Expression,
    /// What it looks at, for alerts.
    pub signal: Signal,
}

/// Whether a rule that holds has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It has.
    Takes,
    /// It is only named.
    Watches,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The share of fraud at a terminal.
    TerminalRisk,
    /// How often somebody pays.
    Pace,
    /// Anything else.
    Other,
}

/// The rules of a tenant that are evaluated, in their order.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Compiled>,
}

/// A rule of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Default_ {
    name: String,
    expression: String,
    decision: Option<Decision>,
    points: i32,
    priority: i32,
    state: RuleState,
}

// === impl RuleState ===

impl RuleState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Shadow, Self::Disabled];

    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Shadow => "shadow",
            Self::Disabled => "disabled",
        }
    }
}

// === impl Rule ===

impl Rule {
    /// Ready to be evaluated.
    ///
    /// # Errors
    /// When its expression cannot be read.
    pub fn compile(&self) -> Result<Compiled, LanguageError> {
        let expression = Expression::parse(&self.expression)?;
        let features = expression.features();
        let signal = if features.iter().any(|feature| feature.is_terminal_risk()) {
            Signal::TerminalRisk
        } else if features.iter().any(|feature| feature.is_pace()) {
            Signal::Pace
        } else {
            Signal::Other
        };
        Ok(Compiled {
            id: self.id,
            name: self.name.clone(),
            decision: self.decision,
            points: self.points,
            takes_part: match self.state {
                RuleState::Enabled => Part::Takes,
                RuleState::Shadow | RuleState::Disabled => Part::Watches,
            },
            expression,
            signal,
        })
    }

    /// True when only time and version differ.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let same = Self {
            version: other.version,
            updated_by: other.updated_by.clone(),
            updated_at: other.updated_at,
            ..self.clone()
        };
        same == *other
    }
}

// === impl RuleSet ===

impl RuleSet {
    /// Of ready rules, in the order given.
    #[must_use]
    pub const fn new(rules: Vec<Compiled>) -> Self {
        Self { rules }
    }

    /// Of kept rules, in the order of their priority. One that cannot be read any more is reported to `lost` and left out.
    pub fn of(rules: &[Rule], mut lost: impl FnMut(&Rule, LanguageError)) -> Self {
        let mut rules: Vec<&Rule> = rules
            .iter()
            .filter(|rule| rule.state != RuleState::Disabled)
            .collect();
        rules.sort_by_key(|rule| (rule.priority, rule.id));
        let ready = rules.into_iter().filter_map(|rule| match rule.compile() {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                lost(rule, error);
                None
            }
        });
        Self {
            rules: ready.collect(),
        }
    }

    /// In their order.
    #[must_use]
    pub fn rules(&self) -> &[Compiled] {
        &self.rules
    }

    /// Those that have an effect.
    #[must_use]
    pub fn enabled(&self) -> Vec<Compiled> {
        let takes_part = |rule: &&Compiled| rule.takes_part == Part::Takes;
        self.rules.iter().filter(takes_part).cloned().collect()
    }
}

/// The rules that a tenant begins with, with ids that are the same whoever makes them.
///
/// # Panics
/// When the file of the crate is damaged; a test reads it.
#[must_use]
pub fn defaults(tenant: TenantId, now: Timestamp) -> Vec<Rule> {
    let defaults: Vec<Default_> =
        serde_json::from_str(DEFAULTS).expect("a test reads the file of default rules");
    let rule = |default: Default_| Rule {
        id: RuleId::from(ids::derived(
            tenant,
            &[b"default rule", default.name.as_bytes()],
        )),
        tenant,
        name: default.name,
        expression: default.expression,
        decision: default.decision,
        points: default.points,
        priority: default.priority,
        state: default.state,
        version: 1,
        updated_by: AUTHOR.to_owned(),
        updated_at: now,
    };
    defaults.into_iter().map(rule).collect()
}

/// The id of a rule that is only tried.
#[must_use]
pub fn untold() -> RuleId {
    RuleId::from(Uuid::nil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_rule_can_be_read_and_has_a_name_of_its_own() {
        let tenant = TenantId::from(Uuid::from_u128(1));
        let rules = defaults(tenant, Timestamp::EPOCH);
        for rule in &rules {
            assert!(
                rule.compile().is_ok(),
                "{}: {:?}",
                rule.name,
                rule.compile()
            );
            assert!((-100..=100).contains(&rule.points));
        }
        let mut ids: Vec<RuleId> = rules.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rules.len());
        let other = defaults(TenantId::from(Uuid::from_u128(2)), Timestamp::EPOCH);
        assert!(
            rules
                .iter()
                .zip(&other)
                .all(|(one, other)| one.id != other.id)
        );
    }
}
