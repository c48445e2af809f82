//! `eurofxref-hist.csv` and the day's `eurofxref.csv`: a line of currencies, then a line a day.
//!
//! ```text
//! Date,USD,JPY,BGN,
//! 2026-10-30,1.1172,175.68,N/A,
//! ```
//!
//! The day's file writes `30 October 2026` and spaces behind the commas. `N/A` or nothing stands where there is no rate.

use std::collections::BTreeMap;

use paymesh_money::Currency;
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};

use super::FormatError;
use crate::domain::{DayRates, Publication, RateDate, read_rate};

const LONG_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year]");
/// The word above the dates.
const DATE: &str = "Date";
const NO_RATE: [&str; 2] = ["", "N/A"];
/// Most columns.
const COLUMN_LIMIT: usize = 400;

/// Reads a file.
pub(crate) fn read(content: &[u8]) -> Result<Publication, FormatError> {
    let text = super::text(content)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut lines = reader.records();
    let header = match lines.next() {
        Some(Ok(record)) => header(&record)?,
        Some(Err(_)) | None => return Err(shape(1, "the line `Date,USD,…` is expected")),
    };
    let mut days = BTreeMap::new();
    for (index, record) in lines.enumerate() {
        let line = index.saturating_add(2);
        let record =
            record.map_err(|_| shape(line, "a line of comma-separated values is expected"))?;
        let (date, rates) = day(&record, &header, line)?;
        if !rates.is_empty() && days.insert(date, rates).is_some() {
            return Err(FormatError::Repeated {
                place: date.to_string(),
            });
        }
    }
    Ok(Publication {
        base: Currency::EUR,
        days,
    })
}

/// The currency of each column after the first; None where it is passed over.
fn header(record: &csv::StringRecord) -> Result<Vec<Option<Currency>>, FormatError> {
    let mut words = record.iter();
    if words.next() != Some(DATE) || record.len() > COLUMN_LIMIT {
        return Err(shape(1, "the line `Date,USD,…` is expected"));
    }
    let mut columns = Vec::with_capacity(record.len());
    for word in words {
        // Every line ends with a comma.
        let column = match word {
            "" => None,
            code => super::currency(code, || "line 1".to_owned())?,
        };
        if column.is_some() && columns.contains(&column) {
            return Err(FormatError::Repeated {
                place: word.to_owned(),
            });
        }
        columns.push(column);
    }
    Ok(columns)
}

fn day(
    record: &csv::StringRecord,
    columns: &[Option<Currency>],
    line: usize,
) -> Result<(RateDate, DayRates), FormatError> {
    let mut words = record.iter();
    let word = words.next().unwrap_or_default();
    let place = || format!("line {line}");
    let date = match Date::parse(word, LONG_DATE) {
        Ok(date) => RateDate::from(date),
        Err(_) => super::date(word, place)?,
    };
    if record.len() > columns.len().saturating_add(1) {
        return Err(shape(line, "there are more values than currencies"));
    }
    let mut rates = DayRates::new();
    for (word, column) in words.zip(columns) {
        let Some(currency) = column.filter(|_| !NO_RATE.contains(&word)) else {
            continue;
        };
        let rate = read_rate(word).map_err(|source| FormatError::Rate {
            place: format!("line {line}, {currency}"),
            source,
        })?;
        rates.insert(currency, rate);
    }
    Ok((date, rates))
}

fn shape(line: usize, expected: &'static str) -> FormatError {
    FormatError::Shape {
        place: format!("line {line}"),
        expected,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::domain::RateTextError;

    fn lines(text: &str) -> Vec<String> {
        let publication = read(text.as_bytes()).unwrap();
        assert_eq!(publication.base, Currency::EUR);
        let days = publication.days.iter();
        days.map(|(date, rates)| {
            let rates: Vec<String> = rates
                .iter()
                .map(|(code, rate)| format!("{code}={rate}"))
                .collect();
            format!("{date} {}", rates.join(" "))
        })
        .collect()
    }

    #[test]
    fn the_history_and_the_days_file_are_read() {
        let history = "Date,USD,JPY,BGN,KWD,\n2026-10-30,1.1172,175.68,N/A,,\r\n2026-10-29,1.12,176,1.9558,0.36,\n";
        assert_eq!(
            lines(history),
            [
                "2026-10-29 JPY=176 KWD=0.36 USD=1.12",
                "2026-10-30 JPY=175.68 USD=1.1172"
            ]
        );
        let day = "Date, USD, JPY, \n3 October 2026, 1.1172, 136.00, \n";
        assert_eq!(lines(day), ["2026-10-03 JPY=136 USD=1.1172"]);
        let day = "\u{feff}Date, USD, \n30 October 2026, 1.1172, \n";
        assert_eq!(lines(day), ["2026-10-30 USD=1.1172"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let date = |line: usize| FormatError::Date {
            place: format!("line {line}"),
        };
        for (text, expected) in [
            ("", shape(1, "the line `Date,USD,…` is expected")),
            ("USD,1.1\n", shape(1, "the line `Date,USD,…` is expected")),
            ("<xml/>", shape(1, "the line `Date,USD,…` is expected")),
            (
                "Date,usd\n",
                shape(1, "a currency code of three upper-case letters is expected"),
            ),
            (
                "Date,USD,USD\n",
                FormatError::Repeated {
                    place: "USD".to_owned(),
                },
            ),
            ("Date,USD\n2026-02-30,1\n", date(2)),
            ("Date,USD\n2026-01-05,1\n30 Brumaire 2026,1\n", date(3)),
            (
                "Date,USD\n2026-01-05,1\n2026-01-05,1\n",
                FormatError::Repeated {
                    place: "2026-01-05".to_owned(),
                },
            ),
            (
                "Date,USD\n2026-01-05,1,2,3\n",
                shape(2, "there are more values than currencies"),
            ),
            (
                "Date,USD\n2026-01-05,1;1\n",
                FormatError::Rate {
                    place: "line 2, USD".to_owned(),
                    source: RateTextError::Malformed,
                },
            ),
            (
                "Date,USD\n2026-01-05,0\n",
                FormatError::Rate {
                    place: "line 2, USD".to_owned(),
                    source: RateTextError::OutOfRange,
                },
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Err(expected), "{text:?}");
        }
        assert_eq!(read(&[0xff, 0xfe]), Err(FormatError::NotText));
        assert_eq!(
            read(&vec![b' '; super::super::FILE_LIMIT + 1]),
            Err(FormatError::TooLarge)
        );
    }

    #[test]
    fn a_file_without_rates_is_an_empty_publication() {
        assert!(read(b"Date,USD\n2026-01-05,N/A\n").unwrap().days.is_empty());
    }
}
