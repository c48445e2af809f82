//! Countries by their ISO 3166-1 alpha-2 code.

use std::{fmt, str::FromStr};

/// The officially assigned codes, in order.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";
/// Length of a code.
const LENGTH: usize = 2;

/// A country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Country([u8; LENGTH]);

/// No country has this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an ISO 3166-1 alpha-2 code in upper case, such as DE")]
pub(crate) struct UnknownCountry;

// === impl Country ===

impl Country {
    /// The code.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let code: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| UnknownCountry)?;
        let is_known = CODES.split(' ').any(|known| known == text);
        is_known.then_some(Self(code)).ok_or(UnknownCountry)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_complete() {
        let codes: Vec<&str> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted());
    }

    #[test]
    fn only_assigned_codes_in_upper_case_are_countries() {
        for (text, is_country) in [
            ("DE", true),
            ("US", true),
            ("de", false),
            ("XX", false),
            ("UK", false),
            ("DEU", false),
            ("", false),
            ("E ", false),
        ] {
            assert_eq!(text.parse::<Country>().is_ok(), is_country, "{text}");
        }
    }
}
