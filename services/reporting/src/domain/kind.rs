//! Kinds of reports, and what each may be asked.

use std::collections::BTreeMap;

use paymesh_kernel::{FieldViolation, id};
use paymesh_money::Currency;

use super::words::words;

/// Most parameters of a definition.
pub(crate) const PARAMETERS_LIMIT: usize = 32;
/// Longest value of a parameter.
const VALUE_LIMIT: usize = 256;

/// Parameters by name.
pub(crate) type Parameters = BTreeMap<String, String>;

words! {
    /// What a report is about.
    Kind {
        /// Transactions, by day or one by one; decline reasons.
        Transactions = "transactions",
        /// Money by account class and purpose.
        TrialBalance = "trial_balance",
        /// Entries of one account.
        AccountStatement = "account_statement",
        /// Positions and payouts.
        Settlement = "settlement",
        /// Reconciliations and breaks.
        Reconciliation = "reconciliation",
        /// Fees and spreads.
        Fees = "fees",
        /// Decisions of risk.
        RiskDecisions = "risk_decisions",
    }
}

words! {
    /// Format of a file.
    Format {
        /// RFC 4180.
        Csv = "csv",
        /// JSON Lines.
        Json = "json",
    }
}

/// What a parameter may be.
enum Rule {
    Currency,
    Id(&'static str),
    OneOf(&'static [&'static str]),
}

/// Whether a parameter may be left out.
enum Need {
    Optional,
    Required,
}

type Known = &'static [(&'static str, Need, Rule)];

/// Where the lines of a report come from, when there is a choice.
pub(crate) const VIEW: &str = "view";
/// What lines are summed by.
pub(crate) const BY: &str = "by";
/// Only lines in this currency.
pub(crate) const CURRENCY: &str = "currency";
/// Only lines of this merchant.
pub(crate) const MERCHANT: &str = "merchant_id";
/// Only lines of this customer.
pub(crate) const CUSTOMER: &str = "customer_id";
/// The account of a statement.
pub(crate) const ACCOUNT: &str = "account_id";
/// Which time a statement goes by.
pub(crate) const BASIS: &str = "basis";
/// Only transactions, or breaks, that stand here.
pub(crate) const STATUS: &str = "status";
/// Only transactions of this kind.
pub(crate) const TRANSACTION_KIND: &str = "transaction_kind";
/// Only decisions that came out so.
pub(crate) const DECISION: &str = "decision";

const CURRENCY_RULE: (&str, Need, Rule) = (CURRENCY, Need::Optional, Rule::Currency);
const MERCHANT_RULE: (&str, Need, Rule) = (MERCHANT, Need::Optional, Rule::Id("mrc"));

const TRANSACTIONS: Known = &[
    (
        VIEW,
        Need::Optional,
        Rule::OneOf(&["lines", "by_day", "declines"]),
    ),
    CURRENCY_RULE,
    MERCHANT_RULE,
    (
        STATUS,
        Need::Optional,
        Rule::OneOf(&[
            "initiated",
            "requires_action",
            "in_review",
            "authorized",
            "processing",
            "unknown",
            "completed",
            "declined",
            "canceled",
            "compensated",
            "stuck",
            "abandoned",
        ]),
    ),
    (
        TRANSACTION_KIND,
        Need::Optional,
        Rule::OneOf(&[
            "transfer",
            "purchase",
            "top_up",
            "withdrawal",
            "payout",
            "adjustment",
        ]),
    ),
];
const TRIAL_BALANCE: Known = &[
    (BY, Need::Optional, Rule::OneOf(&["purpose", "class"])),
    CURRENCY_RULE,
];
const ACCOUNT_STATEMENT: Known = &[
    (ACCOUNT, Need::Required, Rule::Id("acct")),
    (BASIS, Need::Optional, Rule::OneOf(&["booked", "effective"])),
];
const SETTLEMENT: Known = &[
    (VIEW, Need::Optional, Rule::OneOf(&["lines", "summary"])),
    CURRENCY_RULE,
    MERCHANT_RULE,
];
const RECONCILIATION: Known = &[(
    STATUS,
    Need::Optional,
    Rule::OneOf(&[
        "open",
        "assigned",
        "write_off_requested",
        "written_off",
        "resolved",
    ]),
)];
const FEES: Known = &[
    (
        VIEW,
        Need::Optional,
        Rule::OneOf(&["by_day", "by_merchant", "ledger"]),
    ),
    CURRENCY_RULE,
    MERCHANT_RULE,
];
const RISK_DECISIONS: Known = &[
    (
        DECISION,
        Need::Optional,
        Rule::OneOf(&["allow", "challenge", "review", "deny"]),
    ),
    MERCHANT_RULE,
    (CUSTOMER, Need::Optional, Rule::Id("user")),
];

