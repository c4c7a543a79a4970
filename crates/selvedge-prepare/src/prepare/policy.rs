//! What becomes of columns and types a table does not have yet.

use std::str::FromStr;

use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde::{Deserialize, Serialize};

/// How a table may change once its first load has made it. The first load makes the table that its records need under any
/// policy.
///
/// What is said of columns holds for the columns of subtables as well, and for subtables themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// What happens to values at a path that has no column yet.
    pub new_columns: NewColumns,
    /// What happens to values of another type than those their path has columns for.
    pub changed_types: ChangedTypes,
    /// What the column of a path's first type is called once there is a second one.
    pub first_type: FirstType,
    /// When a property that the schema declares becomes a column.
    pub declared_columns: DeclaredColumns,
    /// What a delete leaves of the row.
    pub deletes: Deletes,
    /// What becomes of the older versions of a key.
    pub loading: Loading,
}

impl Policy {
    /// What holds for the load that makes a table.
    pub(crate) fn of_first_load(self) -> Self {
        let changed_types = match self.changed_types {
            ChangedTypes::Reject => ChangedTypes::Split,
            standing => standing,
        };
        Self { new_columns: NewColumns::Evolve, changed_types, ..self }
    }
}

/// What happens to values at a path that has no column yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewColumns {
    /// The table gets a column for them.
    #[default]
    Evolve,
    /// The table is paused, with an error that names the column, until somebody acts. Its batches wait.
    Freeze,
    /// They are not stored; the rest of their records is.
    DiscardColumn,
    /// Their records are rejected.
    DiscardRecord,
}

/// What happens to values of another type than those their path has columns for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangedTypes {
    /// They get a column of their own beside the first, named by its type: `age` and `age__st`. Decimals of more digits after
    /// the point share the column of those of fewer as long as all of them fit, and numbers whose type no schema names share
    /// one of doubles.
    #[default]
    Split,
    /// The column that stands takes them where it can hold all values exactly: integers become doubles or decimals, decimals
    /// become text of any size. Where it cannot, they get a column of their own.
    Widen,
    /// Their records are rejected, unless the column that stands can hold them as under [`Split`](Self::Split). The load that
    /// makes the first column of a path makes those of all types it brings.
    Reject,
}

/// What the column of a path's first type is called once there is a second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstType {
    /// As before: `age`.
    #[default]
    KeepsName,
    /// By its type like the second: `age__bi`. The column of a key is never renamed.
    IsRenamed,
}

/// When a property that the schema declares becomes a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclaredColumns {
    /// With the first batch that declares it, also while all its values are null.
    #[default]
    AtOnce,
    /// With its first value.
    WithFirstValue,
}

/// Reads the spelling of settings: `evolve`, `freeze`, `discard_column`, `discard_record`.
impl FromStr for NewColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        spelled(text)
    }
}

/// Reads the spelling of settings: `split`, `widen`, `reject`.
impl FromStr for ChangedTypes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        spelled(text)
    }
}

/// Reads the spelling of settings: `keeps_name`, `is_renamed`.
impl FromStr for FirstType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        spelled(text)
    }
}

/// Reads the spelling of settings: `at_once`, `with_first_value`.
impl FromStr for DeclaredColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        spelled(text)
    }
}

/// Reads the spelling of settings: `soft`, `hard`.
impl FromStr for Deletes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        spelled(text)
    }
}

/// Reads the spelling of settings: `upsert`, `append`.
impl FromStr for Loading {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        spelled(text)
    }
}

fn spelled<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, String> {
    T::deserialize(text.into_deserializer()).map_err(|error: Error| error.to_string())
}

/// What a delete leaves of the row it deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// The row, with its keys, the moment in `_sdc_deleted_at`, and null in all other columns of the record. A delete of a key that
    /// the table does not have makes such a row.
    #[default]
    Soft,
    /// Nothing but a tombstone beside the table, so that an older record that comes late does not bring the row back.
    Hard,
}

/// What becomes of the older versions of a key. Tables without keys keep every record under either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loading {
    /// The newest version of a key takes the place of the one before.
    #[default]
    Upsert,
    /// Every record becomes a row, deletes too. The table is then one without keys: it has
    /// [`__sdc_primary_key`](selvedge_core::system::PRIMARY_KEY). Of a key the newest row is the one of the greatest
    /// (`_sdc_table_version`, `_sdc_sequence`).
    Append,
}
