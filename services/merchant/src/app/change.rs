//! Changing merchants and their plans.

use paymesh_kernel::{CommitError, id::MerchantId};
use paymesh_money::Currency;

use super::{App, View};
use crate::{
    domain::{Command, Merchant, Outcome, Rejection, Terms, merchant::Update},
    error::Error,
};

// === impl App ===

impl App {
    /// Changes name, payout destination or state.
    ///
    /// # Errors
    /// When the version is another, a merchant wants another state, or staff another bank account.
    pub(crate) async fn update_merchant(
        &self,
        view: &View,
        id: MerchantId,
        (update, expected): (Update, Option<i64>),
    ) -> Result<Outcome<Merchant>, Error> {
        let merchant = self.merchant(view, id).await?;
        if update.state.is_some() && !view.is_tenant_wide() {
            return Err(Error::StateByStaff);
        }
        let present = merchant.destination.as_deref().unwrap_or_default();
        let is_elsewhere = update
            .destination
            .as_deref()
            .is_some_and(|new| new != present);
        if is_elsewhere && !view.may_redirect(id) {
            return Err(Error::DestinationNotYours);
        }
        self.decided(id, expected, |merchant| {
            (Command::Update(update.clone()), merchant.version)
        })
        .await
    }

    /// Replaces the plan, for transactions that begin later (Y2).
    ///
    /// # Errors
    /// When the plan's version is another, or its currency is not the merchant's.
    pub(crate) async fn update_plan(
        &self,
        view: &View,
        id: MerchantId,
        (terms, expected): (Terms, Option<i64>),
    ) -> Result<Outcome<Merchant>, Error> {
        let merchant = self.merchant(view, id).await?;
        check_currency(&terms, merchant.currency)?;
        self.decided(id, expected, |merchant| {
            (Command::ChangeTerms(terms), merchant.plan.version)
        })
        .await
    }

    /// Commits a command whose caller may have read a version. What is as wanted already needs none: it is the repeat of what made
    /// it so.
    async fn decided(
        &self,
        id: MerchantId,
        expected: Option<i64>,
        command: impl Fn(&Merchant) -> (Command, i64),
    ) -> Result<Outcome<Merchant>, Error> {
        let result = self
            .change(id, |merchant, _| {
                let (command, version) = command(merchant);
                let is_done = matches!(
                    crate::domain::decide(merchant, command.clone(), merchant.updated_at),
                    Err(Rejection::Already)
                );
                if !is_done && expected.is_some_and(|expected| expected != version) {
                    return Err(Error::VersionConflict);
                }
                Ok(command)
            })
            .await;
        match result {
            Ok(Ok(merchant)) => Ok(Outcome::Applied(merchant)),
            Ok(Err((merchant, Rejection::Already))) => Ok(Outcome::AlreadyApplied(merchant)),
            Ok(Err((_, Rejection::State(_)))) => Err(Error::MerchantNotActive),
            Err(Error::Commit(CommitError::Stale)) => Err(Error::VersionConflict),
            Err(error) => Err(error),
        }
    }
}

fn check_currency(terms: &Terms, currency: Currency) -> Result<(), Error> {
    for (field, money) in [
        ("plan.fee_fixed.currency", terms.fee_fixed),
        ("plan.chargeback_fee.currency", terms.chargeback_fee),
    ] {
        if money.currency() != currency {
            return Err(Error::field(
                field,
                format!("must be {currency}, the settlement currency"),
            ));
        }
    }
    Ok(())
}
