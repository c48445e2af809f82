//! Whether a server answers in its own protocol. A port that accepts is not enough: servers listen
//! before they can work, and so do proxies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::pause;
use crate::servers::Kind;
use crate::servers::ground::Running;

/// How long a server may take to answer for the first time.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const TRY_EVERY: Duration = Duration::from_millis(50);
/// How much of a failed server's log is shown.
const LOG_LINES: usize = 15;

/// Waits until the server answers; fails as soon as its process ends.
pub(crate) fn wait(kind: Kind, address: SocketAddr, running: &mut Running) -> Result<()> {
    let deadline = Instant::now() + READY_LIMIT;
    while !answers(kind, address) {
        if let Some(status) = running.child.try_wait()? {
            bail!(
                "the server ended by itself ({status}); its last lines:\n{}",
                last_lines(running)
            );
        }
        if Instant::now() > deadline {
            bail!(
                "no answer within {} s; its last lines:\n{}",
                READY_LIMIT.as_secs(),
                last_lines(running)
            );
        }
        pause(TRY_EVERY);
    }
    Ok(())
}

/// Waits for a server that is not our process.
pub(crate) fn wait_for_foreign(kind: Kind, address: SocketAddr) -> Result<()> {
    let deadline = Instant::now() + READY_LIMIT;
    while !answers(kind, address) {
        if Instant::now() > deadline {
            bail!("no answer within {} s", READY_LIMIT.as_secs());
        }
        pause(TRY_EVERY);
    }
    Ok(())
}

/// Whether somebody listens where the URL points.
pub(crate) fn accepts_connections(url: &str) -> bool {
    let addresses = authority(url).to_socket_addrs();
    addresses.is_ok_and(|mut all| {
        all.any(|address| TcpStream::connect_timeout(&address, ANSWER_LIMIT).is_ok())
    })
}

fn answers(kind: Kind, address: SocketAddr) -> bool {
    let (question, answer): (&[u8], &[u8]) = match kind {
        // A StartupMessage: length, protocol 3.0, user; `R` asks for or grants authentication, `E`
        // would refuse it.
        Kind::Postgres => (b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0", b"R"),
        // The protocol header of AMQP 0-9-1; a method frame on channel 0 follows.
        Kind::Rabbitmq => (b"AMQP\0\0\x09\x01", b"\x01\0\0"),
        Kind::Redis => (b"PING\r\n", b"+PONG"),
    };
    exchange(address, question, answer.len()).is_ok_and(|got| got == answer)
}

fn exchange(address: SocketAddr, question: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    stream.write_all(question)?;
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// `host:port` of a URL.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

fn last_lines(running: &Running) -> String {
    let log = std::fs::read_to_string(&running.log).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.len().saturating_sub(LOG_LINES);
    lines
        .iter()
        .skip(first)
        .map(|line| format!("  {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_authority_of_a_url_is_found_with_and_without_credentials() {
        assert_eq!(
            authority("postgres://me:secret@db.local:5432/db?x=y@z"),
            "db.local:5432"
        );
        assert_eq!(authority("redis://127.0.0.1:6379"), "127.0.0.1:6379");
    }

    #[test]
    fn a_port_that_accepts_and_says_nothing_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || drop(listener.accept().unwrap()));
        assert!(!answers(Kind::Redis, address));
        server.join().unwrap();
    }

    #[test]
    fn a_server_that_answers_in_its_protocol_is_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 6];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(b"+PONG\r\n").unwrap();
        });
        assert!(answers(Kind::Redis, address));
        server.join().unwrap();
    }
}
