//! Files, piece by piece.

use std::time::Duration;

use paymesh_kernel::Principal;

use super::{App, file::PIECE_BYTES};
use crate::{
    domain::{Run, RunId, State},
    error::Error,
    store::{self, files::Piece},
};

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

// === impl App ===

impl App {
    /// A run whose file can be read from `offset` on.
    ///
    /// # Errors
    /// When there is no file, or it ends before.
    pub(crate) async fn file(
        &self,
        principal: &Principal,
        id: RunId,
        offset: u64,
    ) -> Result<Run, Error> {
        let run = self.run(principal, id, Duration::ZERO).await?;
        if run.state != State::Completed {
            return Err(Error::RunNotCompleted);
        }
        if run.file_attempt == 0 {
            return Err(Error::FileExpired);
        }
        let size = u64::try_from(run.content.size_bytes).unwrap_or(0);
        if offset > size {
            let rule = format!("must be at most the size of the file, {size}");
            return Err(Error::field("offset_bytes", rule));
        }
        Ok(run)
    }

    /// What the file has at `offset`, at most one piece; None at its end.
    ///
    /// # Errors
    /// When the file was taken away meanwhile.
    pub(crate) async fn part(&self, run: &Run, offset: u64) -> Result<Option<Part>, Error> {
        if offset >= u64::try_from(run.content.size_bytes).unwrap_or(0) {
            return Ok(None);
        }
        let size = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
        let piece = Piece {
            run: run.id,
            attempt: run.file_attempt,
            number: i64::try_from(offset.div_euclid(size)).unwrap_or(i64::MAX),
        };
        let mut bytes = store::files::find(self.database(), piece)
            .await?
            .ok_or(Error::FileExpired)?;
        let skipped = usize::try_from(offset.rem_euclid(size)).unwrap_or(usize::MAX);
        bytes.drain(..skipped.min(bytes.len()));
        Ok(Some(Part { offset, bytes }))
    }
}
