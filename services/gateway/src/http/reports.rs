//! Reports: definitions, schedules, runs and their files.

mod forms;

use std::sync::Arc;

use axum::{
    body::Body as HttpBody,
    http::{HeaderValue, Response, StatusCode, header},
};
use futures::{StreamExt as _, stream};
use paymesh_proto::reporting::v1 as pb;

use super::{
    answer::{Done, Found, Gone, Made, Page, Raw, present},
    form::{Form, Word, number_of},
    input::{Body, Headers, Listing, Path, Query, Wait, range, text_map},
    once::Once,
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

pub(crate) use forms::{
    CreateSchedule, DefinitionFilter, PutDefinition, ReportDefinition, ReportFile, ReportRun,
    ReportSchedule, RunFilter, RunQuery, ScheduleFilter, StartRun, UpdateSchedule,
};

const TAG: &str = "Reports";

pub(crate) fn routes() -> Vec<Route> {
    let reports = |route: Route| route.tag(TAG);
    [
        Route::post("/v1/reports/definitions", create_definition)
            .about("Make a report")
            .calls(&["ReportingService/PutDefinition"]),
        Route::get("/v1/reports/definitions", list_definitions)
            .about("List reports by name")
            .calls(&["ReportingService/ListDefinitions"]),
        Route::get("/v1/reports/definitions/{definition_id}", get_definition)
            .about("Read a report's definition")
            .calls(&["ReportingService/GetDefinition"]),
        Route::put("/v1/reports/definitions/{definition_id}", put_definition)
            .about("Replace a report's definition")
            .calls(&["ReportingService/PutDefinition"]),
        Route::delete("/v1/reports/definitions/{definition_id}", delete_definition)
            .about("Delete a report and its schedules")
            .notes("Runs stay.")
            .calls(&["ReportingService/DeleteDefinition"]),
        Route::post("/v1/reports/schedules", create_schedule)
            .about("Have a report run by itself")
            .calls(&["ReportingService/CreateSchedule"]),
        Route::get("/v1/reports/schedules", list_schedules)
            .about("List schedules")
            .calls(&["ReportingService/ListSchedules"]),
        Route::get("/v1/reports/schedules/{schedule_id}", get_schedule)
            .about("Read a schedule")
            .calls(&["ReportingService/GetSchedule"]),
        Route::put("/v1/reports/schedules/{schedule_id}", update_schedule)
            .about("Change a schedule")
            .calls(&["ReportingService/UpdateSchedule"]),
        Route::delete("/v1/reports/schedules/{schedule_id}", delete_schedule)
            .about("Delete a schedule")
            .calls(&["ReportingService/DeleteSchedule"]),
        Route::post("/v1/reports/runs", start_run)
            .about("Run a report")
            .calls(&["ReportingService/Run"]),
        Route::get("/v1/reports/runs", list_runs)
            .about("List runs, newest first")
            .calls(&["ReportingService/ListRuns"]),
        Route::get("/v1/reports/runs/{run_id}", get_run)
            .about("Read a run")
            .calls(&["ReportingService/GetRun"]),
        Route::get("/v1/reports/runs/{run_id}/file", download)
            .about("Download the file of a run")
            .notes("`Range: bytes=<begin>-` goes on after a break.")
            .calls(&["ReportingService/GetRun", "ReportingService/Download"]),
    ]
    .map(reports)
    .to_vec()
}

fn definition_request(definition_id: String, body: PutDefinition) -> pb::PutDefinitionRequest {
    pb::PutDefinitionRequest {
        definition_id,
        name: body.name,
        kind: body.kind.number(),
        format: body
            .format
            .map_or(pb::ReportFormat::Csv.into(), Word::number),
        parameters: text_map(body.parameters),
        expected_version: body.expected_version.unwrap_or(0),
    }
}

async fn create_definition(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<PutDefinition>,
) -> Result<Made<ReportDefinition>, Problem> {
    let answer = once
        .with_id("def", async |id| {
            Ok(clients
                .reporting()
                .put_definition(definition_request(id, body))
                .await?
                .into_inner())
        })
        .await?;
    let definition = ReportDefinition::form(present(answer.definition, "reporting", "definition")?);
    let location = format!("/v1/reports/definitions/{}", definition.id);
    Ok(Made::new(definition, location, answer.outcome))
}

async fn put_definition(
    clients: Arc<Clients>,
    Path(id): Path<0>,
    Body(body): Body<PutDefinition>,
) -> Result<Done<ReportDefinition>, Problem> {
    let answer = clients
        .reporting()
        .put_definition(definition_request(id, body))
        .await?
        .into_inner();
    let definition = ReportDefinition::form(present(answer.definition, "reporting", "definition")?);
    Ok(Done::new(definition, answer.outcome))
}

async fn list_definitions(
    clients: Arc<Clients>,
    listing: Listing<DefinitionFilter>,
) -> Result<Page<ReportDefinition>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListDefinitionsRequest {
        kind: number_of(filter.kind),
        page: Some(page),
    };
    let answer = clients
        .reporting()
        .list_definitions(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.definitions), answer.page_info))
}

