//! The other components, as generated clients over channels of the mesh. Errors become [`Error::Call`].

use paymesh_chassis::{Host, InitError};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::{
    account::v1::account_service_client::AccountServiceClient,
    currency::v1::currency_service_client::CurrencyServiceClient,
    merchant::v1::merchant_service_client::MerchantServiceClient,
    payment::v1::payment_service_client::PaymentServiceClient,
    reporting::v1::reporting_service_client::ReportingServiceClient,
    risk::v1::risk_service_client::RiskServiceClient,
    settlement::v1::settlement_service_client::SettlementServiceClient,
    transaction::v1::transaction_service_client::TransactionServiceClient,
    user::v1::user_service_client::UserServiceClient,
};

use crate::error::Error;

macro_rules! clients {
    ($($name:ident: $client:ident),* $(,)?) => {
        /// One client a component. Each call takes a clone, which is cheap.
        #[derive(Debug)]
        pub(crate) struct Clients {
            $($name: $client<Channel>,)*
        }

        impl Clients {
            /// Clients of every component that the gateway exposes.
            pub(crate) fn new(host: &Host) -> Result<Self, InitError> {
                Ok(Self {
                    $($name: $client::new(host.channel(stringify!($name))?),)*
                })
            }

            $(
                #[doc = concat!("Of ", stringify!($name), ".")]
                pub(crate) fn $name(&self) -> $client<Channel> {
                    self.$name.clone()
                }
            )*
        }
    };
}

clients! {
    account: AccountServiceClient,
    currency: CurrencyServiceClient,
    merchant: MerchantServiceClient,
    payment: PaymentServiceClient,
    reporting: ReportingServiceClient,
    risk: RiskServiceClient,
    settlement: SettlementServiceClient,
    transaction: TransactionServiceClient,
    user: UserServiceClient,
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        CallError::from(status).into()
    }
}
