//! Which subtrees a proof is made of (RFC 6962 §2.1.1 and §2.1.2). Pure: the hashes are looked up by the caller.

use super::Place;

/// A range of leaves whose root is one element of a proof. Its start is a multiple of the largest power of two in its length, so
/// that it falls into perfect subtrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    start: i64,
    end: i64,
}

// === impl Range ===

impl Range {
    /// Leaves `start..end`.
    #[must_use]
    pub const fn new(start: i64, end: i64) -> Self {
        Self { start, end }
    }

    /// The perfect subtrees that it is made of, the largest first.
    #[must_use]
    pub fn places(self) -> Vec<Place> {
        let mut places = Vec::new();
        let mut start = self.start;
        while start < self.end {
            let left = self.end.saturating_sub(start);
            let level = left.ilog2();
            places.push(Place {
                level,
                position: start >> level,
            });
            start = start.saturating_add(1_i64 << level);
        }
        places
    }

    const fn length(self) -> i64 {
        self.end.saturating_sub(self.start)
    }

    /// The two halves of a range of at least two leaves, as the tree splits it.
    fn split(self) -> (Self, Self) {
        let half = largest_power_below(self.length());
        let middle = self.start.saturating_add(half);
        (Self::new(self.start, middle), Self::new(middle, self.end))
    }
}

/// The elements of the proof that the leaf `index` is in the tree of `size` leaves, from the leaf up; None when it is not.
#[must_use]
pub fn inclusion(index: i64, size: i64) -> Option<Vec<Range>> {
    if index < 0 || index >= size {
        return None;
    }
    let mut path = Vec::new();
    let mut within = Range::new(0, size);
    while within.length() > 1 {
        let (left, right) = within.split();
        if index < right.start {
            path.push(right);
            within = left;
        } else {
            path.push(left);
            within = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The elements of the proof that the tree of `second` leaves begins with that of `first` leaves; None when it cannot.
#[must_use]
pub fn consistency(first: i64, second: i64) -> Option<Vec<Range>> {
    if first < 0 || first > second {
        return None;
    }
    if first == 0 || first == second {
        return Some(Vec::new());
    }
    let mut path = Vec::new();
    let mut within = Range::new(0, second);
    // The first tree is known to the verifier as long as it is a whole subtree of the second.
    let mut known = true;
    while first != within.end {
        let (left, right) = within.split();
        if first <= right.start {
            path.push(right);
            within = left;
        } else {
            path.push(left);
            within = right;
            known = false;
        }
    }
    if !known {
        path.push(within);
    }
    path.reverse();
    Some(path)
}

/// The largest power of two below a number that is at least 2.
fn largest_power_below(number: i64) -> i64 {
    1_i64 << number.saturating_sub(1).max(1).ilog2()
}
