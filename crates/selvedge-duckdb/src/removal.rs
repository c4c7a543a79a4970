//! Taking something out of a table though no record came for that: one transaction, then what its bytes need.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use selvedge_core::{LoadError, LoadErrorKind, Nesting, Removal, TableName, TableState, rejected, system};
use selvedge_sql::{state_key, timestamp_text};

use crate::catalog::has_table;
use crate::dialect::DIALECT;
use crate::keys::{key_batch, root_keys};
use crate::rows::{arrow_failure, delete};
use crate::session::Session;
use crate::state::{self, Loaded};
use crate::tombstones::{Tombstones, as_tombstones};
use crate::{coalescing, rewriting};

/// Removes something from a table that stands as it was found, and returns the state it left.
///
/// What somebody wants erased, keys and rejected records, is removed from the file's bytes too, for which it is written
/// anew. After a failure of that they are gone from the tables, and to remove them once more completes it. Of a table that
/// is dropped, and of what was kept long enough, bytes stay in the file until DuckDB uses their blocks again.
pub(crate) fn apply(
    session: &Session,
    table: &TableName,
    found: &TableState,
    removal: Removal<'_>,
) -> Result<Option<TableState>, LoadError> {
    let left = remove(session, table, found, removal)?;
    let thorough = match removal {
        Removal::Table => rewriting::empty_log(session),
        Removal::RejectsBefore(_) => Ok(()),
        _ => rewriting::apply(session),
    };
    thorough.map_err(LoadError::possibly_applied)?;
    Ok(left)
}

fn remove(
    session: &Session,
    table: &TableName,
    found: &TableState,
    removal: Removal<'_>,
) -> Result<Option<TableState>, LoadError> {
    let failed = session.failed("look for rejected records in");
    let tombstones = Tombstones::of(session, table)?;
    let has_rejects = has_table(session, &DIALECT.rejected_table(table)).map_err(failed)?;
    // Dropped before the commit, it rolls back.
    let transaction = session.unchecked_transaction().map_err(session.failed("begin a transaction in"))?;
    let stands = state::read(session, table)?.filter(|stands| stands.state == *found).ok_or_else(|| stale(table))?;
    let left = match removal {
        Removal::Table => {
            remove_table(session, table, &stands, &tombstones)?;
            if has_rejects {
                remove_rejects(session, table)?;
            }
            None
        }
        Removal::Keys(keys) => Some(remove_keys(session, table, &stands, keys, &tombstones)?),
        Removal::Rejects(keys) => {
            if has_rejects {
                remove_rejects_of(session, table, keys)?;
            }
            Some(stands.state)
        }
        Removal::RejectsBefore(moment) => {
            if has_rejects {
                remove_rejects_before(session, table, moment)?;
            }
            Some(stands.state)
        }
        _ => return Err(unknown(table)),
    };
    transaction.commit().map_err(session.failed("commit to")).map_err(LoadError::possibly_applied)?;
    Ok(left)
}

/// Removes everything. Views of others stay, and find the table again once it is loaded anew.
fn remove_table(
    session: &Session,
    table: &TableName,
    stands: &Loaded,
    tombstones: &Tombstones,
) -> Result<(), LoadError> {
    let failed = session.failed("drop a table of");
    coalescing::drop_all(session, table).map_err(&failed)?;
    if stands.nesting == Nesting::Flat {
        for subtable in &stands.state.subtables {
            let name = DIALECT.table(&subtable.table_name(table)?);
            session.execute_batch(&format!("DROP TABLE IF EXISTS {name}")).map_err(&failed)?;
        }
    }
    session.execute_batch(&format!("DROP TABLE IF EXISTS {}", DIALECT.table(table))).map_err(&failed)?;
    tombstones.remove_all(session).map_err(&failed)?;
    session.execute(&DIALECT.delete_state(), state_key(table)).map(drop).map_err(&failed)
}

/// Removes the rows of keys, with their subrows, and the tombstones.
fn remove_keys(
    session: &Session,
    table: &TableName,
    stands: &Loaded,
    keys: &RecordBatch,
    tombstones: &Tombstones,
) -> Result<TableState, LoadError> {
    let failed = session.failed("remove rows from");
    let mut state = stands.state.clone();
    let names = root_keys(&state.keys);
    let batch = key_batch(keys, &names).map_err(arrow_failure).map_err(&failed)?;
    if stands.nesting == Nesting::Flat {
        for subtable in &state.subtables {
            let source_keys: Vec<String> = subtable.source_keys().map(str::to_owned).collect();
            let name = DIALECT.table(&subtable.table_name(table)?);
            delete(session, &name, &source_keys, &batch).map_err(&failed)?;
        }
    }
    let removed = delete(session, &DIALECT.table(table), &names, &batch).map_err(&failed)?;
    tombstones.remove(session, &as_tombstones(table, &names, keys)?).map_err(&failed)?;
    state.counts.live_rows = state.counts.live_rows.saturating_sub(removed as u64);
    state::write(session, table, &state)?;
    Ok(state)
}

fn remove_rejects(session: &Session, table: &TableName) -> Result<(), LoadError> {
    let removed = session.execute(&DIALECT.delete_rejected(table), [table.table()]);
    removed.map(drop).map_err(session.failed("remove rejected records from"))
}

/// Removes the rejected records of these generated keys.
fn remove_rejects_of(session: &Session, table: &TableName, keys: &StringArray) -> Result<(), LoadError> {
    let tables: ArrayRef = Arc::new(StringArray::from(vec![table.table(); keys.len()]));
    let columns = [(rejected::TABLE_NAME, tables), (system::PRIMARY_KEY, Arc::new(keys.clone()) as ArrayRef)];
    let names = [rejected::TABLE_NAME.to_owned(), system::PRIMARY_KEY.to_owned()];
    let remove = || {
        let rows = RecordBatch::try_from_iter(columns).map_err(arrow_failure)?;
        let rows = key_batch(&rows, &names).map_err(arrow_failure)?;
        delete(session, &DIALECT.rejected_table(table), &names, &rows)
    };
    remove().map(drop).map_err(session.failed("remove rejected records from"))
}

fn remove_rejects_before(session: &Session, table: &TableName, moment: i64) -> Result<(), LoadError> {
    let moment = timestamp_text(moment).ok_or_else(|| outside_time(table))?;
    let parameters = [table.table(), &String::from_utf8_lossy(&moment)];
    let removed = session.execute(&DIALECT.delete_rejected_before(table), parameters);
    removed.map(drop).map_err(session.failed("remove rejected records from"))
}

fn outside_time(table: &TableName) -> LoadError {
    let message =
        format!("rejected records of {table} were to be removed up to no year from 0 to 9999; give another moment");
    LoadError::new(LoadErrorKind::Refused, message)
}

fn stale(table: &TableName) -> LoadError {
    let message = format!("table {table} was changed by somebody else meanwhile; nothing was removed, try again");
    LoadError::new(LoadErrorKind::Stale, message)
}

fn unknown(table: &TableName) -> LoadError {
    let message = format!(
        "what is to be removed from table {table} is not known to this version; use one of the engine's version"
    );
    LoadError::new(LoadErrorKind::Refused, message)
}
