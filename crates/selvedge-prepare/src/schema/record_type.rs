//! What a record may hold: a JSON Schema, compiled for the decoder.

use std::sync::Arc;

use selvedge_core::ColumnType;

use crate::decode::json_type::JsonType;
use crate::schema::limits::Limits;
use crate::schema::rules::Rules;

/// An object and its properties.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordType {
    /// The declared properties, in the schema's order.
    pub(crate) fields: Vec<Field>,
    /// What happens to properties that are not declared.
    pub(crate) additional: Additional,
    /// What a record must satisfy besides, as a whole. Within a record, the [`ValueType`] of an object has its rules.
    pub(crate) rules: Option<Arc<Rules>>,
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
    /// They are taken, each typed by itself.
    Untyped,
    /// They are taken, as this.
    Typed(Box<ValueType>),
    Refused,
}

/// The values a place may take: null, an object, an array, or one of several scalars. Without any of them it is a schema that
/// only allows null.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ValueType {
    pub(crate) nullable: bool,
    /// Objects, whose properties become columns.
    pub(crate) object: Option<RecordType>,
    /// Arrays, by the type of their elements, which become rows of a subtable.
    pub(crate) elements: Option<Box<ValueType>>,
    /// Tried in this order: the first that takes a value has it.
    pub(crate) scalars: Vec<Scalar>,
    /// What goes into the scalar of type JSON, if there is one.
    pub(crate) kept_as_json: Vec<JsonType>,
    /// Whether all other values are taken too, each typed by itself.
    pub(crate) others: Others,
    /// Whether a value has a choice between schemas.
    pub(crate) choice: Choice,
    /// What a value must satisfy besides, null too.
    pub(crate) rules: Option<Arc<Rules>>,
}

/// Values that neither object, elements nor scalars of a place take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Others {
    #[default]
    Refused,
    /// Each is typed by itself: a scalar gets a column of its type, an object is flattened, an array becomes a subtable.
    ByValue,
}

/// A choice between several schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Choice {
    /// There is none.
    #[default]
    None,
    /// So many of which a value has to conform to one at least.
    AnyOf(usize),
    /// Several of which a value has to conform to exactly one.
    OneOf,
}

/// A place of which the schema says nothing.
pub(crate) static UNTYPED: ValueType = ValueType {
    nullable: true,
    object: None,
    elements: None,
    scalars: Vec::new(),
    kept_as_json: Vec::new(),
    others: Others::ByValue,
    choice: Choice::None,
    rules: None,
};

/// An object of which the schema says nothing.
pub(crate) static OPEN_OBJECT: RecordType =
    RecordType { fields: Vec::new(), additional: Additional::Untyped, rules: None };

/// How deep objects and arrays become columns and subtables; what stands deeper is kept as JSON text.
pub(crate) const MAX_NESTING: usize = 16;

/// One type of scalar, with what its values must satisfy besides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) column_type: ColumnType,
    /// `None` when any value of the type will do.
    pub(crate) limits: Option<Arc<Limits>>,
}

impl RecordType {
    /// Whether records of this type have keys.
    pub(crate) fn has_keys(&self) -> bool {
        self.fields.iter().any(|field| field.presence == Presence::Key)
    }
}

impl ValueType {
    /// Whatever JSON allows, kept as its text.
    pub(crate) fn any_json() -> Self {
        let mut value = Self { nullable: true, ..Self::default() };
        let types = [JsonType::Boolean, JsonType::Integer, JsonType::Double, JsonType::String];
        types.into_iter().chain([JsonType::Array, JsonType::Object]).for_each(|kept| value.keep_as_json(kept));
        value
    }

    /// Allows values of this JSON type too, kept as their text.
    pub(crate) fn keep_as_json(&mut self, kept: JsonType) {
        self.kept_as_json.push(kept);
        self.add_scalar(Scalar::plain(ColumnType::Json));
    }

    /// Allows this scalar too.
    pub(crate) fn add_scalar(&mut self, scalar: Scalar) {
        if self.scalars.iter().all(|known| known.column_type != scalar.column_type) {
            self.scalars.push(scalar);
        }
    }
}

impl Scalar {
    pub(crate) fn plain(column_type: ColumnType) -> Self {
        Self { column_type, limits: None }
    }
}
