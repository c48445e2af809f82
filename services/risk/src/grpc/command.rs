//! Requests as commands.

use paymesh_kernel::{Principal, Timestamp, id::reexport::Uuid};
use paymesh_proto::risk::v1 as wire;
use prost::Message as _;

use super::fields::Fields;
use crate::{
    app::{
        assess::Assess,
        backtest::{Backtest, Company},
        history::{ImportHistory, Item},
        lists::PutEntry,
        rules::PutRule,
    },
    domain::{
        Decision, ListKind, ListSubject, Payment, Rule, RuleState, ids::derived, language,
        payment::Newness, rule,
    },
    error::Error,
};

/// Longest name of a rule, in characters.
const NAME_LIMIT: usize = 100;
/// Longest note of an entry, in characters.
const NOTE_LIMIT: usize = 500;
/// Items of a piece of history.
const ITEMS_LIMIT: usize = 10_000;
/// Rules of a backtest.
const TRIAL_LIMIT: usize = 50;
/// Payments of a backtest when nothing is said, and at most.
const PAYMENTS_DEFAULT: u64 = 100_000;
const PAYMENTS_LIMIT: u64 = 1_000_000;
/// What history is of, for which no kind is told.
const HISTORY_KIND: &str = "purchase";

pub(super) fn assess(
    principal: &Principal,
    request: &wire::AssessRequest,
) -> Result<Assess, Error> {
    let mut fields = Fields::default();
    let id = fields.parse("decision_id", &request.decision_id);
    let transaction = fields.word("transaction_id", &request.transaction_id);
    let payment = payment(&mut fields, request);
    let command = (|| {
        Some(Assess {
            id: id?,
            transaction: transaction?,
            payment: payment?,
            fingerprint: derived(principal.tenant, &[b"assess", &request.encode_to_vec()]),
        })
    })();
    fields.done(command)
}

fn payment(fields: &mut Fields, request: &wire::AssessRequest) -> Option<Payment> {
    let kind = fields.kind("transaction_kind", &request.transaction_kind);
    let amount = fields.amount("amount", request.amount.as_ref());
    let customer = fields.word("customer_id", &request.customer_id);
    let payee = fields.maybe_word("payee_user_id", &request.payee_user_id);
    let method = fields.maybe_word("payment_method_id", &request.payment_method_id);
    let fingerprint = fields.maybe_word(
        "payment_method_fingerprint",
        &request.payment_method_fingerprint,
    );
    let issuer_country = fields.maybe_country("issuer_country", &request.issuer_country);
    let merchant = fields.maybe_word("merchant_id", &request.merchant_id);
    let terminal = fields.maybe_word("terminal_id", &request.terminal_id);
    let country = fields.maybe_country("country", &request.country);
    let business_at = fields.moment("business_at", request.business_at_us);
    Some(Payment {
        kind: kind?,
        amount: amount?,
        customer: customer?,
        payee: payee?,
        method: fingerprint.filter(|text| !text.is_empty()).or(method)?,
        newness: Newness::of(request.payment_method_is_new),
        issuer_country: issuer_country?,
        merchant: merchant?,
        terminal: terminal?,
        country: country?,
        business_at: business_at?,
    })
}

pub(super) fn put_rule(request: &wire::PutRuleRequest) -> Result<PutRule, Error> {
    let mut fields = Fields::default();
    let id = fields.parse("rule_id", &request.rule_id);
    let name = fields.text("name", &request.name, 1..=NAME_LIMIT);
    let points = points(&mut fields, "points", request.points);
    let expected_version = match i64::try_from(request.expected_version) {
        Ok(0) => Some(None),
        Ok(version) => Some(Some(version)),
        Err(_) => fields.refuse("expected_version", "must be a version that was read"),
    };
    let command = (|| {
        Some(PutRule {
            id: id?,
            name: name?,
            expression: request.expression.clone(),
            decision: decision_of(request.decision()),
            points: points?,
            priority: request.priority,
            state: state_of(request.state()).unwrap_or(RuleState::Shadow),
            expected_version: expected_version?,
        })
    })();
    fields.done(command)
}

