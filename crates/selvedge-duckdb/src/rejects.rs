//! Keeping the rejected records of a load.

use selvedge_core::{LoadError, TableLoad, rejected};

use crate::dialect::DIALECT;
use crate::rows;
use crate::session::Session;

/// Adds the rejected records, if there are any, to those of the table's integration.
pub(crate) fn write(session: &Session, load: &TableLoad) -> Result<(), LoadError> {
    if load.rejects.num_rows() == 0 {
        return Ok(());
    }
    let create = DIALECT.create_rejected_table(&load.table);
    session.execute_batch(&create).map_err(session.failed("make the table of rejected records in"))?;
    let table = DIALECT.rejected_table(&load.table);
    let inserted = rows::insert(session, &table, &rejected::none().schema(), &load.rejects);
    inserted.map_err(session.failed("write rejected records to"))
}
