//! The schema side of forms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// An alphabetic code of ISO 4217.
pub(crate) const CURRENCY: &str = "^[A-Z]{3}$";
/// A code of ISO 3166-1 alpha-2.
const COUNTRY: &str = "^[A-Z]{2}$";

/// What every type of a form says of itself.
pub(crate) trait Shape {
    /// Its name among the components of the document; None when it is described where it is used.
    const NAME: Option<&'static str> = None;
    /// A field of this type is always there.
    const REQUIRED: bool = true;

    /// Its schema, whole.
    fn schema(schemas: &mut Schemas) -> Described;

    /// True when the field is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A JSON schema (draft 2020-12).
#[derive(Clone, Debug)]
pub(crate) struct Described(pub(crate) Value);

/// The named schemas of a document.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    named: BTreeMap<&'static str, (&'static str, Value)>,
    clashes: Vec<&'static str>,
}

// === impl Schemas ===

impl Schemas {
    /// A schema that refers to the named type, or the whole of an unnamed one.
    pub(crate) fn of<T: Shape>(&mut self) -> Value {
        let Some(name) = T::NAME else {
            return T::schema(self).0;
        };
        let type_name = std::any::type_name::<T>();
        match self.named.get(name) {
            Some((known, _)) if *known == type_name => {}
            Some(_) => self.clashes.push(name),
            None => {
                // Its place is taken first, for types that contain themselves.
                self.named.insert(name, (type_name, Value::Null));
                let schema = T::schema(self).0;
                self.named.insert(name, (type_name, schema));
            }
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// All named schemas.
    pub(crate) fn into_named(self) -> BTreeMap<&'static str, Value> {
        self.named
            .into_iter()
            .map(|(name, (_, schema))| (name, schema))
            .collect()
    }

    /// Names that two types have; a defect.
    pub(crate) fn clashes(&self) -> &[&'static str] {
        &self.clashes
    }
}

/// Begins the schema of a structure.
pub(crate) fn object<'a>(schemas: &'a mut Schemas, about: &str) -> ObjectSchema<'a> {
    ObjectSchema {
        schemas,
        about: about.trim().to_owned(),
        properties: serde_json::Map::new(),
        required: Vec::new(),
    }
}

/// A structure on its way to a schema.
pub(crate) struct ObjectSchema<'a> {
    schemas: &'a mut Schemas,
    about: String,
    properties: serde_json::Map<String, Value>,
    required: Vec<String>,
}

impl ObjectSchema<'_> {
    /// Adds a field.
    pub(crate) fn field<T: Shape>(mut self, name: &str, about: &str) -> Self {
        let mut schema = self.schemas.of::<T>();
        if let Some(schema) = schema.as_object_mut()
            && !about.is_empty()
        {
            schema.insert("description".to_owned(), about.trim().into());
        }
        let name = plain(name).to_owned();
        if T::REQUIRED {
            self.required.push(name.clone());
        }
        self.properties.insert(name, schema);
        self
    }

    /// The schema of an answer: a reader ignores fields that it does not know.
    pub(crate) fn done(self) -> Described {
        let mut schema = json!({
            "type": "object",
            "description": self.about,
            "properties": self.properties,
        });
        if !self.required.is_empty() {
            schema["required"] = self.required.into();
        }
        Described(schema)
    }

    /// The schema of a request: other fields are refused, and a field that may be left out may be null.
    pub(crate) fn closed(mut self) -> Described {
        for (name, field) in &mut self.properties {
            if field["type"] == "string" && field["format"].is_null() {
                if name.ends_with("currency") {
                    field["pattern"] = CURRENCY.into();
                } else if name == "country" {
                    field["pattern"] = COUNTRY.into();
                }
            }
            if !self.required.contains(name) {
                make_nullable(field);
            }
        }
        let mut schema = self.done();
        schema.0["additionalProperties"] = false.into();
        schema
    }
}

/// Lets a schema take null too.
fn make_nullable(schema: &mut Value) {
    let about = schema
        .as_object_mut()
        .and_then(|schema| schema.remove("description"));
    match schema["type"].as_str() {
        Some(name) => schema["type"] = json!([name, "null"]),
        None => *schema = json!({ "anyOf": [schema.take(), { "type": "null" }] }),
    }
    if let Some(about) = about {
        schema["description"] = about;
    }
}

/// What [`make_nullable`] was given: null cannot be said in a query.
pub(crate) fn not_null(mut schema: Value) -> Value {
    if let Some(name) = schema["type"].get(0).cloned() {
        schema["type"] = name;
    } else if let Some(name) = schema["anyOf"].get(0).cloned() {
        return name;
    }
    schema
}

/// A field's name without Rust's mark for keywords.
pub(crate) fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}