fn points(
    fields: &mut Fields,
    field: impl Into<std::borrow::Cow<'static, str>>,
    points: i32,
) -> Option<i32> {
    if (-100..=100).contains(&points) {
        Some(points)
    } else {
        fields.refuse(field, "must be -100 to 100")
    }
}

pub(super) fn put_entry(request: &wire::PutListEntryRequest) -> Result<PutEntry, Error> {
    let mut fields = Fields::default();
    let id = fields.parse("entry_id", &request.entry_id);
    let kind =
        kind_of(request.kind()).or_else(|| fields.refuse("kind", "must be allow, review or deny"));
    let subject = subject_of(request.subject()).or_else(|| {
        fields.refuse(
            "subject",
            "must be customer, payment_method, merchant, terminal or country",
        )
    });
    let value = match subject {
        Some(ListSubject::Country) => fields
            .maybe_country("value", &request.value)
            .and_then(|value| fields.word("value", &value)),
        Some(
            ListSubject::Customer
            | ListSubject::Method
            | ListSubject::Merchant
            | ListSubject::Terminal,
        )
        | None => fields.word("value", &request.value),
    };
    let note = fields.text("note", &request.note, 0..=NOTE_LIMIT);
    let expires_at = fields.maybe_moment("expires_at", request.expires_at_us);
    let command = (|| {
        Some(PutEntry {
            id: id?,
            kind: kind?,
            subject: subject?,
            value: value?,
            note: note?,
            expires_at: expires_at?,
        })
    })();
    fields.done(command)
}

pub(super) fn backtest(
    principal: &Principal,
    request: &wire::BacktestRequest,
) -> Result<Backtest, Error> {
    let mut fields = Fields::default();
    let business = fields.range(request.business.as_ref());
    let limit = match u64::try_from(request.limit) {
        Ok(0) => Some(PAYMENTS_DEFAULT),
        Ok(limit) if limit <= PAYMENTS_LIMIT => Some(limit),
        Ok(_) | Err(_) => fields.refuse("limit", "must be 1 to 1000000, or 0 for 100000"),
    };
    if !(1..=TRIAL_LIMIT).contains(&request.rules.len()) {
        fields.refuse::<()>("rules", "must be 1 to 50 rules");
    }
    let rules: Option<Vec<Rule>> = request
        .rules
        .iter()
        .take(TRIAL_LIMIT)
        .enumerate()
        .map(|(place, rule)| trial(&mut fields, principal, (place, rule)))
        .collect();
    let command = (|| {
        Some(Backtest {
            rules: rules?,
            business: business?,
            limit: limit?,
            company: if request.with_enabled_rules {
                Company::Enabled
            } else {
                Company::Alone
            },
        })
    })();
    fields.done(command)
}

/// A rule that is tried: enabled, whatever it says.
fn trial(
    fields: &mut Fields,
    principal: &Principal,
    (place, rule): (usize, &wire::Rule),
) -> Option<Rule> {
    let points = points(fields, format!("rules[{place}].points"), rule.points);
    let is_named = (1..=NAME_LIMIT).contains(&rule.name.chars().count());
    if !is_named {
        fields.refuse::<()>(
            format!("rules[{place}].name"),
            "must be 1 to 100 characters",
        );
    }
    if rule.expression.chars().count() > language::MAX_LENGTH {
        fields.refuse::<()>(
            format!("rules[{place}].expression"),
            "must be at most 2000 characters",
        );
    }
    Some(Rule {
        id: rule::untold(),
        tenant: principal.tenant,
        name: rule.name.clone(),
        expression: rule.expression.clone(),
        decision: decision_of(rule.decision()),
        points: points?,
        priority: rule.priority,
        state: RuleState::Enabled,
        version: 1,
        updated_by: String::new(),
        updated_at: Timestamp::EPOCH,
    })
}

