//! What both simulators share: state in memory that is a fold of the journal, idempotency keys, timers.
//!
//! Invariants:
//! - E1: state changes only by facts, and the facts of one command are one line of the journal: all of them survive or none.
//! - E2: nobody is told of a fact before it is durable: answers, reads and webhooks wait for the journal.
//! - E3: the answer of a request with a key is in the same line as its facts, so a repeat gives the same bytes.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::Deserialize;
use tokio::sync::Notify;

use crate::chance::scatter;
use crate::engine::line::{Header, Line, LineOut, read_header, to_line};
use crate::journal::{Journal, JournalError, Lost, Place, Progress};
use crate::keys::{Fingerprint, KeptAnswer, KeyedRequest, Keys, Known};
use crate::machine::{Answer, Context, Decision, Machine, Stamp};
use crate::problem::Problem;
use crate::timestamp::{Clock, Timestamp};

mod line;

/// Every so many lines the offset is remembered, so that the record can be read from any line.
const INDEX_EVERY: u64 = 128;

/// What came of a request's key.
#[derive(Debug)]
pub(crate) enum Admission<M: Machine> {
    /// Work on it; the ticket keeps the key in flight until it is dropped.
    Fresh(Option<Ticket<M>>),
    /// It was done before.
    Replay(Answer),
}

/// Holds a key in flight.
#[derive(Debug)]
pub(crate) struct Ticket<M: Machine> {
    engine: Arc<Engine<M>>,
    request: KeyedRequest,
}

/// Bounds and rules of an engine.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) clock: Clock,
    pub(crate) key_lifetime_ms: u64,
    pub(crate) journal_bytes: u64,
    pub(crate) seed: u64,
}

/// The shared engine.
#[derive(Debug)]
pub(crate) struct Engine<M: Machine> {
    inner: Mutex<Inner<M>>,
    journal: Journal,
    rules: Rules,
    nonce: u64,
    timers: Notify,
}

#[derive(Debug)]
struct Inner<M> {
    machine: M,
    keys: Keys,
    index: Vec<u64>,
    last_seq: u64,
}

// === impl Engine ===