// === impl Kind ===

impl Kind {
    const fn known(self) -> Known {
        match self {
            Self::Transactions => TRANSACTIONS,
            Self::TrialBalance => TRIAL_BALANCE,
            Self::AccountStatement => ACCOUNT_STATEMENT,
            Self::Settlement => SETTLEMENT,
            Self::Reconciliation => RECONCILIATION,
            Self::Fees => FEES,
            Self::RiskDecisions => RISK_DECISIONS,
        }
    }

    /// What is wrong with parameters of this kind.
    pub(crate) fn check(self, parameters: &Parameters) -> Vec<FieldViolation> {
        let mut wrong = Vec::new();
        let mut refuse = |name: &str, rule: String| {
            wrong.push(FieldViolation::new(format!("parameters.{name}"), rule));
        };
        for (name, value) in parameters.iter().take(PARAMETERS_LIMIT) {
            match self.known().iter().find(|(known, _, _)| known == name) {
                None => refuse(name, self.unknown()),
                Some((_, _, rule)) => {
                    if let Some(rule) = rule.broken_by(value) {
                        refuse(name, rule);
                    }
                }
            }
        }
        for (name, need, _) in self.known() {
            if matches!(need, Need::Required) && !parameters.contains_key(*name) {
                refuse(name, "is needed for this kind".to_owned());
            }
        }
        if parameters.len() > PARAMETERS_LIMIT {
            let rule = format!("must be at most {PARAMETERS_LIMIT}");
            wrong.push(FieldViolation::new("parameters", rule));
        }
        wrong
    }

    fn unknown(self) -> String {
        let names: Vec<&str> = self.known().iter().map(|(name, _, _)| *name).collect();
        format!(
            "is no parameter of {}; there are {}",
            self.as_str(),
            names.join(", ")
        )
    }
}

// === impl Rule ===

impl Rule {
    /// The rule in words, when `value` breaks it.
    fn broken_by(&self, value: &str) -> Option<String> {
        if value.len() > VALUE_LIMIT {
            return Some(format!("must be at most {VALUE_LIMIT} characters"));
        }
        match self {
            Self::Currency => value
                .parse::<Currency>()
                .err()
                .map(|error| error.to_string()),
            Self::Id(prefix) => id::decode(prefix, value)
                .err()
                .map(|error| error.to_string()),
            Self::OneOf(words) => {
                (!words.contains(&value)).then(|| format!("must be one of {}", words.join(", ")))
            }
        }
    }
}

/// A parameter, or nothing when it was left out.
pub(crate) fn parameter<'a>(parameters: &'a Parameters, name: &str) -> &'a str {
    parameters.get(name).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Parameters {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn p2_parameters_are_those_of_the_kind() {
        let merchant = "mrc_01h455vb4pex5vsknk084sn02q";
        let account = "acct_01h455vb4pex5vsknk084sn02q";
        for (kind, parameters, wanted) in [
            (Kind::Transactions, of(&[]), vec![]),
            (
                Kind::Transactions,
                of(&[("view", "by_day"), ("merchant_id", merchant)]),
                vec![],
            ),
            (
                Kind::Transactions,
                of(&[("view", "by_week")]),
                vec!["parameters.view"],
            ),
            (
                Kind::Transactions,
                of(&[("account_id", account)]),
                vec!["parameters.account_id"],
            ),
            (
                Kind::TrialBalance,
                of(&[("by", "class"), ("currency", "USD")]),
                vec![],
            ),
            (
                Kind::TrialBalance,
                of(&[("currency", "usd")]),
                vec!["parameters.currency"],
            ),
            (
                Kind::AccountStatement,
                of(&[("account_id", account)]),
                vec![],
            ),
            (
                Kind::AccountStatement,
                of(&[("account_id", merchant)]),
                vec!["parameters.account_id"],
            ),
            (
                Kind::AccountStatement,
                of(&[]),
                vec!["parameters.account_id"],
            ),
            (Kind::Fees, of(&[("view", "ledger")]), vec![]),
            (Kind::Reconciliation, of(&[("status", "open")]), vec![]),
            (
                Kind::RiskDecisions,
                of(&[("decision", "maybe")]),
                vec!["parameters.decision"],
            ),
        ] {
            let wrong = kind.check(&parameters);
            let fields: Vec<&str> = wrong.iter().map(|violation| &*violation.field).collect();
            assert_eq!(fields, wanted, "{kind:?} {parameters:?}");
        }
    }

    #[test]
    fn p2_there_are_at_most_32_parameters() {
        let many: Parameters = (0..40).map(|n| (format!("p{n}"), String::new())).collect();
        let wrong = Kind::Fees.check(&many);
        assert_eq!(wrong.len(), PARAMETERS_LIMIT + 1);
    }
}
