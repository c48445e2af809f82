//! Use cases. The book of rates is in memory; every replica reads what others import from the database they share.

mod import;
mod quotes;
mod rates;
mod upkeep;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use paymesh_chassis::Host;
use paymesh_kernel::{Clock, Database, Ids, Timestamp, Writer};

use crate::{
    config::Config,
    domain::{Book, SourceName},
};

pub(crate) use import::fingerprint;
pub(crate) use quotes::{ListQuotes, Lock};
pub(crate) use rates::{ListRates, Listed};
pub(crate) use upkeep::start;

/// How often a use case loads and decides again after a concurrent change.
const ATTEMPTS: usize = 5;

/// What the use cases work with.
#[derive(Debug)]
pub(crate) struct App {
    config: Config,
    order: Vec<SourceName>,
    database: Database,
    writer: Writer,
    clock: Arc<dyn Clock>,
    ids: Ids,
    book: RwLock<Arc<Book>>,
    /// Held while rates are taken in, so that the book never goes back.
    taking_in: tokio::sync::Mutex<()>,
    asked: Mutex<BTreeMap<SourceName, Asked>>,
}

/// How asking a source went.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// When it last gave rates.
    answered_at: Option<Timestamp>,
    /// Failures since then.
    failures: u32,
}

// === impl App ===

impl App {
    pub(crate) fn new(config: Config, host: &Host) -> Self {
        Self {
            order: config.names(),
            config,
            database: host.database.clone(),
            writer: host.writer.clone(),
            clock: Arc::clone(&host.platform.clock),
            ids: host.platform.ids.clone(),
            book: RwLock::default(),
            taking_in: tokio::sync::Mutex::new(()),
            asked: Mutex::default(),
        }
    }

    /// The current moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The settings.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// The book as it is.
    pub(crate) fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a book in the place of the one before; the caller holds `taking_in`.
    fn replace_book(&self, book: Book) {
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }
}
