//! A batch, decoded.

use arrow_array::{Array, ArrayRef, Int64Array, StringArray, UInt32Array};
use selvedge_core::{ArrayPath, ColumnType, Path};

/// The records of one batch as typed columns, one row a record, in the order of its messages.
#[derive(Debug, Clone)]
pub struct Records {
    /// The table the batch names.
    pub table: String,
    /// The names of its key properties; empty for a keyless table.
    pub keys: Vec<String>,
    /// The version of the table the records belong to, if the batch names one.
    pub table_version: Option<i64>,
    /// What each message does; `None` when all of them are upserts, as they nearly always are.
    pub actions: Option<Vec<Action>>,
    /// Each message's sequence.
    pub sequences: Int64Array,
    /// Each message's `time_extracted`, in microseconds since 1970 (UTC); `None` when no message has one.
    pub extracted_at: Option<ArrayRef>,
    /// Values by path and type; as long as `sequences`. Declared ones come first, in the schema's order.
    pub columns: Vec<RecordColumn>,
    /// What the arrays in the records hold. An array within another one comes after it.
    pub arrays: Vec<Elements>,
    /// The values of each record that found no room among the columns: members of a JSON object, `"name":value`, with commas
    /// between them. `None` when no record has any.
    pub extra: Option<StringArray>,
    /// The records that cannot be loaded, ascending, each with what is wrong with it. Their values are in the columns as far
    /// as they went, and mean nothing.
    pub rejected: Vec<Rejection>,
}

/// What a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Brings the newest version of a record.
    Upsert,
    /// Deletes the record of a key. All of its columns but the keys are null here, whatever it brought.
    Delete,
    /// Activates the table version that the batch names. All of its columns are null.
    ActivateVersion,
}

/// The elements of the arrays at one place, one row each, in the order of the records.
#[derive(Debug, Clone)]
pub struct Elements {
    /// Where the arrays stand.
    pub source: ArrayPath,
    /// Whether the schema declares them. Those that it does not are here only if they have elements.
    pub typing: Typing,
    /// The index in [`Records::arrays`] of the arrays these stand within; `None` when they stand in the records themselves.
    pub within: Option<usize>,
    /// For each element, the row its array belongs to: a record, or an element of the arrays around it. Ascending.
    pub parents: UInt32Array,
    /// For each element, its index in its array, from 0.
    pub positions: Int64Array,
    /// Values by path, from the element on, and type. A scalar element has the empty path.
    pub columns: Vec<RecordColumn>,
    /// As [`Records::extra`], of each element.
    pub extra: Option<StringArray>,
}

/// A record that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its index in the batch, from 0.
    pub record: u64,
    /// Where in it, as a JSON pointer (RFC 6901); empty for the whole of it.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

/// What decided the type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// The schema.
    Declared,
    /// Each value itself, where the schema names no type.
    ByValue,
}

/// The values of one type at one path.
#[derive(Debug, Clone)]
pub struct RecordColumn {
    /// Where in the records the values stand.
    pub path: Path,
    /// Their type.
    pub column_type: ColumnType,
    /// What decided it.
    pub typing: Typing,
    /// The values, null where a record has none of this type at this path; a `NullArray`, which takes no memory, when no
    /// record has one.
    pub values: ArrayRef,
}

impl Records {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a message does.
    pub(crate) fn action(&self, index: usize) -> Action {
        self.actions.as_ref().and_then(|actions| actions.get(index).copied()).unwrap_or(Action::Upsert)
    }

    /// The key properties with the types of their values.
    pub fn key_types(&self) -> Vec<(&str, Option<ColumnType>)> {
        let type_of = |key: &String| {
            let column = self.columns.iter().find(|column| matches!(column.path.0.as_slice(), [name] if name == key));
            column.map(|column| column.column_type)
        };
        self.keys.iter().map(|key| (key.as_str(), type_of(key))).collect()
    }

    /// What they take in memory, with what is said of those that are rejected.
    pub fn memory_bytes(&self) -> usize {
        let own = [self.extracted_at.as_ref().map(|array| array as &dyn Array), Some(&self.sequences)];
        let own = own.into_iter().flatten().map(Array::get_array_memory_size).sum::<usize>();
        let arrays = self.arrays.iter().map(Elements::memory_bytes).sum::<usize>();
        let actions = self.actions.as_ref().map_or(0, |actions| size_of_val(actions.as_slice()));
        let rejected = self.rejected.iter().map(Rejection::memory_bytes).sum::<usize>();
        own + bytes(&self.columns, self.extra.as_ref()) + arrays + actions + rejected
    }
}

impl Rejection {
    fn memory_bytes(&self) -> usize {
        size_of_val(self) + self.pointer.len() + self.reason.len()
    }
}

impl Elements {
    fn memory_bytes(&self) -> usize {
        let own: [&dyn Array; 2] = [&self.parents, &self.positions];
        own.iter().map(|array| array.get_array_memory_size()).sum::<usize>() + bytes(&self.columns, self.extra.as_ref())
    }
}

fn bytes(columns: &[RecordColumn], extra: Option<&StringArray>) -> usize {
    let columns: usize = columns.iter().map(|column| column.values.get_array_memory_size()).sum();
    columns + extra.map_or(0, Array::get_array_memory_size)
}
