//! Pages of lists. A token holds the key of the last item in base64url; what it means is nobody's business.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use paymesh_kernel::Timestamp;
use paymesh_proto::types::v1::{Page as PbPage, PageInfo};

use crate::{
    app::{statements::LinePlace, transfers::TransferPlace},
    domain::AccountId,
    error::Error,
    store::Page,
};

/// Items of a page when nothing is said.
const DEFAULT_SIZE: u64 = 50;
/// Most items of a page.
const LARGEST_SIZE: u64 = 500;

/// What a token may hold.
pub(super) trait Token: Sized {
    fn print(&self) -> String;
    fn parse(text: &str) -> Option<Self>;
}

impl Token for i64 {
    fn print(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Token for AccountId {
    fn print(&self) -> String {
        self.to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Token for TransferPlace {
    fn print(&self) -> String {
        match self {
            Self::Entry((height, sequence)) => format!("e.{height}.{sequence}"),
            Self::Leaf(leaf) => format!("l.{leaf}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match numbers(text)? {
            ("e", numbers) => match *numbers {
                [height, sequence] => Some(Self::Entry((height, sequence))),
                _ => None,
            },
            ("l", numbers) => match *numbers {
                [leaf] => Some(Self::Leaf(leaf)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Token for LinePlace {
    fn print(&self) -> String {
        match self {
            Self::Booked((height, sequence)) => format!("b.{height}.{sequence}"),
            Self::Effective {
                at,
                sequence,
                debits,
                credits,
            } => format!("v.{}.{sequence}.{debits}.{credits}", at.as_micros()),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match numbers(text)? {
            ("b", numbers) => match *numbers {
                [height, sequence] => Some(Self::Booked((height, sequence))),
                _ => None,
            },
            ("v", numbers) => match *numbers {
                [at, sequence, debits, credits] => Some(Self::Effective {
                    at: Timestamp::from_micros(at),
                    sequence,
                    debits,
                    credits,
                }),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A letter and numbers, joined by points.
fn numbers(text: &str) -> Option<(&str, Box<[i64]>)> {
    let (letter, rest) = text.split_once('.')?;
    let numbers: Option<Vec<i64>> = rest.split('.').map(|number| number.parse().ok()).collect();
    Some((letter, numbers?.into_boxed_slice()))
}

/// The page that is wanted.
pub(super) fn wanted<K: Token>(page: Option<PbPage>) -> Result<Page<K>, Error> {
    let page = page.unwrap_or_default();
    let size = match u64::try_from(page.size) {
        Ok(0) => DEFAULT_SIZE,
        Ok(size) if size <= LARGEST_SIZE => size,
        Ok(_) | Err(_) => return Err(Error::field("page.size", "must be 0 to 500; 0 is 50")),
    };
    if page.token.is_empty() {
        return Ok(Page { size, after: None });
    }
    let bytes = URL_SAFE_NO_PAD.decode(page.token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let after = text.and_then(|text| K::parse(&text));
    if after.is_none() {
        return Err(Error::field(
            "page.token",
            "is not a token of this list; ask without one for the first page",
        ));
    }
    Ok(Page { size, after })
}

/// Where the next page begins.
pub(super) fn info<K: Token>(next: Option<K>) -> PageInfo {
    PageInfo {
        next_token: next.map_or_else(String::new, |key| URL_SAFE_NO_PAD.encode(key.print())),
    }
}

/// Cuts the surplus item off, and says where the next page begins.
pub(super) fn cut<T, K: Token>(items: &mut Vec<T>, size: u64, key: impl Fn(&T) -> K) -> PageInfo {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = items.len() > size;
    items.truncate(size);
    info(items.last().filter(|_| more).map(key))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_given_and_another_lists_is_refused() {
        let place = LinePlace::Effective {
            at: Timestamp::from_micros(-5),
            sequence: 6,
            debits: 7,
            credits: 8,
        };
        let token = info(Some(place)).next_token;
        let page = |token: &str| {
            Some(PbPage {
                size: 3,
                token: token.to_owned(),
            })
        };
        assert_eq!(
            wanted::<LinePlace>(page(&token)).unwrap().after,
            Some(place)
        );
        assert!(wanted::<TransferPlace>(page(&token)).is_err());
        assert!(wanted::<i64>(page("%")).is_err());
        for size in [-1, 501] {
            let page = PbPage {
                size,
                token: String::new(),
            };
            assert!(wanted::<i64>(Some(page)).is_err());
        }
    }
}
