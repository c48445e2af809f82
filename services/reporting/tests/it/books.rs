//! A small ledger, and settlement as far as it is asked: what they answer, and the facts they would publish.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{Router, routing::post};
use paymesh_proto::{
    account::v1::{
        AccountClass, AccountPurpose, Balance, BatchHead, Entry, GetBatchHeadRequest,
        GetBatchHeadResponse, StatementRequest, StatementResponse, TrialBalanceLine,
        TrialBalanceRequest, TrialBalanceResponse,
    },
    settlement::v1::{ListPositionsRequest, ListPositionsResponse, Position},
    types::v1::PageInfo,
};
use tonic::{Request, Response, Status, service::Routes};
use uuid::Uuid;

/// An account with its sums after each batch.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) class: AccountClass,
    pub(crate) purpose: AccountPurpose,
    pub(crate) currency: String,
    pub(crate) opened_at_us: i64,
    pub(crate) history: BTreeMap<u64, Balance>,
}

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) accounts: Vec<Account>,
    /// When each batch was committed; the first has height 1.
    pub(crate) batches: Vec<i64>,
    /// Added to the credits of the first account in what the ledger says.
    pub(crate) lie_minor: i64,
    /// The ledger is away so many times.
    pub(crate) outages: u32,
    pub(crate) asked: u32,
    pub(crate) entries: HashMap<String, Vec<Entry>>,
    pub(crate) opening_minor: i64,
    pub(crate) closing_minor: i64,
    pub(crate) positions: Vec<Position>,
    pub(crate) positions_asked: u32,
}

/// Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others {
    books: Arc<Mutex<Books>>,
}

impl Books {
    /// The last batch committed before a moment.
    fn height(&self, at_us: i64) -> u64 {
        let count = self.batches.iter().filter(|at| **at < at_us).count();
        u64::try_from(count).unwrap()
    }

    fn trial(&self, request: &TrialBalanceRequest) -> TrialBalanceResponse {
        let height = self.height(request.at_us);
        let mut lines: BTreeMap<(String, i32), TrialBalanceLine> = BTreeMap::new();
        for (n, account) in self.accounts.iter().enumerate() {
            let wanted = request.currency.is_empty() || request.currency == account.currency;
            if !wanted || account.opened_at_us >= request.at_us {
                continue;
            }
            let sums = account.history.range(..=height).next_back();
            let sums = sums.map(|(_, sums)| sums.clone()).unwrap_or_default();
            let key = (account.currency.clone(), i32::from(account.purpose));
            let line = lines.entry(key).or_default();
            line.class = account.class.into();
            line.purpose = account.purpose.into();
            line.currency.clone_from(&account.currency);
            line.account_count += 1;
            line.debits_posted_minor += sums.debits_posted_minor;
            line.credits_posted_minor += sums.credits_posted_minor;
            line.debits_pending_minor += sums.debits_pending_minor;
            line.credits_pending_minor += sums.credits_pending_minor;
            if n == 0 {
                line.credits_posted_minor += self.lie_minor;
            }
        }
        TrialBalanceResponse {
            lines: lines.into_values().collect(),
            totals: Vec::new(),
            batch_height: height,
        }
    }

    /// Pages of two entries.
    fn statement(&self, request: &StatementRequest) -> Result<StatementResponse, Status> {
        use paymesh_proto::account::v1::account_ref::By;
        let account = request
            .account
            .as_ref()
            .and_then(|account| account.by.clone());
        let Some(By::Id(id)) = account else {
            return Err(Status::invalid_argument("by id only"));
        };
        let entries = self.entries.get(&id);
        let entries = entries.ok_or_else(|| Status::not_found("there is no such account"))?;
        let token = request.page.clone().unwrap_or_default().token;
        let begin: usize = token.parse().unwrap_or(0);
        let page: Vec<Entry> = entries.iter().skip(begin).take(2).cloned().collect();
        let next = begin + page.len();
        let balance = |booked_minor| {
            Some(Balance {
                booked_minor,
                ..Balance::default()
            })
        };
        Ok(StatementResponse {
            account_id: id,
            opening: balance(self.opening_minor),
            closing: balance(self.closing_minor),
            entries: page,
            page_info: Some(PageInfo {
                next_token: if next < entries.len() {
                    next.to_string()
                } else {
                    String::new()
                },
            }),
        })
    }

    /// Pages of three positions.
    fn list_positions(&mut self, request: &ListPositionsRequest) -> ListPositionsResponse {
        self.positions_asked += 1;
        let token = request.page.clone().unwrap_or_default().token;
        let begin: usize = token.parse().unwrap_or(0);
        let of_batch = |position: &&Position| position.batch_id == request.batch_id;
        let all: Vec<Position> = self.positions.iter().filter(of_batch).cloned().collect();
        let page: Vec<Position> = all.iter().skip(begin).take(3).cloned().collect();
        let next = begin + page.len();
        ListPositionsResponse {
            positions: page,
            page_info: Some(PageInfo {
                next_token: if next < all.len() {
                    next.to_string()
                } else {
                    String::new()
                },
            }),
        }
    }
}

impl Others {
    pub(crate) fn books<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.books.lock().unwrap())
    }

    pub(crate) fn account(&self) -> Routes {
        let (trial, head, statement) = (self.clone(), self.clone(), self.clone());
        let path = |method: &str| format!("/paymesh.account.v1.AccountService/{method}");
        Router::new()
            .route(
                &path("TrialBalance"),
                unary(move |request: TrialBalanceRequest| {
                    let answer = trial.books(|books| {
                        books.asked += 1;
                        if books.outages > 0 {
                            books.outages -= 1;
                            return Err(Status::unavailable("the ledger is away"));
                        }
                        Ok(books.trial(&request))
                    });
                    async move { answer }
                }),
            )
            .route(
                &path("GetBatchHead"),
                unary(move |_: GetBatchHeadRequest| {
                    let height = head.books(|books| u64::try_from(books.batches.len()).unwrap());
                    let head = BatchHead {
                        height,
                        ..BatchHead::default()
                    };
                    async move { Ok(GetBatchHeadResponse { head: Some(head) }) }
                }),
            )
            .route(
                &path("Statement"),
                unary(move |request: StatementRequest| {
                    let answer = statement.books(|books| books.statement(&request));
                    async move { answer }
                }),
            )
            .into()
    }

    pub(crate) fn settlement(&self) -> Routes {
        let others = self.clone();
        Router::new()
            .route(
                "/paymesh.settlement.v1.SettlementService/ListPositions",
                unary(move |request: ListPositionsRequest| {
                    let answer = others.books(|books| books.list_positions(&request));
                    async move { Ok(answer) }
                }),
            )
            .into()
    }
}

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
