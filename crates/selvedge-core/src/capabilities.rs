//! What a destination tells the engine about itself.

/// The capability sheet: what preparation has to know of a destination before it shapes a load for it.
///
/// | | rows | a load is worth its cost from | memory of its own |
/// |---|---|---|---|
/// | SQLite | in the order of their keys: written nearly twice as fast | 100,000 records | 64 MiB: pages |
/// | DuckDB | in any order: its join does not care | 200,000 records | 128 MiB, a setting |
/// | Parquet | in the order of their keys: its files are sorted | 1,000,000 records: files are written anew | 48 MiB: rows being read and written |
///
/// Types, nesting and limits are not on it: they are the same for all destinations. One that lacks a
/// [type](crate::ColumnType) keeps its values as exact text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The kind of destination, as its address spells it: `sqlite`, `duckdb`, `parquet`.
    pub kind: &'static str,
    /// The order in which the destination wants the rows of a load.
    pub row_order: RowOrder,
    /// How many records make a load worth its fixed cost. The engine waits a moment for as many, and never for ever.
    pub worthwhile_records: usize,
    /// How much memory it takes at most beside the load it is given, in bytes: its caches and buffers. The engine leaves as much of
    /// its budget to it.
    pub memory_bytes: usize,
}

/// The order of the rows in a [`TableLoad`](crate::TableLoad).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// Any order does.
    Any,
    /// Ascending by the key columns, in the order of `arrow`'s row format. Keyless tables keep the order of arrival.
    Key,
}
