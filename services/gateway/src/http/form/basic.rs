//! Forms of plain values: texts, numbers, lists, moments, bytes.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use paymesh_kernel::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Form, Read, Reader, Schemas, Shape, schema::Described};

macro_rules! plain_shape {
    ($($type:ty: $schema:tt),* $(,)?) => {
        $(impl Shape for $type {
            fn schema(_: &mut Schemas) -> Described {
                Described(json!($schema))
            }
        })*
    };
}

plain_shape! {
    String: { "type": "string" },
    bool: { "type": "boolean" },
    i32: { "type": "integer", "format": "int32" },
    i64: { "type": "integer", "format": "int64" },
    u32: { "type": "integer", "format": "int32", "minimum": 0 },
    u64: { "type": "integer", "format": "int64", "minimum": 0 },
    f64: { "type": "number", "format": "double" },
}

impl<T: Shape> Shape for Option<T> {
    const REQUIRED: bool = false;

    fn schema(schemas: &mut Schemas) -> Described {
        Described(schemas.of::<T>())
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(schemas: &mut Schemas) -> Described {
        Described(json!({ "type": "array", "items": schemas.of::<T>() }))
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn schema(schemas: &mut Schemas) -> Described {
        Described(json!({ "type": "object", "additionalProperties": schemas.of::<T>() }))
    }
}

impl Read for String {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => reader.refuse("must be a string"),
            None => reader.refuse("is required"),
        }
    }
}

impl Read for bool {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::String(text)) if reader.takes_text() && text == "true" => Some(true),
            Some(Value::String(text)) if reader.takes_text() && text == "false" => Some(false),
            Some(_) => reader.refuse("must be true or false"),
            None => reader.refuse("is required"),
        }
    }
}

macro_rules! read_integer {
    ($($type:ty),*) => {
        $(impl Read for $type {
            fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
                let rule = concat!("must be an integer that fits ", stringify!($type));
                let number = match value {
                    Some(Value::Number(number)) => number.as_i128(),
                    Some(Value::String(text)) if reader.takes_text() => text.parse().ok(),
                    Some(_) => None,
                    None => return reader.refuse("is required"),
                };
                match number.and_then(|number| Self::try_from(number).ok()) {
                    Some(number) => Some(number),
                    None => reader.refuse(rule),
                }
            }
        })*
    };
}

read_integer!(i32, i64, u32, u64);

impl<T: Read> Read for Option<T> {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        match value {
            None => Some(None),
            some => T::read(reader, some).map(Some),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        match value {
            Some(Value::Array(items)) => reader.items(items),
            Some(_) => reader.refuse("must be an array"),
            None => reader.refuse("is required"),
        }
    }
}

impl Read for BTreeMap<String, String> {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        let Some(Value::Object(object)) = value else {
            return reader.refuse("must be an object whose values are strings");
        };
        let pairs = object
            .iter()
            .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        match pairs.collect::<Option<Self>>() {
            Some(map) => Some(map),
            None => reader.refuse("must be an object whose values are strings"),
        }
    }
}

/// A moment, RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Moment {
    /// As protos have it.
    pub(crate) const fn as_micros(self) -> i64 {
        self.0.as_micros()
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Form<i64> for Moment {
    fn form(from: i64) -> Self {
        Self(Timestamp::from_micros(from))
    }
}

/// Zero is a moment that is not set.
impl Form<i64> for Option<Moment> {
    fn form(from: i64) -> Self {
        (from != 0).then(|| Moment::form(from))
    }
}

impl Shape for Moment {
    fn schema(_: &mut Schemas) -> Described {
        Described(json!({ "type": "string", "format": "date-time" }))
    }
}

impl Read for Moment {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        let moment = match value {
            Some(Value::String(text)) => Timestamp::parse(text).ok(),
            Some(_) => None,
            None => return reader.refuse("is required"),
        };
        match moment {
            Some(moment) => Some(Self(moment)),
            None => reader.refuse("must be a time in RFC 3339, such as 2026-01-31T12:00:00Z"),
        }
    }
}

/// Bytes in hexadecimal: hashes.
#[derive(Clone, Debug)]
pub(crate) struct Hex(Vec<u8>);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl Form<Vec<u8>> for Hex {
    fn form(from: Vec<u8>) -> Self {
        Self(from)
    }
}

impl Shape for Hex {
    fn schema(_: &mut Schemas) -> Described {
        Described(json!({ "type": "string", "pattern": "^([0-9a-f]{2})*$" }))
    }
}

/// Bytes in base 64.
#[derive(Clone)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl std::fmt::Debug for Base64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl Form<Vec<u8>> for Base64 {
    fn form(from: Vec<u8>) -> Self {
        Self(from)
    }
}

impl Shape for Base64 {
    fn schema(_: &mut Schemas) -> Described {
        Described(json!({ "type": "string", "contentEncoding": "base64" }))
    }
}

impl Read for Base64 {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        let bytes = match value {
            Some(Value::String(text)) => STANDARD.decode(text).ok(),
            Some(_) => None,
            None => return reader.refuse("is required"),
        };
        match bytes {
            Some(bytes) => Some(Self(bytes)),
            None => reader.refuse("must be bytes in base 64"),
        }
    }
}
