//! Forms of risk.

use paymesh_proto::risk::v1 as pb;

use super::super::form::{Amount, Moment, Word, form, request, shape, words};

words! {
    pb::Decision = Decision "DECISION_";
    pb::ReasonSource = ReasonSource "REASON_SOURCE_";
    pb::RuleState = RuleState "RULE_STATE_";
    pb::ListKind = ListKind "LIST_KIND_";
    pb::ListSubject = ListSubject "LIST_SUBJECT_";
    pb::AlertKind = AlertKind "ALERT_KIND_";
}

form! {
    /// Why a decision came out as it did.
    Reason from pb::Reason {
        source: Word<pb::ReasonSource>,
        /// Rule, list entry, feature or limit.
        code: String,
        text: Option<String>,
        /// Added to the score.
        points: i32,
    }
}

form! {
    /// A decision as it was made.
    RiskDecision from pb::RiskDecision {
        /// `rd_…`
        id: String,
        transaction_id: String,
        decision: Word<pb::Decision>,
        /// 0 to 100.
        score: i32,
        /// The strongest first.
        reasons: Vec<Reason>,
        model_version: Option<String>,
        amount: Option<Amount>,
        customer_id: Option<String>,
        merchant_id: Option<String>,
        terminal_id: Option<String>,
        business_at: Option<Moment> = business_at_us,
        decided_at: Moment = decided_at_us,
    }
}

form! {
    /// A feature at the moment of the decision.
    Feature from pb::Feature {
        name: String,
        value: f64,
        /// Part of the model's score that comes from it.
        contribution: f64,
    }
}

shape! {
    /// A decision with what it was made from.
    Explanation {
        decision: RiskDecision,
        features: Vec<Feature>,
        /// Shadow rules too.
        matched_rule_ids: Vec<String>,
    }
}

form! {
    /// When the expression holds, points are added and the decision is at least this.
    Rule from pb::Rule {
        /// `rule_…`
        id: String,
        name: String,
        expression: String,
        /// Left out when it only adds points.
        decision: Option<Word<pb::Decision>>,
        /// -100 to 100.
        points: i32,
        /// Lower first.
        priority: i32,
        state: Word<pb::RuleState>,
        /// For `expected_version`.
        version: u64,
        updated_by: Option<String>,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// An entry of an allow, review or deny list.
    ListEntry from pb::ListEntry {
        /// `rle_…`
        id: String,
        kind: Word<pb::ListKind>,
        subject: Word<pb::ListSubject>,
        /// An id, a fingerprint or a country code.
        value: String,
        note: Option<String>,
        created_by: Option<String>,
        expires_at: Option<Moment> = expires_at_us,
        created_at: Moment = created_at_us,
    }
}

form! {
    /// Something that a person should look at.
    Alert from pb::Alert {
        /// `ra_…`
        id: String,
        kind: Word<pb::AlertKind>,
        decision_id: Option<String>,
        transaction_id: Option<String>,
        customer_id: Option<String>,
        merchant_id: Option<String>,
        terminal_id: Option<String>,
        score: i32,
        text: String,
        business_at: Option<Moment> = business_at_us,
        raised_at: Moment = raised_at_us,
    }
}

request! {
    /// A rule as it is to be.
    PutRule {
        /// Unique in the tenant.
        name: String,
        /// At most 2,000 characters.
        expression: String,
        /// Only adds points, if it is left out.
        decision: Option<Word<pb::Decision>>,
        points: Option<i32>,
        /// Lower first.
        priority: Option<i32>,
        /// `shadow`, if it is left out.
        state: Option<Word<pb::RuleState>>,
        /// When the rule has another version, nothing is changed (409).
        expected_version: Option<u64>,
    }
}

request! {
    /// An entry as it is to be.
    PutListEntry {
        kind: Word<pb::ListKind>,
        subject: Word<pb::ListSubject>,
        value: String,
        /// No personal data.
        note: Option<String>,
        expires_at: Option<Moment>,
    }
}

request! {
    /// Which rules.
    RuleFilter {
        state: Option<Word<pb::RuleState>>,
    }
}

request! {
    /// Which entries.
    ListEntryFilter {
        kind: Option<Word<pb::ListKind>>,
        subject: Option<Word<pb::ListSubject>>,
    }
}

request! {
    /// Which decisions.
    DecisionFilter {
        decision: Option<Word<pb::Decision>>,
        customer_id: Option<String>,
        terminal_id: Option<String>,
        /// By business time.
        from: Option<Moment>,
        /// By business time, exclusive.
        until: Option<Moment>,
    }
}

request! {
    /// Which alerts.
    AlertFilter {
        kind: Option<Word<pb::AlertKind>>,
        /// By business time.
        from: Option<Moment>,
        /// By business time, exclusive.
        until: Option<Moment>,
    }
}
