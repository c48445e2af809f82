//! Reads fields of requests and collects what is wrong with them. Every text is looked through for card numbers (P9).

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use paymesh_kernel::{
    FieldViolation, Timestamp,
    card_number::{line_with_card_number, looks_like_card_number},
    id::reexport::Uuid,
};
use paymesh_money::{Amount, Currency};
use paymesh_proto::{
    payment::v1 as proto,
    types::v1::{Money, Page, TimeRange},
};

use super::page::{LARGEST_SIZE, Wanted};
use crate::{
    connector::EvidencePiece,
    domain::{AttemptState, CaptureMode, DisputeState, MethodKind, MethodState, ThreeDs},
    error::Error,
};

/// Longest step key: providers take references of 128 characters, and our own steps add to it.
const LONGEST_KEY: usize = 100;
const LONGEST_URL: usize = 2_048;
const MOST_PIECES: usize = 10;
const LARGEST_FILE_BYTES: usize = 1024 * 1024;
const LONGEST_EVIDENCE: usize = 20_000;
const MOST_HEADERS: usize = 64;
const LONGEST_HEADER: usize = 8_192;
const LARGEST_WEBHOOK_BYTES: usize = 256 * 1024;

/// Collects violations. What it gives back for a wrong field is never used, because [`Reader::finish`] refuses the request.
#[derive(Debug, Default)]
pub(super) struct Reader {
    violations: Vec<FieldViolation>,
    card_number: Option<&'static str>,
}

// === impl Reader ===

