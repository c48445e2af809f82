//! Routes: a method, a path and a handler, with what the document says of them.
//!
//! The router and the OpenAPI document are both made from one list of these, and a handler's parameters and answer describe
//! themselves. So there is no route that the document leaves out, and no parameter that it makes up (G1).

use std::{fmt, sync::Arc};

use axum::{
    body::Body,
    http::{Method, Response},
};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Incoming,
    answer::Answer,
    form::{Schemas, schema::CURRENCY},
    input::Input,
    problem::Problem,
};
use crate::config::Class;

/// What a handler answers.
pub(crate) type Answered = BoxFuture<'static, Result<Response<Body>, Problem>>;

/// Who may come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone.
    Public,
    /// Whoever proves who they are; what they may do is decided by the component that is called.
    Principal,
}

/// How large a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodySize {
    /// A request.
    Usual,
    /// A provider's webhook.
    Webhook,
    /// A file.
    Import,
}

/// One route.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) class: Class,
    pub(crate) body_size: BodySize,
    /// The RPCs behind it: `TransactionService/Capture`.
    pub(crate) calls: &'static [&'static str],
    /// True when its answer may come before the end, with 202.
    may_run_on: bool,
    tag: &'static str,
    summary: &'static str,
    notes: &'static str,
    run: Arc<dyn Fn(Incoming) -> Answered + Send + Sync>,
    describe: fn(&mut Sketch<'_>),
}

/// A handler: an async function whose parameters are [`Input`]s.
pub(crate) trait Handler<Inputs>: Clone + Send + Sync + 'static {
    /// Takes the parameters from the request and runs.
    fn run(self, incoming: Incoming) -> Answered;
    /// What the parameters and the answer say of themselves.
    fn describe(sketch: &mut Sketch<'_>);
}