impl<M: Machine> Engine<M> {
    /// Opens the journal in `folder` (made when missing) and folds it into `machine`.
    pub(crate) fn open(folder: &Path, machine: M, rules: Rules) -> Result<Arc<Self>, JournalError> {
        let path = folder.join("journal.jsonl");
        std::fs::create_dir_all(folder).map_err(|source| JournalError::Io {
            path: path.clone(),
            source,
        })?;
        let mut inner = Inner {
            machine,
            keys: Keys::default(),
            index: Vec::new(),
            last_seq: 0,
        };
        let mut nonce = None;
        let journal = Journal::open(&path, |place, bytes| match nonce {
            None => {
                nonce = Some(read_header(bytes, M::FORMAT)?);
                inner.note_line(1, place);
                Ok(1)
            }
            Some(nonce) => inner.read_line(place, bytes, nonce),
        })?;
        let nonce = nonce.unwrap_or_else(|| {
            let at = rules.clock.now();
            let fresh = scatter(rules.seed ^ scatter(u64::try_from(at.micros()).unwrap_or(0)));
            let header = Header {
                format: M::FORMAT.to_owned(),
                seq: 1,
                nonce: fresh,
                at,
            };
            let place = journal.append(1, &to_line(&header));
            inner.note_line(1, place);
            fresh
        });
        Ok(Arc::new(Self {
            inner: Mutex::new(inner),
            journal,
            rules,
            nonce,
            timers: Notify::new(),
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.rules.clock.now()
    }

    /// Looks a request's key up, and takes it when it is new.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        request: Option<KeyedRequest>,
    ) -> Result<Admission<M>, Problem> {
        let Some(request) = request else {
            return Ok(Admission::Fresh(None));
        };
        let known = {
            let mut inner = self.lock();
            let known = inner.keys.look_up(&request, self.now());
            if known == Known::New {
                inner.keys.begin(&request);
            }
            known
        };
        match known {
            Known::New => Ok(Admission::Fresh(Some(Ticket {
                engine: Arc::clone(self),
                request,
            }))),
            Known::Mismatch => Err(Problem::refused(
                "key_reused",
                "this Idempotency-Key was used with another request; use a new key",
            )),
            Known::InFlight => {
                let detail = "a request with this Idempotency-Key is still being worked on; ask again shortly";
                Err(Problem::conflict("key_in_flight", detail).retry_after(1))
            }
            Known::Done(place, seq) => {
                self.wait_for(seq).await?;
                self.kept_answer(place).await.map(Admission::Replay)
            }
        }
    }

    /// Decides and applies a command, and waits until it is durable.
    pub(crate) async fn run(
        &self,
        command: &M::Command,
        business_at: Option<Timestamp>,
        ticket: Option<&Ticket<M>>,
    ) -> Result<Answer, Problem> {
        let (answer, seq) = self.commit(command, business_at, ticket)?;
        self.wait_for(seq).await?;
        Ok(answer)
    }

    /// Applies facts that need no decision, and says in which line, without waiting for the disk.
    pub(crate) fn note(&self, facts: &[M::Fact]) -> Result<u64, Problem> {
        self.room()?;
        let mut inner = self.lock();
        let seq = inner.last_seq + 1;
        let at = self.now();
        inner.fold(facts, seq, at, self.nonce);
        self.write(
            &mut inner,
            &LineOut {
                seq,
                at,
                facts,
                kept: None,
            },
        );
        Ok(seq)
    }

    /// Looks at the state, and waits until all of what was seen is durable (E2).
    pub(crate) async fn read<T>(
        &self,
        look: impl FnOnce(&M) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let (seen, seq) = {
            let inner = self.lock();
            (look(&inner.machine)?, inner.last_seq)
        };
        self.wait_for(seq).await?;
        Ok(seen)
    }

    /// Looks at the state without waiting; for background work that compares with [`Progress`] itself.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&M) -> T) -> T {
        look(&self.lock().machine)
    }

    /// Runs every timer that is due at `until` and returns how many ran. Bounded by the timers there were at the start.
    pub(crate) async fn run_timers(&self, until: Timestamp, most: usize) -> Result<usize, Problem> {
        let mut ran = 0;
        let mut last = 0;
        while ran < most {
            let command = self.peek(|machine| match machine.next_timer() {
                Some(due) if due <= until => machine.timer_command(),
                Some(_) | None => None,
            });
            let Some(command) = command else { break };
            (_, last) = self.commit(&command, None, None)?;
            ran += 1;
        }
        self.wait_for(last).await?;
        Ok(ran)
    }

    /// Waits until the earliest timer may have changed.
    pub(crate) async fn timers_changed(&self) {
        self.timers.notified().await;
    }

    /// Follows what is durable.
    pub(crate) fn progress(&self) -> Progress {
        self.journal.watch()
    }

    pub(crate) fn journal_bytes(&self) -> u64 {
        self.journal.size_bytes()
    }

    /// Up to `limit` lines after `after`, and the last line there is.
    pub(crate) async fn lines(
        &self,
        after: u64,
        limit: u64,
    ) -> Result<(Vec<Vec<u8>>, u64), Problem> {
        let (start, last_seq, end) = {
            let inner = self.lock();
            let slot = usize::try_from((after.max(1) - 1) / INDEX_EVERY).unwrap_or(usize::MAX);
            (
                inner.index.get(slot).copied(),
                inner.last_seq,
                self.journal.size_bytes(),
            )
        };
        self.wait_for(last_seq).await?;
        let Some(start) = start else {
            return Ok((Vec::new(), last_seq));
        };
        let first_seq = (after.max(1) - 1) / INDEX_EVERY * INDEX_EVERY + 1;
        let skip = usize::try_from(after + 1 - first_seq).unwrap_or(usize::MAX);
        let take = usize::try_from(limit.min(last_seq.saturating_sub(after))).unwrap_or(0);
        let lines = self.scan((start, end), skip, take).await.map_err(|error| {
            tracing::error!(error = %error, "the journal cannot be read");
            Problem::journal_lost()
        })?;
        Ok((lines, last_seq))
    }

    #[cfg(test)]
    pub(crate) fn hold_disk(&self, held: bool) {
        self.journal.hold(held);
    }

    /// Stops writing after what waits is on the disk.
    pub(crate) fn close(&self) {
        self.journal.close();
    }

    /// Stops writing at once, as a crash would.
    pub(crate) fn abandon(&self) {
        self.journal.abandon();
    }

    fn commit(
        &self,
        command: &M::Command,
        business_at: Option<Timestamp>,
        ticket: Option<&Ticket<M>>,
    ) -> Result<(Answer, u64), Problem> {
        self.room()?;
        let mut inner = self.lock();
        let at = self.now();
        let seq = inner.last_seq + 1;
        let business_at = business_at.unwrap_or(at);
        let mut context = Context {
            at,
            business_at,
            seq,
            nonce: self.nonce,
            ids: 0,
        };
        let Decision { facts, subject } = inner.machine.decide(command, &mut context)?;
        if facts.is_empty() {
            return Ok((inner.machine.render(&subject), inner.last_seq));
        }
        let timer = inner.machine.next_timer();
        inner.fold(&facts, seq, at, self.nonce);
        if inner.machine.next_timer() != timer {
            self.timers.notify_one();
        }
        let answer = inner.machine.render(&subject);
        let kept = ticket.map(|ticket| KeptAnswer {
            key: ticket.request.key,
            body: ticket.request.body,
            expires_at: at.plus_ms(self.rules.key_lifetime_ms),
            status: answer.status,
            answer: answer.body.clone(),
        });
        let place = self.write(
            &mut inner,
            &LineOut {
                seq,
                at,
                facts: &facts,
                kept: kept.as_ref(),
            },
        );
        if let Some(kept) = kept {
            inner.keys.finish(&kept, place, seq);
        }
        Ok((answer, seq))
    }

    fn write(&self, inner: &mut Inner<M>, line: &LineOut<'_, M::Fact>) -> Place {
        let place = self.journal.append(line.seq, &to_line(line));
        inner.note_line(line.seq, place);
        place
    }

    fn room(&self) -> Result<(), Problem> {
        if self.journal.size_bytes() >= self.rules.journal_bytes {
            return Err(Problem::full(
                "the record has reached its configured size; start with a new data folder",
            ));
        }
        match self.journal.accepts() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::busy("too much is waiting for the disk")),
            Err(Lost) => Err(Problem::journal_lost()),
        }
    }

    /// Waits until a line is on the disk.
    pub(crate) async fn wait_for(&self, seq: u64) -> Result<(), Problem> {
        self.journal
            .durable(seq)
            .await
            .map_err(|Lost| Problem::journal_lost())
    }

    async fn kept_answer(&self, place: Place) -> Result<Answer, Problem> {
        #[derive(Deserialize)]
        struct Kept {
            kept: KeptAnswer,
        }
        let bytes = self.journal.read(place).await;
        let line = bytes
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let Some(Kept { kept }) = line else {
            return Err(Problem::journal_lost());
        };
        Ok(Answer {
            status: kept.status,
            body: kept.answer,
        })
    }

    /// Reads `skip + take` lines of a range of durable bytes and returns the last `take`.
    async fn scan(
        &self,
        (start, end): (u64, u64),
        skip: usize,
        take: usize,
    ) -> std::io::Result<Vec<Vec<u8>>> {
        const STEP_BYTES: u64 = 256 * 1024;
        let (mut lines, mut rest, mut seen, mut offset) = (Vec::new(), Vec::new(), 0, start);
        while lines.len() < take && offset < end {
            let step = STEP_BYTES.min(end - offset);
            let place = Place {
                offset,
                length: u32::try_from(step).map_err(std::io::Error::other)?,
            };
            rest.extend_from_slice(&self.journal.read(place).await?);
            offset += step;
            let mut from = 0;
            while let Some(length) = rest.iter().skip(from).position(|byte| *byte == b'\n') {
                if seen >= skip && lines.len() < take {
                    lines.push(rest.get(from..from + length).unwrap_or_default().to_vec());
                }
                seen += 1;
                from += length + 1;
            }
            rest.drain(..from);
        }
        Ok(lines)
    }

    fn lock(&self) -> MutexGuard<'_, Inner<M>> {
        self.inner
            .lock()
            .expect("a broken invariant has stopped this simulator")
    }
}

