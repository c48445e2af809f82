//! Reading and changing users.

use paymesh_kernel::{
    CommitError, Principal, Role,
    id::{MerchantId, TenantId, UserId},
};

use super::{App, Person, may_see, own_id};
use crate::{
    domain::{
        Command, Consent, Country, Hidden, Outcome, Personal, Rejection, State, User,
        api_key::exceeded,
        personal::Sealed,
        user::{NewPassword, Update},
    },
    error::Error,
    store::{self, credentials::Credential, users::Filter},
};

/// What is to be different. What is None stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpdateUser {
    /// Address. Needs the password.
    pub email: Option<Hidden>,
    /// Name.
    pub name: Option<Hidden>,
    /// Country.
    pub country: Option<Country>,
    /// New password. Needs the present one.
    pub password: Option<Hidden>,
    /// The present password.
    pub current_password: Option<Hidden>,
    /// Merchant; staff only.
    pub merchant: Option<MerchantId>,
    /// Consents to record.
    pub consents: Vec<Consent>,
    /// The version that was read; None is any.
    pub expected_version: Option<i64>,
}

/// Which users are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListUsers {
    /// With this role.
    pub role: Option<Role>,
    /// In this state.
    pub state: Option<State>,
    /// With this address.
    pub email: Option<Hidden>,
    /// After this one.
    pub after: Option<UserId>,
    /// At most so many.
    pub limit: u64,
}

/// What the check of the present password says.
enum Checked {
    /// It is right.
    Right(Credential),
    /// The new one is in force already.
    AlreadyNew,
}

// === impl App ===

impl App {
    /// A user; None is the principal.
    ///
    /// # Errors
    /// When there is none whom the principal may see.
    pub(crate) async fn user(
        &self,
        principal: &Principal,
        id: Option<UserId>,
    ) -> Result<Person, Error> {
        let id = id
            .or_else(|| own_id(principal))
            .ok_or(Error::UserNotFound)?;
        let user = self.visible_user(principal, id).await?;
        self.person(user).await
    }

