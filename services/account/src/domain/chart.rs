//! The chart of accounts: what an account may be for, and what follows from it.

use super::{balance::Bounds, words::words};

words! {
    /// What an account is for.
    Purpose {
        /// Asset: money at the tenant's bank.
        BankCash = "bank.cash",
        /// Asset: what a connector owes.
        ConnectorReceivable = "connector.receivable",
        /// Liability, bounded: a customer's money.
        CustomerBalance = "customer.balance",
        /// Liability: captured, not yet due to the merchant.
        MerchantPending = "merchant.pending",
        /// Liability, bounded: may be paid out.
        MerchantAvailable = "merchant.available",
        /// Liability: kept back from a merchant.
        MerchantReserve = "merchant.reserve",
        /// Liability: zero for each transaction that has ended.
        Clearing = "clearing",
        /// Liability: sent, not yet seen on the bank statement.
        PayoutInTransit = "payout.in_transit",
        /// Liability: money whose account is closed or not known.
        Suspense = "suspense",
        /// Position: the tenant's own position in a currency; either sign.
        FxPosition = "fx.position",
        /// Income: fees charged.
        FeeRevenue = "fee.revenue",
        /// Income: earned on exchange.
        FxSpread = "fx.spread",
        /// Expense: what connectors charge.
        ConnectorFees = "connector.fees",
        /// Expense: what cannot be collected.
        Losses = "losses",
        /// Expense: breaks written off.
        ReconciliationDifference = "reconciliation.difference",
    }
}

words! {
    /// The class of a purpose.
    Class {
        /// What the tenant has or is owed.
        Asset = "asset",
        /// What the tenant owes.
        Liability = "liability",
        /// Held in a currency, either sign.
        Position = "position",
        /// Earned.
        Income = "income",
        /// Spent.
        Expense = "expense",
    }
}

words! {
    /// The side on which a balance counts as positive.
    NormalSide {
        /// Assets and expenses.
        Debit = "debit",
        /// Liabilities, income, and positions, which are positive when the tenant is long.
        Credit = "credit",
    }
}

words! {
    /// What an owner of accounts is.
    OwnerKind {
        /// The platform's customer itself.
        Tenant = "tenant",
        /// A person.
        User = "user",
        /// A merchant.
        Merchant = "merchant",
        /// A payment provider, by its name.
        Connector = "connector",
    }
}

/// Whether accounts of a purpose carry a connector's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorRule {
    /// They have none.
    None,
    /// They may.
    Optional,
    /// They must.
    Required,
}

// === impl Purpose ===

impl Purpose {
    /// The class.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::BankCash | Self::ConnectorReceivable => Class::Asset,
            Self::CustomerBalance
            | Self::MerchantPending
            | Self::MerchantAvailable
            | Self::MerchantReserve
            | Self::Clearing
            | Self::PayoutInTransit
            | Self::Suspense => Class::Liability,
            Self::FxPosition => Class::Position,
            Self::FeeRevenue | Self::FxSpread => Class::Income,
            Self::ConnectorFees | Self::Losses | Self::ReconciliationDifference => Class::Expense,
        }
    }

    /// The side on which a balance counts as positive.
    #[must_use]
    pub const fn normal_side(self) -> NormalSide {
        match self.class() {
            Class::Asset | Class::Expense => NormalSide::Debit,
            Class::Liability | Class::Position | Class::Income => NormalSide::Credit,
        }
    }

    /// The bounds that its accounts have at least.
    #[must_use]
    pub const fn bounds(self) -> Bounds {
        let debits_within_credits = matches!(self, Self::CustomerBalance | Self::MerchantAvailable);
        Bounds {
            debits_within_credits,
            credits_within_debits: false,
        }
    }

    /// Who may own such an account; the first is meant when nobody is named.
    #[must_use]
    pub const fn owners(self) -> &'static [OwnerKind] {
        match self {
            Self::ConnectorReceivable => &[OwnerKind::Connector],
            Self::CustomerBalance => &[OwnerKind::User],
            Self::MerchantPending | Self::MerchantAvailable | Self::MerchantReserve => {
                &[OwnerKind::Merchant]
            }
            Self::PayoutInTransit => &[OwnerKind::Tenant, OwnerKind::Merchant, OwnerKind::User],
            Self::BankCash
            | Self::Clearing
            | Self::Suspense
            | Self::FxPosition
            | Self::FeeRevenue
            | Self::FxSpread
            | Self::ConnectorFees
            | Self::Losses
            | Self::ReconciliationDifference => &[OwnerKind::Tenant],
        }
    }

    /// Whether its accounts carry a connector's name.
    #[must_use]
    pub const fn connector_rule(self) -> ConnectorRule {
        match self {
            Self::ConnectorReceivable => ConnectorRule::Required,
            Self::ConnectorFees => ConnectorRule::Optional,
            Self::BankCash
            | Self::CustomerBalance
            | Self::MerchantPending
            | Self::MerchantAvailable
            | Self::MerchantReserve
            | Self::Clearing
            | Self::PayoutInTransit
            | Self::Suspense
            | Self::FxPosition
            | Self::FeeRevenue
            | Self::FxSpread
            | Self::Losses
            | Self::ReconciliationDifference => ConnectorRule::None,
        }
    }

    /// True when a transfer that names such an account opens it. A person's account is opened by OpenAccount alone, so that
    /// a late credit does not bring back the account of somebody who has left.
    #[must_use]
    pub const fn opens_on_use(self) -> bool {
        !matches!(self, Self::CustomerBalance)
    }

    /// True when it may be suspended and closed. The steps of a transaction after its pivot rely on the others.
    #[must_use]
    pub const fn is_held_for_somebody(self) -> bool {
        matches!(
            self,
            Self::CustomerBalance
                | Self::MerchantPending
                | Self::MerchantAvailable
                | Self::MerchantReserve
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_the_class_and_the_side_of_the_chart() {
        let chart: Vec<_> = Purpose::ALL
            .iter()
            .map(|p| (p.as_str(), p.class().as_str(), p.normal_side().as_str()))
            .collect();
        assert_eq!(
            chart,
            [
                ("bank.cash", "asset", "debit"),
                ("connector.receivable", "asset", "debit"),
                ("customer.balance", "liability", "credit"),
                ("merchant.pending", "liability", "credit"),
                ("merchant.available", "liability", "credit"),
                ("merchant.reserve", "liability", "credit"),
                ("clearing", "liability", "credit"),
                ("payout.in_transit", "liability", "credit"),
                ("suspense", "liability", "credit"),
                ("fx.position", "position", "credit"),
                ("fee.revenue", "income", "credit"),
                ("fx.spread", "income", "credit"),
                ("connector.fees", "expense", "debit"),
                ("losses", "expense", "debit"),
                ("reconciliation.difference", "expense", "debit"),
            ]
        );
    }

    #[test]
    fn only_what_can_be_spent_or_paid_out_is_bounded() {
        let bounded: Vec<_> = Purpose::ALL
            .iter()
            .filter(|p| p.bounds() != Bounds::default())
            .map(|p| p.as_str())
            .collect();
        assert_eq!(bounded, ["customer.balance", "merchant.available"]);
    }

    #[test]
    fn every_word_reads_as_its_member() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_word(purpose.as_str()), Some(*purpose));
        }
        assert_eq!(Purpose::from_word("wallet"), None);
    }
}
