//! The shape of a table, read once from its sea-orm entity, for set-based statements.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{OnceLock, PoisonError, RwLock},
};

use sea_orm::{
    ColumnTrait, ColumnType, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, Value,
    sea_query::ArrayType,
};

/// One column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) element: ArrayType,
    /// PostgreSQL's name of the array type.
    pub(crate) array: &'static str,
    pub(crate) nullable: bool,
}

/// One table.
#[derive(Debug)]
pub struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
    /// Places of the primary key's columns.
    pub(crate) key: Vec<usize>,
    /// Place of the column `version`.
    pub(crate) version: Option<usize>,
}

type Tables = RwLock<HashMap<TypeId, &'static Table>>;

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(Tables::default)
}

// === impl Table ===

impl Table {
    /// The table of an entity. Made once per entity and kept for the life of the process.
    pub(crate) fn of<E: EntityTrait>() -> &'static Self {
        let id = TypeId::of::<E>();
        if let Some(table) = tables()
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
        {
            return table;
        }
        let mut tables = tables().write().unwrap_or_else(PoisonError::into_inner);
        tables
            .entry(id)
            .or_insert_with(|| Box::leak(Box::new(Self::read::<E>())))
    }

    pub(crate) fn is_key(&self, column: &str) -> bool {
        self.key
            .iter()
            .any(|&place| self.columns[place].name == column)
    }

    /// True when `names` are the primary key of a table that was used before.
    pub(crate) fn is_primary_key(table: &str, names: &[&str]) -> bool {
        let tables = tables().read().unwrap_or_else(PoisonError::into_inner);
        tables.values().any(|known| {
            known.name == table
                && known.key.len() == names.len()
                && names.iter().all(|name| known.is_key(name))
        })
    }

    /// The key of a row as bytes, to find two rows with the same key. `values` are all columns, or those of the key alone.
    pub(crate) fn key_bytes(&self, values: &[Value]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        let mut put = |value: &Value| {
            match value {
                Value::Uuid(Some(uuid)) => bytes.extend_from_slice(uuid.as_bytes()),
                Value::BigInt(Some(number)) => bytes.extend_from_slice(&number.to_be_bytes()),
                Value::String(Some(text)) => bytes.extend_from_slice(text.as_bytes()),
                other => bytes.extend_from_slice(format!("{other:?}").as_bytes()),
            }
            bytes.push(0xff);
        };
        if values.len() == self.columns.len() {
            for &place in &self.key {
                put(&values[place]);
            }
        } else {
            values.iter().for_each(&mut put);
        }
        bytes
    }

    fn read<E: EntityTrait>() -> Self {
        let columns: Vec<Column> = E::Column::iter()
            .map(|column| read_column(&column))
            .collect();
        let place = |name: &str| columns.iter().position(|column| column.name == name);
        let key = E::PrimaryKey::iter()
            .filter_map(|key| place(key.into_column().as_str()))
            .collect();
        Self {
            name: E::default().table_name(),
            key,
            version: place("version"),
            columns,
        }
    }
}

fn read_column<C: ColumnTrait>(column: &C) -> Column {
    let definition = column.def();
    let kind = definition.get_column_type();
    let (element, array) = match kind {
        ColumnType::Uuid => (ArrayType::Uuid, "uuid[]"),
        ColumnType::BigInteger => (ArrayType::BigInt, "int8[]"),
        ColumnType::Integer => (ArrayType::Int, "int4[]"),
        ColumnType::SmallInteger => (ArrayType::SmallInt, "int2[]"),
        ColumnType::Text | ColumnType::String(_) | ColumnType::Char(_) => {
            (ArrayType::String, "text[]")
        }
        ColumnType::Boolean => (ArrayType::Bool, "bool[]"),
        ColumnType::Double => (ArrayType::Double, "float8[]"),
        ColumnType::Json | ColumnType::JsonBinary => (ArrayType::Json, "jsonb[]"),
        ColumnType::Blob | ColumnType::VarBinary(_) | ColumnType::Binary(_) => {
            (ArrayType::Bytes, "bytea[]")
        }
        other => unreachable!(
            "set-based writes do not know the column type {other:?} of {}",
            column.as_str()
        ),
    };
    Column {
        name: column.as_str(),
        element,
        array,
        nullable: definition.is_null(),
    }
}

/// True when the value is NULL.
pub(crate) fn is_null(value: &Value) -> bool {
    *value == value.as_null()
}

/// A value of the type that stands for NULL in an array; a mask beside the array says where NULL is meant.
pub(crate) fn filler(element: &ArrayType) -> Value {
    match element {
        ArrayType::Uuid => Value::Uuid(Some(uuid::Uuid::nil())),
        ArrayType::BigInt => Value::BigInt(Some(0)),
        ArrayType::Int => Value::Int(Some(0)),
        ArrayType::SmallInt => Value::SmallInt(Some(0)),
        ArrayType::Bool => Value::Bool(Some(false)),
        ArrayType::Double => Value::Double(Some(0.0)),
        ArrayType::Bytes => Value::Bytes(Some(Vec::new())),
        ArrayType::Json => Value::Json(Some(Box::default())),
        _ => Value::String(Some(String::new())),
    }
}