pub(super) fn import_history(
    principal: &Principal,
    request: &wire::ImportHistoryRequest,
) -> Result<ImportHistory, Error> {
    let mut fields = Fields::default();
    let import = fields.word("import_id", &request.import_id);
    if request.chunk < 0 {
        fields.refuse::<()>("chunk", "must be 0 or more");
    }
    if !(1..=ITEMS_LIMIT).contains(&request.items.len()) {
        return Err(Error::field("items", "must be 1 to 10000 payments"));
    }
    let mut items = Vec::with_capacity(request.items.len());
    for (place, item) in request.items.iter().enumerate() {
        let Some(read) = history_item(&mut fields, place, item) else {
            // One item at fault is told; ten thousand are not.
            return fields.done(None);
        };
        items.push(read);
    }
    let fingerprint = fingerprint(principal, request);
    let command = import.map(|import| ImportHistory {
        import,
        chunk: request.chunk,
        items,
        fingerprint,
    });
    fields.done(command)
}

fn fingerprint(principal: &Principal, request: &wire::ImportHistoryRequest) -> Uuid {
    derived(principal.tenant, &[b"import", &request.encode_to_vec()])
}

fn history_item(fields: &mut Fields, place: usize, item: &wire::HistoryItem) -> Option<Item> {
    let at = |field: &str| format!("items[{place}].{field}");
    let reference = fields.word(at("reference"), &item.reference);
    let customer = fields.word(at("customer_id"), &item.customer_id);
    let method = fields.maybe_word(at("payment_method_id"), &item.payment_method_id);
    let merchant = fields.maybe_word(at("merchant_id"), &item.merchant_id);
    let terminal = fields.maybe_word(at("terminal_id"), &item.terminal_id);
    let country = fields.maybe_country(at("country"), &item.country);
    let amount = fields.amount(&at("amount"), item.amount.as_ref());
    let business_at = fields.moment(at("business_at"), item.business_at_us);
    let labelled_at = fields.maybe_moment(at("labelled_at"), item.labelled_at_us);
    let business_at = business_at?;
    Some(Item {
        reference: reference?,
        fraud_at: item.fraud.then_some(labelled_at?.unwrap_or(business_at)),
        payment: Payment {
            kind: HISTORY_KIND.to_owned(),
            amount: amount?,
            customer: customer?,
            payee: String::new(),
            method: method?,
            newness: Newness::Known,
            issuer_country: String::new(),
            merchant: merchant?,
            terminal: terminal?,
            country: country?,
            business_at,
        },
    })
}

/// A decision of the contract; none for unspecified.
pub(super) const fn decision_of(decision: wire::Decision) -> Option<Decision> {
    match decision {
        wire::Decision::Unspecified => None,
        wire::Decision::Allow => Some(Decision::Allow),
        wire::Decision::Challenge => Some(Decision::Challenge),
        wire::Decision::Review => Some(Decision::Review),
        wire::Decision::Deny => Some(Decision::Deny),
    }
}

/// A state of the contract; none for unspecified.
pub(super) const fn state_of(state: wire::RuleState) -> Option<RuleState> {
    match state {
        wire::RuleState::Unspecified => None,
        wire::RuleState::Enabled => Some(RuleState::Enabled),
        wire::RuleState::Shadow => Some(RuleState::Shadow),
        wire::RuleState::Disabled => Some(RuleState::Disabled),
    }
}

/// A list of the contract; none for unspecified.
pub(super) const fn kind_of(kind: wire::ListKind) -> Option<ListKind> {
    match kind {
        wire::ListKind::Unspecified => None,
        wire::ListKind::Allow => Some(ListKind::Allow),
        wire::ListKind::Review => Some(ListKind::Review),
        wire::ListKind::Deny => Some(ListKind::Deny),
    }
}

/// A subject of the contract; none for unspecified.
pub(super) const fn subject_of(subject: wire::ListSubject) -> Option<ListSubject> {
    match subject {
        wire::ListSubject::Unspecified => None,
        wire::ListSubject::Customer => Some(ListSubject::Customer),
        wire::ListSubject::PaymentMethod => Some(ListSubject::Method),
        wire::ListSubject::Merchant => Some(ListSubject::Merchant),
        wire::ListSubject::Terminal => Some(ListSubject::Terminal),
        wire::ListSubject::Country => Some(ListSubject::Country),
    }
}
