//! The service: requests are checked, handed to a use case, and its result is shown. No rules of business.

mod fields;
mod handlers;

use std::pin::Pin;

use futures::{Stream, stream};
use paymesh_chassis::Surface;
use paymesh_kernel::Principal;
use paymesh_mesh::{self as mesh, to_status};
use paymesh_proto::reporting::v1::{
    self as wire,
    reporting_service_server::{ReportingService, ReportingServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{app::App, domain::Run, error::Error};

/// The service over its use cases.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

type Answer<T> = Result<Response<T>, Status>;

/// How the component is reached.
pub(crate) fn surface(app: App) -> Surface {
    Surface::Grpc(Routes::new(ReportingServiceServer::new(Grpc { app })))
}

fn show<T>(result: Result<T, Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

fn principal<T>(request: &Request<T>) -> Result<&Principal, Status> {
    mesh::caller(request).map(|(_, principal)| principal)
}

/// Parts of a file, each read when the one before was taken.
type Parts = Pin<Box<dyn Stream<Item = Result<wire::DownloadResponse, Status>> + Send>>;

fn parts(app: App, run: Run, offset: u64) -> Parts {
    let begin = Some((app, run, offset));
    Box::pin(stream::try_unfold(begin, |place| async move {
        let Some((app, run, offset)) = place else {
            return Ok(None);
        };
        let part = app.part(&run, offset).await;
        let Some(part) = part.map_err(|error| to_status(&error))? else {
            return Ok(None);
        };
        let length = u64::try_from(part.bytes.len()).unwrap_or(0);
        let next = (length > 0).then(|| (app, run, offset.saturating_add(length)));
        let response = wire::DownloadResponse {
            offset_bytes: part.offset,
            chunk: part.bytes,
        };
        Ok(Some((response, next)))
    }))
}

macro_rules! unary {
    ($($method:ident: $request:ident -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl ReportingService for Grpc {
            type DownloadStream = Parts;

            $(
                async fn $method(
                    &self,
                    request: Request<wire::$request>,
                ) -> Answer<wire::$response> {
                    let principal = principal(&request)?.clone();
                    show(Self::$method(self, &principal, request.into_inner()).await)
                }
            )*

            async fn download(&self, request: Request<wire::DownloadRequest>) -> Answer<Parts> {
                let principal = principal(&request)?.clone();
                let request = request.into_inner();
                let offset = request.offset_bytes;
                let run = Self::file(self, &principal, &request).await;
                show(run.map(|run| parts(self.app.clone(), run, offset)))
            }
        }
    };
}

unary! {
    put_definition: PutDefinitionRequest -> PutDefinitionResponse;
    get_definition: GetDefinitionRequest -> GetDefinitionResponse;
    list_definitions: ListDefinitionsRequest -> ListDefinitionsResponse;
    delete_definition: DeleteDefinitionRequest -> DeleteDefinitionResponse;
    create_schedule: CreateScheduleRequest -> CreateScheduleResponse;
    get_schedule: GetScheduleRequest -> GetScheduleResponse;
    list_schedules: ListSchedulesRequest -> ListSchedulesResponse;
    update_schedule: UpdateScheduleRequest -> UpdateScheduleResponse;
    delete_schedule: DeleteScheduleRequest -> DeleteScheduleResponse;
    run: RunRequest -> RunResponse;
    get_run: GetRunRequest -> GetRunResponse;
    list_runs: ListRunsRequest -> ListRunsResponse;
}
