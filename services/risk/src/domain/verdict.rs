//! From rules and lists to one decision.
//!
//! The order is fixed (R1): what denies wins over what allows, what allows wins over what asks for a review or a challenge, and a
//! review wins over a challenge. The score is the sum of all points, held between 0 and 100; from a threshold on it asks for a
//! review or a challenge by itself.

use serde::Deserialize;

use super::{
    AlertKind, Features, Lists, Payment, RuleId, RuleSet,
    list::ListKind,
    rule::{Compiled, Part, Signal},
};

/// Reasons that are kept.
pub const MAX_REASONS: usize = 20;

/// What risk decides; ordered from harmless to grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Go on.
    Allow,
    /// The payer must verify.
    Challenge,
    /// A person must decide.
    Review,
    /// A decline.
    Deny,
}

/// Where a reason comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A rule.
    Rule,
    /// An entry of a list.
    List,
    /// A threshold of the score.
    Limit,
}

/// Why a decision came out as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Where it comes from.
    pub source: Source,
    /// Id of the rule or entry, or name of the limit.
    pub code: String,
    /// For staff.
    pub text: String,
    /// Added to the score.
    pub points: i32,
}

/// Scores from which on something happens; 101 is never.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// The payer must verify.
    pub challenge: i32,
    /// A person must decide.
    pub review: i32,
}

/// What comes of all rules and lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// 0 to 100.
    pub score: i32,
    /// The strongest first.
    pub reasons: Vec<Reason>,
    /// Rules that held, shadows too.
    pub matched: Vec<RuleId>,
    /// What a person should look at.
    pub alert: Option<AlertKind>,
}

/// Something that speaks for a decision.
struct Hit {
    reason: Reason,
    decision: Option<Decision>,
    signal: Signal,
}

// === impl Decision ===

impl Decision {
    /// Every decision.
    pub const ALL: [Self; 4] = [Self::Allow, Self::Challenge, Self::Review, Self::Deny];

    /// The word in tables and counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Challenge => "challenge",
            Self::Review => "review",
            Self::Deny => "deny",
        }
    }
}

/// Decides on a payment.
#[must_use]
pub fn judge(
    rules: &RuleSet,
    lists: &Lists,
    seen: (&Payment, &Features),
    thresholds: Thresholds,
) -> Verdict {
    let (payment, features) = seen;
    let mut hits: Vec<Hit> = lists
        .of(payment)
        .into_iter()
        .map(|(subject, listed)| Hit {
            reason: Reason {
                source: Source::List,
                code: listed.id.to_string(),
                text: format!(
                    "the {} is on the {} list",
                    subject.as_str(),
                    listed.kind.as_str()
                ),
                points: listed.kind.points(),
            },
            decision: Some(listed.kind.decision()),
            signal: Signal::Other,
        })
        .collect();
    let is_listed = hits
        .iter()
        .any(|hit| hit.decision == Some(ListKind::Deny.decision()));
    let mut matched = Vec::new();
    for rule in rules.rules() {
        if !rule.expression.holds(payment, features) {
            continue;
        }
        matched.push(rule.id);
        if rule.takes_part == Part::Takes {
            hits.push(hit_of(rule));
        }
    }
    let points = hits
        .iter()
        .map(|hit| hit.reason.points)
        .fold(0, i32::saturating_add);
    let score = points.clamp(0, 100);
    let decision = combine(&mut hits, score, thresholds);
    let alert = alert_of(&hits, decision, is_listed);
    hits.sort_by_key(|hit| {
        std::cmp::Reverse((hit.decision == Some(decision), hit.reason.points.abs()))
    });
    hits.truncate(MAX_REASONS);
    Verdict {
        decision,
        score,
        reasons: hits.into_iter().map(|hit| hit.reason).collect(),
        matched,
        alert,
    }
}

fn hit_of(rule: &Compiled) -> Hit {
    Hit {
        reason: Reason {
            source: Source::Rule,
            code: rule.id.to_string(),
            text: rule.name.clone(),
            points: rule.points,
        },
        decision: rule.decision,
        signal: rule.signal,
    }
}

/// R1: deny, then allow, then review, then challenge.
fn combine(hits: &mut Vec<Hit>, score: i32, thresholds: Thresholds) -> Decision {
    let any = |wanted: Decision| hits.iter().any(|hit| hit.decision == Some(wanted));
    if any(Decision::Deny) {
        return Decision::Deny;
    }
    if any(Decision::Allow) {
        return Decision::Allow;
    }
    if any(Decision::Review) {
        return Decision::Review;
    }
    if score >= thresholds.review {
        hits.push(limit("score_review", thresholds.review, Decision::Review));
        return Decision::Review;
    }
    if any(Decision::Challenge) {
        return Decision::Challenge;
    }
    if score >= thresholds.challenge {
        hits.push(limit(
            "score_challenge",
            thresholds.challenge,
            Decision::Challenge,
        ));
        return Decision::Challenge;
    }
    Decision::Allow
}

fn limit(name: &str, from: i32, decision: Decision) -> Hit {
    Hit {
        reason: Reason {
            source: Source::Limit,
            code: name.to_owned(),
            text: format!("the score is {from} or more"),
            points: 0,
        },
        decision: Some(decision),
        signal: Signal::Other,
    }
}

/// What was behind a decision that is not harmless.
fn alert_of(hits: &[Hit], decision: Decision, is_listed: bool) -> Option<AlertKind> {
    if is_listed {
        return Some(AlertKind::ListHit);
    }
    if decision == Decision::Allow {
        return None;
    }
    let behind = |signal: Signal| {
        hits.iter()
            .any(|hit| hit.decision == Some(decision) && hit.signal == signal)
    };
    if behind(Signal::TerminalRisk) {
        Some(AlertKind::TerminalCompromised)
    } else if behind(Signal::Pace) {
        Some(AlertKind::Velocity)
    } else {
        (decision == Decision::Deny).then_some(AlertKind::Denied)
    }
}

#[cfg(test)]
mod tests;
