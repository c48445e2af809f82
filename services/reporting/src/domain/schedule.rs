//! When a definition is run by itself.

use paymesh_kernel::{Timestamp, id::TenantId};

use super::{DefinitionId, ScheduleId, cadence::Beat};

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) id: ScheduleId,
    pub(crate) tenant: TenantId,
    pub(crate) definition: DefinitionId,
    pub(crate) beat: Beat,
    pub(crate) is_enabled: bool,
    /// When it runs next; None while it is disabled or deleted.
    pub(crate) next_at: Option<Timestamp>,
    /// Until when runs were made: the next one begins there.
    pub(crate) covered_until: Timestamp,
    pub(crate) created_by: String,
    /// What people see: rises when somebody changes it.
    pub(crate) edition: i64,
    pub(crate) updated_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
    /// Of the row: rises with each run too.
    pub(crate) version: i64,
}

/// What somebody wants a schedule to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) beat: Beat,
    pub(crate) is_enabled: bool,
}

/// A span that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// The schedule after it.
    pub(crate) schedule: Schedule,
}

// === impl Schedule ===

impl Schedule {
    /// Changes it. The next run covers what no run has covered yet, however long it was disabled.
    pub(crate) fn changed(&self, change: Change, now: Timestamp) -> Self {
        Self {
            beat: change.beat,
            is_enabled: change.is_enabled,
            next_at: change.is_enabled.then(|| change.beat.after(now)),
            edition: self.edition.saturating_add(1),
            updated_at: now,
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// True when a change would change nothing.
    pub(crate) fn is_as(&self, change: Change) -> bool {
        self.beat == change.beat && self.is_enabled == change.is_enabled
    }

    /// Deletes it; the row stays, so that its id cannot be used again.
    pub(crate) fn deleted(&self, now: Timestamp) -> Self {
        Self {
            is_enabled: false,
            next_at: None,
            edition: self.edition.saturating_add(1),
            updated_at: now,
            deleted_at: Some(now),
            version: self.version.saturating_add(1),
            ..self.clone()
        }
    }

    /// The span that is due at `now`, if any. Due times that were missed are one span with the last of them, so nothing is
    /// left out and nothing comes twice (P3).
    pub(crate) fn due(&self, now: Timestamp) -> Option<Due> {
        let next = self.next_at.filter(|next| *next <= now)?;
        let until = self.beat.before(now).max(next);
        Some(Due {
            from: self.covered_until.min(until),
            until,
            schedule: Self {
                next_at: Some(self.beat.after(until)),
                covered_until: until,
                version: self.version.saturating_add(1),
                ..self.clone()
            },
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use paymesh_kernel::id::reexport::Uuid;

    use super::*;
    use crate::domain::Cadence;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn daily() -> Schedule {
        let now = at("2026-01-15T12:00:00Z");
        let beat = Cadence::Daily.at(0).unwrap();
        Schedule {
            id: Uuid::from_u128(1).into(),
            tenant: Uuid::from_u128(2).into(),
            definition: Uuid::from_u128(3).into(),
            beat,
            is_enabled: true,
            next_at: Some(beat.after(now)),
            covered_until: beat.before(now),
            created_by: "user_1".to_owned(),
            edition: 1,
            updated_at: now,
            deleted_at: None,
            version: 1,
        }
    }

    #[test]
    fn p3_each_run_covers_the_span_since_the_one_before() {
        let schedule = daily();
        assert_eq!(schedule.due(at("2026-01-15T23:59:59Z")), None);
        let first = schedule.due(at("2026-01-16T00:00:00Z")).unwrap();
        assert_eq!(first.from, at("2026-01-15T00:00:00Z"));
        assert_eq!(first.until, at("2026-01-16T00:00:00Z"));
        let second = first.schedule.due(at("2026-01-17T08:00:00Z")).unwrap();
        assert_eq!(second.from, first.until);
        assert_eq!(second.until, at("2026-01-17T00:00:00Z"));
        assert_eq!(second.schedule.next_at, Some(at("2026-01-18T00:00:00Z")));
        assert_eq!(second.schedule.edition, 1, "running is no change of it");
    }

    #[test]
    fn p3_due_times_that_were_missed_are_one_span() {
        let late = daily().due(at("2026-01-20T07:00:00Z")).unwrap();
        assert_eq!(late.from, at("2026-01-15T00:00:00Z"));
        assert_eq!(late.until, at("2026-01-20T00:00:00Z"));
    }

    #[test]
    fn p3_a_schedule_that_was_disabled_goes_on_where_it_stopped() {
        let off = daily().changed(
            Change {
                beat: Cadence::Daily.at(0).unwrap(),
                is_enabled: false,
            },
            at("2026-01-15T13:00:00Z"),
        );
        assert_eq!(off.due(at("2026-02-01T00:00:00Z")), None);
        let on = off.changed(
            Change {
                beat: Cadence::Weekly.at(0).unwrap(),
                is_enabled: true,
            },
            at("2026-01-20T00:00:00Z"),
        );
        let due = on.due(at("2026-01-26T00:00:00Z")).unwrap();
        assert_eq!(due.from, at("2026-01-15T00:00:00Z"));
        assert_eq!(due.until, at("2026-01-26T00:00:00Z"));
    }
}
