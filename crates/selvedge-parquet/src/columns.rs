//! The way from the columns that stored rows have to those they are to have.

use std::collections::HashMap;

use arrow_array::{ArrayRef, RecordBatch, new_empty_array, new_null_array};
use arrow_schema::{ArrowError, SchemaRef};
use selvedge_core::{Change, Column, schema};

use crate::widen::widen;

/// Columns as they are to be, and what stored columns become of them.
#[derive(Debug)]
pub(crate) struct Columns {
    schema: SchemaRef,
    columns: Vec<Changed>,
    changes: bool,
}

/// A column as it is to be, and as it is stored: `None` if it is new.
#[derive(Debug)]
struct Changed {
    stored: Option<Column>,
    column: Column,
}

impl Columns {
    /// Leaves the columns as they are.
    pub(crate) fn unchanged(columns: &[Column]) -> Self {
        let same = |column: &Column| Changed { stored: Some(column.clone()), column: column.clone() };
        Self { schema: schema(columns), columns: columns.iter().map(same).collect(), changes: false }
    }

    /// Follows the changes that lead from the stored columns to `columns`. `None` if they do not lead there, or cannot be
    /// followed.
    pub(crate) fn along(stored: &[Column], changes: &[Change], columns: &[Column]) -> Option<Self> {
        let mut changed = Self::unchanged(stored).columns;
        for change in changes {
            follow(change, &mut changed)?;
        }
        let leads_there = changed.len() == columns.len()
            && changed.iter().zip(columns).all(|(changed, column)| changed.column.is_like(column));
        leads_there.then(|| Self { schema: schema(columns), columns: changed, changes: !changes.is_empty() })
    }

    /// The Arrow schema of the columns as they are to be.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether stored rows differ from what they are to be.
    pub(crate) fn changes(&self) -> bool {
        self.changes
    }

    /// Stored rows with the columns they are to have. What is not there is null.
    pub(crate) fn apply(&self, stored: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let schema = stored.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let found: HashMap<_, _> = names.zip(stored.columns()).collect();
        let column = |changed: &Changed| changed.of(&found, stored.num_rows());
        RecordBatch::try_new(self.schema.clone(), self.columns.iter().map(column).collect::<Result<_, _>>()?)
    }
}

impl Changed {
    fn of(&self, found: &HashMap<&str, &ArrayRef>, rows: usize) -> Result<ArrayRef, ArrowError> {
        let stored = self.stored.as_ref().and_then(|stored| Some((stored, found.get(stored.name.as_str())?)));
        match stored {
            Some((stored, values)) => widen(values, stored.column_type, self.column.column_type),
            None => Ok(new_null_array(&self.column.column_type.arrow(), rows)),
        }
    }
}

fn follow(change: &Change, columns: &mut Vec<Changed>) -> Option<()> {
    let new = |column: &Column| Changed { stored: None, column: column.clone() };
    match change {
        Change::CreateTable(created) if columns.is_empty() => columns.extend(created.iter().map(new)),
        Change::AddColumn(column) => columns.push(new(column)),
        Change::WidenColumn(column) => {
            let found = find(columns, &column.name)?;
            let narrow = found.column.column_type;
            widen(&new_empty_array(&narrow.arrow()), narrow, column.column_type).ok()?;
            found.column.column_type = column.column_type;
        }
        Change::RenameColumn { from, to } => find(columns, from)?.column.name.clone_from(to),
        _ => return None,
    }
    Some(())
}

fn find<'c>(columns: &'c mut [Changed], name: &str) -> Option<&'c mut Changed> {
    columns.iter_mut().find(|changed| changed.column.name == name)
}
