//! What handlers take from a request.

mod command;

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::Query as AxumQuery, http::header};
use bytes::Bytes;
use paymesh_kernel::{
    FieldViolation, Principal, Timestamp,
    card_number::{line_with_card_number, looks_like_card_number},
};
use paymesh_proto::types::v1 as types;
use serde_json::{Map, Number, Value, json};

use super::{
    Incoming,
    form::{Read, Reader, Shape, schema::not_null},
    problem::Problem,
    route::Sketch,
};
use crate::{app::App, clients::Clients, error::Error};

pub(crate) use command::{Key, Wait};

/// Items of a page: when nothing is asked for, and at most.
const PAGE_DEFAULT: i32 = 20;
const PAGE_LIMIT: i32 = 100;

/// Something that a handler takes from a request, and that says so in the document.
pub(crate) trait Input: Sized + Send {
    /// Takes it.
    fn take(incoming: &Incoming) -> Result<Self, Problem>;
    /// What the document says of it.
    fn describe(sketch: &mut Sketch<'_>);
}

/// The gateway's own state.
impl Input for App {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        Ok(incoming.app.clone())
    }

    fn describe(_: &mut Sketch<'_>) {}
}

/// The other components.
impl Input for Arc<Clients> {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        Ok(Arc::clone(incoming.app.clients()))
    }

    fn describe(_: &mut Sketch<'_>) {}
}

/// Who asks, and in which session.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Arc<Principal>,
    /// `ses_…`, when a person is logged in.
    pub(crate) session: Option<String>,
    /// When the proof ends.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Input for Caller {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        Ok(incoming.caller.clone().ok_or(Error::CredentialsMissing)?)
    }

    fn describe(_: &mut Sketch<'_>) {}
}

/// The whole request, for what is not JSON.
#[derive(Clone, Debug)]
pub(crate) struct Headers(pub(crate) axum::http::HeaderMap);

impl Input for Headers {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        Ok(Self(incoming.parts.headers.clone()))
    }

    fn describe(_: &mut Sketch<'_>) {}
}

/// A parameter of the path, by its place.
#[derive(Clone, Debug)]
pub(crate) struct Path<const PLACE: usize>(pub(crate) String);

impl<const PLACE: usize> Input for Path<PLACE> {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let parameter = incoming.parameters.get(PLACE).cloned();
        parameter.map(Self).ok_or_else(|| {
            Problem::internal("a handler takes a parameter that its path does not have")
        })
    }

    fn describe(_: &mut Sketch<'_>) {}
}

/// A JSON body. An empty body is an empty object.
#[derive(Clone, Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: Read + Shape + Send> Input for Body<T> {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let value = json_body(incoming)?;
        if let Some(field) = find_card_number(&value, "") {
            return Err(Error::CardNumber { field }.into());
        }
        Reader::body(&value).map(Self).map_err(Problem::fields)
    }

    fn describe(sketch: &mut Sketch<'_>) {
        // An empty body is an empty object.
        let required = T::schema(sketch.schemas).0["required"].is_array();
        let schema = sketch.schemas.of::<T>();
        sketch.body = Some(json!({
            "required": required,
            "content": { "application/json": { "schema": schema } },
        }));
    }
}

fn json_body(incoming: &Incoming) -> Result<Value, Problem> {
    if incoming.body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let media_type = incoming
        .header(header::CONTENT_TYPE.as_str())
        .unwrap_or_default();
    if super::essence(media_type) != "application/json" {
        return Err(Error::MediaType {
            expected: "application/json",
        }
        .into());
    }
    serde_json::from_slice(&incoming.body).map_err(|error| {
        // Only the place: the parser's words may hold a piece of the body.
        let position = format!("see line {}, column {}", error.line(), error.column());
        Error::NotJson { position }.into()
    })
}

/// The first field that holds what looks like a card number.
fn find_card_number(value: &Value, path: &str) -> Option<String> {
    let named = |path: &str| {
        if path.is_empty() {
            "body".to_owned()
        } else {
            path.to_owned()
        }
    };
    match value {
        Value::String(text) if looks_like_card_number(text) => Some(named(path)),
        Value::Number(number) if is_whole_card_number(number) => Some(named(path)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(place, item)| find_card_number(item, &format!("{path}[{place}]"))),
        Value::Object(fields) => fields.iter().find_map(|(name, item)| {
            if looks_like_card_number(name) {
                return Some(named(path));
            }
            let place = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            find_card_number(item, &place)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Places behind the point belong to a fraction, not to a number of a card.
fn is_whole_card_number(number: &Number) -> bool {
    let text = number.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    looks_like_card_number(whole)
}

/// A table that is passed on as it came, unless a cell holds what looks like a card number.
#[derive(Clone, Debug)]
pub(crate) struct Table(pub(crate) Bytes);

impl Input for Table {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        if let Some(line) = line_with_card_number(&incoming.body) {
            let field = format!("line {line} of the body");
            return Err(Error::CardNumber { field }.into());
        }
        Ok(Self(incoming.body.clone()))
    }

    fn describe(sketch: &mut Sketch<'_>) {
        RawBody::describe(sketch);
    }
}

/// A body that is passed on as it came.
#[derive(Clone, Debug)]
pub(crate) struct RawBody(pub(crate) Bytes);

impl Input for RawBody {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        Ok(Self(incoming.body.clone()))
    }

    fn describe(sketch: &mut Sketch<'_>) {
        sketch.body = Some(json!({
            "required": true,
            "content": { "*/*": { "schema": { "type": "string", "format": "binary" } } },
        }));
    }
}

/// The fields of the query.
#[derive(Clone, Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: Read + Shape + Send> Input for Query<T> {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let fields = query_fields(incoming)?;
        Reader::query(fields).map(Self).map_err(Problem::fields)
    }

    fn describe(sketch: &mut Sketch<'_>) {
        describe_query::<T>(sketch);
    }
}

