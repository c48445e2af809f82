//! Definitions: put, read, deleted.

use paymesh_kernel::{ChangeSet, CommitError, Principal};

use super::{App, DECISIONS};
use crate::{
    domain::{
        Definition, DefinitionId, Kind, Outcome,
        definition::{self, Put, Putting},
    },
    error::Error,
    events, store,
};

// === impl App ===

impl App {
    /// Makes a definition, or changes what is there (P1).
    ///
    /// # Errors
    /// When the name or the id is taken, or the version is another.
    pub(crate) async fn put_definition(&self, put: Put) -> Result<Outcome<Definition>, Error> {
        for _ in 0..DECISIONS {
            let found = store::definitions::find(self.database(), put.id).await?;
            let mut changes = ChangeSet::new();
            let definition = match definition::put(found.as_ref(), put.clone(), self.now()) {
                Putting::Same(definition) => return Ok(Outcome::AlreadyApplied(definition)),
                Putting::Conflict => return Err(Error::VersionConflict),
                Putting::Taken => return Err(Error::DefinitionExists),
                Putting::New(definition) => {
                    store::definitions::insert(&mut changes, &definition);
                    definition
                }
                Putting::Changed(definition) => {
                    store::definitions::update(&mut changes, &definition);
                    definition
                }
            };
            events::publish_definition(&mut changes, self.ids(), &definition);
            match self.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(definition)),
                Err(error) if error.is_duplicate(store::NAMES_KEY) => {
                    return Err(Error::NameExists);
                }
                Err(CommitError::Stale) => {}
                Err(error) if error.is_duplicate(store::DEFINITIONS_KEY) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// A definition of the caller's tenant.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn definition(
        &self,
        principal: &Principal,
        id: DefinitionId,
    ) -> Result<Definition, Error> {
        store::definitions::find(self.database(), id)
            .await?
            .filter(|found| found.tenant == principal.tenant && found.deleted_at.is_none())
            .ok_or(Error::DefinitionNotFound)
    }

    /// Definitions by name.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn definitions(
        &self,
        principal: &Principal,
        kind: Option<Kind>,
        page: (Option<String>, u64),
    ) -> Result<Vec<Definition>, Error> {
        Ok(store::definitions::list(self.database(), principal.tenant, kind, page).await?)
    }

    /// Deletes a definition with its schedules; runs stay.
    ///
    /// # Errors
    /// When there never was one.
    pub(crate) async fn delete_definition(
        &self,
        principal: &Principal,
        id: DefinitionId,
    ) -> Result<Outcome<()>, Error> {
        for _ in 0..DECISIONS {
            let found = store::definitions::find(self.database(), id)
                .await?
                .filter(|found| found.tenant == principal.tenant)
                .ok_or(Error::DefinitionNotFound)?;
            if found.deleted_at.is_some() {
                return Ok(Outcome::AlreadyApplied(()));
            }
            let now = self.now();
            let mut changes = ChangeSet::new();
            let gone = definition::deleted(&found, principal.subject.clone(), now);
            store::definitions::update(&mut changes, &gone);
            for schedule in store::schedules::of_definition(self.database(), id).await? {
                store::schedules::update(&mut changes, &schedule.deleted(now));
            }
            match self.commit(changes).await {
                Ok(()) => return Ok(Outcome::Applied(())),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }
}
