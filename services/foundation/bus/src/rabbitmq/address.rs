//! Where the broker is and how we log in, without a way to print the password.
//!
//! lapin traces the address that it is given, so the password is taken out of it and handed over by an [`AuthProvider`].

use std::fmt;

use lapin::{
    auth::AuthProvider,
    types::{LongString, ShortString},
    uri::{AMQPUri, SASLMechanism},
};

use crate::broker::BrokerError;

/// Seconds between heartbeats, unless the URL says otherwise. A silent broker is given up after twice this time.
const HEARTBEAT_S: u16 = 10;

/// An address without its password, and the login apart.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) uri: AMQPUri,
    pub(super) login: Login,
}

/// A user and a password.
#[derive(Clone)]
pub(super) struct Login {
    mechanism: SASLMechanism,
    user: String,
    password: String,
}

// === impl Address ===

impl Address {
    /// Reads `amqp://user:password@host:port/vhost` or `amqps://…`. What is wrong is not told: it may be the password.
    pub(super) fn try_new(url: &str) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = url.parse().map_err(|_: String| BrokerError::Address)?;
        let mechanism = uri.query.auth_mechanism.unwrap_or_default();
        if !matches!(mechanism, SASLMechanism::Plain | SASLMechanism::External) {
            return Err(BrokerError::Address);
        }
        let login = Login {
            mechanism,
            user: uri.authority.userinfo.username.clone(),
            password: std::mem::take(&mut uri.authority.userinfo.password),
        };
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        Ok(Self { uri, login })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("host", &self.uri.authority.host)
            .field("port", &self.uri.authority.port)
            .field("vhost", &self.uri.vhost)
            .finish_non_exhaustive()
    }
}

// === impl Login ===

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        self.mechanism.name().into()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        Ok(match self.mechanism {
            SASLMechanism::Plain => format!("\0{}\0{}", self.user, self.password).into(),
            // The certificate of the connection says who we are.
            SASLMechanism::External
            | SASLMechanism::Anonymous
            | SASLMechanism::AMQPlain
            | SASLMechanism::RabbitCrDemo => LongString::default(),
        })
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_in_no_printed_form_of_an_address() {
        let address = Address::try_new("amqp://shop:open%20sesame@broker:5672/%2f").unwrap();
        for printed in [format!("{address:?}"), format!("{:?}", address.uri)] {
            assert!(!printed.contains("sesame"), "{printed}");
        }
        let starter = address.login.auth_starter().unwrap();
        assert_eq!(starter.as_bytes(), b"\0shop\0open sesame");
        assert_eq!(address.uri.vhost, "/");
        assert_eq!(address.uri.query.heartbeat, Some(HEARTBEAT_S));
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_repeated() {
        for url in [
            "",
            "sesame",
            "http://shop:sesame@broker",
            "amqp://shop:sesame@broker:x",
            "amqp://shop:sesame@broker?auth_mechanism=amqplain",
        ] {
            match Address::try_new(url) {
                Err(error) => assert!(!format!("{error:?} {error}").contains("sesame")),
                Ok(address) => panic!("{address:?}"),
            }
        }
    }
}
