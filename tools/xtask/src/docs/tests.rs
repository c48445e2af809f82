//! Tables of errors, read and written.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn readme(rows: &[&str]) -> String {
    format!(
        "# x\n\n| table | what |\n| --- | --- |\n| `a` | b |\n\n## Errors\n\n| reason | kind | what to do |\n| --- | --- | --- |\n{}\n\nText.\n",
        rows.join("\n")
    )
}

fn rendered(of: &[(&str, &[&str])]) -> Vec<String> {
    let entries: Vec<Entry> = of
        .iter()
        .flat_map(|(from, rows)| parse(from, &readme(rows)).unwrap())
        .collect();
    let text = render(&entries);
    let (_, table) = text
        .split_once("| --- | --- | --- | --- | --- |\n")
        .unwrap();
    table.lines().map(str::to_owned).collect()
}

#[test]
fn a_reason_that_several_give_with_the_same_advice_is_one_line() {
    let same = "| `REQUEST_INVALID` | InvalidArgument | correct the fields |";
    assert_eq!(
        rendered(&[("user", &[same]), ("account", &[same])]),
        [
            "| `REQUEST_INVALID`<a id=\"request_invalid\"></a> | account, user | 400 | InvalidArgument | correct the fields |"
        ]
    );
}

#[test]
fn other_advice_names_who_gives_it_and_another_kind_is_another_line() {
    let rows: [(&str, &[&str]); 3] = [
        ("a", &["| LATE | Unavailable | wait |"]),
        ("b", &["| `LATE` | Unavailable, unknown | try again |"]),
        ("c", &["| `LATE` | Aborted | read |"]),
    ];
    assert_eq!(
        rendered(&rows),
        [
            "| `LATE`<a id=\"late\"></a> | c | 409 | Aborted | read |",
            "| `LATE` | a, b | 503 | Unavailable, outcome `unknown` | a: wait<br>b: try again |",
        ]
    );
}

#[test]
fn one_line_may_have_several_reasons_an_outcome_or_a_status() {
    let rows: [(&str, &[&str]); 1] = [(
        "a",
        &[
            "| `ONE`, `TWO` | Unavailable, Internal | look |",
            "| `LOST` | Unavailable, unknown | ask |",
            "| `HUGE` | InvalidArgument | send less; 413 |",
            "| `OTHER` | as the callee said | see there |",
        ],
    )];
    assert_eq!(
        rendered(&rows),
        [
            "| `HUGE`<a id=\"huge\"></a> | a | 413 | InvalidArgument | send less |",
            "| `LOST`<a id=\"lost\"></a> | a | 503 | Unavailable, outcome `unknown` | ask |",
            "| `ONE`<a id=\"one\"></a> | a | 503 | Unavailable | look |",
            "| `OTHER`<a id=\"other\"></a> | a | – | as the callee said | see there |",
            "| `TWO`<a id=\"two\"></a> | a | 500 | Internal | look |",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    for (row, complaint) in [
        ("| `ONE` | Broken | x |", "no kind of error `Broken`"),
        ("| `one` | Internal | x |", "`one` is not a reason"),
        ("| `ONE` | Internal |", "three cells"),
        (
            "| `ONE`, `TWO`, `SIX` | Internal, Aborted | x |",
            "one for each",
        ),
    ] {
        let error = format!("{:#}", parse("a", &readme(&[row])).unwrap_err());
        assert!(
            error.starts_with("line 11") && error.contains(complaint),
            "{error}"
        );
    }
    let twice = ["| `ONE` | Internal | x |", "| `ONE` | Internal | y |"];
    let error = parse("a", &readme(&twice)).unwrap_err().to_string();
    assert!(error.contains("already"), "{error}");
}

#[test]
fn a_difference_is_named_by_its_line() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    let cases = [
        ("a\nx\n", "line 2: `b` is wanted"),
        ("a\n", "line 2: `b` is wanted"),
        ("a\nb\nc\n", "line 3: `the end` is wanted"),
    ];
    for (written, difference) in cases {
        assert_eq!(first_difference(written, "a\nb\n").unwrap(), difference);
    }
}
