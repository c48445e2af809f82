//! A running component, and short words for what tests do with it.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use futures::TryStreamExt as _;
use paymesh_bus::Event;
use paymesh_chassis::{Component as _, Host};
use paymesh_kernel::{
    ChangeSet, Clock as _, Database, Ids, Principal, Role, Timestamp, Writer,
    id::{TenantId, encode},
};
use paymesh_mesh::{CallError, Channel, Tokens};
use paymesh_proto::{
    Fact,
    reporting::v1::{self as pb, reporting_service_client::ReportingServiceClient},
    types::v1::{Money, TimeRange},
};
use paymesh_reporting::{Reporting, Settings};
use paymesh_testkit::{Harness, TestDatabase};
use sea_orm::{ConnectionTrait as _, Statement};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::books::Others;

pub(crate) type Client = ReportingServiceClient<Channel>;

pub(crate) const DAY_US: i64 = 86_400_000_000;
/// 2026-01-15, where the clock of tests stands.
pub(crate) const TODAY_US: i64 = 1_768_435_200_000_000;

pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) others: Others,
    pub(crate) settings: Settings,
    publishers: HashMap<&'static str, (TestDatabase, Writer)>,
    sequences: HashMap<Uuid, i64>,
}

/// Small pages and short waits, because a test waits for them.
fn settings() -> Settings {
    Settings {
        page_rows: 3,
        poll_ms: 20,
        catch_up_ms: 400,
        schedule_grace_ms: 0,
        ..Settings::default()
    }
}

const FAKES: &[&str] = &["account", "settlement", "gateway"];