async fn get_definition(
    clients: Arc<Clients>,
    Path(definition_id): Path<0>,
) -> Result<Found<ReportDefinition>, Problem> {
    let request = pb::GetDefinitionRequest { definition_id };
    let answer = clients
        .reporting()
        .get_definition(request)
        .await?
        .into_inner();
    Ok(Found(ReportDefinition::form(present(
        answer.definition,
        "reporting",
        "definition",
    )?)))
}

async fn delete_definition(
    clients: Arc<Clients>,
    Path(definition_id): Path<0>,
) -> Result<Gone, Problem> {
    clients
        .reporting()
        .delete_definition(pb::DeleteDefinitionRequest { definition_id })
        .await?;
    Ok(Gone)
}

async fn create_schedule(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<CreateSchedule>,
) -> Result<Made<ReportSchedule>, Problem> {
    let answer = once
        .with_id("sch", async |schedule_id| {
            let request = pb::CreateScheduleRequest {
                schedule_id,
                definition_id: body.definition_id,
                cadence: body.cadence.number(),
                minute_of_day: body.minute_of_day.unwrap_or(0),
            };
            Ok(clients
                .reporting()
                .create_schedule(request)
                .await?
                .into_inner())
        })
        .await?;
    let schedule = ReportSchedule::form(present(answer.schedule, "reporting", "schedule")?);
    let location = format!("/v1/reports/schedules/{}", schedule.id);
    Ok(Made::new(schedule, location, answer.outcome))
}

async fn list_schedules(
    clients: Arc<Clients>,
    listing: Listing<ScheduleFilter>,
) -> Result<Page<ReportSchedule>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListSchedulesRequest {
        definition_id: filter.definition_id.unwrap_or_default(),
        page: Some(page),
    };
    let answer = clients
        .reporting()
        .list_schedules(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.schedules), answer.page_info))
}

async fn get_schedule(
    clients: Arc<Clients>,
    Path(schedule_id): Path<0>,
) -> Result<Found<ReportSchedule>, Problem> {
    let request = pb::GetScheduleRequest { schedule_id };
    let answer = clients
        .reporting()
        .get_schedule(request)
        .await?
        .into_inner();
    Ok(Found(ReportSchedule::form(present(
        answer.schedule,
        "reporting",
        "schedule",
    )?)))
}

async fn update_schedule(
    clients: Arc<Clients>,
    Path(schedule_id): Path<0>,
    Body(body): Body<UpdateSchedule>,
) -> Result<Done<ReportSchedule>, Problem> {
    let request = pb::UpdateScheduleRequest {
        schedule_id,
        cadence: body.cadence.number(),
        minute_of_day: body.minute_of_day,
        enabled: body.enabled,
        expected_version: body.expected_version.unwrap_or(0),
    };
    let answer = clients
        .reporting()
        .update_schedule(request)
        .await?
        .into_inner();
    let schedule = ReportSchedule::form(present(answer.schedule, "reporting", "schedule")?);
    Ok(Done::new(schedule, answer.outcome))
}

