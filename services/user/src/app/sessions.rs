//! Signing in, staying signed in, signing out.

use paymesh_kernel::{
    ChangeSet, CommitError, Principal, Timestamp,
    id::{TenantId, UserId},
};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{App, Person, own_id};
use crate::{
    config::days,
    domain::{
        Attempts, Hidden, Outcome, Session, SessionId, State, Tenant, User,
        session::{End, Refreshed},
    },
    error::Error,
    secrets::{
        self, AccessToken,
        access::{self, Claims},
    },
    store,
};

/// What every refresh token begins with, so that scanners find it.
const REFRESH_PREFIX: &str = "rt_";
/// Session (16), number (8), proof (32).
const REFRESH_LENGTH: usize = 56;
/// Bytes of a session's salt.
const SALT_LENGTH: usize = 16;
/// How often an attempt that met another one is counted again.
const COUNTINGS: u32 = 8;

/// Tokens of a session.
#[derive(Clone)]
pub(crate) struct TokenPair {
    /// For requests.
    pub access: AccessToken,
    /// For the next pair. Do not log it.
    pub refresh: String,
    /// When it expires.
    pub refresh_expires_at: Timestamp,
    /// The session.
    pub session: SessionId,
}

impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenPair")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// Somebody who wants to sign in.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// Of which tenant.
    pub tenant: TenantId,
    /// The address. Personal.
    pub email: Hidden,
    /// The password.
    pub password: Hidden,
}

// === impl App ===

impl App {
    /// Checks a password and starts a session.
    ///
    /// # Errors
    /// Address and password are told apart in no answer, and in no time that it takes (U2).
    pub(crate) async fn login(&self, login: Login) -> Result<(TokenPair, Person), Error> {
        let tenant = self.tenant_by_id(login.tenant).await?;
        let attempts = self.parts.vault.attempts_id(tenant.id, &login.email.0);
        let user = self
            .check_password((tenant.id, &login.email.0), attempts, login.password)
            .await?;
        match user.state {
            State::Active => {}
            State::Opening => return Err(Error::AccountPending),
            State::Suspended | State::Restricted | State::Erased | State::Refused => {
                return Err(Error::UserNotActive);
            }
        }
        let now = self.now();
        let expires_at = now.plus(days(self.parts.settings.session_days));
        let session = Session {
            id: self.parts.ids.next(),
            tenant: tenant.id,
            user: user.id,
            generation: 1,
            salt: secrets::random::<SALT_LENGTH>().to_vec(),
            created_at: now,
            refresh_expires_at: self.refresh_expiry(now).min(expires_at),
            expires_at,
            ended: None,
            version: 1,
        };
        let tokens = self.tokens(&tenant, &user, &session).await?;
        let mut changes = ChangeSet::new();
        store::credentials::insert_session(&mut changes, &session);
        store::credentials::forget_attempts(&mut changes, attempts);
        self.parts.writer.commit(changes).await?;
        Ok((tokens, self.person(user).await?))
    }

    /// The user of an address whose password this is. The attempt counts until it is known to be right.
    async fn check_password(
        &self,
        (tenant, email): (TenantId, &str),
        attempts: Uuid,
        password: Hidden,
    ) -> Result<User, Error> {
        let place = self.parts.passwords.place()?;
        self.count_attempt(attempts).await?;
        let hash = self.parts.vault.email_hash(tenant, email);
        let user = store::users::find_by_email(&self.parts.database, tenant, &hash).await?;
        // An address that nobody has costs the same query and the same hash.
        let id = user
            .as_ref()
            .map_or(UserId::from(Uuid::nil()), |user| user.id);
        let credential = store::credentials::find(&self.parts.database, id).await?;
        let hash = credential.map(|credential| credential.password_hash);
        let is_right = place.verify(password.0, hash).await?;
        user.filter(|_| is_right).ok_or(Error::CredentialsInvalid)
    }

