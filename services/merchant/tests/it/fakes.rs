//! The ledger and the tenants as far as this component asks them.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
};

use axum::{Router, routing::post};
use paymesh_kernel::{ErrorKind, Fault};
use paymesh_mesh::to_status;
use paymesh_proto::{
    account::v1::{
        Account, AccountPurpose, CloseAccountRequest, CloseAccountResponse, OpenAccountRequest,
        OpenAccountResponse,
    },
    user::v1::{GetTenantRequest, GetTenantResponse, Tenant, TenantMode},
};
use tonic::{Request, Response, Status, service::Routes};

/// What the ledger does when it is asked for the account of one purpose; others it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It opens it.
    #[default]
    Good,
    /// It opens nothing and says so.
    Down(AccountPurpose),
    /// It opens it and the answer is lost.
    LosesAnswer(AccountPurpose),
    /// It opens it and never answers.
    Hangs(AccountPurpose),
    /// It will never open it.
    Refuses(AccountPurpose),
}

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) mood: Mood,
    /// Open accounts by id.
    pub(crate) open: HashMap<String, Account>,
    /// Requests to open, in order.
    pub(crate) asked: Vec<OpenAccountRequest>,
    /// Mode of the tenant; unspecified when nobody answers.
    pub(crate) mode: TenantMode,
    /// How often the mode was asked for.
    pub(crate) mode_asked: u32,
}

/// What both fakes know. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others {
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, thiserror::Error)]
#[error("merchants are not paid in this currency")]
struct Refused;

impl Fault for Refused {
    fn kind(&self) -> ErrorKind {
        ErrorKind::FailedPrecondition
    }

    fn reason(&self) -> &'static str {
        "CURRENCY_NOT_OFFERED"
    }
}

impl Others {
    pub(crate) fn books<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.books.lock().unwrap())
    }

    pub(crate) fn account(&self) -> Routes {
        let (open, close) = (self.clone(), self.clone());
        Router::new()
            .route(
                "/paymesh.account.v1.AccountService/OpenAccount",
                unary(move |request| {
                    let others = open.clone();
                    async move { others.open(request).await }
                }),
            )
            .route(
                "/paymesh.account.v1.AccountService/CloseAccount",
                unary(move |request: CloseAccountRequest| {
                    let closed = close.books(|books| books.open.remove(&request.account_id));
                    async move {
                        closed.map_or_else(
                            || Err(Status::not_found("there is no such account")),
                            |account| {
                                Ok(CloseAccountResponse {
                                    account: Some(account),
                                    ..CloseAccountResponse::default()
                                })
                            },
                        )
                    }
                }),
            )
            .into()
    }

    pub(crate) fn user(&self) -> Routes {
        let others = self.clone();
        Router::new()
            .route(
                "/paymesh.user.v1.UserService/GetTenant",
                unary(move |request: GetTenantRequest| {
                    let mode = others.books(|books| {
                        books.mode_asked += 1;
                        books.mode
                    });
                    let tenant = Tenant {
                        id: request.tenant_id,
                        mode: mode.into(),
                        ..Tenant::default()
                    };
                    async move {
                        if mode == TenantMode::Unspecified {
                            return Err(Status::unavailable("gone"));
                        }
                        Ok(GetTenantResponse {
                            tenant: Some(tenant),
                        })
                    }
                }),
            )
            .into()
    }

    async fn open(&self, request: OpenAccountRequest) -> Result<OpenAccountResponse, Status> {
        let purpose = request.purpose();
        let (mood, account) = self.books(|books| {
            books.asked.push(request.clone());
            let opens = books.mood != Mood::Down(purpose) && books.mood != Mood::Refuses(purpose);
            (books.mood, opens.then(|| books.open(&request)))
        });
        if mood == Mood::Down(purpose) || mood == Mood::LosesAnswer(purpose) {
            return Err(Status::unavailable("gone"));
        }
        if mood == Mood::Hangs(purpose) {
            std::future::pending::<()>().await;
        }
        if mood == Mood::Refuses(purpose) {
            return Err(to_status(&Refused));
        }
        Ok(OpenAccountResponse {
            account,
            ..OpenAccountResponse::default()
        })
    }
}

impl Books {
    fn open(&mut self, request: &OpenAccountRequest) -> Account {
        let known = self
            .open
            .values()
            .find(|known| known.owner == request.owner && known.purpose == request.purpose);
        if let Some(account) = known {
            return account.clone();
        }
        let account = Account {
            id: request.account_id.clone(),
            owner: request.owner.clone(),
            purpose: request.purpose,
            currency: request.currency.clone(),
            ..Account::default()
        };
        self.open.insert(account.id.clone(), account.clone());
        account
    }
}

/// One RPC of a service whose other RPCs nobody calls.
fn unary<Q, R, F, A>(handler: F) -> axum::routing::MethodRouter
where
    Q: prost::Message + Default + Send + 'static,
    R: prost::Message + Default + Send + 'static,
    F: Fn(Q) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<R, Status>> + Send + 'static,
{
    post(move |request: axum::extract::Request| {
        let handler = handler.clone();
        async move {
            let mut grpc = tonic::server::Grpc::new(tonic_prost::ProstCodec::<R, Q>::default());
            let service = tower::service_fn(move |request: Request<Q>| {
                let answer = handler(request.into_inner());
                async move { answer.await.map(Response::new) }
            });
            grpc.unary(service, request).await
        }
    })
}
