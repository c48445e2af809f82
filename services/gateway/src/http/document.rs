//! The OpenAPI 3.1 document, made from the routes once a process.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::{form::Schemas, problem::ProblemDocument, routes};

/// What callers should know before the first call.
const ABOUT: &str = "Payments over REST.\n\n\
    **Authentication.** `Authorization: Bearer <token>`: an access token from `POST /v1/sessions`, or an API key (`sk_…`).\n\n\
    **Amounts** are minor units with their currency: `{\"minor\": 1999, \"currency\": \"USD\"}` is 19.99 USD. Times are RFC 3339, \
    ids are TypeIDs. What is not set is left out. A field that is not known is refused.\n\n\
    **Idempotency.** Every POST that makes something or moves money needs an `Idempotency-Key`. A repeat with the same key and body \
    answers as the first did, with `Idempotent-Replayed: true`; with another body it is refused with 422; while the first still runs, \
    with 409 and `Retry-After`. A decline is not an error: it is 201 with the status `declined`. What is not finished within the wait \
    (`Prefer: wait=N`) is 202; ask at `Location`.\n\n\
    **Errors** are problem documents (RFC 9457). `reason` is stable; `outcome` says `not_processed` when certainly nothing happened, \
    or `unknown`: repeat with the same key. `errors` names each wrong field.\n\n\
    **Lists** answer `{data, next_page}` and take `limit` (1 to 100) and `page`.\n\n\
    **Limits** of rates are told by `RateLimit` and `RateLimit-Policy`. No field takes a card number: send the provider's token.";

static DOCUMENT: OnceLock<Value> = OnceLock::new();

/// Makes the document.
pub(crate) fn make_once() {
    document();
}

/// The document.
pub(crate) fn document() -> &'static Value {
    DOCUMENT.get_or_init(|| make().0)
}

/// Makes the document, and says which names two types have.
pub(crate) fn make() -> (Value, Vec<&'static str>) {
    let mut schemas = Schemas::default();
    let problem = schemas.of::<ProblemDocument>();
    let mut paths = Map::new();
    for route in routes() {
        let operation = route.operation(&mut schemas);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation;
    }
    let clashes = schemas.clashes().to_vec();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Paymesh",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.into_named(),
            "responses": {
                "Problem": {
                    "description": "What went wrong",
                    "content": { "application/problem+json": { "schema": problem } },
                },
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token (JWT) or an API key (`sk_…`).",
                },
            },
        },
    });
    (document, clashes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use paymesh_mesh::access;
    use paymesh_proto::{METHODS, Method};

    use super::*;
    use crate::http::route::{method_of, path_parameters};

    #[test]
    fn no_two_forms_have_one_name() {
        assert_eq!(make().1, Vec::<&str>::new());
    }

    #[test]
    fn the_document_is_openapi_to_another_reader_too() {
        let read: Result<utoipa::openapi::OpenApi, _> = serde_json::from_value(make().0);
        assert!(read.is_ok(), "{:?}", read.err());
    }

    #[test]
    fn g1_every_route_is_in_the_document_once_and_described() {
        let (document, _) = make();
        let mut ids = BTreeSet::new();
        let mut count = 0;
        for route in routes() {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
            assert!(!text("summary").is_empty(), "{route:?} has no summary");
            assert!(
                !operation["tags"][0].as_str().unwrap_or_default().is_empty(),
                "{route:?} has no tag"
            );
            assert!(
                ids.insert(text("operationId")),
                "{route:?} repeats {}",
                text("operationId")
            );
            let parameters = operation["parameters"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for name in path_parameters(route.path) {
                assert!(
                    parameters
                        .iter()
                        .any(|p| p["name"] == name && p["in"] == "path"),
                    "{route:?} {name}"
                );
            }
            count += 1;
        }
        let documented: usize = document["paths"].as_object().map_or(0, |paths| {
            paths
                .values()
                .map(|path| path.as_object().map_or(0, Map::len))
                .sum()
        });
        assert_eq!(documented, count);
    }

    #[test]
    fn rules_of_a_request_are_in_the_document() {
        let (document, _) = make();
        let create = &document["paths"]["/v1/transactions"]["post"];
        let key = &create["parameters"][0];
        assert_eq!(
            (&key["name"], &key["schema"]["maxLength"]),
            (&json!("Idempotency-Key"), &json!(255))
        );
        let forms = &document["components"]["schemas"];
        let form = &forms["CreateTransaction"]["properties"];
        assert_eq!(
            form["target_currency"]["type"],
            json!(["string", "null"]),
            "left out or null"
        );
        assert_eq!(form["target_currency"]["pattern"], "^[A-Z]{3}$");
        assert_eq!(form["payer"]["anyOf"][1]["type"], "null");
        assert_eq!(form["amount"]["$ref"], "#/components/schemas/Amount");
        let read = &document["paths"]["/v1/transactions/{transaction_id}"]["get"];
        let id = &read["parameters"][0]["schema"]["pattern"];
        assert_eq!(id, "^txn_[0-7][0-9a-hjkmnp-tv-z]{25}$");
        let filters = document["paths"]["/v1/transactions"]["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten();
        for filter in filters {
            assert!(!filter["schema"]["type"].is_array(), "{filter}");
        }
    }

    #[test]
    fn g1_every_rpc_that_someone_may_call_through_the_gateway_has_a_route() {
        let routes = routes();
        let mut called: BTreeSet<&str> = BTreeSet::new();
        for route in &routes {
            for call in route.calls {
                let method = method_of(call);
                assert!(method.is_some(), "{route:?} names {call}, which is no RPC");
                called.extend(method.map(|method| method.path));
            }
        }
        // The gateway itself asks this one, to authenticate.
        let own = ["/paymesh.user.v1.UserService/AuthenticateApiKey"];
        for method in METHODS.iter().filter(|method| method.allows("gateway")) {
            let someone_may = method.permission == Method::PUBLIC
                || !access::roles_of(method.permission).is_empty();
            if someone_may && !own.contains(&method.path) {
                assert!(called.contains(method.path), "{} has no route", method.path);
            }
        }
    }

    #[test]
    fn g3_every_post_that_makes_something_or_moves_money_needs_a_key() {
        // They make a session or nothing at all, or the provider's event id is the key.
        let without = [
            "/v1/sessions",
            "/v1/sessions/refresh",
            "/v1/ledger/transfers/lookup",
            "/v1/risk/backtests",
        ];
        let (document, _) = make();
        for route in routes()
            .iter()
            .filter(|route| route.method == axum::http::Method::POST)
        {
            if without.contains(&route.path) || route.path.starts_with("/v1/webhooks/") {
                continue;
            }
            let parameters = &document["paths"][route.path]["post"]["parameters"];
            let has_key = parameters.as_array().is_some_and(|all| {
                all.iter()
                    .any(|p| p["name"] == "Idempotency-Key" && p["required"] == true)
            });
            assert!(has_key, "{route:?}");
        }
    }
}
