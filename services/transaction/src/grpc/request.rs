//! Requests become commands.

use paymesh_kernel::id::UserId;
use paymesh_proto::transaction::v1 as wire;

use super::{convert, read::Reader};
use crate::{
    app::{
        command::{BankWord, ChargebackWord, Keyed, PartOf},
        create::NewTransaction,
    },
    domain::{
        TransactionId,
        command::Finality,
        fact::ChargebackStage,
        ids::ResolutionId,
        status::{Kind, Status},
        transaction::{CaptureMethod, Resolution},
    },
    error::Error,
    store::view::{Filter, Place},
};

/// Characters of a reason or description.
const TEXT: usize = 255;
/// Characters of a purpose.
const PURPOSE: usize = 64;
/// Characters of a return URL.
const URL: usize = 2_048;
/// Bytes of what a verification returned.
const RESPONSE: usize = 2_048;

type Where = (Option<Place>, u64);

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
    let payer = reader.party(("payer", "payer"), request.payer.take());
    let payee = reader.party(("payee", "payee"), request.payee.take());
    if let (Some(kind), Some(payer), Some(payee)) = (kind, &payer, &payee) {
        check_sides(&mut reader, kind, payer, payee);
    }
    let command = NewTransaction {
        key,
        asked,
        kind: kind.unwrap_or(Kind::Transfer),
        amount: amount.unwrap_or_else(|| paymesh_money::Money::zero(paymesh_money::Currency::USD)),
        payer: payer.unwrap_or(crate::app::lookup::Asked::Bank {
            token: String::new(),
        }),
        payee: payee.unwrap_or(crate::app::lookup::Asked::Bank {
            token: String::new(),
        }),
        capture,
        target: reader.maybe_currency("target_currency", &request.target_currency),
        purpose: reader.text("purpose", &request.purpose, PURPOSE),
        description: reader.text("description", &request.description, TEXT),
        quote: reader.maybe_id("quote_id", &request.quote_id),
        return_url: reader.text("return_url", &request.return_url, URL),
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

fn check_sides(
    reader: &mut Reader,
    kind: Kind,
    payer: &crate::app::lookup::Asked,
    payee: &crate::app::lookup::Asked,
) {
    use crate::app::lookup::Asked;
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

pub(super) fn capture(mut request: wire::CaptureRequest) -> Result<(PartOf, Finality), Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let amount = reader.maybe_money("amount", request.amount.as_ref());
    let business_at = reader.moment("business_at", request.business_at_us);
    let wait_ms = reader.wait(request.wait_ms);
    let finality = if request.r#final {
        Finality::Last
    } else {
        Finality::MoreMayFollow
    };
    let part = transaction.map(|transaction| PartOf {
        keyed: Keyed {
            key,
            asked,
            transaction,
            wait_ms,
        },
        amount,
        reason: String::new(),
        business_at,
    });
    Ok((reader.finish(part)?, finality))
}

pub(super) fn refund(mut request: wire::RefundRequest) -> Result<PartOf, Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let amount = reader.maybe_money("amount", request.amount.as_ref());
    let reason = reader.text("reason", &request.reason, TEXT);
    let business_at = reader.moment("business_at", request.business_at_us);
    let wait_ms = reader.wait(request.wait_ms);
    let part = transaction.map(|transaction| PartOf {
        keyed: Keyed {
            key,
            asked,
            transaction,
            wait_ms,
        },
        amount,
        reason,
        business_at,
    });
    reader.finish(part)
}

pub(super) fn cancel(
    mut request: wire::CancelTransactionRequest,
) -> Result<(Keyed, String), Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let reason = reader.text("reason", &request.reason, TEXT);
    let wait_ms = reader.wait(request.wait_ms);
    let keyed = transaction.map(|transaction| Keyed {
        key,
        asked,
        transaction,
        wait_ms,
    });
    Ok((reader.finish(keyed)?, reason))
}

pub(super) fn complete_action(
    mut request: wire::CompleteActionRequest,
) -> Result<(Keyed, (String, String)), Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    if request.response.len() > RESPONSE {
        reader.refuse("response", format!("must have at most {RESPONSE} bytes"));
    }
    let action_id = reader.text("action_id", &request.action_id, TEXT);
    let wait_ms = reader.wait(request.wait_ms);
    let keyed = transaction.map(|transaction| Keyed {
        key,
        asked,
        transaction,
        wait_ms,
    });
    Ok((reader.finish(keyed)?, (action_id, request.response)))
}

pub(super) fn review(
    id: &str,
    note: &str,
    wait_ms: Option<i32>,
) -> Result<((TransactionId, Option<i32>), String), Error> {
    let mut reader = Reader::default();
    let id = reader.id("transaction_id", id);
    let note = reader.text("note", note, TEXT);
    let wait_ms = reader.wait(wait_ms);
    Ok(((reader.finish(id)?, wait_ms), note))
}

