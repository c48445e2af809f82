//! Pages: a token is the creation time and id of the last row, so that a page stays the same when rows are added before it.

use paymesh_kernel::{Timestamp, id::reexport::Uuid};
use paymesh_proto::types::v1::{Page, PageInfo};

use crate::store::Keyset;

/// Items of a page when no size is asked for.
const USUAL_SIZE: u64 = 50;
/// Items of the largest page.
pub(super) const LARGEST_SIZE: i32 = 500;
const TIME_BYTES: usize = 8;

/// A page that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    after: Option<(Timestamp, Uuid)>,
    size: u64,
}

// === impl Wanted ===

impl Wanted {
    /// None when size or token are not to be understood.
    pub(super) fn read(page: Option<&Page>) -> Option<Self> {
        let Some(page) = page else {
            return Some(Self {
                after: None,
                size: USUAL_SIZE,
            });
        };
        let size = match page.size {
            0 => USUAL_SIZE,
            1..=LARGEST_SIZE => u64::try_from(page.size).ok()?,
            _ => return None,
        };
        let after = if page.token.is_empty() {
            None
        } else {
            Some(read_token(&page.token)?)
        };
        Some(Self { after, size })
    }

    /// What to read: one row more than wanted, which tells whether the list goes on.
    pub(super) const fn keyset(&self) -> Keyset {
        Keyset {
            after: self.after,
            size: self.size + 1,
        }
    }

    /// The rows of the page, and where the list goes on.
    pub(super) fn cut<T>(
        &self,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> (Timestamp, Uuid),
    ) -> (Vec<T>, PageInfo) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let goes_on = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| goes_on);
        let next_token = last.map_or_else(String::new, |row| write_token(place(row)));
        (rows, PageInfo { next_token })
    }
}

// === free functions ===

fn write_token((at, id): (Timestamp, Uuid)) -> String {
    let mut bytes = at.as_micros().to_be_bytes().to_vec();
    bytes.extend_from_slice(id.as_bytes());
    hex::encode(bytes)
}

fn read_token(token: &str) -> Option<(Timestamp, Uuid)> {
    let bytes = hex::decode(token).ok()?;
    let (at, id) = bytes.split_at_checked(TIME_BYTES)?;
    let at = i64::from_be_bytes(at.try_into().ok()?);
    Some((Timestamp::from_micros(at), Uuid::from_slice(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_and_a_wrong_one_is_refused() {
        let place = (Timestamp::from_micros(-5), Uuid::from_u128(7));
        assert_eq!(read_token(&write_token(place)), Some(place));
        for token in ["x", "00", &"0".repeat(46), &"0".repeat(50)] {
            let page = Page {
                size: 0,
                token: token.to_owned(),
            };
            assert!(Wanted::read(Some(&page)).is_none(), "{token}");
        }
        for size in [-1, 501] {
            let token = String::new();
            assert!(Wanted::read(Some(&Page { size, token })).is_none());
        }
    }
}