// === impl Ticket ===

impl<M: Machine> Drop for Ticket<M> {
    fn drop(&mut self) {
        if let Ok(mut inner) = self.engine.inner.lock() {
            inner.keys.end(self.request.key);
        }
    }
}

// === impl Inner ===

impl<M: Machine> Inner<M> {
    fn fold(&mut self, facts: &[M::Fact], seq: u64, at: Timestamp, nonce: u64) {
        for (index, fact) in (0_u64..).zip(facts) {
            self.machine.apply(
                &Stamp {
                    seq,
                    index,
                    at,
                    nonce,
                },
                fact,
            );
        }
    }

    fn note_line(&mut self, seq: u64, place: Place) {
        if (seq - 1).is_multiple_of(INDEX_EVERY) {
            self.index.push(place.offset);
        }
        self.last_seq = seq;
    }

    fn read_line(&mut self, place: Place, bytes: &[u8], nonce: u64) -> Result<u64, String> {
        let line: Line<M::Fact> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if line.seq != self.last_seq + 1 {
            return Err(format!(
                "it has number {}, {} was expected",
                line.seq,
                self.last_seq + 1
            ));
        }
        self.fold(&line.facts, line.seq, line.at, nonce);
        self.note_line(line.seq, place);
        if let Some(kept) = &line.kept {
            self.keys.finish(kept, place, line.seq);
        }
        Ok(line.seq)
    }
}

// === free functions ===

/// A fingerprint for a key header and the request it came with.
pub(crate) fn keyed(key: &str, parts: &[&[u8]]) -> KeyedRequest {
    KeyedRequest {
        key: Fingerprint::of(&[key.as_bytes()]),
        body: Fingerprint::of(parts),
    }
}

#[cfg(test)]
mod tests;
