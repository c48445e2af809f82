//! Fields of requests: each is checked, and what is wrong is named by its path.

use std::str::FromStr;

use paymesh_kernel::{FieldViolation, Timestamp, id::TenantId};
use paymesh_money::Currency;
use paymesh_proto::{
    account::v1 as pb,
    types::v1::{Owner as PbOwner, TimeRange},
};

use crate::{
    app::statements::{ALWAYS, Basis},
    domain::{AccountKey, Owner, OwnerKind, Purpose, key::KeyError, transfer::AccountRef},
    error::Error,
    proto,
    store::entry::Dates,
};

/// Longest reason, in characters.
const REASON_LIMIT: usize = 500;

/// What is wrong with a request, collected.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<FieldViolation>);

impl Violations {
    pub(super) fn add(&mut self, field: impl Into<String>, rule: impl Into<String>) {
        self.0.push(FieldViolation::new(field.into(), rule.into()));
    }

    pub(super) fn check(self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Error::Invalid(self.0))
    }
}

/// An id of any kind.
pub(super) fn id<T: FromStr<Err = paymesh_kernel::id::ParseIdError>>(
    field: &'static str,
    text: &str,
) -> Result<T, Error> {
    text.parse()
        .map_err(|error: T::Err| Error::field(field, error.to_string()))
}

/// An id that may be left out.
pub(super) fn optional_id<T: FromStr<Err = paymesh_kernel::id::ParseIdError>>(
    field: &'static str,
    text: &str,
) -> Result<Option<T>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    id(field, text).map(Some)
}

/// A currency.
pub(super) fn currency(field: &'static str, text: &str) -> Result<Currency, Error> {
    text.parse()
        .map_err(|error: <Currency as FromStr>::Err| Error::field(field, error.to_string()))
}

/// A currency that may be left out.
pub(super) fn optional_currency(
    field: &'static str,
    text: &str,
) -> Result<Option<Currency>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    currency(field, text).map(Some)
}

/// A moment; 0 is none.
pub(super) fn moment(field: &'static str, micros: i64) -> Result<Option<Timestamp>, Error> {
    match micros {
        0 => Ok(None),
        micros if micros > 0 => Ok(Some(Timestamp::from_micros(micros))),
        _ => Err(Error::field(field, "must be microseconds since 1970, or 0")),
    }
}

/// A height, a size: a number that fits into 63 bits; 0 is none.
pub(super) fn number(field: &'static str, number: u64) -> Result<Option<i64>, Error> {
    let number = i64::try_from(number)
        .map_err(|_| Error::field(field, "is larger than any height or size"))?;
    Ok((number > 0).then_some(number))
}

/// A purpose.
pub(super) fn purpose(field: &'static str, number: i32) -> Result<Purpose, Error> {
    proto::purpose_in(number).ok_or_else(|| {
        Error::field(
            field,
            "must be one of the purposes of the chart of accounts",
        )
    })
}

/// An owner; unset is none.
pub(super) fn owner(field: &'static str, owner: Option<&PbOwner>) -> Result<Option<Owner>, Error> {
    let Some(owner) = owner.filter(|owner| owner.kind != 0 || !owner.id.is_empty()) else {
        return Ok(None);
    };
    let kind: Option<OwnerKind> = proto::owner_kind_in(owner.kind);
    let kind = kind.ok_or_else(|| {
        Error::field(
            field,
            "must have a kind: tenant, user, merchant or connector",
        )
    })?;
    Ok(Some(Owner {
        kind,
        id: owner.id.clone(),
    }))
}

/// Why something must be, for staff.
pub(super) fn reason(text: &str) -> Result<String, Error> {
    if text.trim().is_empty()
        || text.chars().count() > REASON_LIMIT
        || text.chars().any(char::is_control)
    {
        return Err(Error::field(
            "reason",
            "must be 1 to 500 characters of one line",
        ));
    }
    Ok(text.to_owned())
}

/// The field that breaks a rule of account keys.
pub(super) fn key_error(prefix: &str, error: KeyError) -> Error {
    let field = match error {
        KeyError::OwnerKind => "owner.kind",
        KeyError::OwnerId => "owner.id",
        KeyError::Connector => "connector",
    };
    Error::field(format!("{prefix}{field}"), error.to_string())
}

/// A named account of a query.
pub(super) fn account_ref(
    tenant: TenantId,
    account: Option<&pb::AccountRef>,
) -> Result<AccountRef, Error> {
    match account.and_then(|account| account.by.as_ref()) {
        None => Err(Error::field(
            "account",
            "must name an account by id or by what it is for",
        )),
        Some(pb::account_ref::By::Id(text)) => Ok(AccountRef::Id(id("account.id", text)?)),
        Some(pb::account_ref::By::System(system)) => {
            let purpose = purpose("account.system.purpose", system.purpose)?;
            let currency = currency("account.system.currency", &system.currency)?;
            let owner = owner("account.system.owner", system.owner.as_ref())?;
            let key = AccountKey::try_new(tenant, owner, purpose, currency, &system.connector);
            Ok(AccountRef::Key(
                key.map_err(|error| key_error("account.system.", error))?,
            ))
        }
    }
}

/// Which time counts.
pub(super) fn basis(number: i32) -> Result<Basis, Error> {
    match pb::BalanceBasis::try_from(number) {
        Ok(pb::BalanceBasis::Booked) => Ok(Basis::Booked),
        Ok(pb::BalanceBasis::Effective) => Ok(Basis::Effective),
        Ok(pb::BalanceBasis::Unspecified) | Err(_) => {
            Err(Error::field("basis", "must be booked or effective"))
        }
    }
}

/// A span of time; unset ends are the ends of time.
pub(super) fn dates(field: &'static str, range: Option<TimeRange>) -> Result<Dates, Error> {
    let range = range.unwrap_or_default();
    let dates = Dates {
        from: moment(field, range.from_at_us)?.unwrap_or(Timestamp::EPOCH),
        until: moment(field, range.until_at_us)?.unwrap_or(ALWAYS),
    };
    if dates.from > dates.until {
        return Err(Error::field(field, "must not end before it begins"));
    }
    Ok(dates)
}
