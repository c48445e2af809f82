//! What the time goes to: CPU seconds by program, from Linux's own account of each process.

use std::{collections::BTreeMap, fs, path::Path};

/// CPU seconds by program since each began.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    /// Process → program and seconds.
    processes: BTreeMap<u32, (String, f64)>,
}

/// Ticks of the clock of `/proc`, in one second; the same on every Linux that we know.
const TICKS: f64 = 100.0;
/// Places of user and system time after the name, in `/proc/<pid>/stat` (proc(5), fields 14 and 15).
const USER: usize = 11;
const SYSTEM: usize = 12;
/// Programs that have a part in a payment, by the name of the executable.
const PROGRAMS: [(&str, &str); 4] = [
    ("postgres", "PostgreSQL"),
    ("beam.smp", "RabbitMQ"),
    ("redis-server", "Redis"),
    ("paymesh", "paymesh"),
];

// === impl Usage ===

impl Usage {
    /// Reads all processes; nothing where there is no `/proc`.
    pub(super) fn now() -> Self {
        let mut processes = BTreeMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            if let Some(pid) = pid
                && let Some(found) = read(&entry.path())
            {
                processes.insert(pid, found);
            }
        }
        Self { processes }
    }

    /// Seconds used since, most first.
    pub(super) fn since(&self, before: &Self) -> Vec<(String, f64)> {
        let mut by_program: BTreeMap<&str, f64> = BTreeMap::new();
        for (pid, (program, seconds)) in &self.processes {
            let earlier = before
                .processes
                .get(pid)
                .map_or(0.0, |(_, seconds)| *seconds);
            *by_program.entry(program).or_default() += seconds - earlier;
        }
        let mut used: Vec<(String, f64)> = by_program
            .into_iter()
            .map(|(program, seconds)| (program.to_owned(), seconds))
            .collect();
        used.sort_by(|one, other| other.1.total_cmp(&one.1));
        used
    }
}

fn read(folder: &Path) -> Option<(String, f64)> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The name may hold anything, parentheses too.
    let (head, fields) = stat.rsplit_once(") ")?;
    let name = head.split_once('(')?.1;
    let (_, shown) = PROGRAMS
        .iter()
        .find(|(program, _)| name.starts_with(program))?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok());
    let seconds = (ticks(USER)? + ticks(SYSTEM)?) / TICKS;
    let arguments = fs::read(folder.join("cmdline")).ok()?;
    let words: Vec<&[u8]> = arguments.split(|byte| *byte == 0).collect();
    let program = match words.as_slice() {
        [_, verb, what, ..] if *shown == "paymesh" && matches!(*verb, b"serve" | b"simulate") => {
            String::from_utf8_lossy(what).into_owned()
        }
        [_, b"bench", ..] if *shown == "paymesh" => "load generator".to_owned(),
        _ => (*shown).to_owned(),
    };
    Some((program, seconds))
}
