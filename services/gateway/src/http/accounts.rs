//! Accounts: balances, statements, opening and closing.

mod forms;

use std::sync::Arc;

use paymesh_kernel::{Principal, Role};
use paymesh_proto::{account::v1 as pb, types::v1 as types};

use super::{
    answer::{Done, Found, Made, Page, present},
    existing,
    form::{Form, Moment, Word, number_of},
    input::{Body, Caller, Listing, Path, Query, range},
    once::Once,
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

pub(crate) use forms::{
    Account, AccountFilter, BalanceAsOf, BalanceQuery, OpenAccount, StateReason, Statement,
    StatementQuery,
};

const TAG: &str = "Accounts";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/accounts", open)
            .about("Open an account")
            .notes("Answers the account that exists, when there is one for the owner, purpose and currency.")
            .calls(&["AccountService/OpenAccount"])
            .tag(TAG),
        Route::get("/v1/accounts", list)
            .about("List accounts")
            .calls(&["AccountService/ListAccounts"])
            .tag(TAG),
        Route::get("/v1/accounts/{account_id}", get)
            .about("Read an account with its balance")
            .calls(&["AccountService/GetAccount"])
            .tag(TAG),
        Route::get("/v1/accounts/{account_id}/balance", balance)
            .about("Read a balance, now or as it was")
            .calls(&["AccountService/BalanceAsOf"])
            .tag(TAG),
        Route::get("/v1/accounts/{account_id}/statement", statement)
            .about("List an account's entries, oldest first")
            .calls(&["AccountService/Statement"])
            .tag(TAG),
        Route::post("/v1/accounts/{account_id}/suspend", suspend)
            .about("Block an account's debits")
            .notes("Credits are still taken.")
            .calls(&["AccountService/SuspendAccount"])
            .tag(TAG),
        Route::post("/v1/accounts/{account_id}/resume", resume)
            .about("Let a suspended account be debited again")
            .calls(&["AccountService/ResumeAccount"])
            .tag(TAG),
        Route::post("/v1/accounts/{account_id}/close", close)
            .about("Close an account")
            .notes("Its balance and holds must be zero.")
            .calls(&["AccountService/CloseAccount"])
            .tag(TAG),
    ]
}

async fn open(
    clients: Arc<Clients>,
    caller: Caller,
    once: Once,
    Body(body): Body<OpenAccount>,
) -> Result<Made<Account>, Problem> {
    let owner = match body.owner {
        Some(owner) => owner.into(),
        None => own(&caller.principal)?,
    };
    existing::owner(&clients, &caller.principal, &owner).await?;
    let purpose = body
        .purpose
        .map_or(pb::AccountPurpose::CustomerBalance.into(), Word::number);
    let answer = once
        .with_id("acct", async |account_id| {
            let request = pb::OpenAccountRequest {
                owner: Some(owner),
                purpose,
                currency: body.currency,
                bounds: None,
                account_id,
                connector: body.connector.unwrap_or_default(),
            };
            Ok(clients.account().open_account(request).await?.into_inner())
        })
        .await?;
    let account = Account::form(present(answer.account, "account", "account")?);
    let location = format!("/v1/accounts/{}", account.id);
    Ok(Made::new(account, location, answer.outcome))
}

fn own(principal: &Principal) -> Result<types::Owner, Problem> {
    if principal.has(Role::Customer) {
        Ok(types::Owner {
            kind: types::OwnerKind::User.into(),
            id: principal.subject.clone(),
        })
    } else {
        Err(Problem::field(
            "owner",
            "is required for everyone but customers",
        ))
    }
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<AccountFilter>,
) -> Result<Page<Account>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListAccountsRequest {
        owner: owner_of(filter.owner_kind, filter.owner_id)?,
        purpose: number_of(filter.purpose),
        currency: filter.currency.unwrap_or_default(),
        state: number_of(filter.state),
        page: Some(page),
    };
    let answer = clients.account().list_accounts(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.accounts), answer.page_info))
}

async fn get(clients: Arc<Clients>, Path(account_id): Path<0>) -> Result<Found<Account>, Problem> {
    let answer = clients
        .account()
        .get_account(pb::GetAccountRequest { account_id })
        .await?
        .into_inner();
    Ok(Found(Account::form(present(
        answer.account,
        "account",
        "account",
    )?)))
}

