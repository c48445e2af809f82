//! The rows. Enums are kept as their words.

pub(crate) mod attempt;
pub(crate) mod dispute;
pub(crate) mod evidence;
pub(crate) mod operation;
pub(crate) mod payment_method;
pub(crate) mod webhook_event;
