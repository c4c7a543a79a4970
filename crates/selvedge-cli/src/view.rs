//! `selvedge view`: a view of a table in which each property is one column.

use std::io::{self, Write};

use selvedge::TableName;

use crate::args::ViewArgs;
use crate::destination::Address;
use crate::ending::Ending;
use crate::error::Error;

/// Carries the command out and tells about it on standard output.
///
/// # Errors
/// When there is no such table, or the view cannot be made.
pub(crate) fn view(ViewArgs { destination, of, integration, name }: &ViewArgs) -> Result<Ending, Error> {
    let table = TableName::new(integration.clone(), of.as_str())
        .map_err(|cause| Error::usage(format!("{of} is no table")).because(cause))?;
    check_stands(destination, &table)?;
    destination.create_view(&table, name)?;
    writeln!(io::stdout(), "the view {name} of {table} stands in {destination}")
        .map_err(|cause| Error::failed("what was done cannot be written; everything is done").because(cause))?;
    Ok(Ending::Good)
}

/// Looks before anything is opened to be written, which would make what is not there.
fn check_stands(destination: &Address, table: &TableName) -> Result<(), Error> {
    let tables = destination.read()?.tables().map_err(|cause| destination.unreadable(cause))?;
    if tables.contains(table) {
        return Ok(());
    }
    let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Error::failed(format!("there is no table {table}; name one there is: {destination} has {names}")))
}
