#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use super::*;

fn numbered(_: Place, line: &[u8]) -> Result<u64, String> {
    std::str::from_utf8(line)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "no number".to_owned())
}

fn lines_of(path: &Path) -> Vec<u64> {
    let mut lines = Vec::new();
    let journal = Journal::open(path, |place, line| {
        let seq = numbered(place, line)?;
        lines.push(seq);
        Ok(seq)
    });
    drop(journal.unwrap());
    lines
}

#[tokio::test]
async fn j1_what_is_durable_is_read_back_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let journal = Journal::open(&path, numbered).unwrap();
    let mut places = Vec::new();
    for seq in 1..=100_u64 {
        places.push(journal.append(seq, format!("{seq}\n").as_bytes()));
    }
    journal.durable(100).await.unwrap();
    assert_eq!(journal.read(places[41]).await.unwrap(), b"42\n");
    journal.abandon();
    assert_eq!(journal.durable(101).await, Err(Lost));
    assert_eq!(journal.accepts(), Err(Lost));
    drop(journal);
    assert_eq!(lines_of(&path), (1..=100).collect::<Vec<_>>());
}

#[test]
fn j3_a_torn_last_line_is_cut_off_and_the_file_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for torn in ["1\n2\n3", "1\n2\n\0\0\0\0", "1\n2\n3\0\0\n"] {
        std::fs::write(&path, torn).unwrap();
        let journal = Journal::open(&path, numbered).unwrap();
        journal.append(3, b"33\n");
        journal.close();
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), b"1\n2\n33\n");
    }
}

#[test]
fn j3_any_other_damage_stops_the_start_and_cuts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for damaged in ["1\nbroken\n3\n", "1\nbroken\n", "1\n\0\0\n3\n"] {
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(
            Journal::open(&path, numbered),
            Err(JournalError::Damaged { line: 2, .. })
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[test]
fn j4_a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let first = Journal::open(&path, numbered).unwrap();
    assert!(matches!(
        Journal::open(&path, numbered),
        Err(JournalError::InUse { .. })
    ));
    drop(first);
    assert!(Journal::open(&path, numbered).is_ok());
}
