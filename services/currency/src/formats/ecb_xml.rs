//! `eurofxref-daily.xml`, `eurofxref-hist-90d.xml` and `eurofxref-hist.xml`: cubes in cubes.
//!
//! ```text
//! <gesmes:Envelope …><Cube><Cube time="2026-10-30"><Cube currency="USD" rate="1.1172"/>…</Cube></Cube></gesmes:Envelope>
//! ```

use std::collections::BTreeMap;

use paymesh_money::Currency;
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use super::FormatError;
use crate::domain::{DayRates, Publication, RateDate, read_rate};

const CUBE: &str = "Cube";

/// What was read so far.
#[derive(Default)]
struct Cubes {
    days: BTreeMap<RateDate, DayRates>,
    date: Option<RateDate>,
}

/// Reads a file.
pub(crate) fn read(content: &[u8]) -> Result<Publication, FormatError> {
    let mut reader = Reader::from_str(super::text(content)?);
    let mut cubes = Cubes::default();
    let (mut depth, mut elements) = (0_usize, 0_usize);
    loop {
        let event = reader
            .read_event()
            .map_err(|_| shape("document", "well-formed XML is expected"))?;
        match event {
            Event::Start(element) => {
                depth = depth.saturating_add(1);
                elements = elements.saturating_add(1);
                cubes.take(&element)?;
            }
            Event::Empty(element) => {
                elements = elements.saturating_add(1);
                cubes.take(&element)?;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            // Nobody needs one here, and entities are how XML is made to explode.
            Event::DocType(_) => return Err(shape("document", "a DOCTYPE is not accepted")),
            Event::Eof => break,
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => {}
        }
    }
    // A download that was cut off may end between two elements.
    if depth > 0 || elements == 0 {
        return Err(shape("document", "it ends too early"));
    }
    cubes.days.retain(|_, rates| !rates.is_empty());
    Ok(Publication {
        base: Currency::EUR,
        days: cubes.days,
    })
}

// === impl Cubes ===

impl Cubes {
    fn take(&mut self, element: &BytesStart<'_>) -> Result<(), FormatError> {
        if element.local_name().as_ref() != CUBE {
            return Ok(());
        }
        if let Some(time) = attribute(element, "time")? {
            let date = super::date(&time, || format!("Cube time=\"{}\"", shown(&time)))?;
            if self.days.insert(date, DayRates::new()).is_some() {
                return Err(FormatError::Repeated {
                    place: date.to_string(),
                });
            }
            self.date = Some(date);
        }
        let (code, rate) = (attribute(element, "currency")?, attribute(element, "rate")?);
        match (code, rate) {
            (None, None) => Ok(()),
            (Some(code), Some(rate)) => self.take_rate(&code, &rate),
            (Some(_), None) | (None, Some(_)) => {
                Err(shape("Cube", "`currency` and `rate` are expected together"))
            }
        }
    }

    fn take_rate(&mut self, code: &str, text: &str) -> Result<(), FormatError> {
        let Some(date) = self.date else {
            return Err(shape("Cube", "a rate stands inside of a cube with `time`"));
        };
        let Some(currency) = super::currency(code, || date.to_string())? else {
            return Ok(());
        };
        let rate = read_rate(text).map_err(|source| FormatError::Rate {
            place: format!("{date}, {currency}"),
            source,
        })?;
        let before = self.days.entry(date).or_default().insert(currency, rate);
        match before {
            None => Ok(()),
            Some(_) => Err(FormatError::Repeated {
                place: format!("{date}, {currency}"),
            }),
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, FormatError> {
    let wrong = || shape("Cube", "attributes of well-formed XML are expected");
    let Some(attribute) = element.try_get_attribute(name).map_err(|_| wrong())? else {
        return Ok(None);
    };
    let value = attribute
        .normalized_value(XmlVersion::Explicit1_0)
        .map_err(|_| wrong())?;
    Ok(Some(value.into_owned()))
}

/// Enough of a foreign text to find it by.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(20).collect()
}

fn shape(place: &str, expected: &'static str) -> FormatError {
    FormatError::Shape {
        place: place.to_owned(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn envelope(cubes: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" \
             xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n<gesmes:subject>Reference rates</gesmes:subject>\n\
             <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>\n<Cube>{cubes}</Cube>\n\
             </gesmes:Envelope>\n"
        )
    }

    #[test]
    fn the_day_and_the_last_90_days_are_read() {
        let text = envelope(
            "<Cube time='2026-10-30'>\n<Cube currency='USD' rate='1.1172'/>\n<Cube currency='JPY' rate='175.68'/></Cube>\
             <Cube time=\"2026-10-29\"><Cube currency=\"USD\" rate=\"1.12\"/><Cube currency=\"BGN\" rate=\"1.9558\"/></Cube>\
             <Cube time=\"2026-10-28\"></Cube>",
        );
        let days = read(text.as_bytes()).unwrap().days;
        let shown: Vec<String> = days
            .iter()
            .map(|(date, rates)| format!("{date} {rates:?}"))
            .collect();
        assert_eq!(
            shown,
            [
                "2026-10-29 {USD: Rate(1.12)}",
                "2026-10-30 {JPY: Rate(175.68), USD: Rate(1.1172)}"
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let usd = "<Cube currency='USD' rate='1.1'/>";
        let whole = envelope(&format!("<Cube time='2026-10-30'>{usd}</Cube>"));
        let cut = whole.split("</Cube>").next().unwrap();
        for text in [
            "",
            "no xml",
            cut,
            &envelope(usd),
            &envelope("<Cube time='30.10.2026'/>"),
            &envelope("<Cube time='2026-10-30'><Cube currency='USD'/></Cube>"),
            &envelope("<Cube time='2026-10-30'><Cube currency='us' rate='1'/></Cube>"),
            &envelope("<Cube time='2026-10-30'><Cube currency='USD' rate='-1'/></Cube>"),
            &envelope("<Cube time='2026-10-30'><Cube currency='USD' rate='&x;'/></Cube>"),
            &envelope(&format!("<Cube time='2026-10-30'>{usd}{usd}</Cube>")),
            &envelope(&format!(
                "<Cube time='2026-10-30'>{usd}</Cube><Cube time='2026-10-30'/>"
            )),
            &format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{whole}"),
            &whole.replace("</gesmes:Envelope>", "</Cube>"),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(whole.as_bytes()).is_ok());
    }
}
