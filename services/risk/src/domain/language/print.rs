//! The tree as text: with the parentheses that it needs and no other.

use std::fmt::{self, Display, Formatter};

use super::{
    super::feature::TextFeature,
    tree::{Condition, Equality, Membership, Ratio, Text, Whole},
};

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const UNARY: u8 = 7;
const ATOM: u8 = 8;

/// How tightly a node holds together.
trait Level: Display {
    fn level(&self) -> u8;
}

impl<N: Level> Level for Box<N> {
    fn level(&self) -> u8 {
        (**self).level()
    }
}

/// In parentheses when it holds together less tightly than `least`.
fn put(f: &mut Formatter<'_>, node: &impl Level, least: u8) -> fmt::Result {
    if node.level() < least {
        write!(f, "({node})")
    } else {
        node.fmt(f)
    }
}

fn pair<N: Level>(
    f: &mut Formatter<'_>,
    (left, right): (&N, &N),
    sign: &str,
    level: u8,
) -> fmt::Result {
    put(f, left, level)?;
    write!(f, " {sign} ")?;
    put(f, right, level + 1)
}

fn member(f: &mut Formatter<'_>, needle: &impl Level, membership: Membership) -> fmt::Result {
    put(f, needle, SUM)?;
    f.write_str(match membership {
        Membership::In => " in [",
        Membership::NotIn => " not in [",
    })
}

fn list<T>(
    f: &mut Formatter<'_>,
    members: &[T],
    one: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, member) in members.iter().enumerate() {
        if place > 0 {
            f.write_str(", ")?;
        }
        one(f, member)?;
    }
    f.write_str("]")
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{character}")?;
    }
    f.write_str("\"")
}

impl Level for Condition {
    fn level(&self) -> u8 {
        match self {
            Self::Constant(_) | Self::Flag(_) => ATOM,
            Self::Not(_) => NOT,
            Self::And(..) => AND,
            Self::Or(..) => OR,
            Self::Whole(..)
            | Self::Ratio(..)
            | Self::Text(..)
            | Self::WholeIn(..)
            | Self::TextIn(..) => COMPARISON,
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "{value}"),
            Self::Flag(feature) => f.write_str(feature.name()),
            Self::Not(inner) => {
                f.write_str("not ")?;
                put(f, inner, NOT)
            }
            Self::And(left, right) => pair(f, (left, right), "and", AND),
            Self::Or(left, right) => pair(f, (left, right), "or", OR),
            Self::Whole(compare, left, right) => pair(f, (left, right), compare.sign(), SUM),
            Self::Ratio(compare, left, right) => pair(f, (left, right), compare.sign(), SUM),
            Self::Text(equality, left, right) => {
                let sign = match equality {
                    Equality::Equal => "==",
                    Equality::NotEqual => "!=",
                };
                pair(f, (left, right), sign, SUM)
            }
            Self::WholeIn(membership, needle, members) => {
                member(f, needle, *membership)?;
                list(f, members, |f, number| write!(f, "{number}"))
            }
            Self::TextIn(membership, needle, members) => {
                member(f, needle, *membership)?;
                list(f, members, |f, text| quoted(f, text))
            }
        }
    }
}

macro_rules! arithmetic {
    ($kind:ident, $literal:expr) => {
        impl Level for $kind {
            fn level(&self) -> u8 {
                match self {
                    Self::Literal(_) | Self::Feature(_) => ATOM,
                    Self::Negative(_) => UNARY,
                    Self::Product(..) => PRODUCT,
                    Self::Sum(..) | Self::Difference(..) => SUM,
                }
            }
        }

        impl Display for $kind {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Literal(value) => $literal(f, value),
                    Self::Feature(feature) => f.write_str(feature.name()),
                    Self::Negative(inner) => {
                        f.write_str("-")?;
                        put(f, inner, UNARY)
                    }
                    Self::Product(left, right) => pair(f, (left, right), "*", PRODUCT),
                    Self::Sum(left, right) => pair(f, (left, right), "+", SUM),
                    Self::Difference(left, right) => pair(f, (left, right), "-", SUM),
                }
            }
        }
    };
}

arithmetic!(Whole, |f: &mut Formatter<'_>, value: &i64| write!(
    f,
    "{value}"
));
arithmetic!(Ratio, decimal);

/// Always with a point, so that it reads as a decimal again.
fn decimal(f: &mut Formatter<'_>, value: &f64) -> fmt::Result {
    let text = value.to_string();
    f.write_str(&text)?;
    if text.contains('.') {
        Ok(())
    } else {
        f.write_str(".0")
    }
}

impl Level for Text {
    fn level(&self) -> u8 {
        ATOM
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => quoted(f, text),
            Self::Feature(feature) => f.write_str(TextFeature::as_str(*feature)),
        }
    }
}
