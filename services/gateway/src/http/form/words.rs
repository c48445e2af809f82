//! Enums of the protos as lower-case words: `TRANSACTION_KIND_TOP_UP` is `top_up`.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Form, Read, Reader, Schemas, Shape, schema::Described};

/// Numbers that an enum of the protos is searched for.
const NUMBERS: std::ops::Range<i32> = 0..128;

/// An enum of the protos.
pub(crate) trait Words: Copy + Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// What its values begin with.
    const PREFIX: &'static str;

    /// The value with a number.
    fn of(number: i32) -> Option<Self>;
    /// Its number.
    fn number(self) -> i32;
    /// Its name in the proto.
    fn proto_name(self) -> &'static str;
}

/// A value of an enum, shown as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<E>(pub(crate) E);

impl<E: Words> Word<E> {
    /// The word.
    pub(crate) fn text(self) -> String {
        let name = self.0.proto_name();
        name.strip_prefix(E::PREFIX).unwrap_or(name).to_lowercase()
    }

    /// The number in the proto.
    pub(crate) fn number(self) -> i32 {
        self.0.number()
    }

    /// Every value but the unspecified one.
    fn all() -> impl Iterator<Item = Self> {
        NUMBERS
            .filter(|number| *number != 0)
            .filter_map(E::of)
            .map(Self)
    }
}

impl<E: Words> Serialize for Word<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// A number that is not known is shown as `unspecified`.
impl<E: Words> Form<i32> for Word<E> {
    fn form(from: i32) -> Self {
        let value = E::of(from).or_else(|| E::of(0));
        Self(value.expect("every enum of proto3 has a value with the number zero"))
    }
}

/// Unspecified is not set.
impl<E: Words> Form<i32> for Option<Word<E>> {
    fn form(from: i32) -> Self {
        (from != 0).then(|| Word::form(from))
    }
}

impl<E: Words> Shape for Word<E> {
    const NAME: Option<&'static str> = Some(E::NAME);

    fn schema(_: &mut Schemas) -> Described {
        let words: Vec<String> = Self::all().map(Self::text).collect();
        Described(json!({ "type": "string", "enum": words }))
    }
}

impl<E: Words> Read for Word<E> {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        let Some(value) = value else {
            return reader.refuse("is required");
        };
        let word = value.as_str();
        match Self::all().find(|known| Some(known.text().as_str()) == word) {
            Some(word) => Some(word),
            None => {
                let words: Vec<String> = Self::all().map(Self::text).collect();
                reader.refuse(format!("must be one of {}", words.join(", ")))
            }
        }
    }
}

/// The number of an optional word: zero when there is none.
pub(crate) fn number_of<E: Words>(word: Option<Word<E>>) -> i32 {
    word.map_or(0, Word::number)
}

/// Declares enums of the protos.
macro_rules! words {
    ($($type:ty = $name:ident $prefix:literal;)*) => {
        $(impl crate::http::form::Words for $type {
            const NAME: &'static str = stringify!($name);
            const PREFIX: &'static str = $prefix;

            fn of(number: i32) -> Option<Self> {
                Self::try_from(number).ok()
            }

            fn number(self) -> i32 {
                self.into()
            }

            fn proto_name(self) -> &'static str {
                self.as_str_name()
            }
        })*
    };
}

pub(crate) use words;
