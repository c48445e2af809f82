//! Stands for every other component: answers each RPC with a message that has all its fields set, unless a test says otherwise.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Body, extract::Request, http::Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use paymesh_kernel::{Fault, call};
use paymesh_mesh::to_status;
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    MethodDescriptor, Value,
};
use tokio::sync::Notify;
use tonic::Status;

/// How deep a sample goes into nested messages.
const DEPTH: usize = 5;

type Answer = Arc<dyn Fn(&[u8]) -> Result<Vec<u8>, Status> + Send + Sync>;

/// One call that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `TransactionService/Capture`
    pub(crate) method: String,
    /// The encoded request.
    pub(crate) request: Vec<u8>,
    /// Who asked.
    pub(crate) subject: Option<String>,
    pub(crate) request_id: String,
}

/// All other components.
#[derive(Clone, Default)]
pub(crate) struct Fakes {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    answers: Mutex<HashMap<String, Answer>>,
    calls: Mutex<Vec<Call>>,
    hanging: Mutex<HashSet<String>>,
    held: Mutex<HashMap<String, Arc<Held>>>,
}

/// A call that waits.
pub(crate) struct Held {
    /// Told when it has arrived.
    pub(crate) arrived: Notify,
    /// Lets it go.
    pub(crate) let_go: Notify,
    status: Status,
}

impl Fakes {
    /// Answers a method with `answer`.
    pub(crate) fn answer<Q, A>(
        &self,
        method: &str,
        answer: impl Fn(Q) -> Result<A, Status> + Send + Sync + 'static,
    ) where
        Q: Message + Default,
        A: Message,
    {
        let answer: Answer = Arc::new(move |request: &[u8]| {
            let request =
                Q::decode(request).map_err(|error| Status::internal(error.to_string()))?;
            answer(request).map(|answer| answer.encode_to_vec())
        });
        let mut answers = self
            .inner
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        answers.insert(method.to_owned(), answer);
    }

    /// Answers a method with an error.
    pub(crate) fn fail(&self, method: &str, fault: impl Fault) {
        let status = to_status(&fault);
        let answer: Answer = Arc::new(move |_| Err(status.clone()));
        let mut answers = self
            .inner
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        answers.insert(method.to_owned(), answer);
    }

    /// Holds the next call of a method until it is let go, and answers it with an error.
    pub(crate) fn hold(&self, method: &str, fault: impl Fault) -> Arc<Held> {
        let held = Arc::new(Held {
            arrived: Notify::new(),
            let_go: Notify::new(),
            status: to_status(&fault),
        });
        let mut all = self.inner.held.lock().unwrap();
        all.insert(method.to_owned(), Arc::clone(&held));
        held
    }

    /// Never answers a method.
    pub(crate) fn hang(&self, method: &str) {
        self.inner.hanging.lock().unwrap().insert(method.to_owned());
    }

    /// What arrived since the last look.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(
            &mut self
                .inner
                .calls
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The requests of a method that arrived since the last look.
    pub(crate) fn requests<Q: Message + Default>(&self, method: &str) -> Vec<Q> {
        let calls = self
            .calls()
            .into_iter()
            .filter(|call| call.method == method);
        calls
            .map(|call| Q::decode(call.request.as_slice()).unwrap())
            .collect()
    }

    /// A router that serves every RPC.
    pub(crate) fn router(&self) -> Router {
        let fakes = self.clone();
        Router::new().fallback(move |request: Request| {
            let fakes = fakes.clone();
            async move { fakes.serve(request).await }
        })
    }

    async fn serve(self, request: Request) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let method = path.rsplit_once('.').unwrap().1.to_owned();
        let frame = request.into_body().collect().await.unwrap().to_bytes();
        let message = frame.get(5..).unwrap_or_default();
        let scope = call::current().unwrap();
        self.inner.calls.lock().unwrap().push(Call {
            method: method.clone(),
            request: message.to_vec(),
            subject: scope.principal.map(|principal| principal.subject.clone()),
            request_id: scope.request_id.to_string(),
        });
        if self.inner.hanging.lock().unwrap().contains(&method) {
            std::future::pending::<()>().await;
        }
        let held = self.inner.held.lock().unwrap().remove(&method);
        if let Some(held) = held {
            held.arrived.notify_one();
            held.let_go.notified().await;
            return held.status.clone().into_http();
        }
        let answer = self.inner.answers.lock().unwrap().get(&method).cloned();
        let answered = match answer {
            Some(answer) => answer(message),
            None => Ok(sample(&descriptor(&path).output(), DEPTH).encode_to_vec()),
        };
        match answered {
            Ok(message) => success(message),
            Err(status) => status.into_http(),
        }
    }
}

fn success(message: Vec<u8>) -> Response<Body> {
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let mut trailers = axum::http::HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let body = Full::new(Bytes::from(frame)).with_trailers(async { Some(Ok(trailers)) });
    Response::builder()
        .header("content-type", "application/grpc")
        .body(Body::new(body))
        .unwrap()
}

fn descriptor(path: &str) -> MethodDescriptor {
    let pool = DescriptorPool::decode(paymesh_proto::FILE_DESCRIPTOR_SET).unwrap();
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap();
    let service = pool.get_service_by_name(service).unwrap();
    service
        .methods()
        .find(|known| known.name() == method)
        .unwrap()
}

/// A message with all fields set.
fn sample(descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if depth == 0 {
        return message;
    }
    for field in descriptor.fields() {
        let is_taken = field
            .containing_oneof()
            .is_some_and(|oneof| message_has(&message, &oneof));
        if is_taken {
            continue;
        }
        if let Some(value) = sample_field(&field, depth) {
            message.set_field(&field, value);
        }
    }
    message
}

fn message_has(message: &DynamicMessage, oneof: &prost_reflect::OneofDescriptor) -> bool {
    oneof.fields().any(|field| message.has_field(&field))
}

fn sample_field(field: &FieldDescriptor, depth: usize) -> Option<Value> {
    if field.is_map() {
        let entry = field.kind().as_message().cloned()?;
        let value = sample_value(&entry.map_entry_value_field(), depth)?;
        return Some(Value::Map(
            [(MapKey::String("key".to_owned()), value)].into(),
        ));
    }
    let value = sample_value(field, depth)?;
    Some(if field.is_list() {
        Value::List(vec![value])
    } else {
        value
    })
}

fn sample_value(field: &FieldDescriptor, depth: usize) -> Option<Value> {
    Some(match field.kind() {
        Kind::Double => Value::F64(0.5),
        Kind::Float => Value::F32(0.5),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(1),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 if field.name().ends_with("_us") => {
            Value::I64(1_768_478_400_000_000)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(1),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(1),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(1),
        Kind::Bool => Value::Bool(true),
        Kind::String if field.name() == "currency" => Value::String("USD".to_owned()),
        Kind::String => Value::String(format!("a-{}", field.name())),
        Kind::Bytes => Value::Bytes(Bytes::from_static(&[1, 2])),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(message) if depth > 1 => Value::Message(sample(&message, depth - 1)),
        Kind::Message(_) => return None,
    })
}
