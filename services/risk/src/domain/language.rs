//! The language of rules: conditions over features, small, typed and bounded.
//!
//! ```text
//! condition  = and ( "or" and )*
//! and        = not ( "and" not )*
//! not        = "not" not | comparison
//! comparison = sum ( ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum | [ "not" ] "in" "[" literal ( "," literal )* "]" )?
//! sum        = product ( ( "+" | "-" ) product )*
//! product    = unary ( "*" unary )*
//! unary      = "-" unary | atom
//! atom       = number | text | name | "true" | "false" | "(" condition ")"
//! ```
//!
//! An expression is read once, into a tree whose types leave nothing to go wrong when it is evaluated: amounts and counts are whole
//! numbers that stop at the ends of their range, floats are ratios alone, and an amount is never compared with a count. What is
//! printed from the tree reads as the same tree. At most [`MAX_LENGTH`] characters, [`MAX_DEPTH`] levels, [`MAX_MEMBERS`] members
//! of a list.

mod lexer;
mod parser;
mod print;
mod tree;

use super::{Feature, Features, Payment};

use tree::Condition;

/// Characters of an expression.
pub const MAX_LENGTH: usize = 2_000;
/// Parentheses and signs inside each other.
pub const MAX_DEPTH: usize = 32;
/// Members of a list.
pub const MAX_MEMBERS: usize = 100;

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    condition: Condition,
    features: Vec<Feature>,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {message}")]
pub struct LanguageError {
    /// From 1.
    pub at: usize,
    /// What is wrong, and what is expected.
    pub message: String,
}

// === impl Expression ===

impl Expression {
    /// Reads and checks a text.
    ///
    /// # Errors
    /// Where and why it is no condition.
    pub fn parse(text: &str) -> Result<Self, LanguageError> {
        let (condition, features) = parser::parse(text)?;
        Ok(Self {
            condition,
            features,
        })
    }

    /// True when it holds for the payment.
    #[must_use]
    pub fn holds(&self, payment: &Payment, features: &Features) -> bool {
        self.condition.holds(payment, features)
    }

    /// The numeric features that it names.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.condition.fmt(f)
    }
}

// === impl LanguageError ===

impl LanguageError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests;
