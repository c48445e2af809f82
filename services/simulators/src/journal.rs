//! The durable record: an append-only file of JSON lines with group fsync.
//!
//! Invariants:
//! - J1: a line counts as durable only after `fdatasync` returned for it; [`Journal::durable`] waits for that.
//! - J2: lines are written in the order of `append`, so what a crash leaves is a prefix of what was appended.
//! - J3: a torn last line is cut off on start; any other damage stops the start.
//! - J4: one process at a time: the file is locked.
//!
//! One thread writes: it takes everything that waits when the last sync returned, so requests that arrive together share one
//! sync. Limits: the bytes waiting for the disk here, the size of the file in the engine.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use tokio::sync::watch;

/// How much may wait for the disk, in bytes.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// Why the record cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("cannot use the journal {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("the journal {path} is in use by another process")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line that is not the torn end cannot be understood.
    #[error("line {line} of the journal {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where a line stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) length: u32,
}

/// The disk did not take a line, or the journal was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal no longer writes")]
pub(crate) struct Lost;

/// The open record.
#[derive(Debug)]
pub(crate) struct Journal {
    shared: Arc<Shared>,
    synced: watch::Receiver<Synced>,
    reader: Arc<File>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
}

#[derive(Debug)]
struct Pending {
    buffer: Vec<u8>,
    last_seq: u64,
    /// Where the next line will start in the file.
    position: u64,
    stage: Stage,
    /// The disk takes nothing until it is let go.
    #[cfg(test)]
    held: bool,
}

// === impl Pending ===

