//! What has to change in a table for a load.

use selvedge_core::{Change, Column};

/// What leads from the columns a table has, if it stands, to those it has after the load: the same in their order, then new
/// ones.
pub(crate) fn changes(known: Option<&[Column]>, columns: &[Column]) -> Vec<Change> {
    let Some(known) = known else { return vec![Change::CreateTable(columns.to_vec())] };
    let renamed = |(before, after): (&Column, &Column)| {
        let rename = || Change::RenameColumn { from: before.name.clone(), to: after.name.clone() };
        (before.name != after.name).then(rename)
    };
    let widened = |(before, after): (&Column, &Column)| {
        (before.column_type != after.column_type).then(|| Change::WidenColumn(after.clone()))
    };
    let standing = || known.iter().zip(columns);
    let new = columns.iter().skip(known.len()).cloned().map(Change::AddColumn);
    standing().filter_map(renamed).chain(standing().filter_map(widened)).chain(new).collect()
}
