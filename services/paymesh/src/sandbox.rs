//! The sandbox of an installation without configuration: a simulated provider and bank beside it, a tenant with an administrator
//! and an API key, and a customer and a merchant to make a first payment with.

use std::{
    fs,
    io::Write as _,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use paymesh_chassis::{Platform, Secret};
use paymesh_kernel::{
    Principal, Role,
    call::Scope,
    id::{MerchantId, TenantId},
};
use paymesh_mesh::Tokens;
use paymesh_proto::{
    merchant::v1::{self as merchant, merchant_service_client::MerchantServiceClient},
    payment::v1::{self as payment, payment_service_client::PaymentServiceClient},
    user::v1::{self as user, user_service_client::UserServiceClient},
};
use paymesh_user::FirstAccess;
use serde::{Deserialize, Serialize};

use crate::{simulators, wiring::Config};

/// The connector of the simulated provider.
const CONNECTOR: &str = "simulated";
/// How long each call of the preparation may take.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Random bytes of a secret.
const SECRET_LENGTH: usize = 24;

/// What a person needs to pay for the first time.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The tenant.
    pub tenant: TenantId,
    /// The administrator's API key.
    pub api_key: Secret,
    /// A customer with a card on file.
    pub payment_method: String,
    /// A merchant that settles at once.
    pub merchant: MerchantId,
    file: PathBuf,
}

/// Where the simulated provider and bank are, and what opens them: their records can be compared with ours.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The provider, as `http://host:port`.
    pub provider_url: String,
    /// Its key.
    pub provider_api_key: Secret,
    /// The bank, as `http://host:port`.
    pub bank_url: String,
    /// Its key.
    pub bank_api_key: Secret,
}

/// Secrets of the sandbox, made once and kept in the data folder, readable by their owner alone.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    provider_api_key: String,
    webhook_secret: String,
    bank_api_key: String,
    customer_password: String,
    merchant: MerchantId,
}

// === impl Sandbox ===

impl Sandbox {
    /// What is printed for somebody who pays for the first time.
    #[must_use]
    pub fn first_payment(&self, gateway: SocketAddr) -> String {
        let body = format!(
            r#"{{"kind":"purchase","amount":{{"minor":1999,"currency":"USD"}},"payer":{{"payment_method_id":"{}"}},"payee":{{"merchant_id":"{}"}}}}"#,
            self.payment_method, self.merchant
        );
        let key = self.api_key.expose();
        format!(
            "  key     {key}\n          kept in {}\n\nA first payment:\n\n  curl -s http://{gateway}/v1/transactions \\\n    -H 'Authorization: Bearer {key}' \\\n    -H 'Idempotency-Key: first-payment' \\\n    -H 'Content-Type: application/json' \\\n    -d '{body}'\n",
            self.file.display()
        )
    }
}

/// Starts the simulated provider and bank on ports of the configuration, and points the components that use them there.
///
/// # Errors
/// When a port is taken or a record cannot be opened.
pub async fn start_simulators(
    config: &mut Config,
    gateway: SocketAddr,
    platform: &Platform,
) -> Result<Simulated> {
    let kept = keep(platform)?;
    let mut simulated = config.process.simulators.clone();
    simulated.provider_api_key = Secret::new(kept.provider_api_key);
    simulated.webhook_secret = Secret::new(kept.webhook_secret);
    simulated.bank_api_key = Secret::new(kept.bank_api_key);
    simulated.webhook_url = format!("http://{gateway}/v1/webhooks/{CONNECTOR}");
    let (listen, folder) = (&config.process.listen, &platform.data_dir);
    let bank = simulators::start_bank(listen, &simulated, folder, &platform.clock).await?;
    simulated.bank_url = bank.url();
    let provider = simulators::start_provider(listen, &simulated, folder, &platform.clock).await?;
    let connector = config
        .payment
        .settings
        .connectors
        .entry(CONNECTOR.to_owned())
        .or_default();
    connector.url = provider.url();
    connector.api_key = simulated.provider_api_key.clone();
    connector.webhook_secret = simulated.webhook_secret;
    config.settlement.settings.bank.url = simulated.bank_url.clone();
    config.settlement.settings.bank.api_key = simulated.bank_api_key.clone();
    let reached = Simulated {
        provider_url: provider.url(),
        provider_api_key: simulated.provider_api_key,
        bank_url: simulated.bank_url,
        bank_api_key: simulated.bank_api_key,
    };
    simulators::supervise(&platform.tasks, "simulated bank", bank);
    simulators::supervise(&platform.tasks, "simulated provider", provider);
    Ok(reached)
}

