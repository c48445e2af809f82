//! Whether the two sides fit together, and the terms that a transaction keeps.

use paymesh_kernel::Principal;
use paymesh_money::Money;

use super::NewTransaction;
use crate::{
    app::{
        App,
        lookup::{Side, is_balance},
    },
    clients::account::Purpose,
    domain::{
        exchange::SpreadSide,
        party::{FeePlan, Party, Terms},
        status::Kind,
    },
    error::Error,
};

impl App {
    pub(super) async fn check_sides(
        &self,
        principal: &Principal,
        command: &NewTransaction,
        (payer, payee): (&Side, &Side),
    ) -> Result<(), Error> {
        let tenant = principal.tenant;
        let currency = command.amount.currency();
        if payer.currency.is_some_and(|own| own != currency) {
            return Err(Error::field(
                "amount.currency",
                "must be the currency of the payer's account",
            ));
        }
        let from_balance = matches!(payer.party, Party::Account { .. });
        let to_balance = matches!(payee.party, Party::Account { .. });
        let purpose = match command.kind {
            Kind::Adjustment => return Ok(()),
            Kind::Payout => Purpose::MerchantAvailable,
            Kind::Transfer
            | Kind::Purchase
            | Kind::TopUp
            | Kind::Withdrawal
            | Kind::Refund
            | Kind::Chargeback => Purpose::CustomerBalance,
        };
        if from_balance && !is_balance(self, tenant, &payer.party, purpose).await? {
            return Err(Error::PartyNotFound { field: "payer" });
        }
        if to_balance && !is_balance(self, tenant, &payee.party, Purpose::CustomerBalance).await? {
            return Err(Error::PartyNotFound { field: "payee" });
        }
        if payer.party.account().is_some() && payer.party.account() == payee.party.account() {
            return Err(Error::field(
                "payee",
                "must be another account than the payer's",
            ));
        }
        Ok(())
    }

    pub(super) fn terms(
        &self,
        command: &NewTransaction,
        payer: &Side,
        payee: &Side,
    ) -> Result<Terms, Error> {
        let currency = command.amount.currency();
        let target = payee.currency.unwrap_or(currency);
        if command.target.is_some_and(|asked| asked != target) {
            return Err(Error::field(
                "target_currency",
                format!("must be {target}, which the payee takes"),
            ));
        }
        if command.kind == Kind::Adjustment && target != currency {
            return Err(Error::field("payee", "must have the payer's currency"));
        }
        let fees = &self.inner.config.fees;
        let on_top = |fee: &crate::config::Fee| {
            fee.plan(currency)
                .on(command.amount)
                .map_err(|_| Error::field("amount.minor", "is too large for its fee"))
        };
        let payer_fee = match command.kind {
            Kind::Transfer => on_top(&fees.transfer)?,
            Kind::Withdrawal => on_top(&fees.withdrawal)?,
            Kind::Purchase
            | Kind::TopUp
            | Kind::Payout
            | Kind::Refund
            | Kind::Chargeback
            | Kind::Adjustment => Money::zero(currency),
        };
        let payee_fee = match (&payee.merchant, command.kind) {
            (Some(merchant), _) => merchant.fee,
            (None, Kind::TopUp) => fees.top_up.plan(target),
            (None, _) => FeePlan::free(target),
        };
        let nets_all = command.kind == Kind::TopUp
            && target == currency
            && payee_fee
                .on(command.amount)
                .is_ok_and(|fee| fee.minor() >= command.amount.minor());
        if nets_all {
            return Err(Error::field("amount.minor", "must be more than the fee"));
        }
        let merchant = payee.merchant.as_ref().or(payer.merchant.as_ref());
        Ok(Terms {
            target,
            payer_fee,
            payee_fee,
            merchant: merchant.map(|merchant| merchant.terms.clone()),
        })
    }

    /// A quote that was locked before must be of this transaction's figures.
    pub(super) async fn check_quote(
        &self,
        command: &NewTransaction,
        terms: &Terms,
    ) -> Result<(), Error> {
        let Some(quote) = command.quote else {
            return Ok(());
        };
        let found = self.inner.clients.currency.get(quote).await;
        let exchange = match found {
            Ok(exchange) => exchange,
            Err(error) if crate::clients::is_not_found(&error) => {
                return Err(Error::PartyNotFound { field: "quote_id" });
            }
            Err(error) => return Err(error.into()),
        };
        let fits = exchange.source == command.amount
            && exchange.target.currency() == terms.target
            && exchange.spread_side == SpreadSide::Target;
        if fits {
            Ok(())
        } else {
            Err(Error::QuoteMismatch)
        }
    }
}
