//! What handlers answer.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use paymesh_proto::types::v1 as types;
use serde::Serialize;
use serde_json::{Value, json};

use super::{form::Shape, problem::Problem, route::Sketch};
use crate::error::Error;

/// The header that marks the answer to a repeat.
const REPLAYED: &str = "idempotent-replayed";

/// An answer, that says in the document what it is.
pub(crate) trait Answer {
    /// The response.
    fn respond(self) -> Response<Body>;
    /// What the document says of it.
    fn describe(sketch: &mut Sketch<'_>);
}

/// What was asked for: 200.
#[derive(Debug)]
pub(crate) struct Found<T>(pub(crate) T);

/// A page of a list: 200.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    data: Vec<T>,
    next_page: Option<String>,
}

/// Something new: 201 when it is finished, 202 when it is still on its way.
#[derive(Debug)]
pub(crate) struct Made<T> {
    body: T,
    location: String,
    is_replay: bool,
    is_finished: bool,
}

/// Something was done: 200.
#[derive(Debug)]
pub(crate) struct Done<T> {
    body: T,
    is_replay: bool,
    is_finished: bool,
}

/// Something is gone: 204.
#[derive(Debug)]
pub(crate) struct Gone;

/// Anything else, described where the route is declared.
#[derive(Debug)]
pub(crate) struct Raw<D> {
    pub(crate) response: Response<Body>,
    describes: std::marker::PhantomData<D>,
}

/// What the document says of a raw answer.
pub(crate) trait Describes: Send + 'static {
    /// The media type.
    const MEDIA_TYPE: &'static str;
    /// What it is.
    const ABOUT: &'static str;
}

// === impl Page ===

impl<T> Page<T> {
    /// A page as a component answers it.
    pub(crate) fn new(data: Vec<T>, info: Option<types::PageInfo>) -> Self {
        let next = info.map(|info| info.next_token).unwrap_or_default();
        Self {
            data,
            next_page: (!next.is_empty()).then_some(next),
        }
    }
}

// === impl Made ===

impl<T> Made<T> {
    /// Something new at `location`.
    pub(crate) fn new(body: T, location: String, outcome: i32) -> Self {
        Self {
            body,
            location,
            is_replay: is_replay(outcome),
            is_finished: true,
        }
    }

    /// The same, which may not be finished yet.
    pub(crate) const fn finished(mut self, is_finished: bool) -> Self {
        self.is_finished = is_finished;
        self
    }
}

// === impl Done ===

impl<T> Done<T> {
    /// What came of it.
    pub(crate) fn new(body: T, outcome: i32) -> Self {
        Self {
            body,
            is_replay: is_replay(outcome),
            is_finished: true,
        }
    }

    /// The same, which may not be finished yet.
    pub(crate) const fn finished(mut self, is_finished: bool) -> Self {
        self.is_finished = is_finished;
        self
    }
}

// === impl Raw ===

impl<D> Raw<D> {
    /// Answers with this.
    pub(crate) const fn new(response: Response<Body>) -> Self {
        Self {
            response,
            describes: std::marker::PhantomData,
        }
    }
}

impl<T: Serialize + Shape> Answer for Found<T> {
    fn respond(self) -> Response<Body> {
        json_response(StatusCode::OK, &self.0)
    }

    fn describe(sketch: &mut Sketch<'_>) {
        let schema = sketch.schemas.of::<T>();
        sketch.response("200", "What was asked for", "application/json", schema);
    }
}

impl<T: Serialize + Shape> Answer for Page<T> {
    fn respond(self) -> Response<Body> {
        json_response(StatusCode::OK, &self)
    }

    fn describe(sketch: &mut Sketch<'_>) {
        let item = sketch.schemas.of::<T>();
        let schema = json!({
            "type": "object",
            "required": ["data", "next_page"],
            "properties": {
                "data": { "type": "array", "items": item },
                "next_page": { "type": ["string", "null"], "description": "For the query `page`; null on the last page." },
            },
        });
        sketch.response("200", "A page", "application/json", schema);
    }
}

impl<T: Serialize + Shape> Answer for Made<T> {
    fn respond(self) -> Response<Body> {
        let status = if self.is_finished {
            StatusCode::CREATED
        } else {
            StatusCode::ACCEPTED
        };
        let mut response = json_response(status, &self.body);
        if let Ok(location) = HeaderValue::from_str(&self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        mark_replay(&mut response, self.is_replay);
        response
    }

    fn describe(sketch: &mut Sketch<'_>) {
        let schema = sketch.schemas.of::<T>();
        sketch.response(
            "201",
            "It is made. A decline is an outcome, not an error",
            "application/json",
            schema,
        );
        if let Some(response) = sketch.responses.get_mut("201") {
            response["headers"] = made_headers();
        }
    }
}

impl<T: Serialize + Shape> Answer for Done<T> {
    fn respond(self) -> Response<Body> {
        let status = if self.is_finished {
            StatusCode::OK
        } else {
            StatusCode::ACCEPTED
        };
        let mut response = json_response(status, &self.body);
        mark_replay(&mut response, self.is_replay);
        response
    }

    fn describe(sketch: &mut Sketch<'_>) {
        let schema = sketch.schemas.of::<T>();
        sketch.response("200", "It is done", "application/json", schema);
    }
}

impl Answer for Gone {
    fn respond(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    fn describe(sketch: &mut Sketch<'_>) {
        sketch.response("204", "It is gone", "application/json", Value::Null);
    }
}

impl<D: Describes> Answer for Raw<D> {
    fn respond(self) -> Response<Body> {
        self.response
    }

    fn describe(sketch: &mut Sketch<'_>) {
        sketch.response("200", D::ABOUT, D::MEDIA_TYPE, json!({ "type": "string" }));
    }
}

/// A part of an answer without which the answer makes no sense.
pub(crate) fn present<T>(
    part: Option<T>,
    component: &'static str,
    field: &'static str,
) -> Result<T, Problem> {
    Ok(part.ok_or(Error::AnswerIncomplete { component, field })?)
}

/// A JSON response.
pub(crate) fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response<Body> {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            response
        }
        Err(error) => Problem::internal(&error.to_string()).into_response(),
    }
}

fn is_replay(outcome: i32) -> bool {
    outcome == i32::from(types::Outcome::AlreadyApplied)
}

fn mark_replay(response: &mut Response<Body>, is_replay: bool) {
    if is_replay {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
}

fn made_headers() -> Value {
    json!({
        "Location": { "description": "Where to read it", "schema": { "type": "string" } },
        "Idempotent-Replayed": {
            "description": "`true` when an earlier request with the same key did it",
            "schema": { "type": "string" },
        },
    })
}
