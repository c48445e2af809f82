//! Lines of a file, before they are written in a format.

use paymesh_kernel::Timestamp;

/// Names of the columns of a file.
pub(crate) type Columns = &'static [&'static str];

/// One line: as many cells as there are columns.
pub(crate) type Line = Vec<Cell>;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// Words, ids, names.
    Text(String),
    /// Minor units and counts.
    Number(i64),
    /// A moment, RFC 3339.
    Moment(Timestamp),
}

// === impl Cell ===

impl Cell {
    /// Text, or nothing when it is empty.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }

    /// A moment, or nothing.
    pub(crate) fn moment(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Empty, Self::Moment)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Timestamp> for Cell {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
