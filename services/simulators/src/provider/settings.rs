//! What can be set on a simulated provider.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::StartError;
use crate::flow::Latency;
use crate::server::Limits;
use crate::timestamp::Clock;

const THOUSANDTHS: u16 = 1_000;
const BASIS_POINTS: u32 = 10_000;
const MOST_TARGETS: usize = 16;

/// Everything a simulated provider needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the journal lives; made when it is missing.
    pub data_dir: PathBuf,
    /// Accepted as `Authorization: Bearer`.
    pub api_key: SecretString,
    /// The time, in microseconds since the Unix epoch.
    pub clock: Clock,
    /// One seed, one behaviour.
    pub seed: u64,
    /// How the world reaches this server, for challenge pages; the listener's address when absent.
    pub public_url: Option<String>,
    /// Who is told of events.
    pub webhook_targets: Vec<WebhookTarget>,
    /// How events are delivered.
    pub webhooks: WebhookPolicy,
    /// The bank that settlements are paid into; when absent nothing is paid in.
    pub bank: Option<BankAccess>,
    /// How long each request takes at least.
    pub latency: Latency,
    /// What goes wrong beside what tokens ask for.
    pub faults: Faults,
    /// What the provider charges.
    pub fees: Fees,
    /// When things happen that happen by themselves.
    pub delays: Delays,
    /// Bounds.
    pub limits: Limits,
}

/// A receiver of webhooks.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Where events are posted. It also names the target in the record.
    pub url: String,
    /// The key of the signature.
    pub secret: SecretString,
}

/// How events are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookPolicy {
    /// Share of events delivered twice, in thousandths.
    pub duplicate_per_mille: u16,
    /// Share of events held back so that later ones overtake them, in thousandths.
    pub reorder_per_mille: u16,
    /// How long such an event is held back, in milliseconds.
    pub reorder_hold_ms: u64,
    /// The wait before the first repeat, in milliseconds; it doubles from try to try.
    pub first_retry_ms: u64,
    /// The longest wait between two tries, in milliseconds.
    pub longest_retry_ms: u64,
    /// Tries before an event is given up.
    pub attempts: u32,
    /// How long a receiver may take, in milliseconds.
    pub timeout_ms: u64,
    /// Deliveries at a time, for each target.
    pub concurrency: usize,
    /// Undelivered events kept for each target; further ones are dropped and counted.
    pub pending: usize,
}

/// How to reach the simulated bank.
#[derive(Clone, Debug)]
pub struct BankAccess {
    /// Its address, such as `http://127.0.0.1:4010`.
    pub url: String,
    /// Its API key.
    pub api_key: SecretString,
}

/// Faults drawn by the seed, each at most once for a reference or key. Shares in thousandths of payments, captures and refunds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// 500 without effect.
    pub error_per_mille: u16,
    /// 429 without effect.
    pub rate_limit_per_mille: u16,
    /// No answer, no effect.
    pub hang_without_effect_per_mille: u16,
    /// No answer, but the effect.
    pub hang_with_effect_per_mille: u16,
    /// The connection is cut after the effect.
    pub cut_with_effect_per_mille: u16,
    /// Payments declined with `do_not_honor`.
    pub decline_per_mille: u16,
}

/// What the provider charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// For each capture, in hundredths of a percent of its amount, half rounded up. Not given back on refunds.
    pub capture_basis_points: u32,
    /// For each dispute, in minor units. Not given back when it is won.
    pub dispute_minor: i64,
}

/// When things happen that happen by themselves, in milliseconds after their cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// A challenge that nobody answers is declined.
    pub challenge_expires_ms: u64,
    /// A refund of `tok_refund_fails_later` fails.
    pub refund_fails_ms: u64,
    /// A dispute of `tok_chargeback` opens after its capture.
    pub dispute_opens_ms: u64,
    /// Evidence that wins or loses by its text is decided.
    pub dispute_decided_ms: u64,
    /// How long an idempotency key lives after its answer.
    pub key_lifetime_ms: u64,
}

// === impl Config ===

impl Config {
    /// A provider that works well and tells nobody.
    pub fn new(data_dir: PathBuf, api_key: SecretString, clock: Clock) -> Self {
        Self {
            data_dir,
            api_key,
            clock,
            seed: 0,
            public_url: None,
            webhook_targets: Vec::new(),
            webhooks: WebhookPolicy::default(),
            bank: None,
            latency: Latency::default(),
            faults: Faults::default(),
            fees: Fees::default(),
            delays: Delays::default(),
            limits: Limits::default(),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), StartError> {
        let check = |fine: bool, what: &'static str| {
            if fine {
                Ok(())
            } else {
                Err(StartError::Config(what))
            }
        };
        let (faults, webhooks) = (&self.faults, &self.webhooks);
        let drawn = [
            faults.error_per_mille,
            faults.rate_limit_per_mille,
            faults.hang_without_effect_per_mille,
            faults.hang_with_effect_per_mille,
            faults.cut_with_effect_per_mille,
        ];
        let drawn: u32 = drawn.iter().copied().map(u32::from).sum();
        check(
            drawn <= u32::from(THOUSANDTHS),
            "the shares of faults together exceed 1000 thousandths",
        )?;
        check(
            faults.decline_per_mille <= THOUSANDTHS,
            "faults.decline_per_mille exceeds 1000",
        )?;
        check(
            webhooks.duplicate_per_mille <= THOUSANDTHS,
            "webhooks.duplicate_per_mille exceeds 1000",
        )?;
        check(
            webhooks.reorder_per_mille <= THOUSANDTHS,
            "webhooks.reorder_per_mille exceeds 1000",
        )?;
        check(
            (1..=1_000).contains(&webhooks.concurrency),
            "webhooks.concurrency must be 1 to 1000",
        )?;
        check(
            (1..=100).contains(&webhooks.attempts),
            "webhooks.attempts must be 1 to 100",
        )?;
        check(
            webhooks.timeout_ms > 0,
            "webhooks.timeout_ms must not be zero",
        )?;
        check(
            self.webhook_targets.len() <= MOST_TARGETS,
            "there are more than 16 webhook targets",
        )?;
        check(
            self.fees.capture_basis_points <= BASIS_POINTS,
            "fees.capture_basis_points exceeds 10000",
        )?;
        check(
            (0..=1_000_000).contains(&self.fees.dispute_minor),
            "fees.dispute_minor must be 0 to 1000000",
        )?;
        let urls = self
            .webhook_targets
            .iter()
            .map(|target| &target.url)
            .chain(self.bank.iter().map(|bank| &bank.url));
        for url in urls {
            let parsed = reqwest::Url::parse(url);
            check(
                parsed.is_ok_and(|url| url.has_host()),
                "a webhook target or the bank has no valid URL",
            )?;
        }
        Ok(())
    }
}

impl Default for WebhookPolicy {
    fn default() -> Self {
        Self {
            duplicate_per_mille: 0,
            reorder_per_mille: 0,
            reorder_hold_ms: 300,
            first_retry_ms: 500,
            longest_retry_ms: 60_000,
            attempts: 20,
            timeout_ms: 10_000,
            concurrency: 32,
            pending: 200_000,
        }
    }
}

impl Default for Fees {
    fn default() -> Self {
        Self {
            capture_basis_points: 120,
            dispute_minor: 1_500,
        }
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            challenge_expires_ms: 15 * 60 * 1_000,
            refund_fails_ms: 2_000,
            dispute_opens_ms: 1_000,
            dispute_decided_ms: 1_000,
            key_lifetime_ms: 24 * 60 * 60 * 1_000,
        }
    }
}
