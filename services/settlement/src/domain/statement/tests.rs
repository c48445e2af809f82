#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;

use super::*;

const REPORT: &str = "line,type,payment_id,operation_id,reference,operation_reference,merchant_reference,currency,gross_minor,fee_minor,net_minor,settlement_date,business_at,settlement_id\n";
const BANK: &str = "line,entry_id,booking_date,business_at,type,end_to_end_id,reference,currency,amount_minor,balance_minor\n";
const TXN: &str = "txn_01h455vb4pex5vsknk084sn02q";

fn provider(rows: &str) -> Result<Vec<ReadLine>, LineError> {
    let content = format!("{REPORT}{rows}");
    read(
        (StatementKind::Provider, "simulated"),
        content.as_bytes(),
        10,
    )
}

fn bank(rows: &str) -> Result<Vec<ReadLine>, LineError> {
    let content = format!("{BANK}{rows}");
    read((StatementKind::Bank, "bank"), content.as_bytes(), 10)
}

fn capture(minor: &str) -> String {
    format!(
        "1,capture,pay_1,cap_1,{TXN}:authorize:forward,,,USD,{minor},120,9880,2026-03-02,2026-03-02T10:00:00Z,stl_1\n"
    )
}

#[test]
fn a_report_reads_as_the_provider_writes_it() {
    let rows = format!(
        "{}2,chargeback,pay_1,dp_1,{TXN}:authorize:forward,,,USD,-10000,1500,-11500,2026-03-02,2026-03-02T11:00:00Z,stl_1\n",
        capture("10000")
    );
    let lines = provider(&rows).unwrap();
    let found: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line.number,
                line.kind,
                line.effect_minor(),
                line.charged_minor(),
                line.net_minor(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (1, LineKind::Capture, 10_000, 120, 9_880),
            (2, LineKind::Chargeback, -11_500, 0, -11_500),
        ]
    );
    assert_eq!(lines[0].transaction(), TXN.parse().ok());
    assert_ne!(lines[0].identity, lines[1].identity);
    assert_eq!(
        lines[0].identity,
        provider(&capture("10000")).unwrap()[0].identity
    );
}

#[test]
fn a_bank_statement_reads_as_the_bank_writes_it() {
    let rows = "1,ent_1,2026-03-02,2026-03-02T10:00:00Z,deposit,stl_1,stl_1,USD,9880,9880\n\
        2,ent_2,2026-03-02,2026-03-02T10:00:00Z,payout,po_01h455vb4pex5vsknk084sn02q,,USD,-500,9380\n\
        3,ent_3,2026-03-02,2026-03-02T10:00:00Z,payout_return,po_01h455vb4pex5vsknk084sn02q,,USD,500,9880\n\
        4,ent_4,2026-03-02,2026-03-02T10:00:00Z,interest,,,USD,1,9881\n";
    let lines = bank(rows).unwrap();
    let kinds: Vec<_> = lines.iter().map(|line| line.kind).collect();
    assert_eq!(
        kinds,
        [
            LineKind::Transfer,
            LineKind::Payout,
            LineKind::PayoutReturn,
            LineKind::Other
        ]
    );
    assert!(lines[1].payout().is_some() && lines[0].payout().is_none());
}

#[test]
fn i2_the_line_that_is_wrong_is_named_with_the_rule() {
    let many: String = (0..11).map(|_| capture("10000")).collect();
    let cases = [
        (provider(""), 1, "the statement has no lines"),
        (
            provider(&capture("1e4")),
            2,
            "the amount must be a whole number of minor units",
        ),
        (
            provider(&capture("-10000")),
            2,
            "net_minor must be gross_minor less fee_minor",
        ),
        (
            provider(&capture("10000").replace("USD", "USX")),
            2,
            "currency must be an ISO 4217 code",
        ),
        (
            provider(&format!(
                "{}{}",
                capture("10000"),
                capture("10000").replace("T10:00:00Z", "")
            )),
            3,
            "business_at must be RFC 3339, such as 2026-01-31T12:00:00Z",
        ),
        (
            provider(&many),
            12,
            "a statement has at most 10 lines; send it in parts",
        ),
        (
            provider("1,capture\n"),
            2,
            "has 2 fields where the first line has 14",
        ),
        (
            bank("1,,2026-03-02,2026-03-02T10:00:00Z,deposit,stl_1,,USD,1,1\n"),
            2,
            "a line must name the entry that it is about",
        ),
        (
            bank("1,e,2026-03-02,2026-03-02T10:00:00Z,payout,po,,USD,5,1\n"),
            2,
            "the amount must be below zero",
        ),
    ];
    for (result, line, rule) in cases {
        let error = result.unwrap_err();
        assert_eq!((error.line, error.rule.as_str()), (line, rule));
    }
    let error = read((StatementKind::Bank, "bank"), b"line,type\n", 10).unwrap_err();
    assert_eq!(error.rule, "the column currency is missing");
    let error = read((StatementKind::Bank, "bank"), b"\xff\xfe,\n", 10).unwrap_err();
    assert_eq!(error.rule, "is not UTF-8");
}

proptest! {
    #[test]
    fn i2_no_file_makes_the_reader_fail_otherwise(content in proptest::collection::vec(any::<u8>(), 0..400), is_bank: bool) {
        let (kind, head) = if is_bank { (StatementKind::Bank, BANK) } else { (StatementKind::Provider, REPORT) };
        let content = [head.as_bytes(), &content].concat();
        if let Ok(lines) = read((kind, "x"), &content, 10) {
            prop_assert!(!lines.is_empty() && lines.len() <= 10);
        }
    }
}