/// The fields of the query of a list, and the page that is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Listing<T> {
    pub(crate) filter: T,
    pub(crate) page: types::Page,
}

impl<T: Read + Shape + Send> Input for Listing<T> {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let mut fields = query_fields(incoming)?;
        let limit = fields.remove("limit");
        let token = fields.remove("page");
        let mut errors = Vec::new();
        let size = limit.map_or(Some(PAGE_DEFAULT), |limit| {
            let limit: i32 = limit.as_str()?.parse().ok()?;
            (1..=PAGE_LIMIT).contains(&limit).then_some(limit)
        });
        if size.is_none() {
            errors.push(FieldViolation::new(
                "limit",
                "must be an integer from 1 to 100",
            ));
        }
        match Reader::query(fields) {
            Ok(filter) if errors.is_empty() => Ok(Self {
                filter,
                page: types::Page {
                    size: size.unwrap_or(PAGE_DEFAULT),
                    token: token
                        .and_then(|token| token.as_str().map(str::to_owned))
                        .unwrap_or_default(),
                },
            }),
            Ok(_) => Err(Problem::fields(errors)),
            Err(more) => {
                errors.extend(more);
                Err(Problem::fields(errors))
            }
        }
    }

    fn describe(sketch: &mut Sketch<'_>) {
        describe_query::<T>(sketch);
        for (name, about, schema) in [
            (
                "limit",
                "Items of a page.",
                json!({ "type": "integer", "minimum": 1, "maximum": PAGE_LIMIT, "default": PAGE_DEFAULT }),
            ),
            (
                "page",
                "`next_page` of the page before; leave it out for the first.",
                json!({ "type": "string" }),
            ),
        ] {
            sketch.parameters.push(json!({
                "name": name, "in": "query", "required": false, "description": about, "schema": schema,
            }));
        }
    }
}

/// A field given twice or what looks like a card number is refused here, other rules where the fields are read.
fn query_fields(incoming: &Incoming) -> Result<Map<String, Value>, Problem> {
    let malformed = || Problem::field("query", "must be name=value pairs, percent-encoded");
    let AxumQuery(pairs) = AxumQuery::<Vec<(String, String)>>::try_from_uri(&incoming.parts.uri)
        .map_err(|_| malformed())?;
    let mut fields = Map::new();
    for (name, value) in pairs {
        if looks_like_card_number(&value) || looks_like_card_number(&name) {
            return Err(Error::CardNumber {
                field: "query".to_owned(),
            }
            .into());
        }
        if fields.insert(name.clone(), Value::String(value)).is_some() {
            return Err(Problem::field(name, "must be given once"));
        }
    }
    Ok(fields)
}

fn describe_query<T: Shape>(sketch: &mut Sketch<'_>) {
    let schema = T::schema(sketch.schemas).0;
    let required: Vec<&str> = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let mut field = field.clone();
        let about = field
            .as_object_mut()
            .and_then(|field| field.remove("description"));
        sketch.parameters.push(json!({
            "name": name,
            "in": "query",
            "required": required.contains(&name.as_str()),
            "description": about.unwrap_or(Value::String(String::new())),
            "schema": not_null(field),
        }));
    }
}

/// A query without fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoFilter;

impl Read for NoFilter {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        reader.object(value, &["limit", "page"]).map(|_| Self)
    }
}

impl Shape for NoFilter {
    fn schema(_: &mut super::form::Schemas) -> super::form::schema::Described {
        super::form::schema::Described(json!({ "type": "object" }))
    }
}

/// The fields of a text map as protos have them.
pub(crate) fn text_map<M: FromIterator<(String, String)>>(
    map: Option<BTreeMap<String, String>>,
) -> M {
    map.unwrap_or_default().into_iter().collect()
}

/// A span of time as protos have it; None when neither end is set.
pub(crate) fn range(
    from: Option<super::form::Moment>,
    until: Option<super::form::Moment>,
) -> Option<types::TimeRange> {
    (from.is_some() || until.is_some()).then(|| types::TimeRange {
        from_at_us: from.map_or(0, super::form::Moment::as_micros),
        until_at_us: until.map_or(0, super::form::Moment::as_micros),
    })
}