    /// Users whom the principal may see.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn users(
        &self,
        principal: &Principal,
        list: ListUsers,
    ) -> Result<Vec<Person>, Error> {
        let email_hash = list
            .email
            .map(|email| self.parts.vault.email_hash(principal.tenant, &email.0));
        let only = if principal.sees_whole_tenant() {
            None
        } else {
            own_id(principal)
        };
        if only.is_none() && !principal.sees_whole_tenant() {
            return Ok(Vec::new());
        }
        let filter = Filter {
            role: list.role,
            state: list.state,
            email_hash,
            only,
        };
        let page = (list.after, list.limit);
        let users =
            store::users::list(&self.parts.database, principal.tenant, &filter, page).await?;
        self.people(users).await
    }

    /// How to reach a person of this tenant. Who calls is checked before: no principal gets here by its own right.
    ///
    /// # Errors
    /// When there is no such person, or the data may not be used any more (U4).
    pub(crate) async fn contact(&self, tenant: TenantId, id: UserId) -> Result<Person, Error> {
        let itself = Principal::component(tenant, "user");
        let person = self.user(&itself, Some(id)).await?;
        if person.personal.is_none() {
            return Err(Error::UserNotFound);
        }
        Ok(person)
    }

    /// Changes a user's data.
    ///
    /// # Errors
    /// When the version is another, the password wrong, or the address taken.
    pub(crate) async fn update_user(
        &self,
        principal: &Principal,
        id: UserId,
        update: UpdateUser,
    ) -> Result<Outcome<Person>, Error> {
        let user = self.visible_user(principal, id).await?;
        // Whoever works for a merchant may send its money elsewhere.
        if update.merchant.is_some() && !principal.has(Role::Admin) {
            return Err(Error::field("merchant_id", "only an administrator sets it"));
        }
        let mut credential = None;
        if update.email.is_some() || update.password.is_some() {
            match self.check_present(&user, &update).await? {
                Checked::Right(known) => credential = Some(known),
                Checked::AlreadyNew => {
                    return Ok(Outcome::AlreadyApplied(self.person(user).await?));
                }
            }
        }
        let credential = match (credential, &update.password) {
            (Some(known), Some(new)) => {
                let hash = self.parts.passwords.place()?.hash(new.0.clone()).await?;
                Some(Credential {
                    password_hash: hash,
                    sessions_valid_from: self.now(),
                    version: known.version + 1,
                    ..known
                })
            }
            _ => None,
        };
        let command = self.update_command(&user, &update).await?;
        let decided = self
            .commit_update(&user, &update, (command, credential))
            .await?;
        match decided {
            Ok(user) => Ok(Outcome::Applied(self.person(user).await?)),
            Err((user, Rejection::Already)) => {
                Ok(Outcome::AlreadyApplied(self.person(user).await?))
            }
            Err((_, Rejection::State(_))) => Err(Error::UserNotActive),
        }
    }

    async fn commit_update(
        &self,
        user: &User,
        update: &UpdateUser,
        (command, credential): (Update, Option<Credential>),
    ) -> Result<Result<User, (User, Rejection)>, Error> {
        // What is as wanted already needs no version: it is the repeat of what made it so.
        let is_done = matches!(
            crate::domain::decide(user, Command::Update(command.clone()), self.now()),
            Err(Rejection::Already)
        );
        let is_expected = update
            .expected_version
            .is_none_or(|version| version == user.version);
        if !is_done && !is_expected {
            return Err(Error::VersionConflict);
        }
        let consents = command.consents.clone();
        let ids = &self.parts.ids;
        let result = self
            .change_user(user.id, Command::Update(command), |_, next, changes| {
                store::users::log_consents(changes, ids, next.id, &consents);
                if let Some(credential) = &credential {
                    store::credentials::update(changes, credential);
                }
            })
            .await;
        match result {
            Err(Error::Commit(error)) if error.is_duplicate(store::EMAIL_INDEX) => {
                Err(Error::EmailTaken)
            }
            Err(Error::Commit(CommitError::Stale)) => Err(Error::VersionConflict),
            other => other,
        }
    }

    async fn update_command(&self, user: &User, update: &UpdateUser) -> Result<Update, Error> {
        let now = self.now();
        let consents = update.consents.iter().map(|consent| Consent {
            recorded_at: now,
            ..consent.clone()
        });
        Ok(Update {
            sealed: self.sealed_anew(user, update).await?,
            country: update.country,
            merchant: update.merchant,
            consents: consents.collect(),
            password: update.password.as_ref().map(|_| NewPassword),
        })
    }

    /// The personal data with what is new, and the names of what differs.
    async fn sealed_anew(
        &self,
        user: &User,
        update: &UpdateUser,
    ) -> Result<Option<(Sealed, Vec<&'static str>)>, Error> {
        let person = self.person(user.clone()).await?;
        let Some(before) = person.personal else {
            return Ok(None);
        };
        let text = |new: &Option<Hidden>, old: &str| {
            new.as_ref().map_or(old.to_owned(), |new| new.0.clone())
        };
        let after = Personal {
            email: text(&update.email, &before.email),
            name: text(&update.name, &before.name),
        };
        let mut fields = Vec::new();
        if after.email != before.email {
            fields.push("email");
        }
        if after.name != before.name {
            fields.push("name");
        }
        if fields.is_empty() {
            return Ok(None);
        }
        let keys = store::users::subject_keys(&self.parts.database, &[user.id]).await?;
        let wrapped = keys.get(&user.id).ok_or(Error::UserNotFound)?;
        let key = self
            .parts
            .vault
            .open_subject_key(user.id.as_uuid(), wrapped)?;
        let sealed = Sealed {
            email_hash: self.parts.vault.email_hash(user.tenant, &after.email),
            personal: key.seal(&after.to_bytes()),
        };
        Ok(Some((sealed, fields)))
    }

    /// Checks the present password; each try counts like one to sign in (U5).
    async fn check_present(&self, user: &User, update: &UpdateUser) -> Result<Checked, Error> {
        let missing = || {
            Error::field(
                "current_password",
                "is needed to change e-mail address or password",
            )
        };
        let present = update.current_password.as_ref().ok_or_else(missing)?;
        let email = self
            .person(user.clone())
            .await?
            .personal
            .ok_or(Error::UserNotActive)?
            .email;
        let attempts = self.parts.vault.attempts_id(user.tenant, &email);
        let place = self.parts.passwords.place()?;
        self.count_attempt(attempts).await?;
        let credential = store::credentials::find(&self.parts.database, user.id).await?;
        let credential = credential.ok_or(Error::UserNotActive)?;
        let hash = || Some(credential.password_hash.clone());
        if place.verify(present.0.clone(), hash()).await? {
            self.forget_attempts(attempts).await?;
            return Ok(Checked::Right(credential));
        }
        if let Some(new) = &update.password
            && place.verify(new.0.clone(), hash()).await?
        {
            self.forget_attempts(attempts).await?;
            return Ok(Checked::AlreadyNew);
        }
        Err(Error::CredentialsInvalid)
    }

    async fn forget_attempts(&self, id: uuid::Uuid) -> Result<(), Error> {
        let mut changes = paymesh_kernel::ChangeSet::new();
        store::credentials::forget_attempts(&mut changes, id);
        Ok(self.parts.writer.commit(changes).await?)
    }

    /// Replaces a user's roles.
    ///
    /// # Errors
    /// When it is the principal itself, or a role is changed that the principal does not cover.
    pub(crate) async fn assign_roles(
        &self,
        principal: &Principal,
        id: UserId,
        roles: Vec<Role>,
    ) -> Result<Outcome<Person>, Error> {
        let user = self.visible_user(principal, id).await?;
        if own_id(principal) == Some(user.id) {
            return Err(Error::OwnRoles);
        }
        // Neither given nor taken away by those who do not cover it.
        let changed: Vec<Role> = Role::ALL
            .into_iter()
            .filter(|role| roles.contains(role) != user.roles.contains(role))
            .collect();
        if let Some(role) = exceeded(principal, &changed) {
            return Err(Error::RoleExceeded(role));
        }
        let decided = self
            .change_user(id, Command::AssignRoles(roles), |_, _, _| {})
            .await?;
        match decided {
            Ok(user) => Ok(Outcome::Applied(self.person(user).await?)),
            Err((user, Rejection::Already)) if may_see(principal, &user) => {
                Ok(Outcome::AlreadyApplied(self.person(user).await?))
            }
            Err((_, Rejection::Already | Rejection::State(_))) => Err(Error::UserNotActive),
        }
    }
}
