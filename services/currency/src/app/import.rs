//! Taking rates in: a file that somebody sends, an answer of a source, what other replicas have written.

use std::sync::Arc;

use paymesh_kernel::{ChangeSet, CommitError};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{ATTEMPTS, App};
use crate::{
    domain::{
        Bounds, History, ImportRefused, Imported, Outcome, Publication, Source, SourceName, merge,
    },
    error::Error,
    events,
    formats::{Format, FormatError, ecb_csv, ecb_xml},
    store::{self, rates},
};

/// Most sources.
const SOURCE_LIMIT: usize = 16;
/// The rates that come with the project; see `data/README.md`.
const BUILTIN: &str = include_str!("../../data/eurofxref-excerpt.csv");
/// Whose they are.
const BUILTIN_SOURCE: &str = "ecb";

// === impl App ===

impl App {
    /// Takes a file in as its publisher wrote it (X6). The same file again changes nothing and answers as the first time.
    pub(crate) async fn import_file(
        &self,
        source: SourceName,
        format: Format,
        content: Vec<u8>,
    ) -> Result<Outcome<Imported>, Error> {
        let id = digest(&source, format, &content);
        if let Some(before) = rates::import(&self.database, id).await? {
            return Ok(Outcome::AlreadyApplied(before.imported));
        }
        // Sixteen megabytes take a while, and other calls wait on this thread.
        let publication = tokio::task::spawn_blocking(move || read(format, &content))
            .await
            .map_err(|_| Error::Interrupted)??;
        let bounds = self.config.bounds(self.now());
        self.take_in(source, &publication, Some(id), bounds).await
    }

    /// Loads the rates that come with the project, when there are none.
    pub(crate) async fn load_builtin(&self) -> Result<(), Error> {
        if !self.config.builtin_rates || !self.book().histories().is_empty() {
            return Ok(());
        }
        let publication = ecb_csv::read(BUILTIN.as_bytes())?;
        let source = BUILTIN_SOURCE.parse().expect("the name is a name");
        let id = digest(&source, Format::EcbCsv, BUILTIN.as_bytes());
        let bounds = Bounds {
            not_after: None,
            ..self.config.bounds(self.now())
        };
        let imported = self
            .take_in(source, &publication, Some(id), bounds)
            .await?
            .into_inner();
        tracing::info!(
            count = imported.count,
            newest = %imported.newest,
            "loaded the rates that come with the project"
        );
        Ok(())
    }

    /// Takes a publication in, whole or not at all. `file` names what it was read from, when it may come again.
    pub(super) async fn take_in(
        &self,
        name: SourceName,
        publication: &Publication,
        file: Option<Uuid>,
        bounds: Bounds,
    ) -> Result<Outcome<Imported>, Error> {
        let _one_at_a_time = self.taking_in.lock().await;
        for _ in 0..ATTEMPTS {
            if let Some(id) = file
                && let Some(before) = rates::import(&self.database, id).await?
            {
                self.read_changes().await?;
                return Ok(Outcome::AlreadyApplied(before.imported));
            }
            self.read_changes().await?;
            let history = self.history_of(&name, publication)?;
            let (changes, history, imported) = self.decide(history, publication, file, bounds)?;
            match self.writer.commit(changes).await {
                Ok(()) => {
                    self.replace_book(self.book().with(history, &self.order));
                    return Ok(Outcome::Applied(imported));
                }
                Err(error) if is_lost(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// Brings the book up to what the database holds.
    pub(crate) async fn refresh(&self) -> Result<(), Error> {
        let _one_at_a_time = self.taking_in.lock().await;
        self.read_changes().await
    }

    /// The caller holds `taking_in`.
    async fn read_changes(&self) -> Result<(), Error> {
        for source in rates::sources(&self.database).await? {
            let book = self.book();
            let known = book.history(&source.name);
            let version = known.map_or(0, |known| known.source.version);
            if source.version == version {
                continue;
            }
            let mut history = known.map_or_else(
                || History::new(source.clone()),
                |known| known.as_ref().clone(),
            );
            let days = rates::days_after(&self.database, source.id, version).await?;
            history.days.extend(days);
            history.source = source;
            self.replace_book(book.with(history, &self.order));
        }
        Ok(())
    }

    /// What is known of a source; nothing yet when it is new.
    fn history_of(&self, name: &SourceName, publication: &Publication) -> Result<History, Error> {
        let book = self.book();
        if let Some(known) = book.history(name) {
            return Ok(known.as_ref().clone());
        }
        if book.histories().len() >= SOURCE_LIMIT {
            return Err(Error::TooManySources {
                limit: SOURCE_LIMIT,
            });
        }
        let now = self.now();
        Ok(History::new(Source {
            id: self.ids.next(),
            name: name.clone(),
            base: publication.base,
            version: 0,
            imported_at: now,
            created_at: now,
        }))
    }

    /// The rows and the fact of an import, and the history as it is afterwards.
    fn decide(
        &self,
        mut history: History,
        publication: &Publication,
        file: Option<Uuid>,
        bounds: Bounds,
    ) -> Result<(ChangeSet, History, Imported), Error> {
        let now = self.now();
        let merge = merge(&history, publication, bounds, now)?;
        let (oldest, newest) = publication.span().ok_or(ImportRefused::Empty)?;
        let imported = Imported {
            count: merge.count,
            oldest,
            newest,
        };
        let mut changes = ChangeSet::new();
        if merge.count > 0 {
            let is_new = history.source.version == 0;
            history.source.version = history.source.version.saturating_add(1);
            history.source.imported_at = now;
            for (date, day) in merge.days {
                rates::put_day(&mut changes, &history.source, date, &day);
                history.days.insert(date, Arc::clone(&day));
            }
            if is_new {
                rates::insert_source(&mut changes, &history.source);
            } else {
                rates::update_source(&mut changes, &history.source);
            }
            events::rates_updated(&mut changes, &self.ids, &history, &imported);
        }
        if let Some(id) = file {
            rates::insert_import(
                &mut changes,
                &rates::Import {
                    id,
                    source: history.source.id,
                    imported,
                    at: now,
                },
            );
        }
        Ok((changes, history, imported))
    }
}

/// Another replica was faster: look again.
fn is_lost(error: &CommitError) -> bool {
    *error == CommitError::Stale
        || error.is_duplicate(store::SOURCE_NAME_KEY)
        || error.is_duplicate(store::IMPORT_KEY)
}

fn read(format: Format, content: &[u8]) -> Result<Publication, FormatError> {
    match format {
        Format::EcbCsv => ecb_csv::read(content),
        Format::EcbXml => ecb_xml::read(content),
    }
}

/// 128 bits of a hash over source, form and content.
fn digest(source: &SourceName, format: Format, content: &[u8]) -> Uuid {
    let format = match format {
        Format::EcbCsv => "csv",
        Format::EcbXml => "xml",
    };
    fingerprint(&[source.as_str().as_bytes(), format.as_bytes(), content])
}

/// 128 bits of a hash over length-prefixed parts.
pub(crate) fn fingerprint(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut first = [0_u8; 16];
    first
        .iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    Uuid::from_bytes(first)
}
