//! Rejected records, which come with a load like its rows.

use std::ops::ControlFlow;

use arrow_array::{ArrayRef, RecordBatch};
use selvedge_core::{Column, Part, TableLoad, TableName, TableState, Value, rejected, system};

use crate::failure::{Checked, Failure, ensure, ensure_equal};
use crate::loads::{self, integers, next, texts};
use crate::place::Place;

pub(crate) fn kept(place: &Place<'_>) -> Checked {
    let (table, other) = (loads::table("t")?, loads::table("other")?);
    ensure_equal(&place.look_into_nothing()?, &Vec::new(), "the tables of a place where nothing was loaded")?;
    let clean = loads::table("clean")?;
    load(place, &clean, None, &[])?;
    ensure_equal(&found(place, &clean)?, &Rejected::new(), "the rejected records where none ever was")?;
    let first = load(place, &table, None, &[1, 2])?;
    ensure_equal(&first.counts.rejected, &2, "the count of rejected records")?;
    ensure_equal(&found(place, &table)?, &expected(&table, &[1, 2])?, "the rejected records")?;

    let second = load(place, &table, Some(&first), &[])?;
    let third = load(place, &table, Some(&second), &[3])?;
    load(place, &other, None, &[4])?;
    ensure_equal(&third.counts.rejected, &3, "the count of rejected records after two more loads")?;
    ensure_equal(&found(place, &table)?, &expected(&table, &[1, 2, 3])?, "the rejected records after two more loads")?;
    ensure_equal(&found(place, &other)?, &expected(&other, &[4])?, "the rejected records of another table")?;
    let tables = place.look()?.tables()?;
    ensure_equal(&tables, &vec![clean, other, table.clone()], "the tables beside the one of rejected records")?;

    // A load that is not applied leaves no rejected records either.
    let stale = rejecting(&table, Some(&first), &[5])?;
    ensure(place.open()?.load(&stale).is_err(), || "a load planned on an older state was applied".to_owned())?;
    ensure_equal(&found(place, &table)?, &expected(&table, &[1, 2, 3])?, "the rejected records after a stale load")
}

fn load(
    place: &Place<'_>,
    table: &TableName,
    planned_on: Option<&TableState>,
    numbers: &[i64],
) -> Result<TableState, Failure> {
    place.load(&rejecting(table, planned_on, numbers)?)
}

/// A load of one row that rejects a record for each number.
fn rejecting(table: &TableName, planned_on: Option<&TableState>, numbers: &[i64]) -> Result<TableLoad, Failure> {
    let id = planned_on.map_or(1, |state| state.position.batch.cast_signed());
    let mut load = next(
        table,
        planned_on,
        &["id"],
        vec![integers("id", [id]), texts("name", ["good"]), integers(system::SEQUENCE, [id])],
    )?;
    load.rejects = loads::rejects(table, numbers)?;
    Ok(load)
}

/// Rejected records as texts, in order.
type Rejected = Vec<Vec<String>>;

fn expected(table: &TableName, numbers: &[i64]) -> Result<Rejected, Failure> {
    Ok(shown(&loads::rejects(table, numbers)?))
}

fn found(place: &Place<'_>, table: &TableName) -> Result<Rejected, Failure> {
    let mut found = Vec::new();
    let mut columns = Vec::new();
    place.look()?.read(table, Part::Rejects, &mut |_, batch| {
        columns.push(batch.schema().fields().clone());
        found.extend(shown(&batch));
        ControlFlow::Continue(())
    })?;
    for fields in columns {
        ensure_equal(&fields, rejected::none().schema().fields(), "the columns of the rejected records")?;
    }
    found.sort();
    Ok(found)
}

fn shown(rejects: &RecordBatch) -> Rejected {
    let value = |row, (Column { column_type, .. }, values): (&Column, &ArrayRef)| {
        Value::of(*column_type, values, row).map_or_else(|| "null".to_owned(), |value| value.to_string())
    };
    let columns = rejected::columns();
    (0..rejects.num_rows())
        .map(|row| columns.iter().zip(rejects.columns()).map(|cell| value(row, cell)).collect())
        .collect()
}
