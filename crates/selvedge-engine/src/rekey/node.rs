//! The JSON Schema of records that come from a table's columns.

use std::collections::BTreeMap;

use selvedge_core::{ArrayPath, Column, ColumnType};
use serde_json::{Value, json};

use crate::json_type::json_type;

/// What columns say of the values at one place of the records, and below it.
#[derive(Debug, Default)]
pub(super) struct Node {
    types: Vec<ColumnType>,
    members: BTreeMap<String, Node>,
    elements: Option<Box<Node>>,
}

impl Node {
    /// Takes in columns, whose paths begin here.
    pub(super) fn take<'c>(&mut self, columns: impl IntoIterator<Item = &'c Column>) {
        for column in columns {
            let Some(path) = &column.path else { continue };
            self.at(&path.0).types.push(column.column_type);
        }
    }

    fn at(&mut self, path: &[String]) -> &mut Node {
        path.iter().fold(self, |node, name| node.members.entry(name.clone()).or_default())
    }

    /// The elements of an array in the records.
    pub(super) fn at_elements(&mut self, source: &ArrayPath) -> &mut Node {
        source.0.iter().fold(self, |node, path| node.at(&path.0).elements.get_or_insert_default())
    }

    /// The schema of what may stand here.
    pub(super) fn schema(&self) -> Value {
        let mut alternatives: Vec<Value> = self.types.iter().map(|column_type| json_type(*column_type)).collect();
        if !self.members.is_empty() {
            let properties: serde_json::Map<String, Value> =
                self.members.iter().map(|(name, node)| (name.clone(), node.schema())).collect();
            alternatives.push(json!({"type": ["null", "object"], "properties": properties}));
        }
        if let Some(elements) = &self.elements {
            alternatives.push(json!({"type": ["null", "array"], "items": elements.schema()}));
        }
        match alternatives.as_slice() {
            [] => json!({}),
            [only] => only.clone(),
            _ => json!({ "anyOf": alternatives }),
        }
    }
}
