//! What a webhook tells, so that one which tells what is known already costs no question to the provider.

use super::{Book, CaptureMode, OperationKind, OperationState, words::words};

words!(
    /// What a webhook tells.
    pub enum Hint {
        /// The payment was authorized.
        Authorized = "authorized",
        /// The payment was declined.
        Declined = "declined",
        /// The payer must verify.
        RequiresAction = "requires_action",
        /// Money was taken.
        Captured = "captured",
        /// A capture failed.
        CaptureFailed = "capture_failed",
        /// The reservation was released.
        Canceled = "canceled",
        /// Money was given back.
        Refunded = "refunded",
    }
);

// === impl Book ===

impl Book {
    /// True when what a webhook tells changes nothing. `part` is our key of the capture or refund that it tells of.
    #[must_use]
    pub fn knows(&self, hint: Hint, part: Option<&str>) -> bool {
        let authorization = self.authorization().state;
        let part_is = |kind: OperationKind, state: OperationState| {
            let known = part.and_then(|key| self.operation(key));
            known.is_some_and(|known| known.kind == kind && known.state == state)
        };
        match hint {
            Hint::Authorized => {
                authorization == OperationState::Succeeded && self.attempt.authorized_minor > 0
            }
            Hint::Declined => authorization == OperationState::Declined,
            Hint::RequiresAction => self.attempt.action.is_some() || !authorization.is_open(),
            Hint::Captured => {
                let is_automatic = self.attempt.capture == CaptureMode::Automatic
                    && part == Some(self.attempt.reference.as_str());
                (is_automatic && self.attempt.captured_minor > 0)
                    || part_is(OperationKind::Capture, OperationState::Succeeded)
            }
            Hint::CaptureFailed => part_is(OperationKind::Capture, OperationState::Declined),
            Hint::Canceled => {
                let is_canceled = self.operations.iter().any(|operation| {
                    operation.kind == OperationKind::Cancel
                        && operation.state == OperationState::Succeeded
                });
                is_canceled && self.attempt.capturable_minor() == 0
            }
            Hint::Refunded => part_is(OperationKind::Refund, OperationState::Succeeded),
        }
    }
}
