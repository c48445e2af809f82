//! A provider as simple as it can be, for tests of the rules.

use super::*;

/// One payment at it.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    capture: CaptureMode,
    status: Option<SeenStatus>,
    captures: Vec<PartSeen>,
    refunds: Vec<PartSeen>,
    pub(super) disputes: Vec<DisputeSeen>,
    released_minor: i64,
}

// === impl Provider ===

impl Provider {
    pub(super) fn new(capture: CaptureMode) -> Self {
        Self {
            capture,
            status: None,
            captures: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            released_minor: 0,
        }
    }

    pub(super) fn authorize(&mut self) -> Answer {
        if self.status.is_none() {
            self.status = Some(SeenStatus::Authorized);
            if self.capture == CaptureMode::Automatic {
                self.take(REFERENCE, 1_000, 0);
            }
        }
        Answer::Reply(Box::new(self.seen()))
    }

    pub(super) fn capture(&mut self, key: &str, minor: i64, is_final: bool) -> Answer {
        if let Some(known) = of(&self.captures, key) {
            return Answer::Part(known);
        }
        let left = self.capturable();
        if minor > left {
            return refused("amount_too_large");
        }
        Answer::Part(self.take(key, minor, if is_final { left - minor } else { 0 }))
    }

    pub(super) fn cancel(&mut self) -> Answer {
        match (self.capturable(), self.captured()) {
            (0, captured) if captured > 0 => refused("already_captured"),
            (left, _) => {
                self.released_minor += left;
                Answer::Reply(Box::new(self.seen()))
            }
        }
    }

    pub(super) fn refund(&mut self, key: &str, minor: i64) -> Answer {
        if let Some(known) = of(&self.refunds, key) {
            return Answer::Part(known);
        }
        if minor > self.refundable() {
            return refused("amount_too_large");
        }
        let part = part(key, minor, 0);
        self.refunds.push(part.clone());
        Answer::Part(part)
    }

    pub(super) fn fail_refund(&mut self, key: &str) {
        let failed = Decline::new(DeclineReason::ProviderDeclined, "closed");
        for refund in &mut self.refunds {
            if refund.reference.as_deref() == Some(key) {
                refund.state = PartState::Failed(failed.clone());
            }
        }
    }

    pub(super) fn dispute(&mut self, minor: i64, state: DisputeState) {
        let minor = minor.min(self.refundable());
        if minor > 0 {
            self.disputes.push(DisputeSeen {
                connector_reference: format!("dsp_{}", self.disputes.len()),
                amount_minor: minor,
                fee_minor: 1_500,
                reason: "fraudulent".to_owned(),
                evidence_due_at: None,
                state,
            });
        }
    }

    pub(super) fn look(&self) -> Answer {
        Answer::Look(Box::new(self.seen()))
    }

    pub(super) fn exists(&self) -> bool {
        self.status.is_some()
    }

    pub(super) fn capturable(&self) -> i64 {
        if self.exists() {
            1_000 - self.captured() - self.released_minor
        } else {
            0
        }
    }

    pub(super) fn captured(&self) -> i64 {
        total(&self.captures)
    }

    pub(super) fn refunded(&self) -> i64 {
        total(&self.refunds)
    }

    pub(super) fn charged_back(&self) -> i64 {
        let open = self
            .disputes
            .iter()
            .filter(|one| one.state != DisputeState::Won);
        open.map(|one| one.amount_minor).sum()
    }

    fn refundable(&self) -> i64 {
        self.captured() - self.refunded() - self.charged_back()
    }

    fn take(&mut self, key: &str, minor: i64, released: i64) -> PartSeen {
        let part = part(key, minor, released);
        self.released_minor += released;
        self.captures.push(part.clone());
        part
    }

    fn seen(&self) -> Observation {
        let status = match (self.capturable(), self.captured()) {
            (0, 0) => SeenStatus::Canceled,
            (0, _) => SeenStatus::Captured,
            (_, 0) => SeenStatus::Authorized,
            _ => SeenStatus::PartiallyCaptured,
        };
        Observation {
            connector_reference: "pay_1".to_owned(),
            reference: REFERENCE.to_owned(),
            status,
            currency: Currency::EUR,
            amount_minor: 1_000,
            authorization_expires_at: None,
            captures: self.captures.clone(),
            refunds: self.refunds.clone(),
            disputes: self.disputes.clone(),
        }
    }
}

fn part(key: &str, minor: i64, released_minor: i64) -> PartSeen {
    PartSeen {
        reference: Some(key.to_owned()),
        connector_reference: format!("part of {key}"),
        amount_minor: minor,
        released_minor,
        state: PartState::Succeeded,
    }
}

fn of(parts: &[PartSeen], key: &str) -> Option<PartSeen> {
    let mut found = parts
        .iter()
        .filter(|part| part.reference.as_deref() == Some(key));
    found.next().cloned()
}

fn total(parts: &[PartSeen]) -> i64 {
    let done = parts
        .iter()
        .filter(|part| part.state == PartState::Succeeded);
    done.map(|part| part.amount_minor).sum()
}

fn refused(code: &str) -> Answer {
    Answer::Refused(Decline::new(DeclineReason::ProviderDeclined, code))
}