/// Makes the tenant, the administrator and the API key, before the components start.
///
/// # Errors
/// When the data folder or the database of users cannot be used.
pub async fn first_access(config: &Config, platform: &Platform) -> Result<FirstAccess> {
    let file = access_file(platform);
    access(config, platform, (FirstAccess::sandbox, &file)).await
}

/// The same, with a proposal and a file of the caller.
pub(crate) async fn access(
    config: &Config,
    platform: &Platform,
    (propose, file): (fn(&paymesh_kernel::Ids) -> FirstAccess, &Path),
) -> Result<FirstAccess> {
    let proposal = propose(&platform.ids);
    let found = paymesh_user::first_access(&config.user, platform, file, &proposal).await?;
    Ok(found.access)
}

/// Makes the customer and the merchant, once; called again it finds them.
///
/// # Errors
/// When a component refuses.
pub async fn prepare(platform: &Platform, access: &FirstAccess) -> Result<Sandbox> {
    let kept = keep(platform)?;
    let administrator = Principal {
        tenant: access.tenant_id,
        subject: "sandbox".to_owned(),
        roles: vec![Role::Admin],
        merchant: None,
    };
    let scope = || {
        Scope::new("sandbox")
            .within(CALL_LIMIT)
            .on_behalf_of(administrator.clone())
    };
    scope()
        .run(register_merchant(platform, kept.merchant))
        .await
        .context("the sandbox's merchant")?;
    let payment_method = scope()
        .run(register_customer(
            platform,
            access.tenant_id,
            kept.customer_password,
        ))
        .await
        .context("the sandbox's customer")?;
    Ok(Sandbox {
        tenant: access.tenant_id,
        api_key: Secret::new(&access.api_key),
        payment_method,
        merchant: kept.merchant,
        file: access_file(platform),
    })
}

async fn register_merchant(platform: &Platform, id: MerchantId) -> Result<()> {
    let channel = platform.mesh.channel("merchant", tokens(platform))?;
    let request = merchant::RegisterRequest {
        merchant_id: id.to_string(),
        name: "Sandbox Books".to_owned(),
        country: "US".to_owned(),
        settlement_currency: "USD".to_owned(),
        payout_destination_token: "ben_ok".to_owned(),
    };
    MerchantServiceClient::new(channel)
        .register(request)
        .await?;
    Ok(())
}

async fn register_customer(
    platform: &Platform,
    tenant: TenantId,
    password: String,
) -> Result<String> {
    let channel = platform.mesh.channel("user", tokens(platform))?;
    let request = user::RegisterRequest {
        idempotency_key: "sandbox-customer".to_owned(),
        tenant_id: tenant.to_string(),
        email: "customer@paymesh.example".to_owned(),
        password,
        name: "Sandbox Customer".to_owned(),
        country: "US".to_owned(),
        currency: "USD".to_owned(),
        consents: Vec::new(),
    };
    let customer = UserServiceClient::new(channel)
        .register(request)
        .await?
        .into_inner()
        .user
        .unwrap_or_default();
    let channel = platform.mesh.channel("payment", tokens(platform))?;
    let request = payment::CreatePaymentMethodRequest {
        idempotency_key: "sandbox-card".to_owned(),
        customer_id: customer.id,
        connector: String::new(),
        provider_token: "tok_ok_sandbox".to_owned(),
        kind: payment::PaymentMethodKind::Card.into(),
    };
    let made = PaymentServiceClient::new(channel)
        .create_payment_method(request)
        .await?
        .into_inner();
    Ok(made.payment_method.unwrap_or_default().id)
}

fn tokens(platform: &Platform) -> Tokens {
    Tokens::new(
        paymesh_mesh::token::EDGE,
        platform.keys.clone(),
        Arc::clone(&platform.clock),
    )
}

pub(crate) fn access_file(platform: &Platform) -> PathBuf {
    platform.data_dir.join("first-access.json")
}

fn keep(platform: &Platform) -> Result<Kept> {
    let file = platform.data_dir.join("sandbox.json");
    if !file.exists() {
        let kept = Kept {
            provider_api_key: secret(),
            webhook_secret: secret(),
            bank_api_key: secret(),
            customer_password: secret(),
            merchant: platform.ids.next(),
        };
        write_private(&file, &serde_json::to_string_pretty(&kept)?)?;
    }
    let text =
        fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} does not hold what was written", file.display()))
}

pub(crate) fn write_private(file: &Path, text: &str) -> Result<()> {
    let part = file.with_extension("part");
    let mut out = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    fs::rename(&part, file)?;
    Ok(())
}

fn secret() -> String {
    let bytes: [u8; SECRET_LENGTH] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
