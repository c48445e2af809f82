//! Forms of transactions.

use std::collections::BTreeMap;

use paymesh_proto::{transaction::v1 as pb, types::v1 as types};

use super::super::form::{
    Amount, Form, Moment, Rate, Read, Reader, Word, form, request, shape, words,
};

words! {
    pb::TransactionKind = TransactionKind "TRANSACTION_KIND_";
    pb::TransactionStatus = TransactionStatus "TRANSACTION_STATUS_";
    pb::CaptureMethod = CaptureMethod "CAPTURE_METHOD_";
    pb::ActionKind = ActionKind "ACTION_KIND_";
    pb::OperationKind = OperationKind "OPERATION_KIND_";
    pb::OperationState = OperationState "OPERATION_STATE_";
    pb::Resolution = Resolution "RESOLUTION_";
    types::DeclineReason = DeclineReason "DECLINE_REASON_";
}

shape! {
    /// One side of a transaction: an account, a user, a payment method, a merchant or a bank account. Exactly one of `account_id`,
    /// `user_id`, `payment_method_id`, `merchant_id`, `bank_token`.
    Party {
        /// `acct_…`
        account_id: Option<String>,
        /// `user_…`: the balance in the transaction's currency, or the home currency.
        user_id: Option<String>,
        /// `pm_…`
        payment_method_id: Option<String>,
        /// `user_…` that the payment method belongs to.
        customer_id: Option<String>,
        /// `mrc_…`
        merchant_id: Option<String>,
        /// `term_…`, with `merchant_id`.
        terminal_id: Option<String>,
        /// Token of a bank account.
        bank_token: Option<String>,
    }
}

impl Read for Party {
    fn read(reader: &mut Reader, value: Option<&serde_json::Value>) -> Option<Self> {
        let fields = [
            "account_id",
            "user_id",
            "payment_method_id",
            "customer_id",
            "merchant_id",
            "terminal_id",
            "bank_token",
        ];
        let object = reader.object(value, &fields)?;
        let mut field = |name| reader.field::<Option<String>>(object, name);
        let party = Self {
            account_id: field("account_id")?,
            user_id: field("user_id")?,
            payment_method_id: field("payment_method_id")?,
            customer_id: field("customer_id")?,
            merchant_id: field("merchant_id")?,
            terminal_id: field("terminal_id")?,
            bank_token: field("bank_token")?,
        };
        let sides = [
            &party.account_id,
            &party.user_id,
            &party.payment_method_id,
            &party.merchant_id,
            &party.bank_token,
        ];
        if sides.iter().filter(|side| side.is_some()).count() != 1 {
            return reader.refuse(
                "must have exactly one of account_id, user_id, payment_method_id, merchant_id, bank_token",
            );
        }
        if party.customer_id.is_some() && party.payment_method_id.is_none() {
            return reader.refuse("has a customer_id, which belongs to a payment_method_id");
        }
        if party.terminal_id.is_some() && party.merchant_id.is_none() {
            return reader.refuse("has a terminal_id, which belongs to a merchant_id");
        }
        Some(party)
    }
}

impl From<Party> for pb::Party {
    fn from(party: Party) -> Self {
        use pb::party::Party as Side;
        let side = if let Some(id) = party.account_id {
            Some(Side::AccountId(id))
        } else if let Some(id) = party.user_id {
            Some(Side::UserId(id))
        } else if let Some(payment_method_id) = party.payment_method_id {
            Some(Side::PaymentMethod(pb::PaymentMethodParty {
                payment_method_id,
                customer_id: party.customer_id.unwrap_or_default(),
            }))
        } else if let Some(merchant_id) = party.merchant_id {
            Some(Side::Merchant(pb::MerchantParty {
                merchant_id,
                terminal_id: party.terminal_id.unwrap_or_default(),
            }))
        } else {
            let bank = |destination_token| Side::Bank(pb::BankParty { destination_token });
            party.bank_token.map(bank)
        };
        Self { party: side }
    }
}

impl Form<pb::Party> for Party {
    fn form(from: pb::Party) -> Self {
        use pb::party::Party as Side;
        let mut party = Self {
            account_id: None,
            user_id: None,
            payment_method_id: None,
            customer_id: None,
            merchant_id: None,
            terminal_id: None,
            bank_token: None,
        };
        match from.party {
            Some(Side::AccountId(id)) => party.account_id = Some(id),
            Some(Side::UserId(id)) => party.user_id = Some(id),
            Some(Side::PaymentMethod(method)) => {
                party.payment_method_id = Form::form(method.payment_method_id);
                party.customer_id = Form::form(method.customer_id);
            }
            Some(Side::Merchant(merchant)) => {
                party.merchant_id = Form::form(merchant.merchant_id);
                party.terminal_id = Form::form(merchant.terminal_id);
            }
            Some(Side::Bank(bank)) => party.bank_token = Form::form(bank.destination_token),
            None => {}
        }
        party
    }
}

form! {
    /// The exchange between two currencies. The amounts rule; the rates explain.
    Exchange from pb::Exchange {
        /// `qt_…`
        quote_id: String,
        /// What leaves the payer's side.
        source: Option<Amount>,
        /// What reaches the payee's side.
        target: Option<Amount>,
        spread: Option<Amount>,
        /// Target units for one source unit.
        mid_rate: Option<Rate>,
        /// The same, with the spread.
        customer_rate: Option<Rate>,
        rate_source: Option<String>,
    }
}

form! {
    /// What the payer has to do.
    RequiredAction from pb::RequiredAction {
        kind: Word<pb::ActionKind>,
        /// Send the payer there.
        url: Option<String>,
        /// For the completion of the action.
        action_id: String,
        expires_at: Option<Moment> = expires_at_us,
    }
}

