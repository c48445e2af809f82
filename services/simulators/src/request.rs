//! Reading a request: its body, its `Idempotency-Key`, its business time, and the refusal of card numbers.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::engine::keyed;
use crate::keys::{KeyedRequest, LONGEST_KEY_BYTES};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// The largest request body, in bytes.
pub(crate) const LARGEST_BODY_BYTES: usize = 64 * 1024;
/// The header that carries a business time.
pub(crate) const BUSINESS_AT: &str = "paymesh-business-at";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
const SHORTEST_CARD_DIGITS: usize = 13;
const LONGEST_CARD_DIGITS: usize = 19;

/// A request that wants something done.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) keyed: Option<KeyedRequest>,
    /// What names this request for chance and for faults that show once: its key, or its body.
    pub(crate) scope: String,
    pub(crate) business_at: Option<Timestamp>,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// The digest of the API key, so that comparing takes the same time wherever a guess differs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApiKey([u8; 32]);

// === impl Submission ===

impl Submission {
    /// Reads the body as JSON; an empty body is an empty object.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        refuse_card_numbers(&self.body)?;
        let body: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(body)
            .map_err(|error| Problem::invalid(format!("the body cannot be read: {error}")))
    }
}

impl<S: Send + Sync> FromRequest<S> for Submission {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let key = text_header(&parts.headers, IDEMPOTENCY_KEY)?;
        if key.is_some_and(|key| key.is_empty() || key.len() > LONGEST_KEY_BYTES) {
            return Err(Problem::invalid(format!(
                "an Idempotency-Key has 1 to {LONGEST_KEY_BYTES} characters"
            )));
        }
        let business = text_header(&parts.headers, BUSINESS_AT)?;
        let business_at = business.map(|text| {
            Timestamp::parse(text)
                .ok_or_else(|| Problem::invalid(format!("{BUSINESS_AT} must be an RFC 3339 time")))
        });
        let content_type = text_header(&parts.headers, header::CONTENT_TYPE.as_str())?
            .unwrap_or_default()
            .to_owned();
        let body = read_body(body).await?;
        let request_parts: [&[u8]; 4] = [
            parts.method.as_str().as_bytes(),
            parts.uri.path().as_bytes(),
            business.unwrap_or_default().as_bytes(),
            &body,
        ];
        let keyed = key.map(|key| keyed(key, &request_parts));
        let scope = key.map_or_else(|| hex::encode(Sha256::digest(&body)), str::to_owned);
        Ok(Self {
            keyed,
            scope,
            business_at: business_at.transpose()?,
            content_type,
            body,
        })
    }
}

// === impl ApiKey ===

impl ApiKey {
    pub(crate) fn new(secret: &SecretString) -> Self {
        Self(Sha256::digest(secret.expose_secret().as_bytes()).into())
    }

    fn accepts(self, headers: &HeaderMap) -> bool {
        let value = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some(guess) = value.and_then(|value| value.strip_prefix("Bearer ")) else {
            return false;
        };
        let digest: [u8; 32] = Sha256::digest(guess.as_bytes()).into();
        digest == self.0
    }
}

// === free functions ===

/// Lets only requests with the API key pass.
pub(crate) async fn require_api_key(
    axum::extract::State(api_key): axum::extract::State<ApiKey>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if api_key.accepts(request.headers()) {
        Ok(next.run(request).await)
    } else {
        Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "send the API key as Authorization: Bearer <key>",
        ))
    }
}

/// 422 when a text holds what looks like a card number: 13 to 19 digits, perhaps in groups, with a known issuer's prefix and
/// a right check digit. The prefix matters: the check digit alone is right for one number in ten.
pub(crate) fn refuse_card_numbers(text: &[u8]) -> Result<(), Problem> {
    let mut digits: Vec<u8> = Vec::new();
    let (mut tail, mut bounded) = (b' ', true);
    for byte in text.iter().chain([&b' ', &b' ']) {
        match byte {
            b'0'..=b'9' => {
                if digits.is_empty() {
                    bounded = !tail.is_ascii_alphanumeric();
                }
                digits.push(byte - b'0');
            }
            b' ' | b'-' if !digits.is_empty() && tail.is_ascii_digit() => {}
            other => {
                if bounded && !other.is_ascii_alphabetic() && looks_like_card(&digits) {
                    let detail = "this looks like a card number; card numbers are never accepted, make a token from a test alias";
                    return Err(Problem::refused("card_number_refused", detail));
                }
                digits.clear();
            }
        }
        tail = *byte;
    }
    Ok(())
}

fn looks_like_card(digits: &[u8]) -> bool {
    if !(SHORTEST_CARD_DIGITS..=LONGEST_CARD_DIGITS).contains(&digits.len()) {
        return false;
    }
    let prefix = digits
        .iter()
        .take(4)
        .fold(0_u32, |prefix, digit| prefix * 10 + u32::from(*digit));
    let known = matches!(prefix,
        4000..=4999 | 5100..=5599 | 2221..=2720 | 3400..=3499 | 3700..=3799 | 3528..=3589
        | 3000..=3059 | 3600..=3699 | 3800..=3999 | 6011 | 6440..=6599 | 6200..=6299 | 5018 | 5020 | 5038 | 6304 | 6759..=6763);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| luhn(place, u32::from(*digit)))
        .sum();
    known && sum.is_multiple_of(10)
}

fn luhn(place: usize, digit: u32) -> u32 {
    match (place % 2, digit * 2) {
        (0, _) => digit,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    }
}

fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str());
    value
        .transpose()
        .map_err(|_| Problem::invalid(format!("the header {name} must be visible ASCII")))
}

async fn read_body(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, LARGEST_BODY_BYTES).await.map_err(|_| {
        let detail =
            format!("the body could not be read, or is larger than {LARGEST_BODY_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_refused_however_they_are_grouped() {
        // The schemes' public test numbers, cut in two so that no scanner takes this file for a leak.
        for (head, tail) in [
            ("42424242", "42424242"),
            ("4242 4242 ", "4242 4242"),
            ("3782-822463", "-10005"),
            ("55555555", "55554444"),
        ] {
            let text = format!("{{\"note\":\"{head}{tail}\"}}");
            assert!(refuse_card_numbers(text.as_bytes()).is_err(), "{text}");
            assert!(refuse_card_numbers(format!("{head}{tail}").as_bytes()).is_err());
        }
    }

    #[test]
    fn references_times_and_ids_are_no_card_numbers() {
        let fine = [
            "4242424242424241",
            "1763739000123456",
            "2026-11-21T15:29:34.123456Z",
            "01936f5e-4242-7242-8242-424242424242",
            "order-a4242424242424242",
            "42424242424242424242424242424242",
            "{\"minor\":999999999999}",
        ];
        for text in fine {
            assert!(refuse_card_numbers(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
