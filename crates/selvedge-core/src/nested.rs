//! Nested rows: a table and its subtables as one, for destinations that keep objects and arrays as they came.
//!
//! The seam's loads and states are flat, and stay so. A destination that nests [composes](compose) the rows of a load before it
//! writes them, and [decomposes](decompose) what it reads. Its columns are then those of [`schema`]:
//!
//! - An object is a struct, an array a list, each named after its property. Structs and lists within each other are too.
//! - A scalar keeps the name of its column, without what stands in it for the objects around it: `address__city` is `city` in
//!   the struct `address`. Names are unique in a struct, without regard to case. Where a property holds scalars as well as an
//!   object or an array, the scalars keep its name, and the struct takes the suffix `__re`, the list `__ar`.
//! - An element that never was anything but a scalar of one type, or an array, is that in the list; all others are structs, in
//!   which a scalar element is called `value`.
//! - Selvedge's own columns come last and stay flat. Those of subrows, source keys and level ids among them, are not needed and
//!   not there, but for values without a column, `_sdc_extra`.
//! - Flat rows do not tell an object without values from none, nor an empty array from none: both are null. For the same
//!   reason an array of which no element ever had a value is not there at all.
//!
//! Columns that are added or split change the schema: a scalar's field may become a struct's, a list of scalars one of structs.
//! Rows that stand are brought into it by decomposing them with the columns they were composed with, and composing them anew.

mod compose;
mod decompose;
mod layout;

use arrow_array::{Int64Array, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, SchemaRef};

use serde::{Deserialize, Serialize};

use crate::{Column, LoadError, LoadErrorKind, Subtable, SubtableLoad, TableLoad};
use layout::Layout;

/// How a destination keeps the objects and arrays in the records of a table: a setting of those that can do both, chosen when a
/// table is first loaded. It stays then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nesting {
    /// An object's values are columns of the table, an array's elements rows of a subtable, as the seam has them.
    #[default]
    Flat,
    /// An object is a struct, an array a list: a row is the record it came as. A struct that gets another field, anywhere deep in
    /// the records, is a change of the table's columns.
    Native,
}

/// Reads what [`Serialize`] writes: `flat` or `native`.
impl std::str::FromStr for Nesting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "flat" => Ok(Self::Flat),
            "native" => Ok(Self::Native),
            _ => Err(format!("`{text}` is no nesting; write flat or native")),
        }
    }
}

/// Rows of a table and the subrows that belong to them, flat.
#[derive(Debug, Clone, PartialEq)]
pub struct Flat {
    /// The rows, with exactly the table's columns in their order.
    pub rows: RecordBatch,
    /// The subrows, of each subtable in their order.
    pub subrows: Vec<Subrows>,
}

/// Rows of a subtable.
#[derive(Debug, Clone, PartialEq)]
pub struct Subrows {
    /// The rows, with exactly the subtable's columns in their order. They stand in the order of the rows they belong to, and
    /// within one of those in the order of their level ids.
    pub rows: RecordBatch,
    /// For each of them, the index of the row in [`Flat::rows`] it belongs to.
    pub roots: UInt32Array,
}

/// What a load brings. The arrays are shared.
impl From<&TableLoad> for Flat {
    fn from(load: &TableLoad) -> Self {
        let subrows = |load: &SubtableLoad| Subrows { rows: load.rows.clone(), roots: load.roots.clone() };
        Self { rows: load.rows.clone(), subrows: load.subtables.iter().map(subrows).collect() }
    }
}

/// The Arrow schema of nested rows of a table with these columns and subtables. Every field may hold nulls.
///
/// ```
/// # use arrow_schema::DataType;
/// # use selvedge_core::*;
/// # let path = |names: &[&str]| Path(names.iter().map(ToString::to_string).collect());
/// # let column = |name: &str, names: &[&str], column_type| Column::new(name, Some(path(names)), column_type);
/// let columns = [
///     column("id", &["id"], ColumnType::Integer),
///     column("address__city", &["address", "city"], ColumnType::String),
///     Column::new("_sdc_sequence", None, ColumnType::Integer),
/// ];
/// let tags = Subtable {
///     name: "orders__tags".to_owned(),
///     source: ArrayPath(vec![path(&["tags"])]),
///     columns: vec![column("value", &[], ColumnType::String)], // and selvedge's own
/// };
/// let schema = nested::schema(&columns, &[tags]);
/// let fields: Vec<String> = schema.fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
/// assert_eq!(fields, ["id: Int64", "address: Struct(\"city\": Utf8)", "tags: List(Utf8)", "_sdc_sequence: Int64"]);
/// ```
pub fn schema(columns: &[Column], subtables: &[Subtable]) -> SchemaRef {
    Layout::new(columns, subtables).schema()
}

/// Nests rows: as many as there are in [`Flat::rows`], in their order, with the columns of [`schema`].
///
/// An element that has no row, between others that have, is null.
///
/// # Errors
/// [`LoadErrorKind::Refused`] when rows do not fit the columns, or subrows not the rows they belong to, which does not come
/// from the engine.
pub fn compose(flat: &Flat, columns: &[Column], subtables: &[Subtable]) -> Result<RecordBatch, LoadError> {
    compose::compose(flat, &Layout::new(columns, subtables)).map_err(|cause| {
        let message = "the rows of a table and its subtables do not fit together; report this as a defect of selvedge";
        LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
    })
}

/// The rows and subrows that nested rows were composed of.
///
/// Source keys, level ids and selvedge's own columns of the subrows are made from the rows they belong to; `keys` are the names
/// of the table's key columns, none in a keyless one. A field that is not in the batch is null, or has no elements; one that
/// [`schema`] does not have is passed over. Elements that are null are no rows where elements are structs.
///
/// # Errors
/// [`LoadErrorKind::Refused`] when a field has another type than in [`schema`], but for the names of lists' elements.
pub fn decompose(
    batch: &RecordBatch,
    columns: &[Column],
    subtables: &[Subtable],
    keys: &[String],
) -> Result<Flat, LoadError> {
    decompose::decompose(batch, &Layout::new(columns, subtables), keys).map_err(|cause| {
        let message = "the nested rows of a table do not fit its columns; if the destination was edited by hand, restore it \
                       from a backup";
        LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
    })
}

/// Where the rows of a table stand in the records.
#[derive(Clone)]
struct Standing {
    /// For each row, the root's row it belongs to; in the root, itself.
    roots: UInt32Array,
    /// For each row, the indices in the arrays it stands in, from the outermost on; none in the root.
    levels: Vec<Int64Array>,
}

impl Standing {
    /// That of the rows of a root.
    fn of_roots(rows: usize) -> Self {
        Self { roots: (0..).take(rows).collect::<Vec<u32>>().into(), levels: Vec::new() }
    }

    fn len(&self) -> usize {
        self.roots.len()
    }
}

fn unfit(what: impl Into<String>) -> ArrowError {
    ArrowError::InvalidArgumentError(what.into())
}
