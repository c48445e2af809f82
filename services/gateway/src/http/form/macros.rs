//! Declaring forms.

/// A structure that is shown: its fields, and their schema.
macro_rules! shape {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, serde::Serialize)]
        pub(crate) struct $name {
            $(
                $(#[doc = $doc])*
                #[serde(skip_serializing_if = "crate::http::form::Shape::is_absent")]
                pub(crate) $field: $type,
            )*
        }

        impl crate::http::form::Shape for $name {
            const NAME: Option<&'static str> = Some(stringify!($name));

            fn schema(schemas: &mut crate::http::form::Schemas) -> crate::http::form::schema::Described {
                crate::http::form::schema::object(schemas, concat!($($about),*))
                    $(.field::<$type>(stringify!($field), concat!($($doc),*)))*
                    .done()
            }
        }
    };
}

/// A structure that is shown and made from a proto message, field by field. `name: Type = other` takes the message's `other`.
macro_rules! form {
    (
        $(#[doc = $about:literal])* $name:ident from $proto:ty {
            $($(#[doc = $doc:literal])* $field:ident : $type:ty $(= $source:ident)?),* $(,)?
        }
    ) => {
        crate::http::form::shape! { $(#[doc = $about])* $name { $($(#[doc = $doc])* $field: $type),* } }

        impl crate::http::form::Form<$proto> for $name {
            fn form(from: $proto) -> Self {
                Self {
                    $($field: crate::http::form::Form::form(crate::http::form::form!(@source from $field $($source)?)),)*
                }
            }
        }
    };
    (@source $from:ident $field:ident) => { $from.$field };
    (@source $from:ident $field:ident $source:ident) => { $from.$source };
}

/// Makes a declared structure readable from JSON: unknown fields are refused, and every wrong field is named.
macro_rules! reads {
    ($name:ident { $($field:ident : $type:ty),* $(,)? }) => {
        impl crate::http::form::Read for $name {
            fn read(reader: &mut crate::http::form::Reader, value: Option<&serde_json::Value>) -> Option<Self> {
                const FIELDS: &[&str] = &[$(stringify!($field)),*];
                let object = reader.object(value, FIELDS)?;
                $(let $field = reader.field::<$type>(object, stringify!($field));)*
                Some(Self { $($field: $field?),* })
            }
        }
    };
}

/// A structure that is read from a body or a query.
macro_rules! request {
    ($(#[doc = $about:literal])* $name:ident { $($(#[doc = $doc:literal])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $($(#[doc = $doc])* pub(crate) $field: $type,)*
        }

        impl crate::http::form::Shape for $name {
            const NAME: Option<&'static str> = Some(stringify!($name));

            fn schema(schemas: &mut crate::http::form::Schemas) -> crate::http::form::schema::Described {
                crate::http::form::schema::object(schemas, concat!($($about),*))
                    $(.field::<$type>(stringify!($field), concat!($($doc),*)))*
                    .closed()
            }
        }

        crate::http::form::reads! { $name { $($field: $type),* } }
    };
}

pub(crate) use {form, reads, request, shape};
