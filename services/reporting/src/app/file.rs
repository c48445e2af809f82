//! A file while it is written: encoded, cut into pieces of one size, hashed, stored; the lease of its run is kept meanwhile (P5).

use paymesh_kernel::{ChangeSet, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{App, format, reports::Halt};
use crate::{
    domain::{Columns, Line, Run, run::Content},
    store::{self, files::Piece},
};

/// Size of every piece but the last.
pub(super) const PIECE_BYTES: usize = 64 * 1024;
/// Pieces in one commit.
const PIECES_AT_ONCE: usize = 8;

/// A file being written.
pub(super) struct File<'a> {
    app: &'a App,
    run: Run,
    renewed_at: Timestamp,
    columns: Columns,
    hash: Sha256,
    /// Not stored yet.
    buffer: Vec<u8>,
    /// Pieces stored.
    pieces: i64,
    size: u64,
    rows: i64,
}

// === impl File ===

impl<'a> File<'a> {
    /// The file of a run that was just taken up.
    pub(super) fn new(app: &'a App, run: Run) -> Self {
        Self {
            renewed_at: app.now(),
            app,
            run,
            columns: &[],
            hash: Sha256::new(),
            buffer: Vec::new(),
            pieces: 0,
            size: 0,
            rows: 0,
        }
    }

    pub(super) const fn run(&self) -> &Run {
        &self.run
    }

    /// The run as it was written last.
    pub(super) fn into_run(self) -> Run {
        self.run
    }

    /// Names the columns. Called once, before the first line.
    pub(super) fn begin(&mut self, columns: Columns) -> Result<(), Halt> {
        assert!(self.columns.is_empty(), "P5: a file has one header");
        self.columns = columns;
        let header = format::header(self.run.format, columns).map_err(not_written)?;
        self.take(&header)
    }

    /// Adds lines, and stores what is enough for pieces.
    pub(super) async fn add(&mut self, lines: Vec<Line>) -> Result<(), Halt> {
        let width = self.columns.len();
        assert!(
            lines.iter().all(|line| line.len() == width),
            "P5: every line has a cell for each column"
        );
        let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let bytes = format::lines(self.run.format, self.columns, lines).map_err(not_written)?;
        self.rows = self.rows.saturating_add(count);
        self.take(&bytes)?;
        while self.buffer.len() >= PIECE_BYTES {
            let whole = self
                .buffer
                .len()
                .div_euclid(PIECE_BYTES)
                .min(PIECES_AT_ONCE);
            let bytes: Vec<u8> = self.buffer.drain(..whole * PIECE_BYTES).collect();
            self.store(&bytes).await?;
        }
        self.keep().await
    }

    /// Renews the lease when a third of it is over. Called at least once for each page and in every wait.
    pub(super) async fn keep(&mut self) -> Result<(), Halt> {
        let (now, lease) = (self.app.now(), self.app.lease());
        if now.since(self.renewed_at).saturating_mul(3) < lease {
            return Ok(());
        }
        let renewed = self.run.renewed(now, lease);
        let mut changes = ChangeSet::new();
        store::runs::update(&mut changes, &renewed);
        self.app.commit(changes).await?;
        self.run = renewed;
        self.renewed_at = now;
        Ok(())
    }

    /// Stores the rest.
    pub(super) async fn finish(&mut self) -> Result<Content, Halt> {
        let rest = std::mem::take(&mut self.buffer);
        self.store(&rest).await?;
        let hash = std::mem::take(&mut self.hash);
        Ok(Content {
            row_count: self.rows,
            size_bytes: i64::try_from(self.size).unwrap_or(i64::MAX),
            sha256: hex::encode(hash.finalize()),
        })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(size);
        let limit = self.app.settings().file_bytes;
        if self.size > limit {
            let reason =
                format!("FILE_TOO_LARGE: a file has at most {limit} bytes; choose a shorter range");
            return Err(Halt::Final(reason));
        }
        self.hash.update(bytes);
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    async fn store(&mut self, bytes: &[u8]) -> Result<(), Halt> {
        let mut changes = ChangeSet::new();
        for content in bytes.chunks(PIECE_BYTES) {
            let piece = Piece {
                run: self.run.id,
                attempt: self.run.attempts,
                number: self.pieces,
            };
            store::files::insert(&mut changes, piece, content.to_vec());
            self.pieces = self.pieces.saturating_add(1);
        }
        Ok(self.app.commit(changes).await?)
    }
}

fn not_written(error: csv::Error) -> Halt {
    tracing::error!(error = %error, "lines cannot be written");
    Halt::Final("FILE_NOT_WRITTEN".to_owned())
}
