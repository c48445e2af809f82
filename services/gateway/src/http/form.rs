//! JSON forms: how a proto message is shown, how a body is read, and how both are described in the OpenAPI document.
//!
//! One declaration of a form gives all three, so that document, answers and checks cannot drift apart. Snake case; times are
//! RFC 3339; enums are lower-case words; what is not set is left out; a body with a field that is not known is refused.

mod amount;
mod basic;
mod macros;
pub(crate) mod read;
pub(crate) mod schema;
mod words;

use std::collections::BTreeMap;

pub(crate) use amount::{Amount, Owner, Rate};
pub(crate) use basic::{Base64, Hex, Moment};
pub(crate) use macros::{form, reads, request, shape};
pub(crate) use read::{Read, Reader};
pub(crate) use schema::{Schemas, Shape};
pub(crate) use words::{Word, Words, number_of, words};

/// How a value of a proto message is shown.
pub(crate) trait Form<P>: Sized {
    /// The form of `from`.
    fn form(from: P) -> Self;
}

macro_rules! same {
    ($($type:ty),*) => {
        $(impl Form<$type> for $type {
            fn form(from: $type) -> Self {
                from
            }
        })*
    };
}

same!(String, bool, i32, i64, u32, u64, f64);

impl<T: Form<P>, P> Form<Option<P>> for Option<T> {
    fn form(from: Option<P>) -> Self {
        from.map(T::form)
    }
}

impl<T: Form<P>, P> Form<Vec<P>> for Vec<T> {
    fn form(from: Vec<P>) -> Self {
        from.into_iter().map(T::form).collect()
    }
}

/// An empty text is one that is not set.
impl Form<String> for Option<String> {
    fn form(from: String) -> Self {
        (!from.is_empty()).then_some(from)
    }
}

/// Zero is a number that is not set.
impl Form<u64> for Option<u64> {
    fn form(from: u64) -> Self {
        (from != 0).then_some(from)
    }
}

/// Zero is a number that is not set.
impl Form<i32> for Option<i32> {
    fn form(from: i32) -> Self {
        (from != 0).then_some(from)
    }
}

impl<V, W: Form<V> + Ord, M: IntoIterator<Item = (String, V)>> Form<M> for BTreeMap<String, W> {
    fn form(from: M) -> Self {
        from.into_iter()
            .map(|(key, value)| (key, W::form(value)))
            .collect()
    }
}
