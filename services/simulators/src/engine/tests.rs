#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::pin::pin;

use super::*;

/// Adds numbers up.
#[derive(Debug, Default)]
struct Adder(i64);

impl Machine for Adder {
    const FORMAT: &'static str = "adder/1";
    type Fact = i64;
    type Command = i64;
    type Subject = ();

    fn apply(&mut self, _: &Stamp, fact: &i64) {
        self.0 += fact;
    }

    fn decide(&self, command: &i64, _: &mut Context) -> Result<Decision<Self>, Problem> {
        Ok(Decision {
            facts: vec![*command],
            subject: (),
        })
    }

    fn render(&self, (): &()) -> Answer {
        Answer {
            status: 200,
            body: self.0.to_string(),
        }
    }

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    fn timer_command(&self) -> Option<i64> {
        None
    }
}

fn open(folder: &Path) -> Result<Arc<Engine<Adder>>, JournalError> {
    let clock = Clock::new(|| 0);
    let rules = Rules {
        clock,
        key_lifetime_ms: 1_000,
        journal_bytes: 1 << 20,
        seed: 1,
    };
    Engine::open(folder, Adder::default(), rules)
}

/// Whether a future has nothing to say yet.
async fn waits<T>(future: impl Future<Output = T>) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = tokio::task::yield_now() => true,
    }
}

#[tokio::test]
async fn e2_answers_and_reads_wait_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path()).unwrap();
    engine.run(&1, None, None).await.unwrap();
    engine.hold_disk(true);
    let mut answer = pin!(engine.run(&2, None, None));
    assert!(waits(answer.as_mut()).await);
    let mut seen = pin!(engine.read(|adder| Ok(adder.0)));
    assert!(waits(seen.as_mut()).await);
    assert!(waits(engine.lines(0, 10)).await);
    engine.hold_disk(false);
    assert_eq!(answer.await.unwrap().body, "3");
    assert_eq!(seen.await.unwrap(), 3);
}

#[tokio::test]
async fn lines_are_found_from_any_place() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path()).unwrap();
    for number in 0..1_000 {
        engine.note(&[number]).unwrap();
    }
    for (after, limit) in [
        (0, 3),
        (1, 1),
        (127, 2),
        (128, 300),
        (129, 1),
        (998, 10),
        (1_001, 5),
        (5_000, 5),
    ] {
        let (lines, last) = engine.lines(after, limit).await.unwrap();
        assert_eq!(last, 1_001);
        let numbers: Vec<u64> = lines
            .iter()
            .map(|line| {
                serde_json::from_slice::<serde_json::Value>(line).unwrap()["seq"]
                    .as_u64()
                    .unwrap()
            })
            .collect();
        let expected: Vec<u64> = (after + 1..=(after + limit).min(1_001)).collect();
        assert_eq!(numbers, expected, "after {after}");
    }
}

#[test]
fn another_format_is_not_opened_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let other =
        r#"{"format":"other/1","seq":1,"nonce":1,"at":"2026-01-01T00:00:00Z"}"#.to_owned() + "\n";
    std::fs::write(&path, &other).unwrap();
    assert!(matches!(
        open(folder.path()),
        Err(JournalError::Damaged { line: 1, .. })
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
}
