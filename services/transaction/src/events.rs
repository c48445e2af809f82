//! Facts published, and facts consumed.

mod payment;
mod projection;
mod publish;

pub(crate) use payment::PaymentFacts;
pub(crate) use projection::Projection;
pub(crate) use publish::publish;