form! {
    /// One capture, refund or chargeback.
    Operation from pb::Operation {
        /// `cap_…`, `re_…` or `dp_…`
        id: String,
        transaction_id: String,
        kind: Word<pb::OperationKind>,
        state: Word<pb::OperationState>,
        amount: Option<Amount>,
        /// What the payee is charged for it: of a chargeback the fee of the merchant's plan, once it is booked.
        fee: Option<Amount>,
        exchange: Option<Exchange>,
        /// Why it was declined, when it was.
        decline_reason: Option<Word<types::DeclineReason>>,
        reason: Option<String>,
        /// The provider's reference.
        reference: Option<String> = attempt_reference,
        created_at: Moment = created_at_us,
        finished_at: Option<Moment> = finished_at_us,
    }
}

form! {
    /// What one person asked for with a stuck transaction, and another may approve.
    ResolutionRequest from pb::ResolutionRequest {
        /// `res_…`
        id: String,
        resolution: Word<pb::Resolution>,
        reason: String,
        requested_by: String,
        requested_at: Moment = requested_at_us,
        approved_by: Option<String>,
        approved_at: Option<Moment> = approved_at_us,
    }
}

form! {
    /// A business transaction.
    Transaction from pb::Transaction {
        /// `txn_…`
        id: String,
        kind: Word<pb::TransactionKind>,
        status: Word<pb::TransactionStatus>,
        /// Why it was declined, when it was.
        decline_reason: Option<Word<types::DeclineReason>>,
        /// The provider's code or the rule, for staff.
        decline_detail: Option<String>,
        amount: Option<Amount>,
        authorized: Option<Amount>,
        captured: Option<Amount>,
        refunded: Option<Amount>,
        fee: Option<Amount>,
        payer: Option<Party>,
        payee: Option<Party>,
        exchange: Option<Exchange>,
        capture_method: Option<Word<pb::CaptureMethod>>,
        /// What the payer has to do, when something.
        required_action: Option<RequiredAction>,
        purpose: Option<String>,
        description: Option<String>,
        /// Yours.
        metadata: BTreeMap<String, String>,
        /// Captures, refunds and chargebacks, oldest first.
        operations: Vec<Operation>,
        risk_decision_id: Option<String>,
        /// 0 to 100.
        risk_score: Option<i32>,
        attempt_id: Option<String>,
        connector: Option<String>,
        /// Open, when it is stuck.
        resolution_request: Option<ResolutionRequest>,
        created_by: Option<String>,
        /// Rises with each change.
        version: u64,
        business_at: Option<Moment> = business_at_us,
        authorization_expires_at: Option<Moment> = authorization_expires_at_us,
        created_at: Moment = created_at_us,
        updated_at: Moment = updated_at_us,
        ended_at: Option<Moment> = ended_at_us,
    }
}

form! {
    /// Transactions of one kind, status and currency.
    SummaryLine from pb::SummaryLine {
        kind: Word<pb::TransactionKind>,
        status: Word<pb::TransactionStatus>,
        currency: String,
        transaction_count: u64,
        amount_minor: i64,
        captured_minor: i64,
        refunded_minor: i64,
        fee_minor: i64,
    }
}

form! {
    /// Totals of transactions.
    Summary from pb::GetTransactionSummaryResponse {
        lines: Vec<SummaryLine>,
        computed_at: Option<Moment> = computed_at_us,
    }
}

request! {
    /// A new transaction.
    CreateTransaction {
        kind: Word<pb::TransactionKind>,
        /// In the payer's currency, above zero.
        amount: Amount,
        payer: Option<Party>,
        payee: Option<Party>,
        /// `automatic`, if it is left out.
        capture_method: Option<Word<pb::CaptureMethod>>,
        /// Wanted on the payee's side; the payee's own, if it is left out.
        target_currency: Option<String>,
        /// `qt_…` locked before.
        quote_id: Option<String>,
        /// For machines, at most 64 characters; no personal data.
        purpose: Option<String>,
        /// Shown to payer and payee, at most 255 characters.
        description: Option<String>,
        /// Where the payer comes back to after an action.
        return_url: Option<String>,
        /// ISO 3166-1 alpha-2, of the payer's device.
        country: Option<String>,
        /// At most 16 pairs, 64 characters a key, 256 a value.
        metadata: Option<BTreeMap<String, String>>,
        /// Sandboxes only.
        business_at: Option<Moment>,
        /// Longest wait for the outcome; 0 does not wait.
        wait_ms: Option<i32>,
    }
}

request! {
    /// How to read it.
    TransactionQuery {
        /// Wait at most this long for an end.
        wait_ms: Option<i32>,
    }
}

request! {
    /// Which transactions.
    TransactionFilter {
        kind: Option<Word<pb::TransactionKind>>,
        status: Option<Word<pb::TransactionStatus>>,
        merchant_id: Option<String>,
        terminal_id: Option<String>,
        account_id: Option<String>,
        purpose: Option<String>,
        /// By business time.
        from: Option<Moment>,
        /// By business time, exclusive.
        until: Option<Moment>,
    }
}

request! {
    /// Which of a user's transactions.
    UserTransactionFilter {
        kind: Option<Word<pb::TransactionKind>>,
        status: Option<Word<pb::TransactionStatus>>,
        /// By business time.
        from: Option<Moment>,
        /// By business time, exclusive.
        until: Option<Moment>,
    }
}

request! {
    /// Which transactions to add up.
    SummaryQuery {
        user_id: Option<String>,
        merchant_id: Option<String>,
        /// By business time.
        from: Option<Moment>,
        /// By business time, exclusive.
        until: Option<Moment>,
    }
}
