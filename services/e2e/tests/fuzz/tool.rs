//! The fuzzing client: schemathesis, bounded and with a fixed seed, as the administrator.

use std::{env, fs, path::Path, process::Command};

use paymesh_e2e::Platform;
use serde_json::Value;

/// Names the program; `cargo xtask test` prepares it.
const PROGRAM: &str = "PAYMESH_TEST_SCHEMATHESIS";
/// The key reaches the client through its environment. A pass that is not let in proves nothing.
const CONFIG: &str = "[headers]\nAuthorization = \"Bearer ${PAYMESH_API_KEY}\"\n";
const LET_IN: &str = "[warnings]\nfail-on = [\"missing_auth\"]\n";
const SEED: &str = "20260115";
/// Requests that are made up for an operation, beside those at the borders of what the document allows.
const EXAMPLES: &str = "10";
/// What each answer is held against; the first is what nobody may ever see.
const CHECKS: &str = "not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance";
/// Operations that can take the client's own access away: at the end, and by themselves.
const OWN_ACCESS: &str = r"^/v1/(api-keys|users)/\{";
/// A stream has no end.
const ENDLESS: &str = "/v1/events";
/// Fewer cases than this are no proof.
const CASES: u64 = 1_000;
/// Roomy, so that the client is not slowed down.
const REQUESTS: &str = "1000000";
const WINDOW_MS: &str = "60000";

/// Runs the client, in one thread: before 3.11.5 two threads of Python that parse sources at the same time break each other
/// (python/cpython#106905). Without it: a failure in continuous integration, else nothing.
#[allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "the runner of tests names the program in the environment; a test that is skipped says so"
)]
pub(crate) fn run() {
    let program = env::var(PROGRAM).ok().filter(|program| !program.is_empty());
    let Some(program) = program else {
        assert!(
            env::var("CI").is_err(),
            "{PROGRAM} is not set, and with CI=true nothing is skipped; run `cargo xtask test`"
        );
        eprintln!("skipped: {PROGRAM} is not set; `cargo xtask test` sets it");
        return;
    };
    let classes = ["READ", "WRITE", "MONEY", "LOGIN", "WEBHOOK"];
    let limits = classes.into_iter().flat_map(|class| {
        let limit = format!("PAYMESH__GATEWAY__SETTINGS__RATE_LIMITS__{class}");
        [
            (format!("{limit}__REQUESTS"), REQUESTS.to_owned()),
            (format!("{limit}__WINDOW_MS"), WINDOW_MS.to_owned()),
        ]
    });
    let platform = Platform::all_in_one_with(limits.collect()).unwrap();
    let program = Path::new(&program);
    let config = format!("{CONFIG}{LET_IN}");
    let rest = [
        "--exclude-path-regex",
        OWN_ACCESS,
        "--exclude-path",
        ENDLESS,
    ];
    let cases = pass(program, &platform, &config, &rest);
    assert!(cases >= CASES, "{cases} cases are no proof");
    let own = ["--include-path-regex", OWN_ACCESS];
    pass(program, &platform, CONFIG, &own);
}

/// One pass over some operations; how many cases it had. Fails when an answer is not as it must be.
fn pass(program: &Path, platform: &Platform, config: &str, operations: &[&str]) -> u64 {
    let (settings, report) = (
        platform.folder().join("schemathesis.toml"),
        platform.folder().join("schemathesis.json"),
    );
    fs::write(&settings, config).unwrap();
    let ended = Command::new(program)
        .arg("--config-file")
        .arg(&settings)
        .args([
            "run",
            &format!("http://{}/openapi.json", platform.gateway()),
        ])
        .args(["--checks", CHECKS, "--phases", "coverage,fuzzing"])
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--no-shrink"])
        .args(["--workers", "1", "--request-timeout", "40"])
        .args(["--generation-database", "none", "--no-color"])
        .args(["--report", "json", "--report-json-path"])
        .arg(&report)
        .args(operations)
        .env("PAYMESH_API_KEY", platform.api_key())
        .current_dir(platform.folder())
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    report["test_cases"]["generated"].as_u64().unwrap()
}
