//! Lines as bytes: CSV as RFC 4180 says, or JSON with one object a line (P7).

use crate::domain::{Cell, Columns, Format, Line};

/// Characters with which a text begins that a spreadsheet would calculate.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The line with the names of the columns, if the format has one.
pub(super) fn header(format: Format, columns: Columns) -> Result<Vec<u8>, csv::Error> {
    match format {
        Format::Csv => records([columns.iter().map(|name| (*name).to_owned()).collect()]),
        Format::Json => Ok(Vec::new()),
    }
}

/// The lines.
pub(super) fn lines(
    format: Format,
    columns: Columns,
    lines: Vec<Line>,
) -> Result<Vec<u8>, csv::Error> {
    match format {
        Format::Csv => records(
            lines
                .into_iter()
                .map(|line| line.into_iter().map(csv_cell).collect()),
        ),
        Format::Json => Ok(lines
            .into_iter()
            .flat_map(|line| json_line(columns, line).into_bytes())
            .collect()),
    }
}

fn records(records: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for record in records {
        writer.write_record(record)?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// Text that a spreadsheet would take for a formula gets an apostrophe in front; numbers are numbers.
fn csv_cell(cell: Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) if text.starts_with(FORMULA) => format!("'{text}"),
        Cell::Text(text) => text,
        Cell::Number(number) => number.to_string(),
        Cell::Moment(moment) => moment.to_string(),
    }
}

fn json_line(columns: Columns, line: Line) -> String {
    let fields: Vec<String> = columns
        .iter()
        .zip(line)
        .map(|(name, cell)| format!("{}:{}", json_text(name), json_cell(cell)))
        .collect();
    format!("{{{}}}\n", fields.join(","))
}

fn json_cell(cell: Cell) -> String {
    match cell {
        Cell::Empty => "null".to_owned(),
        Cell::Text(text) => json_text(&text),
        Cell::Number(number) => number.to_string(),
        Cell::Moment(moment) => json_text(&moment.to_string()),
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use paymesh_kernel::Timestamp;
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: Columns = &["name", "amount_minor", "at"];

    fn csv_of(text: &str) -> String {
        let line = vec![
            Cell::text(text),
            Cell::Number(-5),
            Cell::Moment(Timestamp::EPOCH),
        ];
        String::from_utf8(lines(Format::Csv, COLUMNS, vec![line]).unwrap()).unwrap()
    }

    #[test]
    fn p7_texts_that_begin_like_a_formula_are_guarded_and_numbers_are_not() {
        for (text, wanted) in [
            ("shop", "shop"),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(
                csv_of(text),
                format!("{wanted},-5,1970-01-01T00:00:00Z\r\n")
            );
        }
    }

    #[test]
    fn p7_csv_quotes_as_rfc_4180_says() {
        assert_eq!(
            csv_of("a \"b\", c\r\nd"),
            "\"a \"\"b\"\", c\r\nd\",-5,1970-01-01T00:00:00Z\r\n"
        );
        let header = header(Format::Csv, COLUMNS).unwrap();
        assert_eq!(header, b"name,amount_minor,at\r\n");
    }

    #[test]
    fn p7_json_has_one_object_a_line_and_leaves_texts_as_they_are() {
        let line = vec![Cell::from("=\"x\"\n"), Cell::Number(i64::MAX), Cell::Empty];
        let bytes = lines(Format::Json, COLUMNS, vec![line.clone(), line]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let one = "{\"name\":\"=\\\"x\\\"\\n\",\"amount_minor\":9223372036854775807,\"at\":null}\n";
        assert_eq!(text, format!("{one}{one}"));
    }

    proptest! {
        #[test]
        fn p7_every_text_comes_back_from_csv_and_json(text in ".*") {
            let line = vec![Cell::text(text.clone()), Cell::Number(1), Cell::Empty];
            let mut bytes = header(Format::Csv, COLUMNS).unwrap();
            bytes.extend(lines(Format::Csv, COLUMNS, vec![line.clone()]).unwrap());
            let mut reader = csv::Reader::from_reader(&*bytes);
            let record = reader.records().next().unwrap().unwrap();
            let read = record.get(0).unwrap();
            let is_guarded = text.starts_with(FORMULA);
            prop_assert_eq!(read, if is_guarded { format!("'{text}") } else { text.clone() });
            let bytes = lines(Format::Json, COLUMNS, vec![line]).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(value["name"].as_str().unwrap_or_default(), text);
        }
    }
}
