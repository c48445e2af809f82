//! Calls to currency.

use paymesh_kernel::Timestamp;
use paymesh_mesh::{CallError, Channel};
use paymesh_money::{Currency, Money};
use paymesh_proto::{
    currency::v1::{
        ConsumeQuoteRequest, GetQuoteRequest, LockQuoteRequest, Quote, QuoteSide,
        SpreadSide as WireSpreadSide, currency_service_client::CurrencyServiceClient,
    },
    types::v1::Decimal as WireDecimal,
};

use super::wire::{contradiction, money, to_money};
use crate::domain::{
    QuoteId,
    exchange::{Decimal, Exchange, SpreadSide},
};

/// Quotes.
#[derive(Clone, Debug)]
pub(crate) struct Currencies {
    channel: Channel,
}

/// What a quote is wanted for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Made before, and stored.
    pub(crate) quote: QuoteId,
    /// The amount that is fixed.
    pub(crate) amount: Money,
    /// Of the other side.
    pub(crate) other: Currency,
    /// Payments fix what leaves, with the spread in the target; refunds what arrives, with the spread in the source.
    pub(crate) spread_side: SpreadSide,
    /// Who consumes it.
    pub(crate) operation: String,
    /// Of the rate.
    pub(crate) business_at: Timestamp,
}

// === impl Currencies ===

impl Currencies {
    pub(super) const fn new(channel: Channel) -> Self {
        Self { channel }
    }

    fn client(&self) -> CurrencyServiceClient<Channel> {
        CurrencyServiceClient::new(self.channel.clone())
    }

    /// Fixes both amounts and consumes the quote for an operation, in one commit.
    ///
    /// # Errors
    /// When there is no rate, or currency does not answer.
    pub(crate) async fn lock(&self, wanted: Wanted) -> Result<Exchange, CallError> {
        let (side, spread_side) = match wanted.spread_side {
            SpreadSide::Target => (QuoteSide::Source, WireSpreadSide::Target),
            SpreadSide::Source => (QuoteSide::Target, WireSpreadSide::Source),
        };
        let request = LockQuoteRequest {
            quote_id: wanted.quote.to_string(),
            amount: Some(to_money(wanted.amount)),
            side: side.into(),
            other_currency: wanted.other.code().to_owned(),
            spread_side: spread_side.into(),
            ttl_ms: 0,
            business_at_us: wanted.business_at.as_micros(),
            consume_for: wanted.operation,
        };
        let answer = self.client().lock_quote(request).await?.into_inner();
        answer.quote.as_ref().and_then(read).ok_or_else(unsound)
    }

    /// Binds a quote that was locked before to an operation.
    ///
    /// # Errors
    /// When it has expired or another operation has it, or currency does not answer.
    pub(crate) async fn consume(
        &self,
        quote: QuoteId,
        operation: String,
    ) -> Result<Exchange, CallError> {
        let request = ConsumeQuoteRequest {
            quote_id: quote.to_string(),
            operation_id: operation,
        };
        let answer = self.client().consume_quote(request).await?.into_inner();
        answer.quote.as_ref().and_then(read).ok_or_else(unsound)
    }

    /// Reads a quote.
    ///
    /// # Errors
    /// When there is none, or currency does not answer.
    pub(crate) async fn get(&self, quote: QuoteId) -> Result<Exchange, CallError> {
        let request = GetQuoteRequest {
            quote_id: quote.to_string(),
        };
        let answer = self.client().get_quote(request).await?.into_inner();
        answer.quote.as_ref().and_then(read).ok_or_else(unsound)
    }
}

fn unsound() -> CallError {
    contradiction("currency answered a quote whose figures do not add up")
}

fn read(quote: &Quote) -> Option<Exchange> {
    let spread_side = match quote.spread_side() {
        WireSpreadSide::Source => SpreadSide::Source,
        WireSpreadSide::Target | WireSpreadSide::Unspecified => SpreadSide::Target,
    };
    let exchange = Exchange {
        quote: quote.id.parse().ok()?,
        source: money(quote.source.as_ref())?,
        target: money(quote.target.as_ref())?,
        spread: money(quote.spread.as_ref())?,
        spread_side,
        mid_source: money(quote.mid_source.as_ref())?,
        mid_target: money(quote.mid_target.as_ref())?,
        mid_rate: decimal(quote.mid_rate.as_ref()),
        customer_rate: decimal(quote.customer_rate.as_ref()),
        rate_source: quote.rate_source.clone(),
    };
    exchange.check().ok()
}

fn decimal(of: Option<&WireDecimal>) -> Decimal {
    of.map_or(Decimal::default(), |of| Decimal {
        units: of.units,
        scale: of.scale,
    })
}
