//! How objects and arrays are kept.

use serde::{Deserialize, Serialize};

/// How objects and arrays in the records of a table are kept.
///
/// It is chosen when a table is first loaded, and stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Nesting {
    /// An object's values are columns of the table, an array's elements rows of a subtable, with files of its own. Every
    /// tool reads that.
    #[default]
    Flat,
    /// An object is a struct, an array a list, as [`nested`](selvedge_core::nested) says: a row is the record it came as. A
    /// struct that gets another field, as anywhere deep in the records, is a change of the table's columns.
    Native,
}
