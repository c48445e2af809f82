//! Domain words as the contract has them, for answers and facts alike.

use paymesh_kernel::Role;
use paymesh_proto::user::v1 as wire;

use crate::domain::{ConsentPurpose, State, TenantMode};

/// A tenant's mode.
pub(crate) const fn mode(mode: TenantMode) -> wire::TenantMode {
    match mode {
        TenantMode::Live => wire::TenantMode::Live,
        TenantMode::Sandbox => wire::TenantMode::Sandbox,
    }
}

/// A user's state. Who is not active yet, or never will be, may not sign in: that is what suspended says.
pub(crate) const fn state(state: State) -> wire::UserState {
    match state {
        State::Active => wire::UserState::Active,
        State::Opening | State::Suspended | State::Refused => wire::UserState::Suspended,
        State::Restricted => wire::UserState::Restricted,
        State::Erased => wire::UserState::Erased,
    }
}

/// What a consent is for.
pub(crate) const fn purpose(purpose: ConsentPurpose) -> wire::ConsentPurpose {
    match purpose {
        ConsentPurpose::Terms => wire::ConsentPurpose::Terms,
        ConsentPurpose::Marketing => wire::ConsentPurpose::Marketing,
        ConsentPurpose::Profiling => wire::ConsentPurpose::Profiling,
    }
}

/// Roles; the component's own role never leaves the mesh.
pub(crate) fn roles(roles: &[Role]) -> Vec<i32> {
    roles
        .iter()
        .map(|role| {
            let role = match role {
                Role::Customer => wire::Role::Customer,
                Role::Merchant => wire::Role::Merchant,
                Role::Support => wire::Role::Support,
                Role::Finance => wire::Role::Finance,
                Role::Admin => wire::Role::Admin,
                Role::Auditor => wire::Role::Auditor,
                Role::Component => wire::Role::Unspecified,
            };
            role.into()
        })
        .collect()
}

/// Versions begin at 1.
pub(crate) fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}
