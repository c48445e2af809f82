//! Users: people who log in.

use std::sync::Arc;

use paymesh_proto::user::v1 as pb;

use super::{
    answer::{Done, Found, Made, Page, present},
    existing,
    form::{Form, Moment, Word, form, number_of, reads, request, shape, words},
    input::{Body, Caller, Key, Listing, Path},
    problem::Problem,
    route::Route,
};
use crate::{clients::Clients, config::Class};

const TAG: &str = "Users";
/// Stands for the caller's own id.
const ME: &str = "me";

words! {
    pb::Role = Role "ROLE_";
    pb::UserState = UserState "USER_STATE_";
    pb::ConsentPurpose = ConsentPurpose "CONSENT_PURPOSE_";
}

shape! {
    /// A consent given or withdrawn.
    Consent {
        /// What it is for.
        purpose: Word<pb::ConsentPurpose>,
        /// False when it was withdrawn.
        granted: bool,
        /// Version of the text that was shown.
        version: String,
        /// When; now, if it is left out.
        recorded_at: Option<Moment>,
    }
}

reads! { Consent { purpose: Word<pb::ConsentPurpose>, granted: bool, version: String, recorded_at: Option<Moment> } }

form! {
    /// A person.
    User from pb::User {
        /// `user_…`
        id: String,
        state: Word<pb::UserState>,
        /// Left out when the person was erased.
        email: Option<String>,
        /// Left out when the person was erased.
        name: Option<String>,
        /// ISO 3166-1 alpha-2.
        country: Option<String>,
        /// Home currency, ISO 4217.
        currency: Option<String>,
        roles: Vec<Word<pb::Role>>,
        /// The newest of each purpose.
        consents: Vec<Consent>,
        /// `mrc_…` that a merchant's user works for.
        merchant_id: Option<String>,
        /// For `expected_version`.
        version: u64,
        created_at: Moment = created_at_us,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// A user who registered just now.
    Registration from pb::RegisterResponse {
        user: Option<User>,
        /// `acct_…` of the first account, in the home currency.
        account_id: Option<String>,
    }
}

form! {
    /// What became of the wish to be erased.
    Erasure from pb::EraseUserResponse {
        user: Option<User>,
        /// When the keys of the personal data are deleted.
        erases_at: Option<Moment> = erases_at_us,
    }
}

request! {
    /// A new user.
    Register {
        /// `tnt_…`
        tenant_id: String,
        email: String,
        /// 12 to 128 characters.
        password: String,
        name: String,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// Of the first account, ISO 4217.
        currency: String,
        consents: Option<Vec<Consent>>,
    }
}

request! {
    /// What is to change; what is left out stays.
    UpdateUser {
        email: Option<String>,
        name: Option<String>,
        /// ISO 3166-1 alpha-2.
        country: Option<String>,
        /// Ends other sessions.
        password: Option<String>,
        /// Needed to change e-mail address or password.
        current_password: Option<String>,
        /// Staff only.
        merchant_id: Option<String>,
        /// Added to what is recorded.
        consents: Option<Vec<Consent>>,
        /// When the user has another version, nothing is changed (409).
        expected_version: Option<u64>,
    }
}

request! {
    /// All roles that a user is to have.
    AssignRoles {
        roles: Vec<Word<pb::Role>>,
    }
}

request! {
    /// Why a person is to be erased.
    EraseUser {
        /// No personal data.
        reason: Option<String>,
    }
}

request! {
    /// Which users.
    UserFilter {
        role: Option<Word<pb::Role>>,
        state: Option<Word<pb::UserState>>,
        /// Exact.
        email: Option<String>,
    }
}

impl Form<pb::Consent> for Consent {
    fn form(from: pb::Consent) -> Self {
        Self {
            purpose: Form::form(from.purpose),
            granted: from.granted,
            version: from.version,
            recorded_at: Form::form(from.recorded_at_us),
        }
    }
}

impl From<Consent> for pb::Consent {
    fn from(consent: Consent) -> Self {
        Self {
            purpose: consent.purpose.number(),
            granted: consent.granted,
            version: consent.version,
            recorded_at_us: consent.recorded_at.map_or(0, Moment::as_micros),
        }
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/users", register)
            .about("Register a user")
            .notes("Makes the user with the role of a customer, and opens the first account.")
            .calls(&["UserService/Register"])
            .public()
            .class(Class::Login)
            .tag(TAG),
        Route::get("/v1/users", list)
            .about("List users")
            .calls(&["UserService/ListUsers"])
            .tag(TAG),
        Route::get("/v1/users/{user_id}", get)
            .about("Read a user")
            .notes("`me` stands for the caller.")
            .calls(&["UserService/GetUser"])
            .tag(TAG),
        Route::patch("/v1/users/{user_id}", update)
            .about("Change a user's data or consents")
            .notes("`me` stands for the caller.")
            .calls(&["UserService/UpdateUser"])
            .tag(TAG),
        Route::put("/v1/users/{user_id}/roles", assign_roles)
            .about("Replace a user's roles")
            .notes("Nobody may change their own.")
            .calls(&["UserService/AssignRoles"])
            .tag(TAG),
        Route::post("/v1/users/{user_id}/erasure", erase)
            .about("Erase a person")
            .notes("Restricted at once, gone when the law's retention ends. Refused while there is a balance, a hold or a dispute.")
            .calls(&["UserService/EraseUser"])
            .tag(TAG),
    ]
}

async fn register(
    clients: Arc<Clients>,
    key: Key,
    Body(body): Body<Register>,
) -> Result<Made<Registration>, Problem> {
    let request = pb::RegisterRequest {
        idempotency_key: key.0,
        tenant_id: body.tenant_id,
        email: body.email,
        password: body.password,
        name: body.name,
        country: body.country,
        currency: body.currency,
        consents: body
            .consents
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
    };
    let answer = clients.user().register(request).await?.into_inner();
    let outcome = answer.outcome;
    let id = answer.user.as_ref().map_or("", |user| user.id.as_str());
    let location = format!("/v1/users/{id}");
    Ok(Made::new(Registration::form(answer), location, outcome))
}

async fn list(clients: Arc<Clients>, listing: Listing<UserFilter>) -> Result<Page<User>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListUsersRequest {
        role: number_of(filter.role),
        state: number_of(filter.state),
        email: filter.email.unwrap_or_default(),
        page: Some(page),
    };
    let answer = clients.user().list_users(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.users), answer.page_info))
}

