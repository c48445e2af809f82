//! `GET /v1/record`: everything a simulator did, in order, read from the journal itself.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::Engine;
use crate::machine::Machine;
use crate::problem::Problem;

/// Lines of the journal on a page.
const MOST_LINES: u64 = 1_000;
const USUAL_LINES: u64 = 200;

/// Which page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    after: Option<u64>,
    limit: Option<u64>,
    r#type: Option<String>,
}

#[derive(Serialize)]
struct Page {
    data: Vec<Value>,
    /// Pass it as `after` for the next page.
    next_after: u64,
    has_more: bool,
}

/// A journal line, or its header, which has no facts.
#[derive(Deserialize)]
struct Line {
    seq: u64,
    at: String,
    #[serde(default)]
    facts: Vec<Map<String, Value>>,
}

// === free functions ===

/// One page: the facts of up to `limit` lines after `after`, perhaps of one type only.
pub(crate) async fn page<M: Machine>(
    engine: &Engine<M>,
    query: Query,
) -> Result<Response, Problem> {
    let limit = query.limit.unwrap_or(USUAL_LINES);
    if !(1..=MOST_LINES).contains(&limit) {
        return Err(Problem::invalid(format!("limit must be 1 to {MOST_LINES}")));
    }
    let after = query.after.unwrap_or(0);
    let (lines, last_seq) = engine.lines(after, limit).await?;
    let mut page = Page {
        data: Vec::new(),
        next_after: after,
        has_more: false,
    };
    for line in &lines {
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            tracing::error!(error = %error, "a line of the journal cannot be read back");
            Problem::journal_lost()
        })?;
        page.next_after = line.seq;
        for fact in line.facts {
            let kind = fact.get("type").and_then(Value::as_str);
            if query
                .r#type
                .as_deref()
                .is_none_or(|wanted| kind == Some(wanted))
            {
                let mut entry = Map::new();
                entry.insert("seq".to_owned(), Value::from(line.seq));
                entry.insert("at".to_owned(), Value::from(line.at.clone()));
                entry.extend(fact);
                page.data.push(Value::Object(entry));
            }
        }
    }
    page.has_more = page.next_after < last_seq && !lines.is_empty();
    Ok(axum::Json(page).into_response())
}

/// A CSV answer.
pub(crate) fn csv_response(bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    response
}
