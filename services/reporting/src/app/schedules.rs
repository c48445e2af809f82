//! Schedules: made, changed, deleted.

use paymesh_kernel::{ChangeSet, CommitError, Principal};

use super::{App, DECISIONS};
use crate::{
    domain::{DefinitionId, Outcome, Schedule, ScheduleId, cadence::Beat, schedule::Change},
    error::Error,
    store,
};

/// Most schedules of one definition.
const SCHEDULES_LIMIT: usize = 20;

// === impl App ===

impl App {
    /// Makes a schedule. Its first run covers the span in which it was made from its begin.
    ///
    /// # Errors
    /// When there is no such definition, or the id came with another request.
    pub(crate) async fn create_schedule(
        &self,
        principal: &Principal,
        id: ScheduleId,
        (definition, beat): (DefinitionId, Beat),
    ) -> Result<Outcome<Schedule>, Error> {
        if let Some(found) = store::schedules::find(self.database(), id).await? {
            return repeated(principal, (definition, beat), found);
        }
        self.definition(principal, definition).await?;
        let others = store::schedules::of_definition(self.database(), definition).await?;
        if others.len() >= SCHEDULES_LIMIT {
            return Err(Error::TooManySchedules);
        }
        let now = self.now();
        let schedule = Schedule {
            id,
            tenant: principal.tenant,
            definition,
            beat,
            is_enabled: true,
            next_at: Some(beat.after(now)),
            covered_until: beat.before(now),
            created_by: principal.subject.clone(),
            edition: 1,
            updated_at: now,
            deleted_at: None,
            version: 1,
        };
        let mut changes = ChangeSet::new();
        store::schedules::insert(&mut changes, &schedule);
        match self.commit(changes).await {
            Ok(()) => Ok(Outcome::Applied(schedule)),
            Err(error) if error.is_duplicate(store::SCHEDULES_KEY) => {
                let found = store::schedules::find(self.database(), id).await?;
                repeated(
                    principal,
                    (definition, beat),
                    found.ok_or(Error::ScheduleExists)?,
                )
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A schedule of the caller's tenant.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn schedule(
        &self,
        principal: &Principal,
        id: ScheduleId,
    ) -> Result<Schedule, Error> {
        store::schedules::find(self.database(), id)
            .await?
            .filter(|found| found.tenant == principal.tenant && found.deleted_at.is_none())
            .ok_or(Error::ScheduleNotFound)
    }

    /// Schedules by id.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn schedules(
        &self,
        principal: &Principal,
        definition: Option<DefinitionId>,
        page: (Option<ScheduleId>, u64),
    ) -> Result<Vec<Schedule>, Error> {
        Ok(store::schedules::list(self.database(), principal.tenant, definition, page).await?)
    }

    /// Changes a schedule.
    ///
    /// # Errors
    /// When there is none, or it has another version.
    pub(crate) async fn update_schedule(
        &self,
        principal: &Principal,
        id: ScheduleId,
        (change, expected): (Change, Option<i64>),
    ) -> Result<Outcome<Schedule>, Error> {
        for _ in 0..DECISIONS {
            let found = self.schedule(principal, id).await?;
            if found.is_as(change) {
                return Ok(Outcome::AlreadyApplied(found));
            }
            if expected.is_some_and(|version| version != found.edition) {
                return Err(Error::VersionConflict);
            }
            let changed = found.changed(change, self.now());
            let mut changes = ChangeSet::new();
            store::schedules::update(&mut changes, &changed);
            match self.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(changed)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// Deletes a schedule; its runs stay.
    ///
    /// # Errors
    /// When there never was one.
    pub(crate) async fn delete_schedule(
        &self,
        principal: &Principal,
        id: ScheduleId,
    ) -> Result<Outcome<()>, Error> {
        for _ in 0..DECISIONS {
            let found = store::schedules::find(self.database(), id)
                .await?
                .filter(|found| found.tenant == principal.tenant)
                .ok_or(Error::ScheduleNotFound)?;
            if found.deleted_at.is_some() {
                return Ok(Outcome::AlreadyApplied(()));
            }
            let mut changes = ChangeSet::new();
            store::schedules::update(&mut changes, &found.deleted(self.now()));
            match self.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(())),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }
}

/// What a second request with the same id gets: the schedule, unless it was made for something else.
fn repeated(
    principal: &Principal,
    (definition, beat): (DefinitionId, Beat),
    found: Schedule,
) -> Result<Outcome<Schedule>, Error> {
    if found.tenant != principal.tenant {
        return Err(Error::ScheduleExists);
    }
    if found.deleted_at.is_some() {
        return Err(Error::ScheduleNotFound);
    }
    // Somebody may have changed it since: only a schedule as it was made tells what was asked.
    if found.definition != definition || (found.edition == 1 && found.beat != beat) {
        return Err(Error::KeyReused);
    }
    Ok(Outcome::AlreadyApplied(found))
}
