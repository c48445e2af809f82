//! The ledger and payment as far as this component asks them.

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
        Account, Balance, ListAccountsRequest, ListAccountsResponse, OpenAccountRequest,
        OpenAccountResponse,
    },
    payment::v1::{Dispute, DisputeState, ListDisputesRequest, ListDisputesResponse},
};
use tonic::{Request, Response, Status, service::Routes};

/// How the ledger takes a request to open an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As it should.
    #[default]
    Good,
    /// It opens nothing and says so.
    Down,
    /// It opens the account and the answer is lost.
    LosesAnswers,
    /// It opens the account and never answers.
    Hangs,
    /// It will never open it.
    Refuses,
}

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) mood: Mood,
    /// By owner.
    pub(crate) accounts: HashMap<String, Vec<Account>>,
    /// Ids asked for, in order.
    pub(crate) asked: Vec<String>,
    /// Customers with an open dispute.
    pub(crate) disputes: Vec<String>,
}

/// What both fakes know. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others {
    books: Arc<Mutex<Books>>,
}

#[derive(Debug, thiserror::Error)]
#[error("this currency is not for customers")]
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
        let (open, list) = (self.clone(), self.clone());
        Router::new()
            .route(
                "/paymesh.account.v1.AccountService/OpenAccount",
                unary(move |request| {
                    let others = open.clone();
                    async move { others.open(request).await }
                }),
            )
            .route(
                "/paymesh.account.v1.AccountService/ListAccounts",
                unary(move |request: ListAccountsRequest| {
                    let owner = request.owner.unwrap().id;
                    let accounts = list.books(|books| books.accounts.get(&owner).cloned());
                    let answer = ListAccountsResponse {
                        accounts: accounts.unwrap_or_default(),
                        page_info: None,
                    };
                    async move { Ok(answer) }
                }),
            )
            .into()
    }

    pub(crate) fn payment(&self) -> Routes {
        let others = self.clone();
        Router::new()
            .route(
                "/paymesh.payment.v1.PaymentService/ListDisputes",
                unary(move |request: ListDisputesRequest| {
                    let is_open = request.state() == DisputeState::Opened
                        && others.books(|books| books.disputes.contains(&request.customer_id));
                    let disputes = if is_open {
                        vec![Dispute::default()]
                    } else {
                        Vec::new()
                    };
                    let answer = ListDisputesResponse {
                        disputes,
                        page_info: None,
                    };
                    async move { Ok(answer) }
                }),
            )
            .into()
    }

    async fn open(&self, request: OpenAccountRequest) -> Result<OpenAccountResponse, Status> {
        let (mood, account) = self.books(|books| {
            books.asked.push(request.account_id.clone());
            let opens = matches!(books.mood, Mood::Good | Mood::LosesAnswers | Mood::Hangs);
            (books.mood, opens.then(|| books.open(&request)))
        });
        match mood {
            Mood::Good => Ok(OpenAccountResponse {
                account,
                ..OpenAccountResponse::default()
            }),
            Mood::Down | Mood::LosesAnswers => Err(Status::unavailable("gone")),
            Mood::Hangs => std::future::pending().await,
            Mood::Refuses => Err(to_status(&Refused)),
        }
    }
}

impl Books {
    fn open(&mut self, request: &OpenAccountRequest) -> Account {
        let owner = request.owner.clone().unwrap();
        let accounts = self.accounts.entry(owner.id.clone()).or_default();
        let known = accounts
            .iter()
            .find(|account| account.currency == request.currency);
        if let Some(account) = known {
            return account.clone();
        }
        let account = Account {
            id: request.account_id.clone(),
            owner: Some(owner),
            purpose: request.purpose,
            currency: request.currency.clone(),
            balance: Some(Balance::default()),
            ..Account::default()
        };
        accounts.push(account.clone());
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
