//! The tree of an expression, and its value for a payment.

use super::super::{Feature, Features, Payment, feature::TextFeature, number::real};

/// Yes or no.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Constant(bool),
    Flag(Feature),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Whole(Compare, Whole, Whole),
    Ratio(Compare, Ratio, Ratio),
    Text(Equality, Text, Text),
    WholeIn(Membership, Whole, Vec<i64>),
    TextIn(Membership, Text, Vec<String>),
}

/// A whole number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Whole {
    Literal(i64),
    Feature(Feature),
    Negative(Box<Self>),
    Sum(Box<Self>, Box<Self>),
    Difference(Box<Self>, Box<Self>),
    Product(Box<Self>, Box<Self>),
}

/// A share or a multiple.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ratio {
    Literal(f64),
    Feature(Feature),
    Negative(Box<Self>),
    Sum(Box<Self>, Box<Self>),
    Difference(Box<Self>, Box<Self>),
    Product(Box<Self>, Box<Self>),
}

/// A text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    Literal(String),
    Feature(TextFeature),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Equality {
    Equal,
    NotEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    In,
    NotIn,
}

// === impl Condition ===

impl Condition {
    pub(super) fn holds(&self, payment: &Payment, features: &Features) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Flag(feature) => features.whole(*feature) != 0,
            Self::Not(inner) => !inner.holds(payment, features),
            Self::And(left, right) => {
                left.holds(payment, features) && right.holds(payment, features)
            }
            Self::Or(left, right) => {
                left.holds(payment, features) || right.holds(payment, features)
            }
            Self::Whole(compare, left, right) => {
                compare.holds(&left.value(features), &right.value(features))
            }
            Self::Ratio(compare, left, right) => {
                compare.holds(&left.value(features), &right.value(features))
            }
            Self::Text(equality, left, right) => {
                (left.value(payment) == right.value(payment)) == (*equality == Equality::Equal)
            }
            Self::WholeIn(membership, needle, members) => {
                members.contains(&needle.value(features)) == (*membership == Membership::In)
            }
            Self::TextIn(membership, needle, members) => {
                let needle = needle.value(payment);
                members.iter().any(|member| member == needle) == (*membership == Membership::In)
            }
        }
    }
}

// === impl Whole ===

impl Whole {
    fn value(&self, features: &Features) -> i64 {
        match self {
            Self::Literal(value) => *value,
            Self::Feature(feature) => features.whole(*feature),
            Self::Negative(inner) => inner.value(features).saturating_neg(),
            Self::Sum(a, b) => a.value(features).saturating_add(b.value(features)),
            Self::Difference(a, b) => a.value(features).saturating_sub(b.value(features)),
            Self::Product(a, b) => a.value(features).saturating_mul(b.value(features)),
        }
    }

    /// A whole literal as a ratio.
    pub(super) fn as_ratio(&self) -> Option<Ratio> {
        match self {
            Self::Literal(value) => Some(Ratio::Literal(real(*value))),
            Self::Feature(_)
            | Self::Negative(_)
            | Self::Sum(..)
            | Self::Difference(..)
            | Self::Product(..) => None,
        }
    }
}

// === impl Ratio ===

impl Ratio {
    fn value(&self, features: &Features) -> f64 {
        match self {
            Self::Literal(value) => *value,
            Self::Feature(feature) => features.real(*feature),
            Self::Negative(inner) => -inner.value(features),
            Self::Sum(a, b) => a.value(features) + b.value(features),
            Self::Difference(a, b) => a.value(features) - b.value(features),
            Self::Product(a, b) => a.value(features) * b.value(features),
        }
    }
}

// === impl Text ===

impl Text {
    fn value<'a>(&'a self, payment: &'a Payment) -> &'a str {
        match self {
            Self::Literal(text) => text,
            Self::Feature(feature) => feature.of(payment),
        }
    }
}

// === impl Compare ===

impl Compare {
    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    pub(super) fn of(sign: &str) -> Option<Self> {
        match sign {
            "==" => Some(Self::Equal),
            "!=" => Some(Self::NotEqual),
            "<" => Some(Self::Less),
            "<=" => Some(Self::AtMost),
            ">" => Some(Self::More),
            ">=" => Some(Self::AtLeast),
            _ => None,
        }
    }

    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    pub(super) const fn equality(self) -> Option<Equality> {
        match self {
            Self::Equal => Some(Equality::Equal),
            Self::NotEqual => Some(Equality::NotEqual),
            Self::Less | Self::AtMost | Self::More | Self::AtLeast => None,
        }
    }
}