    /// Counts one attempt before anything is looked at (U5).
    pub(crate) async fn count_attempt(&self, id: Uuid) -> Result<(), Error> {
        let limit = self.parts.settings.attempt_limit();
        for _ in 0..COUNTINGS {
            let now = self.now();
            let before = store::credentials::attempts(&self.parts.database, id).await?;
            let next = Attempts::attempt(before, id, now, &limit)
                .map_err(|locked| Error::locked(locked.until, now))?;
            let mut changes = ChangeSet::new();
            store::credentials::put_attempts(&mut changes, &next);
            match self.parts.writer.commit(changes).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Stale) => {}
                Err(error) if error.is_duplicate(store::ATTEMPTS_INDEX) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Stale.into())
    }

    /// Uses a refresh token up.
    ///
    /// # Errors
    /// [`Error::RefreshReused`] when it was used before: then its session has ended (U6).
    pub(crate) async fn refresh(&self, token: &str) -> Result<TokenPair, Error> {
        let (id, generation, proof) = parse(token).ok_or(Error::RefreshInvalid)?;
        for _ in 0..COUNTINGS {
            let session = store::credentials::session(&self.parts.database, id).await?;
            let session = session.ok_or(Error::RefreshInvalid)?;
            let wanted = self
                .parts
                .vault
                .refresh_proof(id.as_uuid(), generation, &session.salt);
            if !bool::from(wanted.as_slice().ct_eq(&proof)) {
                return Err(Error::RefreshInvalid);
            }
            match self.refresh_session(session, generation).await {
                Err(Error::Commit(CommitError::Stale)) => {}
                result => return result,
            }
        }
        Err(CommitError::Stale.into())
    }

    async fn refresh_session(&self, session: Session, generation: i64) -> Result<TokenPair, Error> {
        let now = self.now();
        match session.refresh(generation, now, self.refresh_expiry(now)) {
            Refreshed::Over => Err(Error::RefreshInvalid),
            Refreshed::Reused(ended) => {
                tracing::warn!(session = %ended.id, "a refresh token came back; its session has ended");
                self.commit_session(&ended).await?;
                Err(Error::RefreshReused)
            }
            Refreshed::Rotated(next) => {
                let user = self.user_of(&session).await?;
                let tenant = self.tenant_by_id(user.tenant).await?;
                let tokens = self.tokens(&tenant, &user, &next).await?;
                self.commit_session(&next).await?;
                Ok(tokens)
            }
        }
    }

    /// The user whose session it still is.
    async fn user_of(&self, session: &Session) -> Result<User, Error> {
        let credential = store::credentials::find(&self.parts.database, session.user).await?;
        let user = store::users::find(&self.parts.database, session.user).await?;
        match (user, credential) {
            (Some(user), Some(credential))
                if user.state == State::Active
                    && session.created_at >= credential.sessions_valid_from =>
            {
                Ok(user)
            }
            _ => Err(Error::RefreshInvalid),
        }
    }

    /// Ends a session of the principal.
    ///
    /// # Errors
    /// When it is not the principal's.
    pub(crate) async fn logout(
        &self,
        principal: &Principal,
        id: SessionId,
    ) -> Result<Outcome<()>, Error> {
        for _ in 0..COUNTINGS {
            let session = store::credentials::session(&self.parts.database, id).await?;
            let session = session
                .filter(|session| Some(session.user) == own_id(principal))
                .filter(|session| session.tenant == principal.tenant)
                .ok_or(Error::SessionNotFound)?;
            if session.ended.is_some() {
                return Ok(Outcome::AlreadyApplied(()));
            }
            match self
                .commit_session(&session.ended_by(End::Logout, self.now()))
                .await
            {
                Ok(()) => return Ok(Outcome::Applied(())),
                Err(Error::Commit(CommitError::Stale)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CommitError::Stale.into())
    }

    async fn commit_session(&self, session: &Session) -> Result<(), Error> {
        let mut changes = ChangeSet::new();
        store::credentials::update_session(&mut changes, session);
        Ok(self.parts.writer.commit(changes).await?)
    }

    fn refresh_expiry(&self, now: Timestamp) -> Timestamp {
        now.plus(days(self.parts.settings.refresh_days))
    }

    async fn tokens(
        &self,
        tenant: &Tenant,
        user: &User,
        session: &Session,
    ) -> Result<TokenPair, Error> {
        let seconds = self.now().as_millis().div_euclid(1_000);
        let life = i64::try_from(access::LIFE.as_secs()).unwrap_or(0);
        let token_id: Uuid = self.parts.ids.next();
        let claims = Claims {
            iss: access::ISSUER.to_owned(),
            aud: access::AUDIENCE.to_owned(),
            sub: user.id.to_string(),
            tenant: tenant.id.to_string(),
            mode: tenant.mode.as_str().to_owned(),
            roles: user.roles.clone(),
            merchant: user.merchant.map(|merchant| merchant.to_string()),
            sid: session.id.to_string(),
            jti: secrets::encode(token_id.as_bytes()),
            iat: seconds,
            nbf: seconds,
            exp: seconds + life,
        };
        let proof =
            self.parts
                .vault
                .refresh_proof(session.id.as_uuid(), session.generation, &session.salt);
        Ok(TokenPair {
            access: self.sign(&claims).await?,
            refresh: format(session.id, session.generation, &proof),
            refresh_expires_at: session.refresh_expires_at,
            session: session.id,
        })
    }
}

fn format(session: SessionId, generation: i64, proof: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(REFRESH_LENGTH);
    bytes.extend_from_slice(session.as_uuid().as_bytes());
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(proof);
    format!("{REFRESH_PREFIX}{}", secrets::encode(&bytes))
}

fn parse(token: &str) -> Option<(SessionId, i64, Vec<u8>)> {
    let bytes = secrets::decode(token.strip_prefix(REFRESH_PREFIX)?)?;
    let bytes: [u8; REFRESH_LENGTH] = bytes.try_into().ok()?;
    let (session, rest) = bytes.split_first_chunk::<16>()?;
    let (generation, proof) = rest.split_first_chunk::<8>()?;
    Some((
        Uuid::from_bytes(*session).into(),
        i64::from_be_bytes(*generation),
        proof.to_vec(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_reads_as_it_was_written() {
        let session = SessionId::from(Uuid::from_u128(7));
        let token = format(session, 3, &[9; 32]);
        assert_eq!(parse(&token), Some((session, 3, vec![9; 32])));
        for wrong in [
            "",
            "rt_",
            "rt_!!",
            &token[3..],
            &token[..token.len() - 2],
            &format!("{token}AA"),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
