//! Each RPC: its request to a use case, the result to its response.

use paymesh_kernel::{Principal, id::ParseIdError};
use paymesh_proto::{reporting::v1 as wire, types};

use super::{
    Grpc,
    fields::{Asked, Fields, cut},
};
use crate::{
    convert,
    domain::{
        DefinitionId, Outcome, Run, ScheduleId,
        definition::{Form, Put},
        schedule::Change,
    },
    error::Error,
    store::runs::Place,
};

// === impl Grpc ===

impl Grpc {
    pub(super) async fn put_definition(
        &self,
        principal: &Principal,
        request: wire::PutDefinitionRequest,
    ) -> Result<wire::PutDefinitionResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("definition_id", &request.definition_id);
        let name = fields.name("name", &request.name);
        let kind = fields.needed("kind", convert::read_kind(request.kind()));
        let format = fields.needed("format", convert::read_format(request.format()));
        let expected = fields.version("expected_version", request.expected_version);
        let parameters = request.parameters.into_iter().collect();
        if let Some(kind) = kind {
            fields.append(kind.check(&parameters));
        }
        fields.done()?;
        let (Some(id), Some(name), Some(kind), Some(format)) = (id, name, kind, format) else {
            return Err(fields.error());
        };
        let put = Put {
            id,
            tenant: principal.tenant,
            form: Form {
                name,
                kind,
                format,
                parameters,
            },
            expected,
            by: principal.subject.clone(),
        };
        let (definition, outcome) = parts(self.app.put_definition(put).await?);
        Ok(wire::PutDefinitionResponse {
            definition: Some(convert::definition(&definition)),
            outcome,
        })
    }

    pub(super) async fn get_definition(
        &self,
        principal: &Principal,
        request: wire::GetDefinitionRequest,
    ) -> Result<wire::GetDefinitionResponse, Error> {
        let id = id("definition_id", &request.definition_id)?;
        let found = self.app.definition(principal, id).await?;
        Ok(wire::GetDefinitionResponse {
            definition: Some(convert::definition(&found)),
        })
    }

    pub(super) async fn list_definitions(
        &self,
        principal: &Principal,
        request: wire::ListDefinitionsRequest,
    ) -> Result<wire::ListDefinitionsResponse, Error> {
        let mut fields = Fields::default();
        let kind = convert::read_kind(request.kind());
        let page: Option<Asked<String>> = fields.page(request.page);
        let Some(page) = page else {
            return Err(fields.error());
        };
        let limit = page.limit;
        let mut found = self
            .app
            .definitions(principal, kind, page.one_more())
            .await?;
        let page_info = cut(&mut found, limit, |last| last.form.name.clone());
        Ok(wire::ListDefinitionsResponse {
            definitions: found.iter().map(convert::definition).collect(),
            page_info: Some(page_info),
        })
    }

    pub(super) async fn delete_definition(
        &self,
        principal: &Principal,
        request: wire::DeleteDefinitionRequest,
    ) -> Result<wire::DeleteDefinitionResponse, Error> {
        let id = id("definition_id", &request.definition_id)?;
        let ((), outcome) = parts(self.app.delete_definition(principal, id).await?);
        Ok(wire::DeleteDefinitionResponse { outcome })
    }

    pub(super) async fn create_schedule(
        &self,
        principal: &Principal,
        request: wire::CreateScheduleRequest,
    ) -> Result<wire::CreateScheduleResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("schedule_id", &request.schedule_id);
        let definition = fields.parse("definition_id", &request.definition_id);
        let beat = fields.beat(request.cadence(), request.minute_of_day);
        let (Some(id), Some(definition), Some(beat)) = (id, definition, beat) else {
            return Err(fields.error());
        };
        let made = self
            .app
            .create_schedule(principal, id, (definition, beat))
            .await?;
        let (schedule, outcome) = parts(made);
        Ok(wire::CreateScheduleResponse {
            schedule: Some(convert::schedule(&schedule)),
            outcome,
        })
    }

    pub(super) async fn get_schedule(
        &self,
        principal: &Principal,
        request: wire::GetScheduleRequest,
    ) -> Result<wire::GetScheduleResponse, Error> {
        let id = id("schedule_id", &request.schedule_id)?;
        let found = self.app.schedule(principal, id).await?;
        Ok(wire::GetScheduleResponse {
            schedule: Some(convert::schedule(&found)),
        })
    }

    pub(super) async fn list_schedules(
        &self,
        principal: &Principal,
        request: wire::ListSchedulesRequest,
    ) -> Result<wire::ListSchedulesResponse, Error> {
        let mut fields = Fields::default();
        let definition: Option<DefinitionId> =
            fields.maybe("definition_id", &request.definition_id);
        let page: Option<Asked<ScheduleId>> = fields.page(request.page);
        fields.done()?;
        let Some(page) = page else {
            return Err(fields.error());
        };
        let limit = page.limit;
        let mut found = self
            .app
            .schedules(principal, definition, page.one_more())
            .await?;
        let page_info = cut(&mut found, limit, |last| last.id);
        Ok(wire::ListSchedulesResponse {
            schedules: found.iter().map(convert::schedule).collect(),
            page_info: Some(page_info),
        })
    }

    pub(super) async fn update_schedule(
        &self,
        principal: &Principal,
        request: wire::UpdateScheduleRequest,
    ) -> Result<wire::UpdateScheduleResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("schedule_id", &request.schedule_id);
        let beat = fields.beat(request.cadence(), request.minute_of_day);
        let expected = fields.version("expected_version", request.expected_version);
        fields.done()?;
        let (Some(id), Some(beat)) = (id, beat) else {
            return Err(fields.error());
        };
        let change = Change {
            beat,
            is_enabled: request.enabled,
        };
        let changed = self
            .app
            .update_schedule(principal, id, (change, expected))
            .await?;
        let (schedule, outcome) = parts(changed);
        Ok(wire::UpdateScheduleResponse {
            schedule: Some(convert::schedule(&schedule)),
            outcome,
        })
    }

    pub(super) async fn delete_schedule(
        &self,
        principal: &Principal,
        request: wire::DeleteScheduleRequest,
    ) -> Result<wire::DeleteScheduleResponse, Error> {
        let id = id("schedule_id", &request.schedule_id)?;
        let ((), outcome) = parts(self.app.delete_schedule(principal, id).await?);
        Ok(wire::DeleteScheduleResponse { outcome })
    }

    pub(super) async fn run(
        &self,
        principal: &Principal,
        request: wire::RunRequest,
    ) -> Result<wire::RunResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("run_id", &request.run_id);
        let definition = fields.parse("definition_id", &request.definition_id);
        let span = fields.span(request.range);
        let (Some(id), Some(definition), Some(span)) = (id, definition, span) else {
            return Err(fields.error());
        };
        let started = self
            .app
            .start_run(principal, id, (definition, span))
            .await?;
        let (run, outcome) = parts(started);
        Ok(wire::RunResponse {
            run: Some(convert::run(&run)),
            outcome,
        })
    }

    pub(super) async fn get_run(
        &self,
        principal: &Principal,
        request: wire::GetRunRequest,
    ) -> Result<wire::GetRunResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("run_id", &request.run_id);
        let wait = fields.wait("wait_ms", request.wait_ms);
        let (Some(id), Some(wait)) = (id, wait) else {
            return Err(fields.error());
        };
        let run = self.app.run(principal, id, wait).await?;
        Ok(wire::GetRunResponse {
            run: Some(convert::run(&run)),
        })
    }

    pub(super) async fn list_runs(
        &self,
        principal: &Principal,
        request: wire::ListRunsRequest,
    ) -> Result<wire::ListRunsResponse, Error> {
        let mut fields = Fields::default();
        let definition = fields.maybe("definition_id", &request.definition_id);
        let state = convert::read_state(request.state());
        let page: Option<Asked<Place>> = fields.page(request.page);
        fields.done()?;
        let Some(page) = page else {
            return Err(fields.error());
        };
        let limit = page.limit;
        let mut found = self
            .app
            .runs(principal, (definition, state), page.one_more())
            .await?;
        let page_info = cut(&mut found, limit, |last| (last.created_at, last.id));
        Ok(wire::ListRunsResponse {
            runs: found.iter().map(convert::run).collect(),
            page_info: Some(page_info),
        })
    }

    pub(super) async fn file(
        &self,
        principal: &Principal,
        request: &wire::DownloadRequest,
    ) -> Result<Run, Error> {
        let id = id("run_id", &request.run_id)?;
        self.app.file(principal, id, request.offset_bytes).await
    }
}

fn id<T: std::str::FromStr<Err = ParseIdError>>(
    field: &'static str,
    text: &str,
) -> Result<T, Error> {
    text.parse()
        .map_err(|error: ParseIdError| Error::field(field, error.to_string()))
}

fn parts<T>(outcome: Outcome<T>) -> (T, i32) {
    match outcome {
        Outcome::Applied(value) => (value, types::v1::Outcome::Applied.into()),
        Outcome::AlreadyApplied(value) => (value, types::v1::Outcome::AlreadyApplied.into()),
    }
}