async fn balance(
    clients: Arc<Clients>,
    Path(account_id): Path<0>,
    Query(query): Query<BalanceQuery>,
) -> Result<Found<BalanceAsOf>, Problem> {
    let request = pb::BalanceAsOfRequest {
        account: by_id(account_id),
        basis: basis_of(query.basis),
        at_us: query.as_of.map_or(0, Moment::as_micros),
        at_height: query.height.unwrap_or(0),
    };
    let answer = clients.account().balance_as_of(request).await?.into_inner();
    Ok(Found(BalanceAsOf::form(answer)))
}

async fn statement(
    clients: Arc<Clients>,
    Path(account_id): Path<0>,
    listing: Listing<StatementQuery>,
) -> Result<Found<Statement>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::StatementRequest {
        account: by_id(account_id),
        basis: basis_of(filter.basis),
        range: range(filter.from, filter.until),
        after_height: filter.after_height.unwrap_or(0),
        until_height: filter.until_height.unwrap_or(0),
        page: Some(page),
    };
    let answer = clients.account().statement(request).await?.into_inner();
    Ok(Found(Statement {
        account_id: answer.account_id,
        opening: Form::form(answer.opening),
        closing: Form::form(answer.closing),
        data: Form::form(answer.entries),
        next_page: answer
            .page_info
            .and_then(|info| Form::form(info.next_token)),
    }))
}

async fn suspend(
    clients: Arc<Clients>,
    once: Once,
    Path(account_id): Path<0>,
    Body(body): Body<StateReason>,
) -> Result<Done<Account>, Problem> {
    let reason = body.reason;
    let request = pb::SuspendAccountRequest { account_id, reason };
    let answer = once
        .run_once(async || {
            Ok(clients
                .account()
                .suspend_account(request)
                .await?
                .into_inner())
        })
        .await?;
    Ok(Done::new(
        Account::form(present(answer.account, "account", "account")?),
        answer.outcome,
    ))
}

async fn resume(
    clients: Arc<Clients>,
    once: Once,
    Path(account_id): Path<0>,
    Body(body): Body<StateReason>,
) -> Result<Done<Account>, Problem> {
    let reason = body.reason;
    let request = pb::ResumeAccountRequest { account_id, reason };
    let answer = once
        .run_once(async || {
            Ok(clients
                .account()
                .resume_account(request)
                .await?
                .into_inner())
        })
        .await?;
    Ok(Done::new(
        Account::form(present(answer.account, "account", "account")?),
        answer.outcome,
    ))
}

async fn close(
    clients: Arc<Clients>,
    once: Once,
    Path(account_id): Path<0>,
    Body(body): Body<StateReason>,
) -> Result<Done<Account>, Problem> {
    let reason = body.reason;
    let request = pb::CloseAccountRequest { account_id, reason };
    let answer = once
        .run_once(async || Ok(clients.account().close_account(request).await?.into_inner()))
        .await?;
    Ok(Done::new(
        Account::form(present(answer.account, "account", "account")?),
        answer.outcome,
    ))
}

/// The owner of a filter, given in two fields.
pub(crate) fn owner_of(
    kind: Option<Word<types::OwnerKind>>,
    id: Option<String>,
) -> Result<Option<types::Owner>, Problem> {
    match (kind, id) {
        (None, None) => Ok(None),
        (Some(kind), Some(id)) => Ok(Some(types::Owner {
            kind: kind.number(),
            id,
        })),
        (Some(_), None) => Err(Problem::field("owner_id", "is required with owner_kind")),
        (None, Some(_)) => Err(Problem::field("owner_kind", "is required with owner_id")),
    }
}

/// `booked` when nothing is asked for.
pub(crate) fn basis_of(basis: Option<Word<pb::BalanceBasis>>) -> i32 {
    basis.map_or(pb::BalanceBasis::Booked.into(), Word::number)
}

fn by_id(id: String) -> Option<pb::AccountRef> {
    Some(pb::AccountRef {
        by: Some(pb::account_ref::By::Id(id)),
    })
}