impl Pending {
    fn waits(&self) -> bool {
        #[cfg(test)]
        if self.held && self.stage == Stage::Open {
            return true;
        }
        self.buffer.is_empty() && self.stage == Stage::Open
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Closing,
    Failed,
}

#[derive(Clone, Copy, Debug)]
enum Synced {
    Through(u64),
    Lost,
}

// === impl Journal ===

impl Journal {
    /// Opens or creates the file, hands every complete line (without its end) to `on_line` in order, and starts the writer.
    /// `on_line` returns the line's sequence number, or what is wrong with it.
    pub(crate) fn open(
        path: &Path,
        mut on_line: impl FnMut(Place, &[u8]) -> Result<u64, String>,
    ) -> Result<Self, JournalError> {
        let failed = |source| JournalError::Io {
            path: path.to_owned(),
            source,
        };
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if fresh {
            sync_folder(path).map_err(failed)?;
        }
        let (last_seq, position) = replay(path, &file, &mut on_line)?;
        let reader = Arc::new(File::open(path).map_err(failed)?);
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending {
                buffer: Vec::new(),
                last_seq,
                position,
                stage: Stage::Open,
                #[cfg(test)]
                held: false,
            }),
            wake: Condvar::new(),
        });
        let (sender, synced) = watch::channel(Synced::Through(last_seq));
        let writer = std::thread::Builder::new()
            .name("simulator-journal".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || write_loop(&shared, file, &sender)
            })
            .map_err(failed)?;
        Ok(Self {
            shared,
            synced,
            reader,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Whether another line may be appended now.
    pub(crate) fn accepts(&self) -> Result<bool, Lost> {
        let pending = self.pending();
        match pending.stage {
            Stage::Open => Ok(pending.buffer.len() < WAITING_BYTES),
            Stage::Closing | Stage::Failed => Err(Lost),
        }
    }

    /// The size of the file once all that waits is written, in bytes.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.pending().position
    }

    /// Queues a line (with its line end) for the disk and says where it will stand. The caller keeps the order of `seq`.
    pub(crate) fn append(&self, seq: u64, line: &[u8]) -> Place {
        let mut pending = self.pending();
        assert_eq!(seq, pending.last_seq + 1, "J2: lines are appended in order");
        let length = u32::try_from(line.len()).expect("a line is far shorter than 4 GiB");
        let place = Place {
            offset: pending.position,
            length,
        };
        pending.buffer.extend_from_slice(line);
        pending.last_seq = seq;
        pending.position += u64::from(length);
        drop(pending);
        self.shared.wake.notify_one();
        place
    }

    /// Waits until the line `seq`, and all before it, are on the disk.
    pub(crate) async fn durable(&self, seq: u64) -> Result<(), Lost> {
        let mut synced = self.synced.clone();
        let reached = synced
            .wait_for(|state| match state {
                Synced::Through(done) => *done >= seq,
                Synced::Lost => true,
            })
            .await
            .map_err(|_| Lost)?;
        match *reached {
            Synced::Through(_) => Ok(()),
            Synced::Lost => Err(Lost),
        }
    }

    /// A watcher that sees every sync, and the last line that is on the disk.
    pub(crate) fn watch(&self) -> Progress {
        Progress {
            synced: self.synced.clone(),
        }
    }

    /// Reads bytes of the file; only places that are durable may be asked for.
    pub(crate) async fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let reader = Arc::clone(&self.reader);
        let task = tokio::task::spawn_blocking(move || {
            let length = usize::try_from(place.length).map_err(io::Error::other)?;
            let mut bytes = vec![0; length];
            reader.read_exact_at(&mut bytes, place.offset)?;
            Ok(bytes)
        });
        task.await.map_err(io::Error::other)?
    }

    /// Writes and syncs what waits, then stops. Blocks for at most one write and sync. Later calls do nothing.
    pub(crate) fn close(&self) {
        {
            let mut pending = self.pending();
            if pending.stage == Stage::Open {
                pending.stage = Stage::Closing;
            }
        }
        self.shared.wake.notify_one();
        let writer = self
            .writer
            .lock()
            .expect("nothing panics while it holds this lock")
            .take();
        if writer.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's writer panicked");
        }
    }

    /// Stops as a crash would: what has not reached the file is forgotten.
    pub(crate) fn abandon(&self) {
        self.pending().buffer.clear();
        self.close();
    }

    /// Makes the disk wait, or lets it go on.
    #[cfg(test)]
    pub(crate) fn hold(&self, held: bool) {
        self.pending().held = held;
        self.shared.wake.notify_one();
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.shared
            .pending
            .lock()
            .expect("only an appended line out of order panics here, and that is final")
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Follows the journal's progress.
#[derive(Debug)]
pub(crate) struct Progress {
    synced: watch::Receiver<Synced>,
}

// === impl Progress ===

impl Progress {
    /// The last durable line; an error when the journal is lost.
    pub(crate) fn current(&mut self) -> Result<u64, Lost> {
        match *self.synced.borrow_and_update() {
            Synced::Through(seq) => Ok(seq),
            Synced::Lost => Err(Lost),
        }
    }

    /// Waits for the next sync.
    pub(crate) async fn changed(&mut self) -> Result<(), Lost> {
        self.synced.changed().await.map_err(|_| Lost)
    }
}

// === free functions ===

fn write_loop(shared: &Shared, mut file: File, synced: &watch::Sender<Synced>) {
    let mut batch = Vec::new();
    loop {
        let last_seq = {
            let mut pending = shared
                .pending
                .lock()
                .expect("the appender does not panic while the writer lives");
            while pending.waits() {
                pending = shared
                    .wake
                    .wait(pending)
                    .expect("the appender does not panic while the writer lives");
            }
            if pending.buffer.is_empty() {
                return;
            }
            std::mem::swap(&mut pending.buffer, &mut batch);
            pending.last_seq
        };
        match file.write_all(&batch).and_then(|()| file.sync_data()) {
            Ok(()) => synced.send_replace(Synced::Through(last_seq)),
            Err(error) => {
                // After a failed sync the kernel may have dropped the pages: nothing written since is certain.
                tracing::error!(error = %error, "the journal cannot be written; this simulator answers no more");
                let mut pending = shared
                    .pending
                    .lock()
                    .expect("the appender does not panic while the writer lives");
                pending.stage = Stage::Failed;
                pending.buffer.clear();
                synced.send_replace(Synced::Lost);
                return;
            }
        };
        batch.clear();
    }
}

/// Reads all complete lines, cuts a torn end off, and returns the last sequence number and the length.
fn replay(
    path: &Path,
    file: &File,
    on_line: &mut impl FnMut(Place, &[u8]) -> Result<u64, String>,
) -> Result<(u64, u64), JournalError> {
    let failed = |source| JournalError::Io {
        path: path.to_owned(),
        source,
    };
    let mut input = BufReader::with_capacity(1024 * 1024, file);
    let (mut line, mut position, mut last_seq, mut number) = (Vec::new(), 0_u64, 0_u64, 0_u64);
    loop {
        line.clear();
        let length = input.read_until(b'\n', &mut line).map_err(failed)?;
        if length == 0 {
            return Ok((last_seq, position));
        }
        number += 1;
        let place = Place {
            offset: position,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        };
        let complete = line.pop_if(|byte| *byte == b'\n').is_some();
        // A crash of the machine may leave blocks that were allocated but never written; they read as zeros.
        let torn = !complete || line.contains(&0);
        if torn && input.fill_buf().map_err(failed)?.is_empty() {
            tracing::warn!(path = %path.display(), line = number, "the journal's last line was torn and is cut off");
            file.set_len(position)
                .and_then(|()| file.sync_all())
                .map_err(failed)?;
            return Ok((last_seq, position));
        }
        let damaged = |reason| JournalError::Damaged {
            path: path.to_owned(),
            line: number,
            reason,
        };
        last_seq = on_line(place, &line).map_err(damaged)?;
        position += u64::from(place.length);
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
