//! Sessions: everything that began with one login.
//!
//! U6: a refresh token is used once. A token that comes back ends its session, for either its owner or a thief holds a copy.

use paymesh_kernel::{
    Timestamp,
    id::{TenantId, UserId},
};

use super::SessionId;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its owner logged out.
    Logout,
    /// A refresh token was used twice.
    Reuse,
}

/// A session. Its refresh tokens are numbered; the present one is `generation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose session.
    pub user: UserId,
    /// Number of the refresh token that may be used.
    pub generation: i64,
    /// Random bytes that go into its tokens.
    pub salt: Vec<u8>,
    /// When the login was.
    pub created_at: Timestamp,
    /// The present refresh token is good until then.
    pub refresh_expires_at: Timestamp,
    /// No refresh token is good after that.
    pub expires_at: Timestamp,
    /// When and why it ended.
    pub ended: Option<(Timestamp, End)>,
    /// Rises with each change.
    pub version: i64,
}

/// What a refresh token does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refreshed {
    /// The next one is good.
    Rotated(Session),
    /// It was used before: the session ends.
    Reused(Session),
    /// The session is over.
    Over,
}

// === impl End ===

impl End {
    /// The word in tables.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
        }
    }

    /// The end of a word.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Logout, Self::Reuse]
            .into_iter()
            .find(|end| end.as_str() == text)
    }
}

// === impl Session ===

impl Session {
    /// What the token number `generation`, which is certainly ours, does at `now`.
    #[must_use]
    pub(crate) fn refresh(
        &self,
        generation: i64,
        now: Timestamp,
        next_expiry: Timestamp,
    ) -> Refreshed {
        if self.ended.is_some() {
            return Refreshed::Over;
        }
        if generation != self.generation {
            return Refreshed::Reused(self.ended_by(End::Reuse, now));
        }
        if now >= self.refresh_expires_at || now >= self.expires_at {
            return Refreshed::Over;
        }
        Refreshed::Rotated(Self {
            generation: self.generation + 1,
            refresh_expires_at: next_expiry.min(self.expires_at),
            version: self.version + 1,
            ..self.clone()
        })
    }

    /// The session after its end.
    #[must_use]
    pub(crate) fn ended_by(&self, end: End, now: Timestamp) -> Self {
        Self {
            ended: Some((now, end)),
            version: self.version + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            id: uuid::Uuid::nil().into(),
            tenant: uuid::Uuid::nil().into(),
            user: uuid::Uuid::nil().into(),
            generation: 3,
            salt: vec![7],
            created_at: Timestamp::EPOCH,
            refresh_expires_at: Timestamp::from_micros(100),
            expires_at: Timestamp::from_micros(150),
            ended: None,
            version: 3,
        }
    }

    fn refresh(session: &Session, generation: i64, now: i64) -> &'static str {
        let next_expiry = Timestamp::from_micros(now + 100);
        match session.refresh(generation, Timestamp::from_micros(now), next_expiry) {
            Refreshed::Rotated(next) => {
                assert_eq!((next.generation, next.version), (4, 4));
                assert!(next.refresh_expires_at <= session.expires_at);
                "rotated"
            }
            Refreshed::Reused(next) => {
                assert!(next.ended.is_some_and(|(_, end)| end == End::Reuse));
                "reused"
            }
            Refreshed::Over => "over",
        }
    }

    #[test]
    fn u6_a_token_works_once_and_in_its_time() {
        let open = session();
        let ended = open.ended_by(End::Logout, Timestamp::EPOCH);
        for (state, generation, now, wanted) in [
            (&open, 3, 10, "rotated"),
            (&open, 3, 99, "rotated"),
            (&open, 3, 100, "over"),
            (&open, 2, 10, "reused"),
            (&open, 2, 120, "reused"),
            (&ended, 3, 10, "over"),
            (&ended, 2, 10, "over"),
        ] {
            assert_eq!(
                refresh(state, generation, now),
                wanted,
                "{generation} at {now}"
            );
        }
    }
}
