//! What is left of deleted keys, in `_sdc_tombstones`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, new_null_array};
use duckdb::Connection;
use selvedge_core::{Column, LoadError, LoadErrorKind, TableLoad, TableName, schema, tombstone};

use crate::catalog::has_table;
use crate::contest::{Fate, fates, having};
use crate::dialect::DIALECT;
use crate::keys::key_batch;
use crate::rows::{arrow_failure, delete, insert};
use crate::session::Session;

/// The tombstones of a table.
///
/// They are rows of a table that they share with those of the other tables of the integration, and contend and are replaced
/// as any rows are. That table is made with the first of them.
#[derive(Debug)]
pub(crate) struct Tombstones {
    table: TableName,
    /// Where there are none, nothing else is asked.
    stand: bool,
}

impl Tombstones {
    /// Those that a load finds.
    pub(crate) fn found_by(session: &Session, load: &TableLoad) -> Result<Self, LoadError> {
        let may_stand = load.planned_on.is_some() && !load.keys.is_empty();
        let stand = may_stand && stand(session, &load.table).map_err(session.failed("look for tombstones in"))?;
        Ok(Self { table: load.table.clone(), stand })
    }

    /// Those of a table.
    pub(crate) fn of(session: &Session, table: &TableName) -> Result<Self, LoadError> {
        let stand = stand(session, table).map_err(session.failed("look for tombstones in"))?;
        Ok(Self { table: table.clone(), stand })
    }

    /// Whether there are any.
    pub(crate) fn stand(&self) -> bool {
        self.stand
    }

    /// Compares the rows or the deletes of a load with the tombstones of their keys, and removes those that are beaten.
    pub(crate) fn contend(
        &self,
        session: &Session,
        keys: &[String],
        incoming: &RecordBatch,
    ) -> Result<Vec<Fate>, LoadError> {
        let incoming = as_tombstones(&self.table, keys, incoming)?;
        let contend = || {
            let fates = fates(session, &self.spelled(), &schema(&tombstone::columns()), &key(), &incoming)?;
            self.remove(session, &having(&incoming, &fates, |fate| fate == Fate::Replaces)?)?;
            Ok(fates)
        };
        contend().map_err(session.failed("compare keys with the tombstones in"))
    }

    /// Removes those of the keys of rows, made by [`as_tombstones`].
    pub(crate) fn remove(&self, connection: &Connection, rows: &RecordBatch) -> duckdb::Result<()> {
        if !self.stand {
            return Ok(());
        }
        let keys = key_batch(rows, &key()).map_err(arrow_failure)?;
        delete(connection, &self.spelled(), &key(), &keys).map(drop)
    }

    /// Removes those below a version.
    pub(crate) fn remove_below(&self, connection: &Connection, version: i64) -> duckdb::Result<()> {
        self.run(connection, &DIALECT.delete_tombstones_below(&self.table, version))
    }

    /// Removes all of them.
    pub(crate) fn remove_all(&self, connection: &Connection) -> duckdb::Result<()> {
        self.run(connection, &DIALECT.delete_tombstones(&self.table))
    }

    /// Adds tombstones, made by [`as_tombstones`], of keys that have none.
    pub(crate) fn add(&self, connection: &Connection, tombstones: &RecordBatch) -> duckdb::Result<()> {
        if tombstones.num_rows() == 0 {
            return Ok(());
        }
        if !self.stand {
            connection.execute_batch(&DIALECT.create_tombstone_table(&self.table))?;
        }
        insert(connection, &self.spelled(), &schema(&tombstone::columns()), tombstones)
    }

    fn run(&self, connection: &Connection, statement: &str) -> duckdb::Result<()> {
        if !self.stand {
            return Ok(());
        }
        connection.execute(statement, [self.table.table()]).map(drop)
    }

    fn spelled(&self) -> String {
        DIALECT.tombstone_table(&self.table)
    }
}

fn stand(connection: &Connection, table: &TableName) -> duckdb::Result<bool> {
    if !has_table(connection, &DIALECT.tombstone_table(table))? {
        return Ok(false);
    }
    connection.query_row(&DIALECT.has_tombstones(table), [table.table()], |row| row.get(0))
}

/// Rows or deletes of a table as the tombstones they would leave; only when rows were deleted is not known of them.
pub(crate) fn as_tombstones(table: &TableName, keys: &[String], rows: &RecordBatch) -> Result<RecordBatch, LoadError> {
    let texts = tombstone::key_texts(rows, keys)?;
    let column = |column: &Column| -> ArrayRef {
        match column.name.as_str() {
            tombstone::TABLE_NAME => Arc::new(StringArray::from(vec![table.table(); rows.num_rows()])),
            tombstone::KEY => Arc::new(texts.clone()),
            name => {
                let missing = || new_null_array(&column.column_type.arrow(), rows.num_rows());
                rows.column_by_name(name).cloned().unwrap_or_else(missing)
            }
        }
    };
    let columns = tombstone::columns();
    let made = RecordBatch::try_new(schema(&columns), columns.iter().map(column).collect());
    made.map_err(|cause| {
        let message = format!("the keys of table {table} do not fit its columns; report this as a defect of selvedge");
        LoadError::new(LoadErrorKind::Refused, message).with_source(cause)
    })
}

fn key() -> [String; 2] {
    [tombstone::TABLE_NAME.to_owned(), tombstone::KEY.to_owned()]
}
