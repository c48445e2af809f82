//! Whether those exist whom a request names as owner or merchant (G8).
//!
//! Components keep such ids without asking whose they are. Here, before anything is written, the component that owns the object
//! is asked as the caller: what it does not show to the caller, such as another tenant's, does not exist for the request.

use paymesh_kernel::{ErrorKind, Fault as _, Outcome, Principal};
use paymesh_proto::{merchant::v1 as merchant, types::v1 as types, user::v1 as user};

use super::problem::Problem;
use crate::{clients::Clients, error::Error};

/// Checks an owner of accounts. Tenants and connectors are known to account itself.
///
/// # Errors
/// When there is none for the caller, or it cannot be asked.
pub(crate) async fn owner(
    clients: &Clients,
    principal: &Principal,
    owner: &types::Owner,
) -> Result<(), Problem> {
    match types::OwnerKind::try_from(owner.kind) {
        Ok(types::OwnerKind::User) => person(clients, principal, &owner.id).await,
        Ok(types::OwnerKind::Merchant) => shop(clients, principal, &owner.id).await,
        Ok(
            types::OwnerKind::Tenant | types::OwnerKind::Connector | types::OwnerKind::Unspecified,
        )
        | Err(_) => Ok(()),
    }
}

/// Checks a user.
///
/// # Errors
/// When there is none for the caller, or user cannot be asked.
async fn person(clients: &Clients, principal: &Principal, user_id: &str) -> Result<(), Problem> {
    if user_id == principal.subject {
        return Ok(());
    }
    let request = user::GetUserRequest {
        user_id: user_id.to_owned(),
    };
    let answer = clients.user().get_user(request).await;
    judge(answer.map(drop).map_err(Error::from))
}

/// Checks a merchant.
///
/// # Errors
/// When there is none for the caller, or merchant cannot be asked.
pub(crate) async fn shop(
    clients: &Clients,
    principal: &Principal,
    merchant_id: &str,
) -> Result<(), Problem> {
    let own = principal.merchant.map(|id| id.to_string());
    if own.as_deref() == Some(merchant_id) {
        return Ok(());
    }
    let request = merchant::GetMerchantRequest {
        merchant_id: merchant_id.to_owned(),
    };
    let answer = clients.merchant().get_merchant(request).await;
    judge(answer.map(drop).map_err(Error::from))
}

fn judge(answer: Result<(), Error>) -> Result<(), Problem> {
    let Err(error) = answer else {
        return Ok(());
    };
    if error.kind() == ErrorKind::InvalidArgument {
        // An id that is none: the component that is to keep it says so, by the name of its own field.
        return Ok(());
    }
    let mut problem = Problem::from(error);
    // Nothing can have come of a read.
    problem.outcome = Outcome::NotProcessed;
    Err(problem)
}
