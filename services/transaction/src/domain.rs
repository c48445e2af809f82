//! The rules, without I/O: kinds and states, posting templates, the saga as data, and what each answer changes.

pub mod answer;
pub mod command;
pub mod decline;
pub mod draw;
pub mod exchange;
pub mod fact;
pub mod ids;
pub mod ledger;
pub mod operation;
pub mod party;
pub mod policy;
pub mod saga;
pub mod status;
pub mod template;
pub mod transaction;
pub mod work;

pub use ids::{
    AccountId, AttemptId, CaptureId, DecisionId, DisputeId, MerchantId, OperationId,
    PaymentMethodId, QuoteId, RefundId, ResolutionId, TenantId, TerminalId, TransactionId,
    TransferId, UserId,
};
pub use work::Work;
