//! Connectors: what is the same for every provider.
//!
//! A connector turns our steps into a provider's API and its answers into our words. It never decides about money: it says what it
//! knows of the outcome, and when it does not know, it says so. What it needs from a provider is a key that keeps a step from
//! happening twice, a reference of ours that can be asked for, and signed webhooks; most card providers have all three.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;

use crate::domain::{
    Answer, CaptureMode, Hint, MethodDetails, MethodKind, Observation, ThreeDs, Windows,
};

pub mod desk;
pub mod simulated;

/// The future of a connector's method.
pub type Call<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A provider, as the rest of the component sees it.
pub trait Connector: Send + Sync + fmt::Debug + 'static {
    /// Which account at the provider it uses; webhooks are unique within it.
    fn account(&self) -> &str;

    /// What it declares about keys and references.
    fn windows(&self) -> Windows;

    /// Asks what a token stands for.
    fn describe<'a>(
        &'a self,
        token: &'a str,
        kind: MethodKind,
    ) -> Call<'a, Result<MethodDetails, TokenRefusal>>;

    /// Makes the provider forget a token. Forgetting it twice is fine.
    fn detach<'a>(&'a self, token: &'a str) -> Call<'a, Result<(), Unreachable>>;

    /// Reserves money, and takes it when capture is automatic.
    fn authorize<'a>(&'a self, step: &'a AuthorizeCall) -> Call<'a, Answer>;

    /// Takes reserved money.
    fn capture<'a>(&'a self, step: &'a PartCall) -> Call<'a, Answer>;

    /// Releases what is reserved. A connector that cannot cancel by reference answers [`Answer::Unknown`] to that.
    fn cancel<'a>(&'a self, step: &'a CancelCall) -> Call<'a, Answer>;

    /// Gives taken money back.
    fn refund<'a>(&'a self, step: &'a PartCall) -> Call<'a, Answer>;

    /// Sends evidence on a dispute.
    fn submit_evidence<'a>(&'a self, step: &'a EvidenceCall) -> Call<'a, Answer>;

    /// The most evidence that the provider takes, in bytes.
    fn evidence_limit_bytes(&self) -> usize;

    /// What these pieces are in such bytes.
    fn evidence_bytes(&self, pieces: &[EvidencePiece]) -> usize;

    /// Asks for a payment by our reference.
    fn query<'a>(
        &'a self,
        reference: &'a str,
    ) -> Call<'a, Result<Option<Observation>, Unreachable>>;

    /// Asks for a payment by the provider's name.
    fn fetch<'a>(
        &'a self,
        connector_reference: &'a str,
    ) -> Call<'a, Result<Option<Observation>, Unreachable>>;

    /// Verifies a webhook's raw bytes and reads what it is about.
    ///
    /// # Errors
    /// See [`WebhookRefusal`].
    fn verify(&self, delivery: &Delivery<'_>) -> Result<Notice, WebhookRefusal>;
}

/// An authorization on its way.
#[derive(Clone)]
pub struct AuthorizeCall {
    /// The step's key, and our reference.
    pub key: String,
    /// The provider's token.
    pub token: String,
    /// Minor units.
    pub amount_minor: i64,
    /// Of the minor units.
    pub currency: Currency,
    /// How the money is taken.
    pub capture: CaptureMode,
    /// When the payer is verified.
    pub three_ds: ThreeDs,
    /// What the payer's statement shows.
    pub statement_descriptor: Option<String>,
    /// Where the payer comes back to.
    pub return_url: Option<String>,
    /// Who is paid.
    pub merchant: Option<String>,
    /// Business time.
    pub business_at: Timestamp,
}

/// A capture or refund on its way.
#[derive(Clone, Debug)]
pub struct PartCall {
    /// The step's key, and our reference.
    pub key: String,
    /// The payment, in the provider's name.
    pub connector_reference: String,
    /// Minor units.
    pub amount_minor: i64,
    /// Of the minor units.
    pub currency: Currency,
    /// A capture that gives up the rest.
    pub is_final: bool,
    /// Business time.
    pub business_at: Timestamp,
}

/// A cancellation on its way.
#[derive(Clone, Debug)]
pub struct CancelCall {
    /// The step's key.
    pub key: String,
    /// What to cancel.
    pub target: CancelTarget,
}

/// What to cancel.
#[derive(Clone, Debug)]
pub enum CancelTarget {
    /// A payment, in the provider's name.
    Payment(String),
    /// What carries our reference, or will when it arrives.
    Reference(String),
}

/// Evidence on its way.
#[derive(Clone, Debug)]
pub struct EvidenceCall {
    /// The step's key.
    pub key: String,
    /// The dispute, in the provider's name.
    pub dispute_reference: String,
    /// All pieces.
    pub pieces: Vec<EvidencePiece>,
}

/// A piece of evidence. `Debug` shows sizes only.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidencePiece {
    /// `receipt`, `shipping`, …
    pub kind: String,
    /// May be empty.
    pub text: String,
    /// May be empty.
    pub file: Vec<u8>,
    /// Of the file.
    pub media_type: String,
}

/// A webhook as it came.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// Names in lower case, with values.
    pub headers: &'a [(String, String)],
    /// Raw.
    pub body: &'a [u8],
    /// The clock's time.
    pub now: Timestamp,
}

/// What a verified webhook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The provider's name for the event.
    pub event_id: String,
    /// The provider's word for it.
    pub kind: String,
    /// The payment, in the provider's name; none when it is about no payment.
    pub connector_reference: Option<String>,
    /// Our reference of that payment.
    pub reference: Option<String>,
    /// What it tells, when that may be known already.
    pub hint: Option<Hint>,
    /// Our key of the capture or refund that it tells of.
    pub part: Option<String>,
}

/// The provider could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider cannot be asked right now")]
pub struct Unreachable {
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// Why a token is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The provider does not know it.
    #[error("the provider does not know this token")]
    Unknown,
    /// The provider could not be asked.
    #[error("the provider cannot be asked right now")]
    Unreachable,
}

/// Why a webhook is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// No signature, or not over these bytes with our secret.
    #[error("the webhook's signature is missing or does not fit its body")]
    Signature,
    /// Signed too long ago, or in the future: it may be a replay.
    #[error("the webhook was signed outside of the accepted time")]
    Time,
    /// Signed, but not to be read.
    #[error("the webhook cannot be read")]
    Malformed,
}

// === impl AuthorizeCall ===

/// The token never shows.
impl fmt::Debug for AuthorizeCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeCall")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

// === impl EvidencePiece ===

impl fmt::Debug for EvidencePiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvidencePiece")
            .field("kind", &self.kind)
            .field("text_bytes", &self.text.len())
            .field("file_bytes", &self.file.len())
            .finish_non_exhaustive()
    }
}

// === impl Delivery ===

impl Delivery<'_> {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// What a signed body says, and its headers, stay out of `Debug`.
impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
