//! Runs a command with its output on the screen and in a log, and with an end to the time it may
//! take.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::guard::{Guard, Process, Resource, Signal, kill_group};

/// Lines that wait to be printed; the child waits when there are more.
const QUEUE_LINES: usize = 1024;
/// How often the child is looked at while it is silent.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long an ended child's own children may keep its output open.
const LINGER: Duration = Duration::from_secs(2);

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// Whether a line is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Show {
    Yes,
    No,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Success,
    Failure(ExitStatus),
    TimedOut,
}

/// What the commands of one suite share.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) log: File,
    pub(crate) deadline: Instant,
}

// === impl Runner ===

impl Runner {
    /// Runs a command to its end or to the deadline. `look` sees every line and says whether it is
    /// shown.
    pub(crate) fn run(
        &mut self,
        guard: &mut Guard,
        command: &mut Command,
        mut look: impl FnMut(Stream, &str) -> Show,
    ) -> Result<Ended> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} did not start", command.get_program().display()))?;
        guard.add(Resource::Process(Process::of(&child, Signal::Kill)))?;
        let lines = read_lines(&mut child)?;
        let mut ended_at = None;
        loop {
            let now = Instant::now();
            if now > self.deadline {
                kill_group(&child);
                child.wait()?;
                self.say("stopped: the time is up")?;
                return Ok(Ended::TimedOut);
            }
            match lines.recv_timeout(LOOK_EVERY) {
                Ok((stream, line)) => {
                    if look(stream, &line) == Show::Yes {
                        self.show(stream, &line)?;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    if ended_at.is_none() && child.try_wait()?.is_some() {
                        ended_at = Some(now);
                    }
                    if ended_at.is_some_and(|at| now.duration_since(at) > LINGER) {
                        break;
                    }
                }
            }
        }
        let status = child.wait()?;
        // What a failed test has left behind must not disturb the next one.
        kill_group(&child);
        Ok(if status.success() {
            Ended::Success
        } else {
            Ended::Failure(status)
        })
    }

    /// Prints a line of our own and logs it.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        self.show(Stream::Out, line)
    }

    fn show(&mut self, stream: Stream, line: &str) -> Result<()> {
        match stream {
            Stream::Out => println!("{line}"),
            Stream::Err => eprintln!("{line}"),
        }
        writeln!(self.log, "{line}").context("the log cannot be written")
    }
}

/// Waits a moment between two looks at something that cannot announce itself.
#[allow(
    clippy::disallowed_methods,
    reason = "a foreign process tells nobody when it is ready or gone; every caller has a limit"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn read_lines(child: &mut Child) -> Result<Receiver<(Stream, String)>> {
    let (sender, receiver) = sync_channel(QUEUE_LINES);
    let out = child
        .stdout
        .take()
        .context("the child has no standard output")?;
    let err = child
        .stderr
        .take()
        .context("the child has no standard error")?;
    let second = sender.clone();
    std::thread::spawn(move || forward(Stream::Out, out, &sender));
    std::thread::spawn(move || forward(Stream::Err, err, &second));
    Ok(receiver)
}

/// Ends with the pipe, or when nobody listens any more.
fn forward(stream: Stream, pipe: impl Read, lines: &SyncSender<(Stream, String)>) {
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&line)
            .trim_end_matches('\r')
            .to_owned();
        if lines.send((stream, text)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn shell(script: &str, limit: Duration) -> (Ended, Vec<(Stream, String)>) {
        let mut guard = Guard::stand_in().unwrap();
        let log = File::options().write(true).open("/dev/null").unwrap();
        let mut runner = Runner {
            log,
            deadline: Instant::now() + limit,
        };
        let mut lines = Vec::new();
        let ended = runner
            .run(
                &mut guard,
                Command::new("sh").args(["-c", script]),
                |stream, line| {
                    lines.push((stream, line.to_owned()));
                    Show::No
                },
            )
            .unwrap();
        lines.sort_by_key(|(stream, _)| *stream == Stream::Err);
        (ended, lines)
    }

    #[test]
    fn both_streams_are_seen_line_by_line() {
        let (ended, lines) = shell(
            "echo one; echo two >&2; printf three",
            Duration::from_secs(30),
        );
        assert_eq!(ended, Ended::Success);
        let expected = [
            (Stream::Out, "one"),
            (Stream::Out, "three"),
            (Stream::Err, "two"),
        ];
        assert_eq!(
            lines,
            expected.map(|(stream, line)| (stream, line.to_owned()))
        );
    }

    #[test]
    fn a_failure_is_told_from_a_success() {
        let (ended, _) = shell("exit 3", Duration::from_secs(30));
        assert!(matches!(ended, Ended::Failure(status) if status.code() == Some(3)));
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped_at_the_deadline() {
        let (ended, _) = shell(
            "while :; do read line </dev/zero; done",
            Duration::from_millis(300),
        );
        assert_eq!(ended, Ended::TimedOut);
    }

    #[test]
    fn a_grandchild_that_keeps_the_output_open_does_not_hold_the_run() {
        let begun = Instant::now();
        let (ended, _) = shell(
            "(exec tail -f /dev/null) & echo done",
            Duration::from_secs(30),
        );
        assert_eq!(ended, Ended::Success);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
