//! A gateway for one test, and a client for it.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use jsonwebtoken::{Algorithm, Header};
use paymesh_bus::Event;
use paymesh_chassis::{Section, launch};
use paymesh_gateway::{Config, Gateway};
use paymesh_kernel::{ChangeSet, Database, Role, Writer, group_commit::GroupCommitConfig};
use paymesh_mesh::Keys;
use paymesh_proto::user::v1 as user;
use paymesh_testkit::Harness;
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::fake::Fakes;

/// Components that stand behind the gateway.
const OTHERS: [&str; 9] = [
    "account",
    "currency",
    "merchant",
    "payment",
    "reporting",
    "risk",
    "settlement",
    "transaction",
    "user",
];
/// An API key that is known.
pub(crate) const API_KEY: &str = "sk_test_0123456789";

/// A gateway with everything around it.
pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) fakes: Fakes,
    pub(crate) router: Router,
    pub(crate) keys: Keys,
    pub(crate) user: String,
    publisher: Writer,
}

/// The tables of a publisher.
struct Outbox;

impl MigratorTrait for Outbox {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        paymesh_bus::migrations()
    }
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    pub(crate) json: Value,
}

/// A request on its way.
pub(crate) struct Ask<'a> {
    world: &'a World,
    method: Method,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let harness = Harness::sqlite::<Gateway>(&OTHERS).await;
        Self::over(harness, config).await
    }

    /// On PostgreSQL; None when there is no server.
    pub(crate) async fn postgres() -> Option<Self> {
        let harness = Harness::postgres::<Gateway>(&OTHERS).await?;
        Some(Self::over(harness, Config::default()).await)
    }

    async fn over(mut harness: Harness, config: Config) -> Self {
        let fakes = Fakes::default();
        for component in OTHERS {
            harness.fake(component, fakes.router().into());
        }
        let keys = Keys::ephemeral().unwrap();
        let router = start(&mut harness, config).await;
        let user = harness
            .platform
            .ids
            .next::<paymesh_kernel::id::UserId>()
            .to_string();
        let publisher = publisher(&mut harness).await;
        let world = Self {
            harness,
            fakes,
            router,
            keys,
            user,
            publisher,
        };
        world.publish_keys(&world.keys);
        world.know_api_key();
        world
    }

    /// A second gateway on the same database, as another replica has it.
    pub(crate) async fn replica(&mut self, config: Config) -> Router {
        start(&mut self.harness, config).await
    }

    /// Publishes facts as transaction does.
    pub(crate) async fn publish(&self, facts: Vec<Event>) {
        let mut changes = ChangeSet::new();
        for fact in facts {
            paymesh_bus::publish(&mut changes, fact);
        }
        self.publisher.commit(changes).await.unwrap();
    }

    /// Has user publish a key.
    pub(crate) fn publish_keys(&self, keys: &Keys) {
        let key = user::Jwk {
            kid: keys.id().to_owned(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            x: URL_SAFE_NO_PAD.encode(keys.public()),
        };
        self.fakes
            .answer("UserService/GetJwks", move |_: user::GetJwksRequest| {
                Ok(user::GetJwksResponse {
                    keys: vec![key.clone()],
                    cacheable_ms: 300_000,
                })
            });
    }

    fn know_api_key(&self) {
        let tenant_id = self.harness.tenant.to_string();
        self.fakes.answer(
            "UserService/AuthenticateApiKey",
            move |request: user::AuthenticateApiKeyRequest| {
                if request.secret != API_KEY {
                    return Err(paymesh_mesh::to_status(&Refused));
                }
                Ok(user::AuthenticateApiKeyResponse {
                    principal: Some(user::Principal {
                        tenant_id: tenant_id.clone(),
                        subject: "key_01h455vb4pex5vsknk084sn02q".to_owned(),
                        roles: vec![user::Role::Admin.into()],
                        ..Default::default()
                    }),
                    cacheable_ms: 60_000,
                    ..Default::default()
                })
            },
        );
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self, roles: &[Role]) -> Value {
        let now = self.harness.platform.clock.now().as_millis() / 1_000;
        json!({
            "iss": "paymesh",
            "aud": "paymesh",
            "sub": self.user,
            "tenant": self.harness.tenant,
            "mode": "sandbox",
            "roles": roles,
            "sid": "ses_01h455vb4pex5vsknk084sn02q",
            "jti": "1",
            "iat": now,
            "nbf": now,
            "exp": now + 900,
        })
    }

    /// A token of the test's user.
    pub(crate) fn token(&self, roles: &[Role]) -> String {
        sign(&self.keys, "at+jwt", &self.claims(roles))
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask {
            world: self,
            method,
            path: path.to_owned(),
            headers: BTreeMap::new(),
            body: Vec::new(),
        }
        .header(
            "authorization",
            &format!("Bearer {}", self.token(&ALL_ROLES)),
        )
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Ask<'_> {
        self.ask(Method::POST, path)
            .header("idempotency-key", "key-1")
    }
}

