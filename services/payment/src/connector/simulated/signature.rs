//! The signature of the simulated provider's webhooks: `t=<seconds>,v1=<hex HMAC-SHA-256 of "seconds.body">`.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use paymesh_kernel::Timestamp;
use sha2::Sha256;

use crate::connector::{Delivery, WebhookRefusal};

/// The header, in lower case.
const HEADER: &str = "paymesh-simulator-signature";
/// Signatures in one header; a provider sends two while its secret changes.
const MOST_SIGNATURES: usize = 4;
const MICROS_PER_SECOND: i64 = 1_000_000;

// === free functions ===

/// Verifies the raw bytes, then the time: what is not signed for us tells nothing, not even its time.
pub(super) fn verify(
    delivery: &Delivery<'_>,
    secret: &str,
    tolerance: Duration,
) -> Result<(), WebhookRefusal> {
    let header = delivery.header(HEADER).ok_or(WebhookRefusal::Signature)?;
    let mut seconds = None;
    let mut signatures = Vec::new();
    let parts = header.split(',');
    for (name, value) in parts.filter_map(|part| part.trim().split_once('=')) {
        match name {
            "t" => seconds = Some(value),
            "v1" if signatures.len() < MOST_SIGNATURES => signatures.push(value),
            _ => {}
        }
    }
    let seconds = seconds.ok_or(WebhookRefusal::Signature)?;
    let fits = |signature: &&str| {
        let tag = hex::decode(signature).unwrap_or_default();
        // An empty secret would let everybody sign.
        !secret.is_empty() && is_signed(secret, seconds, delivery.body, &tag)
    };
    if !signatures.iter().any(fits) {
        return Err(WebhookRefusal::Signature);
    }
    let signed_at: i64 = seconds.parse().map_err(|_| WebhookRefusal::Signature)?;
    let signed_at = Timestamp::from_micros(signed_at.saturating_mul(MICROS_PER_SECOND));
    let apart = delivery
        .now
        .since(signed_at)
        .max(signed_at.since(delivery.now));
    if apart > tolerance {
        return Err(WebhookRefusal::Time);
    }
    Ok(())
}

/// Compares in constant time.
fn is_signed(secret: &str, seconds: &str, body: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_768_478_400;

    fn sign(secret: &str, seconds: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key fits");
        mac.update(format!("{seconds}.{body}").as_bytes());
        let tag = hex::encode(mac.finalize().into_bytes());
        format!("t={seconds},v1={tag}")
    }

    fn check(header: Option<&str>, body: &str) -> Result<(), WebhookRefusal> {
        let headers: Vec<(String, String)> = header
            .map(|value| (HEADER.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let delivery = Delivery {
            headers: &headers,
            body: body.as_bytes(),
            now: Timestamp::from_micros(NOW * MICROS_PER_SECOND),
        };
        verify(&delivery, "secret", Duration::from_secs(300))
    }

    #[test]
    fn p8_only_what_is_signed_with_our_secret_over_these_bytes_and_lately_is_taken() {
        let good = sign("secret", NOW, "{}");
        let forged = Err(WebhookRefusal::Signature);
        assert_eq!(check(Some(&good), "{}"), Ok(()));
        assert_eq!(check(Some(&good), "{ }"), forged, "P8: other bytes");
        assert_eq!(check(None, "{}"), forged, "P8: no signature");
        assert_eq!(check(Some(&sign("other", NOW, "{}")), "{}"), forged);
        assert_eq!(check(Some("t=1,v1="), "{}"), forged);
        assert_eq!(check(Some("v1=00"), "{}"), forged);
        // A new time with the old signature is a forgery, an old time with its own signature a replay.
        let moved = good.replace(&NOW.to_string(), &(NOW + 1).to_string());
        assert_eq!(check(Some(&moved), "{}"), forged);
        for seconds in [NOW - 301, NOW + 301] {
            let signed = sign("secret", seconds, "{}");
            assert_eq!(check(Some(&signed), "{}"), Err(WebhookRefusal::Time));
        }
        let two = format!("{},v1=00", sign("secret", NOW, "{}"));
        assert_eq!(check(Some(&two), "{}"), Ok(()), "P8: one of several fits");
    }
}
