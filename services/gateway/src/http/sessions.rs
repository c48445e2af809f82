//! Sessions: logging in, staying so, logging out.

use std::sync::Arc;

use paymesh_proto::user::v1 as pb;

use super::{
    answer::{Found, Gone, Made, present},
    form::{Form, Moment, form, request},
    input::{Body, Caller, Path},
    problem::Problem,
    route::Route,
    users::User,
};
use crate::{clients::Clients, config::Class};

const TAG: &str = "Sessions";
/// Stands for the session of the token.
const CURRENT: &str = "current";

form! {
    /// The tokens of a session.
    Tokens from pb::TokenPair {
        /// For `Authorization: Bearer …`.
        access_token: String,
        /// Good for one refresh.
        refresh_token: String,
        access_expires_at: Moment = access_expires_at_us,
        refresh_expires_at: Moment = refresh_expires_at_us,
        /// `ses_…`
        session_id: String,
    }
}

form! {
    /// A session that began just now.
    Session from pb::LoginResponse {
        tokens: Option<Tokens>,
        user: Option<User>,
    }
}

request! {
    /// Who logs in.
    LogIn {
        /// `tnt_…`
        tenant_id: String,
        email: String,
        password: String,
    }
}

request! {
    /// What keeps a session going.
    RefreshSession {
        refresh_token: String,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/sessions", log_in)
            .about("Log in")
            .notes("Each call is a session of its own.")
            .calls(&["UserService/Login"])
            .public()
            .class(Class::Login)
            .tag(TAG),
        Route::post("/v1/sessions/refresh", refresh)
            .about("Refresh a session")
            .notes("Uses the refresh token up and answers a new pair. A token that is used twice ends its session.")
            .calls(&["UserService/Refresh"])
            .public()
            .class(Class::Login)
            .tag(TAG),
        Route::delete("/v1/sessions/{session_id}", log_out)
            .about("Log out")
            .notes("`current` stands for the session of the token.")
            .calls(&["UserService/Logout"])
            .tag(TAG),
    ]
}

async fn log_in(clients: Arc<Clients>, Body(body): Body<LogIn>) -> Result<Made<Session>, Problem> {
    let request = pb::LoginRequest {
        tenant_id: body.tenant_id,
        email: body.email,
        password: body.password,
    };
    let answer = clients.user().login(request).await?.into_inner();
    let id = answer
        .tokens
        .as_ref()
        .map_or("", |tokens| tokens.session_id.as_str());
    let location = format!("/v1/sessions/{id}");
    Ok(Made::new(Session::form(answer), location, 0))
}

async fn refresh(
    clients: Arc<Clients>,
    Body(body): Body<RefreshSession>,
) -> Result<Found<Tokens>, Problem> {
    let request = pb::RefreshRequest {
        refresh_token: body.refresh_token,
    };
    let answer = clients.user().refresh(request).await?.into_inner();
    Ok(Found(Tokens::form(present(
        answer.tokens,
        "user",
        "tokens",
    )?)))
}

async fn log_out(
    clients: Arc<Clients>,
    caller: Caller,
    Path(id): Path<0>,
) -> Result<Gone, Problem> {
    let session_id = match (id.as_str(), caller.session) {
        (CURRENT, session) => session.unwrap_or_default(),
        (_, _) => id,
    };
    clients
        .user()
        .logout(pb::LogoutRequest { session_id })
        .await?;
    Ok(Gone)
}
