//! A report that can be run.

use paymesh_kernel::{Timestamp, id::TenantId};

use super::{DefinitionId, Format, Kind, Parameters};

/// A definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) id: DefinitionId,
    pub(crate) tenant: TenantId,
    pub(crate) form: Form,
    /// Rises with each change; each version that was put has one fact.
    pub(crate) version: i64,
    /// Facts told so far.
    pub(crate) event_sequence: i64,
    pub(crate) updated_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) deleted_at: Option<Timestamp>,
}

/// What its author decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) format: Format,
    pub(crate) parameters: Parameters,
}

/// Who wants a definition to be how.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) id: DefinitionId,
    pub(crate) tenant: TenantId,
    pub(crate) form: Form,
    /// The version that was read; None is any.
    pub(crate) expected: Option<i64>,
    pub(crate) by: String,
}

/// What becomes of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Putting {
    /// There is none yet.
    New(Definition),
    /// There is one, which changes.
    Changed(Definition),
    /// It is so already.
    Same(Definition),
    /// It has another version.
    Conflict,
    /// The id belongs to somebody else.
    Taken,
}

/// Decides on a put. What is as wanted already needs no version: it is the repeat of what made it so.
pub(crate) fn put(found: Option<&Definition>, put: Put, now: Timestamp) -> Putting {
    let Some(before) = found else {
        return match put.expected {
            Some(_) => Putting::Conflict,
            None => Putting::New(Definition {
                id: put.id,
                tenant: put.tenant,
                form: put.form,
                version: 1,
                event_sequence: 1,
                updated_by: put.by,
                updated_at: now,
                deleted_at: None,
            }),
        };
    };
    if before.tenant != put.tenant {
        return Putting::Taken;
    }
    if before.deleted_at.is_none() && before.form == put.form {
        return Putting::Same(before.clone());
    }
    if put
        .expected
        .is_some_and(|version| version != before.version || before.deleted_at.is_some())
    {
        return Putting::Conflict;
    }
    Putting::Changed(Definition {
        form: put.form,
        version: before.version.saturating_add(1),
        event_sequence: before.event_sequence.saturating_add(1),
        updated_by: put.by,
        updated_at: now,
        deleted_at: None,
        ..before.clone()
    })
}

/// The same definition, deleted. Its row stays, so that its facts go on with their numbers if it comes back.
pub(crate) fn deleted(before: &Definition, by: String, now: Timestamp) -> Definition {
    Definition {
        version: before.version.saturating_add(1),
        updated_by: by,
        updated_at: now,
        deleted_at: Some(now),
        ..before.clone()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use paymesh_kernel::id::reexport::Uuid;

    use super::*;

    fn wish(name: &str, expected: Option<i64>) -> Put {
        Put {
            id: Uuid::from_u128(1).into(),
            tenant: Uuid::from_u128(2).into(),
            form: Form {
                name: name.to_owned(),
                kind: Kind::Fees,
                format: Format::Csv,
                parameters: Parameters::default(),
            },
            expected,
            by: "user_1".to_owned(),
        }
    }

    #[test]
    fn p1_versions_rise_by_one_and_a_repeat_changes_nothing() {
        let now = Timestamp::EPOCH;
        let Putting::New(first) = put(None, wish("a", None), now) else {
            panic!("it is new");
        };
        assert_eq!((first.version, first.event_sequence), (1, 1));
        assert_eq!(
            put(Some(&first), wish("a", None), now),
            Putting::Same(first.clone())
        );
        let Putting::Changed(second) = put(Some(&first), wish("b", Some(1)), now) else {
            panic!("it changes");
        };
        assert_eq!((second.version, second.event_sequence), (2, 2));
        // The repeat of the change that made it so, with the version that was read then.
        assert_eq!(
            put(Some(&second), wish("b", Some(1)), now),
            Putting::Same(second.clone())
        );
        assert_eq!(
            put(Some(&second), wish("c", Some(1)), now),
            Putting::Conflict
        );
        let gone = deleted(&second, "user_2".to_owned(), now);
        let Putting::Changed(back) = put(Some(&gone), wish("b", None), now) else {
            panic!("it comes back");
        };
        assert_eq!(
            (back.version, back.event_sequence, back.deleted_at),
            (4, 3, None)
        );
    }

    #[test]
    fn p8_an_id_of_another_tenant_is_taken() {
        let Putting::New(first) = put(None, wish("a", None), Timestamp::EPOCH) else {
            panic!("it is new");
        };
        let other = Put {
            tenant: Uuid::from_u128(3).into(),
            ..wish("a", None)
        };
        assert_eq!(put(Some(&first), other, Timestamp::EPOCH), Putting::Taken);
    }
}
