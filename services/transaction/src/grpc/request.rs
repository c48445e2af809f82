//! Requests become commands.

mod list;
mod operation;

use paymesh_proto::transaction::v1 as wire;

use super::{convert, read::Reader};
use crate::{
    app::{create::NewTransaction, lookup::Asked},
    domain::{TransactionId, status::Kind, transaction::CaptureMethod},
    error::Error,
};

pub(super) use list::{list, list_of_user, summary};
pub(super) use operation::{
    approve_resolution, bank_word, cancel, capture, chargeback, complete_action, refund,
    request_resolution, review,
};

/// Characters of a reason or description.
const TEXT: usize = 255;
/// Characters of a purpose.
const PURPOSE: usize = 64;
/// Characters of a return URL.
const URL: usize = 2_048;
pub(super) fn create(mut request: wire::CreateTransactionRequest) -> Result<NewTransaction, Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let kind = convert::read_kind(request.kind());
    if !kind.is_some_and(is_created) {
        reader.refuse(
            "kind",
            "must be transfer, purchase, top_up, withdrawal, payout or adjustment",
        );
    }
    let capture = match request.capture_method() {
        wire::CaptureMethod::Unspecified | wire::CaptureMethod::Automatic => {
            CaptureMethod::Automatic
        }
        wire::CaptureMethod::Manual => CaptureMethod::Manual,
    };
    if capture == CaptureMethod::Manual && kind.is_some_and(|kind| kind != Kind::Purchase) {
        reader.refuse("capture_method", "must be automatic but for purchases");
    }
    let amount = reader.money("amount", request.amount.as_ref());
    let payer = reader.party("payer", request.payer.take());
    let payee = reader.party("payee", request.payee.take());
    if let (Some(kind), Some(payer), Some(payee)) = (kind, &payer, &payee) {
        check_sides(&mut reader, kind, payer, payee);
    }
    let command = NewTransaction {
        key,
        asked,
        kind: kind.unwrap_or(Kind::Transfer),
        amount: amount.unwrap_or_else(|| paymesh_money::Money::zero(paymesh_money::Currency::USD)),
        payer: payer.unwrap_or(Asked::Bank {
            token: String::new(),
        }),
        payee: payee.unwrap_or(Asked::Bank {
            token: String::new(),
        }),
        capture,
        target: reader.maybe_currency("target_currency", &request.target_currency),
        purpose: reader.text("purpose", &request.purpose, PURPOSE),
        description: reader.text("description", &request.description, TEXT),
        quote: reader.maybe_id("quote_id", &request.quote_id),
        return_url: reader.web_address("return_url", &request.return_url, URL),
        country: reader.country("country", &request.country),
        metadata: reader.metadata("metadata", request.metadata.into_iter()),
        business_at: reader.moment("business_at", request.business_at_us),
        wait_ms: reader.wait(request.wait_ms),
    };
    reader.finish(Some(command))
}

const fn is_created(kind: Kind) -> bool {
    match kind {
        Kind::Transfer
        | Kind::Purchase
        | Kind::TopUp
        | Kind::Withdrawal
        | Kind::Payout
        | Kind::Adjustment => true,
        // They are operations of what they give back.
        Kind::Refund | Kind::Chargeback => false,
    }
}

fn check_sides(reader: &mut Reader, kind: Kind, payer: &Asked, payee: &Asked) {
    let is_balance = |side: &Asked| matches!(side, Asked::Account(_) | Asked::User(_));
    let is_method = matches!(payer, Asked::Method { .. });
    let from_merchant = matches!(payer, Asked::Merchant { .. } | Asked::Account(_));
    let to_merchant = matches!(payee, Asked::Merchant { .. });
    let to_bank = matches!(payee, Asked::Bank { .. });
    let (payer_fits, payee_fits) = match kind {
        Kind::Transfer => (is_balance(payer), is_balance(payee)),
        Kind::Purchase => (is_balance(payer) || is_method, to_merchant),
        Kind::TopUp => (is_method, is_balance(payee)),
        Kind::Withdrawal => (is_balance(payer), to_bank),
        Kind::Payout => (from_merchant, to_bank),
        Kind::Adjustment => (
            matches!(payer, Asked::Account(_)),
            matches!(payee, Asked::Account(_)),
        ),
        Kind::Refund | Kind::Chargeback => return,
    };
    if !payer_fits {
        reader.refuse(
            "payer",
            format!("is not what a {} is paid from", kind.as_str()),
        );
    }
    if !payee_fits {
        reader.refuse(
            "payee",
            format!("is not what a {} is paid to", kind.as_str()),
        );
    }
}

pub(super) fn transaction_id(text: &str) -> Result<TransactionId, Error> {
    let mut reader = Reader::default();
    let id = reader.id("transaction_id", text);
    reader.finish(id)
}

/// What was asked, for the fingerprint of its key. The key itself is taken out before; how long the caller waits is no part of
/// what is asked.
fn fingerprint<M: prost::Message + Waits>(request: &M) -> Vec<u8> {
    let mut asked = request.clone();
    // Pairs of a map are encoded in any order; the same ones must give the same fingerprint.
    let mut pairs = asked.forget_wait();
    pairs.sort_unstable();
    let mut bytes = asked.encode_to_vec();
    for (key, value) in pairs {
        for text in [key, value] {
            bytes.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend(text.into_bytes());
        }
    }
    bytes
}

/// A request that says how long its caller waits.
trait Waits: Clone {
    /// Takes out how long, and gives the pairs of its map.
    fn forget_wait(&mut self) -> Vec<(String, String)>;
}

impl Waits for wire::CreateTransactionRequest {
    fn forget_wait(&mut self) -> Vec<(String, String)> {
        self.wait_ms = None;
        std::mem::take(&mut self.metadata).into_iter().collect()
    }
}

macro_rules! waits {
    ($($request:ident),+) => {
        $(impl Waits for wire::$request {
            fn forget_wait(&mut self) -> Vec<(String, String)> {
                self.wait_ms = None;
                Vec::new()
            }
        })+
    };
}

waits!(
    CaptureRequest,
    RefundRequest,
    CancelTransactionRequest,
    CompleteActionRequest
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t9_the_fingerprint_depends_on_what_is_asked_alone() {
        let request = |n: usize, wait_ms| wire::CreateTransactionRequest {
            purpose: "order".to_owned(),
            metadata: (0..n)
                .map(|n| (format!("key{n}"), "value".to_owned()))
                .collect(),
            wait_ms,
            ..wire::CreateTransactionRequest::default()
        };
        for _ in 0..20 {
            assert_eq!(
                fingerprint(&request(16, None)),
                fingerprint(&request(16, Some(5))),
                "T9"
            );
        }
        assert_ne!(
            fingerprint(&request(16, None)),
            fingerprint(&request(15, None)),
            "T9"
        );
    }
}
