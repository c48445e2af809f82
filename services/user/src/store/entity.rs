//! The tables, one entity each.

pub(crate) mod api_key;
pub(crate) mod consent;
pub(crate) mod credential;
pub(crate) mod login_attempt;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod subject_key;
pub(crate) mod tenant;
pub(crate) mod user;
pub(crate) mod user_role;
