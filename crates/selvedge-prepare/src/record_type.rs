//! What a record may hold: a JSON Schema, compiled for the decoder.

use selvedge_core::ColumnType;

/// An object and its properties.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordType {
    /// The declared properties, in the schema's order.
    pub(crate) fields: Vec<Field>,
    /// What happens to properties that are not declared.
    pub(crate) additional: Additional,
}

/// A declared property.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: ValueType,
    pub(crate) presence: Presence,
}

/// Whether a property must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Optional,
    Required,
    /// A key of the table: there, and not null.
    Key,
}

/// Properties that are not declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Additional {
    /// They are taken, as this.
    Typed(Box<ValueType>),
    Refused,
}

/// The values a property may take: null, an object, or one of several scalars. Empty alternatives with no object stand
/// for a schema that only allows null.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ValueType {
    pub(crate) nullable: bool,
    pub(crate) object: Option<RecordType>,
    pub(crate) scalars: Vec<Scalar>,
}

/// One type of scalar, with what its values must satisfy besides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) column_type: ColumnType,
    pub(crate) limits: Limits,
}

/// Bounds on values, as JSON Schema states them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Limits {
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    /// In characters.
    pub(crate) min_length: Option<u64>,
    /// In characters.
    pub(crate) max_length: Option<u64>,
    /// The value as an integer, at the column's scale, must divide by this.
    pub(crate) multiple_of: Option<i128>,
}

/// A bound on a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    /// The bound as the schema writes it.
    pub(crate) text: String,
    pub(crate) value: f64,
    pub(crate) itself: Itself,
}

/// Whether a bound's own value is within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Itself {
    Within,
    Beyond,
}

impl ValueType {
    /// Whatever JSON allows, kept as its text.
    pub(crate) fn anything() -> Self {
        Self { nullable: true, object: None, scalars: vec![Scalar::plain(ColumnType::Json)] }
    }
}

impl Scalar {
    pub(crate) fn plain(column_type: ColumnType) -> Self {
        Self { column_type, limits: Limits::default() }
    }
}