pub(super) fn chargeback(request: wire::RecordChargebackRequest) -> Result<ChargebackWord, Error> {
    let mut reader = Reader::default();
    let stage = match request.stage() {
        wire::ChargebackStage::Opened => Some(ChargebackStage::Opened),
        wire::ChargebackStage::Won => Some(ChargebackStage::Won),
        wire::ChargebackStage::Lost => Some(ChargebackStage::Lost),
        wire::ChargebackStage::Unspecified => {
            reader.refuse("stage", "must be opened, won or lost");
            None
        }
    };
    let dispute = reader.id("dispute_id", &request.dispute_id);
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let amount = reader.maybe_money("amount", request.amount.as_ref());
    if stage == Some(ChargebackStage::Opened) && request.amount.is_none() {
        reader.refuse("amount", "must be set");
    }
    let connector_fee = reader.maybe_money("connector_fee", request.connector_fee.as_ref());
    let reason = reader.text("reason", &request.reason, TEXT);
    let business_at = reader.moment("business_at", request.business_at_us);
    let word = dispute
        .zip(transaction)
        .zip(stage)
        .map(|((dispute, transaction), stage)| ChargebackWord {
            dispute,
            transaction,
            stage,
            amount,
            connector_fee,
            reason,
            business_at,
        });
    reader.finish(word)
}

pub(super) fn request_resolution(
    request: &wire::RequestResolveStuckRequest,
) -> Result<(TransactionId, (Resolution, String)), Error> {
    let mut reader = Reader::default();
    let resolution = convert::read_resolution(request.resolution());
    if resolution.is_none() {
        reader.refuse(
            "resolution",
            "must be retry_forward, retry_compensation or abandon",
        );
    }
    if request.reason.is_empty() {
        reader.refuse("reason", "must say why");
    }
    let reason = reader.text("reason", &request.reason, TEXT);
    let id = reader.id("transaction_id", &request.transaction_id);
    let asked = id.zip(resolution);
    let (id, resolution) = reader.finish(asked)?;
    Ok((id, (resolution, reason)))
}

pub(super) fn approve_resolution(
    request: &wire::ApproveResolveStuckRequest,
) -> Result<(TransactionId, ResolutionId), Error> {
    let mut reader = Reader::default();
    let id = reader.id("transaction_id", &request.transaction_id);
    let asked = reader.id("resolution_request_id", &request.resolution_request_id);
    reader.finish(id.zip(asked))
}

pub(super) fn bank_word(request: wire::UpdateTransactionStatusRequest) -> Result<BankWord, Error> {
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let status: Option<Status> = convert::read_status(request.status());
    if status.is_none() {
        reader.refuse("status", "must be set");
    }
    let reason = reader.text("reason", &request.reason, TEXT);
    let reference = reader.text("reference", &request.reference, TEXT);
    let word = transaction
        .zip(status)
        .map(|(transaction, status)| BankWord {
            transaction,
            expected_version: i64::try_from(request.expected_version).unwrap_or(i64::MAX),
            status,
            reason,
            reference,
        });
    reader.finish(word)
}

pub(super) fn transaction_id(text: &str) -> Result<TransactionId, Error> {
    let mut reader = Reader::default();
    let id = reader.id("transaction_id", text);
    reader.finish(id)
}

pub(super) fn list(request: &wire::ListTransactionsRequest) -> Result<(Filter, Where), Error> {
    let mut reader = Reader::default();
    let (from, until) = reader.range(request.business.as_ref());
    let filter = Filter {
        kind: convert::read_kind(request.kind()),
        status: convert::read_status(request.status()),
        user: None,
        merchant: reader.maybe_id("merchant_id", &request.merchant_id),
        terminal: reader.maybe_id("terminal_id", &request.terminal_id),
        account: reader.maybe_id("account_id", &request.account_id),
        purpose: reader.text("purpose", &request.purpose, PURPOSE),
        from,
        until,
    };
    let page = reader.page(request.page.as_ref());
    reader.finish(Some((filter, page)))
}

pub(super) fn list_of_user(
    request: &wire::ListTransactionsByUserRequest,
) -> Result<(UserId, Filter, Where), Error> {
    let mut reader = Reader::default();
    let user: Option<UserId> = reader.id("user_id", &request.user_id);
    let (from, until) = reader.range(request.business.as_ref());
    let filter = Filter {
        kind: convert::read_kind(request.kind()),
        status: convert::read_status(request.status()),
        from,
        until,
        ..Filter::default()
    };
    let page = reader.page(request.page.as_ref());
    reader.finish(user.map(|user| (user, filter, page)))
}

pub(super) fn summary(request: &wire::GetTransactionSummaryRequest) -> Result<Filter, Error> {
    let mut reader = Reader::default();
    let (from, until) = reader.range(request.business.as_ref());
    let filter = Filter {
        user: reader.maybe_id("user_id", &request.user_id),
        merchant: reader.maybe_id("merchant_id", &request.merchant_id),
        from,
        until,
        ..Filter::default()
    };
    reader.finish(Some(filter))
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