macro_rules! handler {
    ($($input:ident),*) => {
        impl<F, Fut, A, $($input),*> Handler<($($input,)*)> for F
        where
            F: Fn($($input),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<A, Problem>> + Send + 'static,
            A: Answer + 'static,
            $($input: Input + 'static,)*
        {
            #[allow(non_snake_case, unused_variables, reason = "one macro for every number of parameters")]
            fn run(self, incoming: Incoming) -> Answered {
                Box::pin(async move {
                    $(let $input = $input::take(&incoming)?;)*
                    let answer = self($($input),*).await?;
                    Ok(answer.respond())
                })
            }

            #[allow(unused_variables, reason = "one macro for every number of parameters")]
            fn describe(sketch: &mut Sketch<'_>) {
                $($input::describe(sketch);)*
                A::describe(sketch);
            }
        }
    };
}

handler!();
handler!(I1);
handler!(I1, I2);
handler!(I1, I2, I3);
handler!(I1, I2, I3, I4);
handler!(I1, I2, I3, I4, I5);

// === impl Route ===

impl Route {
    /// A route that reads.
    pub(crate) fn get<I>(path: &'static str, handler: impl Handler<I>) -> Self {
        Self::new(Method::GET, path, Class::Read, handler)
    }

    /// A route that makes something or has something done.
    pub(crate) fn post<I>(path: &'static str, handler: impl Handler<I>) -> Self {
        Self::new(Method::POST, path, Class::Write, handler)
    }

    /// A route that puts a thing as it is to be.
    pub(crate) fn put<I>(path: &'static str, handler: impl Handler<I>) -> Self {
        Self::new(Method::PUT, path, Class::Write, handler)
    }

    /// A route that changes some fields.
    pub(crate) fn patch<I>(path: &'static str, handler: impl Handler<I>) -> Self {
        Self::new(Method::PATCH, path, Class::Write, handler)
    }

    /// A route that takes a thing away.
    pub(crate) fn delete<I>(path: &'static str, handler: impl Handler<I>) -> Self {
        Self::new(Method::DELETE, path, Class::Write, handler)
    }

    fn new<I, H: Handler<I>>(method: Method, path: &'static str, class: Class, handler: H) -> Self {
        Self {
            method,
            path,
            access: Access::Principal,
            class,
            body_size: BodySize::Usual,
            calls: &[],
            may_run_on: false,
            tag: "",
            summary: "",
            notes: "",
            run: Arc::new(move |incoming| handler.clone().run(incoming)),
            describe: H::describe,
        }
    }

    /// What it is for, in a few words.
    pub(crate) const fn about(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// What else there is to know.
    pub(crate) const fn notes(mut self, notes: &'static str) -> Self {
        self.notes = notes;
        self
    }

    /// Which RPCs it calls.
    pub(crate) const fn calls(mut self, calls: &'static [&'static str]) -> Self {
        self.calls = calls;
        self
    }

    /// Counts against another limit than its method says.
    pub(crate) const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Moves money.
    pub(crate) const fn money(self) -> Self {
        self.class(Class::Money)
    }

    /// What it does may run on after the answer: 202.
    pub(crate) const fn runs_on(mut self) -> Self {
        self.may_run_on = true;
        self
    }

    /// Open to everyone.
    pub(crate) const fn public(mut self) -> Self {
        self.access = Access::Public;
        self
    }

    /// Takes another size of body.
    pub(crate) const fn body_size(mut self, size: BodySize) -> Self {
        self.body_size = size;
        self
    }

    /// The section of the document.
    pub(crate) const fn tag(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// Runs the handler.
    pub(crate) fn run(&self, incoming: Incoming) -> Answered {
        (self.run)(incoming)
    }

    /// The operation object of the document.
    pub(crate) fn operation(&self, schemas: &mut Schemas) -> Value {
        let mut sketch = Sketch {
            schemas,
            parameters: Vec::new(),
            body: None,
            responses: serde_json::Map::new(),
        };
        for name in path_parameters(self.path) {
            sketch.parameters.push(json!({
                "name": name, "in": "path", "required": true, "schema": path_schema(name),
            }));
        }
        (self.describe)(&mut sketch);
        let Sketch {
            parameters,
            body,
            mut responses,
            ..
        } = sketch;
        if self.may_run_on
            && let Some(mut running) = responses
                .get("201")
                .or_else(|| responses.get("200"))
                .cloned()
        {
            running["description"] = "It is not finished yet; ask again".into();
            responses.insert("202".to_owned(), running);
        }
        responses.insert(
            "default".to_owned(),
            json!({ "$ref": "#/components/responses/Problem" }),
        );
        let mut operation = json!({
            "tags": [self.tag],
            "summary": self.summary,
            "operationId": self.operation_id(),
            "description": self.description(),
            "responses": responses,
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(body) = body {
            operation["requestBody"] = body;
        }
        if self.access == Access::Public {
            operation["security"] = json!([]);
        }
        operation
    }

    /// `post_v1_transactions_transaction_id_captures` as `postTransactionsCaptures`.
    fn operation_id(&self) -> String {
        let mut id = self.method.as_str().to_lowercase();
        for part in self.path.split(['/', '.']) {
            if part.is_empty() || part == "v1" {
                continue;
            }
            let words = part.trim_matches(['{', '}']);
            let by = if part.starts_with('{') { "_by" } else { "" };
            for word in format!("{by}_{words}").split(['_', '-']) {
                let mut chars = word.chars();
                id.extend(chars.next().map(|first| first.to_ascii_uppercase()));
                id.extend(chars);
            }
        }
        id
    }

    fn description(&self) -> String {
        let mut text = self.notes.to_owned();
        for call in self.calls {
            let roles = roles_of(call);
            if roles.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&format!("For: {roles}."));
        }
        text
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} {})", self.method, self.path)
    }
}

/// The method of the contract that a route calls.
pub(crate) fn method_of(call: &str) -> Option<&'static paymesh_proto::Method> {
    paymesh_proto::METHODS.iter().find(|method| {
        method
            .path
            .strip_suffix(call)
            .is_some_and(|head| head.ends_with(".v1."))
    })
}

fn roles_of(call: &str) -> String {
    let Some(method) = method_of(call) else {
        return String::new();
    };
    let roles = paymesh_mesh::access::roles_of(method.permission);
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    names.join(", ")
}

/// Names of the parameters of a path.
pub(crate) fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// What a parameter of a path may be: mostly a TypeID.
fn path_schema(name: &str) -> Value {
    let prefix = match name {
        "height" => return json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        "base_currency" | "quote_currency" => {
            return json!({ "type": "string", "pattern": CURRENCY });
        }
        "connector" | "account" => return json!({ "type": "string", "pattern": "^[a-z0-9_-]+$" }),
        "account_id" => "acct",
        "api_key_id" => "key",
        "attempt_id" => "att",
        "batch_id" => "sb",
        "break_id" => "brk",
        "decision_id" => "rd",
        "definition_id" => "def",
        "dispute_id" => "dp",
        "entry_id" => "rle",
        "merchant_id" => "mrc",
        "payment_method_id" => "pm",
        "payout_id" => "po",
        "quote_id" => "qt",
        "reconciliation_id" => "rec",
        "resolution_id" => "res",
        "rule_id" => "rule",
        "run_id" => "run",
        "schedule_id" => "sch",
        "session_id" => "ses",
        "statement_id" => "stm",
        "tenant_id" => "tnt",
        "terminal_id" => "term",
        "transaction_id" => "txn",
        "transfer_id" => "xfer",
        "user_id" => "user",
        _ => return json!({ "type": "string" }),
    };
    json!({ "type": "string", "pattern": format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$") })
}

/// An operation of the document on its way.
pub(crate) struct Sketch<'a> {
    pub(crate) schemas: &'a mut Schemas,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Value>,
    pub(crate) responses: serde_json::Map<String, Value>,
}

impl Sketch<'_> {
    /// Adds a header that a request has, with the schema of its value.
    pub(crate) fn header(&mut self, (name, schema): (&str, Value), required: Value, about: &str) {
        self.parameters.push(json!({
            "name": name, "in": "header", "required": required, "description": about, "schema": schema,
        }));
    }

    /// Adds an answer.
    pub(crate) fn response(&mut self, status: &str, about: &str, media_type: &str, schema: Value) {
        let mut response = json!({ "description": about });
        if !schema.is_null() {
            response["content"] = json!({ media_type: { "schema": schema } });
        }
        self.responses.insert(status.to_owned(), response);
    }
}
