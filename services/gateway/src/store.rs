//! The gateway's own tables: reserved ids, and the feed of events.

pub(crate) mod feed;
pub(crate) mod migration;
pub(crate) mod reservation;