impl World {
    pub(crate) async fn sqlite() -> Self {
        Self::begin(Harness::sqlite::<Reporting>(FAKES).await).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::begin(Harness::postgres::<Reporting>(FAKES).await?).await)
    }

    async fn begin(harness: Harness) -> Self {
        let mut world = Self {
            harness,
            others: Others::default(),
            settings: settings(),
            publishers: HashMap::new(),
            sequences: HashMap::new(),
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        self.harness.fake("account", self.others.account());
        self.harness.fake("settlement", self.others.settlement());
        self.harness
            .launch::<Reporting>(self.settings.clone())
            .await;
    }

    /// A second process of the component on the same database, in a mesh of its own.
    pub(crate) async fn add_replica(&mut self) {
        let config = self.harness.database_of("reporting").await;
        let database = Database::open(&config).await.unwrap();
        let mut platform = self.harness.platform.clone();
        platform.ids = Ids::new(Arc::clone(&platform.clock));
        let writer = Writer::start(
            "reporting",
            Default::default(),
            database.clone(),
            &platform.tasks,
        );
        let tokens = Tokens::new(
            "reporting",
            platform.keys.clone(),
            Arc::clone(&platform.clock),
        );
        let host = Host {
            name: "reporting",
            database,
            writer,
            tokens,
            platform,
        };
        let service = Reporting::init(self.settings.clone(), host).await;
        drop(service.unwrap());
    }

    /// The process ends and another one begins.
    pub(crate) async fn restart(&mut self) {
        self.harness.restart().await;
        self.publishers.clear();
        self.start().await;
    }

    /// The component's own database, for what no answer shows.
    pub(crate) async fn database(&mut self) -> Database {
        let config = self.harness.database_of("reporting").await;
        Database::open(&config).await.unwrap()
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.harness.clock.now().as_micros()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.harness.clock.advance(by);
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.harness.platform.ids.next()
    }

    /// A new id as others write it.
    pub(crate) fn id(&self, prefix: &str) -> String {
        encode(prefix, self.uuid())
    }

    pub(crate) fn definition_id(&self) -> String {
        self.id("def")
    }

    pub(crate) fn run_id(&self) -> String {
        self.id("run")
    }

    /// Calls as `principal` through the gateway.
    pub(crate) async fn call_as<T, F>(
        &self,
        principal: &Principal,
        call: impl FnOnce(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let client = ReportingServiceClient::new(self.harness.channel("gateway", "reporting"));
        let answer = self.harness.act(principal, call(client)).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    /// Calls as somebody of finance.
    pub(crate) async fn call<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_as(&self.harness.person(Role::Finance), call)
            .await
    }

    /// A person of another tenant.
    pub(crate) fn stranger(&self) -> Principal {
        Principal {
            tenant: self.harness.platform.ids.next::<TenantId>(),
            ..self.harness.person(Role::Admin)
        }
    }

    pub(crate) fn definition(
        &self,
        kind: pb::ReportKind,
        parameters: &[(&str, &str)],
    ) -> pb::PutDefinitionRequest {
        let id = self.definition_id();
        pb::PutDefinitionRequest {
            name: format!("report {id}"),
            definition_id: id,
            kind: kind.into(),
            format: pb::ReportFormat::Csv.into(),
            parameters: parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            expected_version: 0,
        }
    }

    pub(crate) async fn put(
        &self,
        request: &pb::PutDefinitionRequest,
    ) -> Result<pb::PutDefinitionResponse, CallError> {
        let request = request.clone();
        self.call(|mut client| async move { client.put_definition(request).await })
            .await
    }

    /// The id of a definition that is there now.
    pub(crate) async fn defined(
        &self,
        kind: pb::ReportKind,
        parameters: &[(&str, &str)],
    ) -> String {
        let request = self.definition(kind, parameters);
        self.put(&request).await.unwrap().definition.unwrap().id
    }

    pub(crate) async fn start_run(
        &self,
        run_id: &str,
        definition_id: &str,
        range: Option<(i64, i64)>,
    ) -> Result<pb::RunResponse, CallError> {
        let request = pb::RunRequest {
            run_id: run_id.to_owned(),
            definition_id: definition_id.to_owned(),
            range: range.map(|(from_at_us, until_at_us)| TimeRange {
                from_at_us,
                until_at_us,
            }),
        };
        self.call(|mut client| async move { client.run(request).await })
            .await
    }

    pub(crate) async fn get_run(&self, run_id: &str, wait_ms: i32) -> pb::ReportRun {
        let request = pb::GetRunRequest {
            run_id: run_id.to_owned(),
            wait_ms,
        };
        let answer = self
            .call(|mut client| async move { client.get_run(request).await })
            .await;
        answer.unwrap().run.unwrap()
    }

    /// A run of a definition until its end.
    pub(crate) async fn run(&self, definition: &str, range: Option<(i64, i64)>) -> pb::ReportRun {
        let id = self.run_id();
        self.start_run(&id, definition, range).await.unwrap();
        let run = self.get_run(&id, 8_000).await;
        assert!(
            matches!(run.state(), pb::RunState::Completed | pb::RunState::Failed),
            "{run:?}"
        );
        run
    }

    pub(crate) async fn runs(&self, definition: &str) -> Vec<pb::ReportRun> {
        let request = pb::ListRunsRequest {
            definition_id: definition.to_owned(),
            ..pb::ListRunsRequest::default()
        };
        let answer = self
            .call(|mut client| async move { client.list_runs(request).await })
            .await;
        answer.unwrap().runs
    }

    /// Parts of a file from `offset` on.
    pub(crate) async fn download(
        &self,
        run_id: &str,
        offset_bytes: u64,
    ) -> Result<Vec<pb::DownloadResponse>, CallError> {
        let request = pb::DownloadRequest {
            run_id: run_id.to_owned(),
            offset_bytes,
        };
        let parts = self
            .call(|mut client| async move { client.download(request).await })
            .await?;
        let parts: Result<Vec<pb::DownloadResponse>, Status> = parts.try_collect().await;
        parts.map_err(CallError::from)
    }

    /// The whole file of a run.
    pub(crate) async fn file(&self, run_id: &str) -> String {
        let parts = self.download(run_id, 0).await.unwrap();
        let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.chunk).collect();
        String::from_utf8(bytes).unwrap()
    }

    /// The lines of a report, each by column, of a run until its end.
    pub(crate) async fn lines(
        &self,
        (kind, parameters): (pb::ReportKind, &[(&str, &str)]),
        range: Option<(i64, i64)>,
    ) -> Vec<HashMap<String, String>> {
        let definition = self.defined(kind, parameters).await;
        let run = self.run(&definition, range).await;
        assert_eq!(run.state(), pb::RunState::Completed, "{run:?}");
        let lines = read_csv(&self.file(&run.id).await);
        assert_eq!(u64::try_from(lines.len()).unwrap(), run.row_count);
        lines
    }

    /// Publishes a fact as another component of the tenant would.
    pub(crate) async fn tell<F: Fact>(&mut self, aggregate: Uuid, payload: &F) {
        let now_us = self.now_us();
        self.tell_at(aggregate, payload, now_us).await;
    }

    /// The same at a moment of business time.
    pub(crate) async fn tell_at<F: Fact>(
        &mut self,
        aggregate: Uuid,
        payload: &F,
        business_at_us: i64,
    ) {
        let sequence = self.sequences.entry(aggregate).or_insert(0);
        *sequence += 1;
        let place = (aggregate, *sequence);
        let event = self.event(place, payload, business_at_us);
        self.publish(event).await;
    }

    /// A fact in its place among those of its aggregate.
    pub(crate) fn event<F: Fact>(
        &self,
        (aggregate_id, sequence): (Uuid, i64),
        payload: &F,
        business_at_us: i64,
    ) -> Event {
        Event {
            id: self.harness.platform.ids.next(),
            tenant: Some(self.harness.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id,
            sequence,
            causation_id: String::new(),
            correlation_id: "test".to_owned(),
            occurred_at: self.harness.clock.now(),
            business_at: Timestamp::from_micros(business_at_us),
            traceparent: None,
            payload: payload.encode_to_vec(),
        }
    }

    pub(crate) async fn publish(&mut self, event: Event) {
        let component = paymesh_proto::fact_type(&event.kind).unwrap().component;
        let mut changes = ChangeSet::new();
        paymesh_bus::publish(&mut changes, event);
        let writer = self.publisher(component).await;
        writer.commit(changes).await.unwrap();
    }

    async fn publisher(&mut self, component: &'static str) -> Writer {
        if let Some((_, writer)) = self.publishers.get(component) {
            return writer.clone();
        }
        let test = TestDatabase::sqlite().await;
        let database = test.database.clone();
        for migration in paymesh_bus::migrations() {
            let manager = sea_orm_migration::SchemaManager::new(database.writer());
            migration.up(&manager).await.unwrap();
        }
        let platform = &self.harness.platform;
        let writer = Writer::start(
            component,
            Default::default(),
            database.clone(),
            &platform.tasks,
        );
        platform
            .bus
            .start_relay(component, &database, &writer)
            .unwrap();
        self.publishers.insert(component, (test, writer.clone()));
        writer
    }

    /// Waits until a report has so many lines: then the facts before have been taken in.
    pub(crate) async fn taken_in(
        &self,
        (kind, parameters): (pb::ReportKind, &[(&str, &str)]),
        count: u64,
    ) {
        let definition = self.defined(kind, parameters).await;
        self.harness
            .eventually("the facts are taken in", async || {
                self.run(&definition, None).await.row_count == count
            })
            .await;
    }
}

/// The lines of a CSV file by column.
pub(crate) fn read_csv(text: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// Some columns of each line, with a blank between them.
pub(crate) fn columns(lines: &[HashMap<String, String>], names: &[&str]) -> Vec<String> {
    let line = |line: &HashMap<String, String>| {
        let cells: Vec<&str> = names.iter().map(|name| line[*name].as_str()).collect();
        cells.join(" ")
    };
    lines.iter().map(line).collect()
}

pub(crate) fn money(minor: i64, currency: &str) -> Option<Money> {
    Some(Money {
        minor,
        currency: currency.to_owned(),
    })
}

/// The reason of a refused call.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    result.unwrap_err().reason_text().to_owned()
}

/// How many rows a table has.
pub(crate) async fn rows(database: &Database, table: &str) -> i64 {
    let count = format!("SELECT COUNT(*) AS count FROM {table}");
    let statement = Statement::from_string(database.backend().into(), count);
    let row = database.reader().query_one_raw(statement).await.unwrap();
    row.unwrap().try_get("", "count").unwrap()
}