impl Reader {
    /// Refuses the request when a field was wrong.
    pub(super) fn finish(self) -> Result<(), Error> {
        if let Some(field) = self.card_number {
            return Err(Error::CardNumber { field });
        }
        if self.violations.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.violations))
        }
    }

    fn wrong(&mut self, field: &'static str, rule: impl Into<String>) {
        self.violations
            .push(FieldViolation::new(field, rule.into()));
    }

    pub(super) fn id<I>(&mut self, field: &'static str, text: &str) -> I
    where
        I: FromStr + From<Uuid>,
        I::Err: Display,
    {
        text.parse().unwrap_or_else(|error: I::Err| {
            self.wrong(field, error.to_string());
            I::from(Uuid::nil())
        })
    }

    pub(super) fn optional_id<I>(&mut self, field: &'static str, text: &str) -> Option<I>
    where
        I: FromStr + From<Uuid>,
        I::Err: Display,
    {
        (!text.is_empty()).then(|| self.id(field, text))
    }

    /// A step's key.
    pub(super) fn key(&mut self, field: &'static str, text: &str) -> String {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_visible || !(1..=LONGEST_KEY).contains(&text.len()) {
            self.wrong(
                field,
                format!("must be 1 to {LONGEST_KEY} visible ASCII characters"),
            );
        }
        self.no_card_number(field, text);
        text.to_owned()
    }

    /// Text without control characters.
    pub(super) fn text(
        &mut self,
        field: &'static str,
        text: &str,
        lengths: RangeInclusive<usize>,
    ) -> String {
        let length = text.chars().count();
        if !lengths.contains(&length) || text.chars().any(char::is_control) {
            let (least, most) = (lengths.start(), lengths.end());
            let rule =
                format!("must have {least} to {most} characters, none of them a control character");
            self.wrong(field, rule);
        }
        self.no_card_number(field, text);
        text.to_owned()
    }

    pub(super) fn optional_text(
        &mut self,
        field: &'static str,
        text: &str,
        most: usize,
    ) -> Option<String> {
        let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_plain || text.len() > most {
            self.wrong(
                field,
                format!("must have at most {most} printable ASCII characters"),
            );
        }
        self.no_card_number(field, text);
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn optional_word(&mut self, field: &'static str, text: &str) -> Option<String> {
        self.optional_text(field, text, 32)
    }

    pub(super) fn url(&mut self, field: &'static str, text: &str) -> Option<String> {
        let is_web = text.is_empty() || text.starts_with("https://") || text.starts_with("http://");
        if !is_web {
            self.wrong(field, "must begin with https:// or http://");
        }
        self.optional_text(field, text, LONGEST_URL)
    }

    pub(super) fn amount(&mut self, field: &'static str, money: Option<&Money>) -> Amount {
        let nothing = Amount::try_new(1, Currency::EUR).expect("one is an amount");
        let Some(money) = money else {
            self.wrong(field, "must be set");
            return nothing;
        };
        let currency: Currency = match money.currency.parse() {
            Ok(currency) => currency,
            Err(error) => {
                let error: paymesh_money::CurrencyError = error;
                self.wrong("amount.currency", error.to_string());
                return nothing;
            }
        };
        Amount::try_new(money.minor, currency).unwrap_or_else(|error| {
            self.wrong("amount.minor", error.to_string());
            nothing
        })
    }

    pub(super) fn moment(&mut self, field: &'static str, micros: i64) -> Option<Timestamp> {
        if micros < 0 {
            self.wrong(field, "must be microseconds since 1970, or 0");
        }
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    pub(super) fn range(
        &mut self,
        field: &'static str,
        range: Option<&TimeRange>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let Some(range) = range else {
            return (None, None);
        };
        (
            self.moment(field, range.from_at_us),
            self.moment(field, range.until_at_us),
        )
    }

    pub(super) fn page(&mut self, page: Option<&Page>) -> Wanted {
        Wanted::read(page).unwrap_or_else(|| {
            let rule = format!("size is 0 to {LARGEST_SIZE}, and token the next_token of a page");
            self.wrong("page", rule);
            Wanted::read(None).expect("no page asked for is the first one")
        })
    }

    pub(super) fn method_kind(&mut self, field: &'static str, kind: i32) -> MethodKind {
        use proto::PaymentMethodKind as Kind;
        match Kind::try_from(kind).unwrap_or(Kind::Unspecified) {
            Kind::Card => MethodKind::Card,
            Kind::BankAccount => MethodKind::BankAccount,
            Kind::Wallet => MethodKind::Wallet,
            Kind::Unspecified => {
                self.wrong(field, "must be card, bank_account or wallet");
                MethodKind::Card
            }
        }
    }

    pub(super) fn method_state(&mut self, field: &'static str, state: i32) -> Option<MethodState> {
        use proto::PaymentMethodState as State;
        match State::try_from(state) {
            Ok(State::Unspecified) => None,
            Ok(State::Active) => Some(MethodState::Active),
            Ok(State::Expired) => Some(MethodState::Expired),
            Ok(State::Detached) => Some(MethodState::Detached),
            Err(_) => self.unknown_state(field),
        }
    }

    pub(super) fn attempt_state(
        &mut self,
        field: &'static str,
        state: i32,
    ) -> Option<AttemptState> {
        use proto::AttemptState as State;
        match State::try_from(state) {
            Ok(State::Unspecified) => None,
            Ok(State::Created) => Some(AttemptState::Created),
            Ok(State::RequiresAction) => Some(AttemptState::RequiresAction),
            Ok(State::Authorized) => Some(AttemptState::Authorized),
            Ok(State::PartiallyCaptured) => Some(AttemptState::PartiallyCaptured),
            Ok(State::Captured) => Some(AttemptState::Captured),
            Ok(State::Canceled) => Some(AttemptState::Canceled),
            Ok(State::Declined) => Some(AttemptState::Declined),
            Ok(State::Failed) => Some(AttemptState::Failed),
            Ok(State::Unknown) => Some(AttemptState::Unknown),
            Ok(State::Expired) => Some(AttemptState::Expired),
            Err(_) => self.unknown_state(field),
        }
    }

    pub(super) fn dispute_state(
        &mut self,
        field: &'static str,
        state: i32,
    ) -> Option<DisputeState> {
        use proto::DisputeState as State;
        match State::try_from(state) {
            Ok(State::Unspecified) => None,
            Ok(State::Opened) => Some(DisputeState::Opened),
            Ok(State::EvidenceSubmitted) => Some(DisputeState::EvidenceSubmitted),
            Ok(State::Won) => Some(DisputeState::Won),
            Ok(State::Lost) => Some(DisputeState::Lost),
            Err(_) => self.unknown_state(field),
        }
    }

    fn unknown_state<T>(&mut self, field: &'static str) -> Option<T> {
        self.wrong(field, "must be a known state, or be left out");
        None
    }

    pub(super) fn capture_mode(&mut self, field: &'static str, mode: i32) -> CaptureMode {
        use proto::AttemptCapture as Mode;
        match Mode::try_from(mode).unwrap_or(Mode::Unspecified) {
            Mode::Automatic => CaptureMode::Automatic,
            Mode::Manual => CaptureMode::Manual,
            Mode::Unspecified => {
                self.wrong(field, "must be automatic or manual");
                CaptureMode::Manual
            }
        }
    }

    /// Left out, the provider decides.
    pub(super) fn three_ds(&mut self, field: &'static str, mode: i32) -> ThreeDs {
        use proto::ThreeDsMode as Mode;
        match Mode::try_from(mode) {
            Ok(Mode::Unspecified | Mode::Automatic) => ThreeDs::Automatic,
            Ok(Mode::Required) => ThreeDs::Required,
            Err(_) => {
                self.wrong(field, "must be automatic or required");
                ThreeDs::Automatic
            }
        }
    }

    pub(super) fn evidence(&mut self, evidence: &[proto::Evidence]) -> Vec<EvidencePiece> {
        if !(1..=MOST_PIECES).contains(&evidence.len()) {
            self.wrong("evidence", format!("must have 1 to {MOST_PIECES} pieces"));
            return Vec::new();
        }
        let mut pieces = Vec::with_capacity(evidence.len());
        for piece in evidence {
            if piece.file.len() > LARGEST_FILE_BYTES {
                self.wrong("evidence.file", "must be at most 1 MiB");
            }
            if piece.text.chars().count() > LONGEST_EVIDENCE {
                self.wrong("evidence.text", "must have at most 20,000 characters");
            }
            if piece.text.is_empty() && piece.file.is_empty() {
                self.wrong("evidence", "a piece has a text or a file");
            }
            if piece.file.is_empty() != piece.media_type.is_empty() {
                self.wrong(
                    "evidence.media_type",
                    "must be set when there is a file, and only then",
                );
            }
            self.no_card_number("evidence.text", &piece.text);
            let is_text = std::str::from_utf8(&piece.file).is_ok();
            if is_text && line_with_card_number(&piece.file).is_some() {
                self.card_number.get_or_insert("evidence.file");
            }
            pieces.push(EvidencePiece {
                kind: self.text("evidence.kind", &piece.kind, 1..=64),
                text: piece.text.clone(),
                file: piece.file.clone(),
                media_type: self.text("evidence.media_type", &piece.media_type, 0..=128),
            });
        }
        pieces
    }

    /// Sizes of a webhook; what is in it is the connector's to judge.
    pub(super) fn webhook(&mut self, webhook: &proto::HandleWebhookRequest) {
        if webhook.headers.len() > MOST_HEADERS {
            self.wrong("headers", format!("must be at most {MOST_HEADERS}"));
        }
        let is_long =
            |header: &proto::WebhookHeader| header.name.len() + header.value.len() > LONGEST_HEADER;
        if webhook.headers.iter().any(is_long) {
            self.wrong(
                "headers",
                format!("must have at most {LONGEST_HEADER} bytes each"),
            );
        }
        if webhook.body.len() > LARGEST_WEBHOOK_BYTES {
            self.wrong(
                "body",
                format!("must have at most {LARGEST_WEBHOOK_BYTES} bytes"),
            );
        }
    }

    fn no_card_number(&mut self, field: &'static str, text: &str) {
        if self.card_number.is_none() && looks_like_card_number(text) {
            self.card_number = Some(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, file: &[u8]) -> Option<&'static str> {
        let mut reader = Reader::default();
        let piece = proto::Evidence {
            kind: "receipt".to_owned(),
            text: text.to_owned(),
            file: file.to_vec(),
            media_type: if file.is_empty() { "" } else { "text/csv" }.to_owned(),
        };
        reader.evidence(&[piece]);
        match reader.finish() {
            Err(Error::CardNumber { field }) => Some(field),
            Ok(()) | Err(_) => None,
        }
    }

    #[test]
    fn p9_evidence_with_a_card_number_is_refused_in_texts_and_in_files_that_are_texts() {
        let card = b"sold,to\n1,4242/4242/4242/4242\n";
        for (text, file, field) in [
            (
                "paid with \u{ff14}\u{ff12}424242_42424242",
                &b""[..],
                Some("evidence.text"),
            ),
            ("see the file", card, Some("evidence.file")),
            ("see the file", b"sold,to\n4242,4242,4242,4242\n", None),
            ("see the file", b"\xff\xd84242424242424242", None),
            ("parcel 01890a5d-ac96-774b-bcce-b302099a8057", b"", None),
        ] {
            assert_eq!(refused(text, file), field, "P9: {text}");
        }
    }
}
