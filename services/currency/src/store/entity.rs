//! The tables, one entity each.

pub(crate) mod quote;
pub(crate) mod rate_day;
pub(crate) mod rate_import;
pub(crate) mod rate_source;
