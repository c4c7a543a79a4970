//! What a destination tells the engine about itself.

/// What preparation has to know of a destination before it shapes a load for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The kind of destination, as its address spells it: `sqlite`, `duckdb`, `parquet`.
    pub kind: &'static str,
    /// The order in which the destination wants the rows of a load.
    pub row_order: RowOrder,
    /// How many records make a load worth its fixed cost. The engine waits a moment for as many, and never for ever.
    pub worthwhile_records: usize,
}

/// The order of the rows in a [`TableLoad`](crate::TableLoad).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// Any order does.
    Any,
    /// Ascending by the key columns, in the order of `arrow`'s row format. Keyless tables keep the order of arrival.
    Key,
}
