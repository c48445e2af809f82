//! Reading forms: every field that is wrong is named, with the rule it breaks and never with its value.

use std::{borrow::Cow, fmt::Write as _};

use paymesh_kernel::FieldViolation;
use serde_json::{Map, Value};

use super::schema::plain;

/// Violations that one answer names at most.
const VIOLATIONS: usize = 50;

/// A type that can be read from JSON.
pub(crate) trait Read: Sized {
    /// Reads it; None when a violation was recorded. A missing field is `None`, and so is `null`.
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self>;
}

/// Where in the document the reader is, and what it has found wrong.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    path: Vec<Step>,
    violations: Vec<FieldViolation>,
    /// Numbers may come as text, as in a query.
    text: bool,
}

#[derive(Debug)]
enum Step {
    Field(String),
    Item(usize),
}

// === impl Reader ===

impl Reader {
    /// Reads a body.
    ///
    /// # Errors
    /// All violations, at least one.
    pub(crate) fn body<T: Read>(value: &Value) -> Result<T, Vec<FieldViolation>> {
        Self::default().run(value)
    }

    /// Reads the fields of a query.
    ///
    /// # Errors
    /// All violations, at least one.
    pub(crate) fn query<T: Read>(fields: Map<String, Value>) -> Result<T, Vec<FieldViolation>> {
        let reader = Self {
            text: true,
            ..Self::default()
        };
        reader.run(&Value::Object(fields))
    }

    fn run<T: Read>(mut self, value: &Value) -> Result<T, Vec<FieldViolation>> {
        let read = T::read(&mut self, Some(value));
        match read {
            Some(read) if self.violations.is_empty() => Ok(read),
            _ => {
                if self.violations.is_empty() {
                    self.refuse::<T>("is not valid");
                }
                Err(self.violations)
            }
        }
    }

    /// True when numbers may come as text.
    pub(crate) const fn takes_text(&self) -> bool {
        self.text
    }

    /// Records that the present place breaks `rule`.
    pub(crate) fn refuse<T>(&mut self, rule: impl Into<Cow<'static, str>>) -> Option<T> {
        if self.violations.len() < VIOLATIONS {
            let field = self.place();
            self.violations.push(FieldViolation::new(field, rule));
        }
        None
    }

    /// The object at the present place, when it is one. Fields that are not among `fields` are violations.
    pub(crate) fn object<'v>(
        &mut self,
        value: Option<&'v Value>,
        fields: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(value) = value else {
            return self.refuse("is required");
        };
        let Value::Object(object) = value else {
            return self.refuse("must be an object");
        };
        for name in object.keys() {
            if !fields.iter().any(|field| plain(field) == name) {
                let rule = unknown(fields);
                self.path.push(Step::Field(shown(name)));
                self.refuse::<()>(rule);
                self.path.pop();
            }
        }
        Some(object)
    }

    /// Reads a field of an object.
    pub(crate) fn field<T: Read>(&mut self, object: &Map<String, Value>, name: &str) -> Option<T> {
        let name = plain(name);
        self.path.push(Step::Field(name.to_owned()));
        let value = object.get(name).filter(|value| !value.is_null());
        let read = T::read(self, value);
        self.path.pop();
        read
    }

    /// Reads the items of an array.
    pub(crate) fn items<T: Read>(&mut self, items: &[Value]) -> Option<Vec<T>> {
        let mut read = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            self.path.push(Step::Item(place));
            read.push(T::read(self, Some(item)));
            self.path.pop();
        }
        read.into_iter().collect()
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            let written = match step {
                Step::Field(name) if place.is_empty() => write!(place, "{name}"),
                Step::Field(name) => write!(place, ".{name}"),
                Step::Item(index) => write!(place, "[{index}]"),
            };
            written.expect("writing to a String cannot fail");
        }
        place
    }
}

fn unknown(fields: &[&str]) -> String {
    if fields.is_empty() {
        return "is not known here; nothing is expected".to_owned();
    }
    let known: Vec<&str> = fields.iter().map(|field| plain(field)).collect();
    format!("is not known here; expected: {}", known.join(", "))
}

/// A field's name as the caller wrote it, unless it is no name.
fn shown(name: &str) -> String {
    let is_name = name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if is_name && !paymesh_kernel::card_number::looks_like_card_number(name) {
        name.to_owned()
    } else {
        "(unnamed)".to_owned()
    }
}