async fn delete_schedule(
    clients: Arc<Clients>,
    Path(schedule_id): Path<0>,
) -> Result<Gone, Problem> {
    clients
        .reporting()
        .delete_schedule(pb::DeleteScheduleRequest { schedule_id })
        .await?;
    Ok(Gone)
}

async fn start_run(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<StartRun>,
) -> Result<Made<ReportRun>, Problem> {
    let answer = once
        .with_id("run", async |run_id| {
            let request = pb::RunRequest {
                run_id,
                definition_id: body.definition_id,
                range: range(Some(body.from), Some(body.until)),
            };
            Ok(clients.reporting().run(request).await?.into_inner())
        })
        .await?;
    let run = ReportRun::form(present(answer.run, "reporting", "run")?);
    let location = format!("/v1/reports/runs/{}", run.id);
    Ok(Made::new(run, location, answer.outcome))
}

async fn list_runs(
    clients: Arc<Clients>,
    listing: Listing<RunFilter>,
) -> Result<Page<ReportRun>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListRunsRequest {
        definition_id: filter.definition_id.unwrap_or_default(),
        state: number_of(filter.state),
        page: Some(page),
    };
    let answer = clients.reporting().list_runs(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.runs), answer.page_info))
}

async fn get_run(
    clients: Arc<Clients>,
    Path(run_id): Path<0>,
    wait: Wait,
    Query(query): Query<RunQuery>,
) -> Result<Found<ReportRun>, Problem> {
    let wait_ms = wait.or(query.wait_ms)?.unwrap_or(0);
    let answer = clients
        .reporting()
        .get_run(pb::GetRunRequest { run_id, wait_ms })
        .await?
        .into_inner();
    Ok(Found(ReportRun::form(present(
        answer.run,
        "reporting",
        "run",
    )?)))
}

async fn download(
    clients: Arc<Clients>,
    Path(run_id): Path<0>,
    Headers(headers): Headers,
) -> Result<Raw<ReportFile>, Problem> {
    let begin = headers
        .get(header::RANGE)
        .map(|range| begin_of(range).ok_or(()))
        .transpose();
    let begin = begin.map_err(|()| Problem::field("Range", "must be bytes=<begin>-"))?;
    let request = pb::GetRunRequest {
        run_id: run_id.clone(),
        wait_ms: 0,
    };
    let run = present(
        clients.reporting().get_run(request).await?.into_inner().run,
        "reporting",
        "run",
    )?;
    let offset_bytes = begin.unwrap_or(0);
    let request = pb::DownloadRequest {
        run_id,
        offset_bytes,
    };
    let mut chunks = clients.reporting().download(request).await?.into_inner();
    // The first chunk before the headers, so that a refusal is an answer and not a broken file.
    let first = chunks.next().await.transpose()?;
    let rest = stream::iter(first.map(Ok))
        .chain(chunks)
        .map(|chunk| match chunk {
            Ok(chunk) => Ok(chunk.chunk),
            Err(status) => Err(std::io::Error::other(status.to_string())),
        });
    let mut response = Response::new(HttpBody::from_stream(rest));
    let is_csv = run.format == i32::from(pb::ReportFormat::Csv);
    let (media_type, extension) = if is_csv {
        ("text/csv; charset=utf-8", "csv")
    } else {
        ("application/x-ndjson", "ndjson")
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(name) =
        HeaderValue::from_str(&format!("attachment; filename=\"{}.{extension}\"", run.id))
    {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    if let Some(begin) = begin
        && let Some(last) = run.size_bytes.checked_sub(1)
        && let Ok(range) =
            HeaderValue::from_str(&format!("bytes {begin}-{last}/{}", run.size_bytes))
    {
        headers.insert(header::CONTENT_RANGE, range);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(Raw::new(response))
}

/// `bytes=<begin>-`
fn begin_of(range: &HeaderValue) -> Option<u64> {
    let text = range.to_str().ok()?;
    text.trim()
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}