/// Every role that a person may have.
pub(crate) const ALL_ROLES: [Role; 6] = [
    Role::Customer,
    Role::Merchant,
    Role::Support,
    Role::Finance,
    Role::Admin,
    Role::Auditor,
];

async fn start(harness: &mut Harness, settings: Config) -> Router {
    let section = Section {
        database: harness.database_of("gateway").await,
        settings,
        ..Section::default()
    };
    let launched = launch::<Gateway>(section, &harness.platform).await.unwrap();
    launched.start().unwrap().1
}

/// The writer of transaction, whose outbox is relayed.
async fn publisher(harness: &mut Harness) -> Writer {
    let config = harness.database_of("transaction").await;
    let database = Database::open(&config).await.unwrap();
    Outbox::up(database.writer(), None).await.unwrap();
    let tasks = &harness.platform.tasks;
    let writer = Writer::start(
        "transaction",
        GroupCommitConfig::default(),
        database.clone(),
        tasks,
    );
    harness
        .platform
        .bus
        .start_relay("transaction", &database, &writer)
        .unwrap();
    writer
}

/// Signs claims as user does.
pub(crate) fn sign(keys: &Keys, typ: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(typ.to_owned());
    header.kid = Some(keys.id().to_owned());
    jsonwebtoken::encode(&header, claims, keys.signing()).unwrap()
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string().into_bytes())
    }

    pub(crate) fn raw(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", media_type)
    }

    pub(crate) async fn send(self) -> Answer {
        let router = self.world.router.clone();
        self.send_to(router).await
    }

    /// The response as it comes, for streams.
    pub(crate) async fn open(self) -> axum::http::Response<Body> {
        let router = self.world.router.clone();
        self.open_at(router).await
    }

    pub(crate) async fn open_at(self, router: Router) -> axum::http::Response<Body> {
        router.oneshot(self.request()).await.unwrap()
    }

    pub(crate) async fn send_to(self, router: Router) -> Answer {
        let response = router.oneshot(self.request()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
        }
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Body::from(self.body.clone())).unwrap()
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that it is a problem with this status and reason; gives its document.
    pub(crate) fn problem(&self, status: u16, reason: &str) -> &Value {
        assert_eq!(
            (self.status.as_u16(), self.json["reason"].as_str()),
            (status, Some(reason)),
            "{self:?}"
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        let kind = self.json["type"].as_str().unwrap();
        assert!(
            kind.ends_with(&format!("#{}", reason.to_lowercase())),
            "{kind}"
        );
        assert!(["not_processed", "unknown"].contains(&self.json["outcome"].as_str().unwrap()));
        assert_eq!(self.json["request_id"], self.header("x-request-id"));
        for name in ["title", "detail"] {
            assert!(!self.json[name].as_str().unwrap().is_empty(), "{name}");
        }
        &self.json
    }
}

/// User's word for a key that it does not know.
#[derive(Debug, thiserror::Error)]
#[error("the key is not known")]
pub(crate) struct Refused;

impl paymesh_kernel::Fault for Refused {
    fn kind(&self) -> paymesh_kernel::ErrorKind {
        paymesh_kernel::ErrorKind::Unauthenticated
    }

    fn reason(&self) -> &'static str {
        "API_KEY_UNKNOWN"
    }
}

/// An error as a component may answer it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fails {
    pub(crate) kind: paymesh_kernel::ErrorKind,
    pub(crate) reason: &'static str,
    pub(crate) message: &'static str,
    pub(crate) outcome: paymesh_kernel::Outcome,
}

impl paymesh_kernel::Fault for Fails {
    fn kind(&self) -> paymesh_kernel::ErrorKind {
        self.kind
    }

    fn reason(&self) -> &'static str {
        self.reason
    }

    fn outcome(&self) -> paymesh_kernel::Outcome {
        self.outcome
    }
}
