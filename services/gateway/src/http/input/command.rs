//! What commands have beside their body: a key, and a wait.

use paymesh_kernel::card_number::looks_like_card_number;
use serde_json::json;

use super::{Incoming, Input};
use crate::{
    error::Error,
    http::{problem::Problem, route::Sketch},
};

/// Longest idempotency key, in characters.
const KEY_LIMIT: usize = 255;

/// Visible ASCII characters, and spaces between them.
const KEY_PATTERN: &str = "^[!-~]([ -~]*[!-~])?$";

/// The idempotency key, for commands that carry it to the component that owns the effect (G3).
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) String);

impl Input for Key {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let Some(value) = incoming.parts.headers.get("idempotency-key") else {
            return Err(Error::KeyMissing.into());
        };
        let text = value.to_str().unwrap_or_default().trim();
        let is_visible = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > KEY_LIMIT || !is_visible {
            return Err(Error::KeyMalformed.into());
        }
        if looks_like_card_number(text) {
            let field = "Idempotency-Key".to_owned();
            return Err(Error::CardNumber { field }.into());
        }
        Ok(Self(text.to_owned()))
    }

    fn describe(sketch: &mut Sketch<'_>) {
        let rule = json!({ "type": "string", "minLength": 1, "maxLength": KEY_LIMIT, "pattern": KEY_PATTERN });
        sketch.header(
            ("Idempotency-Key", rule),
            true.into(),
            "A value of your own, at most 255 characters. A repeat with the same key and body answers as the first did, with \
             `Idempotent-Replayed: true`; the same key with another body is refused (422). Kept 30 days.",
        );
    }
}

/// How long the caller wants to wait for an outcome: `Prefer: wait=10` (RFC 7240) or `wait_ms` of the body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    preferred_ms: Option<i32>,
    longest_ms: i32,
}

impl Wait {
    /// The wait for the component; None is its default.
    ///
    /// # Errors
    /// When the body asks for less than nothing or for too long.
    pub(crate) fn or(self, wait_ms: Option<i32>) -> Result<Option<i32>, Problem> {
        match wait_ms {
            Some(wait_ms) if !(0..=self.longest_ms).contains(&wait_ms) => {
                let rule = format!("must be 0 to {}", self.longest_ms);
                Err(Problem::field("wait_ms", rule))
            }
            Some(wait_ms) => Ok(Some(wait_ms)),
            None => Ok(self.preferred_ms),
        }
    }
}

impl Input for Wait {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let longest_ms = incoming.app.config().longest_wait_ms;
        let preferences = incoming.parts.headers.get_all("prefer").into_iter();
        let preferred_ms = preferences
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|preference| preference.trim().strip_prefix("wait="))
            .find_map(|seconds| seconds.trim().parse::<u32>().ok())
            .map(|seconds| {
                let wait_ms = i32::try_from(seconds.saturating_mul(1_000)).unwrap_or(i32::MAX);
                wait_ms.min(longest_ms)
            });
        Ok(Self {
            preferred_ms,
            longest_ms,
        })
    }

    fn describe(sketch: &mut Sketch<'_>) {
        sketch.header(
            ("Prefer", json!({ "type": "string" })),
            false.into(),
            "`wait=N`: wait at most N seconds for the outcome; what is not finished then is answered with 202.",
        );
    }
}