async fn get(clients: Arc<Clients>, Path(id): Path<0>) -> Result<Found<User>, Problem> {
    let user_id = if id == ME { String::new() } else { id };
    let answer = clients
        .user()
        .get_user(pb::GetUserRequest { user_id })
        .await?
        .into_inner();
    Ok(Found(User::form(present(answer.user, "user", "user")?)))
}

async fn update(
    clients: Arc<Clients>,
    caller: Caller,
    Path(id): Path<0>,
    Body(body): Body<UpdateUser>,
) -> Result<Done<User>, Problem> {
    if let Some(merchant_id) = &body.merchant_id {
        existing::shop(&clients, &caller.principal, merchant_id).await?;
    }
    let request = pb::UpdateUserRequest {
        user_id: own_or(id, &caller),
        email: body.email,
        name: body.name,
        country: body.country,
        password: body.password,
        current_password: body.current_password,
        merchant_id: body.merchant_id,
        consents: body
            .consents
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        expected_version: body.expected_version.unwrap_or(0),
    };
    let answer = clients.user().update_user(request).await?.into_inner();
    Ok(Done::new(
        User::form(present(answer.user, "user", "user")?),
        answer.outcome,
    ))
}

async fn assign_roles(
    clients: Arc<Clients>,
    Path(user_id): Path<0>,
    Body(body): Body<AssignRoles>,
) -> Result<Done<User>, Problem> {
    let request = pb::AssignRolesRequest {
        user_id,
        roles: body.roles.into_iter().map(Word::number).collect(),
    };
    let answer = clients.user().assign_roles(request).await?.into_inner();
    Ok(Done::new(
        User::form(present(answer.user, "user", "user")?),
        answer.outcome,
    ))
}

async fn erase(
    clients: Arc<Clients>,
    once: super::once::Once,
    caller: Caller,
    Path(id): Path<0>,
    Body(body): Body<EraseUser>,
) -> Result<Done<Erasure>, Problem> {
    let request = pb::EraseUserRequest {
        user_id: own_or(id, &caller),
        reason: body.reason.unwrap_or_default(),
    };
    let answer = once
        .run_once(async || Ok(clients.user().erase_user(request).await?.into_inner()))
        .await?;
    let outcome = answer.outcome;
    Ok(Done::new(Erasure::form(answer), outcome))
}

pub(crate) fn own_or(id: String, caller: &Caller) -> String {
    if id == ME {
        caller.principal.subject.clone()
    } else {
        id
    }
}
