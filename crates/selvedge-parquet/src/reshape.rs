//! The way from the columns a file was written with to those its rows are to have.

use arrow_array::{ArrayRef, RecordBatch, new_empty_array, new_null_array};
use arrow_schema::{ArrowError, SchemaRef};
use selvedge_core::{Change, Column, schema};

use crate::widen::widen;

/// What becomes of the columns of stored files.
#[derive(Debug, Clone)]
pub(crate) struct Reshape {
    schema: SchemaRef,
    columns: Vec<Reshaped>,
    changes: bool,
}

/// A column as it is to be, and as it is stored: `None` if it is new.
#[derive(Debug, Clone)]
struct Reshaped {
    stored: Option<Column>,
    column: Column,
}

impl Reshape {
    /// Leaves the columns as they are.
    pub(crate) fn none(columns: &[Column]) -> Self {
        let same = |column: &Column| Reshaped { stored: Some(column.clone()), column: column.clone() };
        Self { schema: schema(columns), columns: columns.iter().map(same).collect(), changes: false }
    }

    /// Follows the changes that lead from the stored columns to `columns`. `None` if they do not lead there, or cannot be
    /// followed.
    pub(crate) fn along(stored: &[Column], changes: &[Change], columns: &[Column]) -> Option<Self> {
        let mut reshaped = Self::none(stored).columns;
        for change in changes {
            follow(change, &mut reshaped)?;
        }
        let leads_there = reshaped.len() == columns.len()
            && reshaped.iter().zip(columns).all(|(reshaped, column)| reshaped.column.is_like(column));
        leads_there.then(|| Self { schema: schema(columns), columns: reshaped, changes: !changes.is_empty() })
    }

    /// The columns that rows are to have.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().map(|reshaped| &reshaped.column)
    }

    /// Their Arrow schema.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether stored files differ from what they are to be.
    pub(crate) fn changes(&self) -> bool {
        self.changes
    }

    /// Rows of a stored file with the columns they are to have. What the file lacks is null.
    pub(crate) fn apply(&self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.iter().map(|column| column.of(rows)).collect::<Result<_, _>>()?;
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

impl Reshaped {
    fn of(&self, rows: &RecordBatch) -> Result<ArrayRef, ArrowError> {
        let found = self.stored.as_ref().and_then(|stored| Some((stored, rows.column_by_name(&stored.name)?)));
        match found {
            Some((stored, values)) => widen(values, stored.column_type, self.column.column_type),
            None => Ok(new_null_array(&self.column.column_type.arrow(), rows.num_rows())),
        }
    }
}

fn follow(change: &Change, columns: &mut Vec<Reshaped>) -> Option<()> {
    let new = |column: &Column| Reshaped { stored: None, column: column.clone() };
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

fn find<'c>(columns: &'c mut [Reshaped], name: &str) -> Option<&'c mut Reshaped> {
    columns.iter_mut().find(|reshaped| reshaped.column.name == name)
}
