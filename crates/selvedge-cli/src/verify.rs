//! `selvedge verify`: whether a destination holds what it says, and another one the same.

mod people;
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use selvedge::{Comparison, Counted, Inspect, TableName};

use crate::args::{ReportFormat, VerifyArgs};
use crate::destination::Address;
use crate::ending::Ending;
use crate::error::Error;

/// A destination that is looked at.
struct Subject<'a> {
    address: &'a Address,
    contents: Box<dyn Inspect>,
}

/// What was found.
struct Findings {
    /// The destinations in the order of the command, with their tables.
    recounted: Vec<(String, BTreeMap<TableName, Counted>)>,
    /// The tables of both, if there are two.
    compared: Option<BTreeMap<TableName, Comparison>>,
}

/// Carries the command out and tells about it on standard output.
///
/// # Errors
/// When a destination cannot be read, or has no table that was asked for.
pub(crate) fn verify(args: &VerifyArgs) -> Result<Ending, Error> {
    if args.other.as_ref().is_some_and(|other| other.as_str() == args.destination.as_str()) {
        return Err(Error::usage(format!("{} stands in the command twice; write it once", args.destination)));
    }
    let mut subjects = Vec::new();
    for address in [&args.destination].into_iter().chain(&args.other) {
        subjects.push(Subject { address, contents: address.read()? });
    }
    let findings = look(args, &mut subjects)?;
    tell(args.report, &findings)?;
    Ok(if findings.hold() { Ending::Good } else { Ending::DoesNotHold })
}

fn look(args: &VerifyArgs, subjects: &mut [Subject<'_>]) -> Result<Findings, Error> {
    let mut recounted = Vec::new();
    for subject in &mut *subjects {
        recounted.push((subject.address.to_string(), subject.recount(args)?));
    }
    let tables: BTreeSet<&TableName> = recounted.iter().flat_map(|(_, tables)| tables.keys()).collect();
    if tables.is_empty() && (args.table.is_some() || args.integration.is_some()) {
        return Err(nothing_of_the_kind(subjects)?);
    }
    let compared = match subjects {
        [left, right] => Some(tables.into_iter().map(|table| compare(left, right, table)).collect::<Result<_, _>>()?),
        _ => None,
    };
    Ok(Findings { recounted, compared })
}

fn compare(
    left: &mut Subject<'_>,
    right: &mut Subject<'_>,
    table: &TableName,
) -> Result<(TableName, Comparison), Error> {
    let comparison = selvedge::compare(&mut left.contents, &mut right.contents, table).map_err(|cause| {
        Error::failed(format!("{table} cannot be compared in {} and {}", left.address, right.address)).because(cause)
    })?;
    Ok((table.clone(), comparison))
}

/// The error for a wish that no table fulfils; it names the tables there are.
fn nothing_of_the_kind(subjects: &mut [Subject<'_>]) -> Result<Error, Error> {
    let mut lists = Vec::new();
    for subject in subjects {
        let names: Vec<String> = subject.tables()?.iter().map(ToString::to_string).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        lists.push(format!("{} has {names}", subject.address));
    }
    Ok(Error::failed(format!("there is no such table; name one there is: {}", lists.join("; "))))
}

impl Subject<'_> {
    fn tables(&mut self) -> Result<Vec<TableName>, Error> {
        self.contents.tables().map_err(|cause| self.address.unreadable(cause))
    }

    /// Counts the rows of the tables that are asked for.
    fn recount(&mut self, args: &VerifyArgs) -> Result<BTreeMap<TableName, Counted>, Error> {
        let mut counted = BTreeMap::new();
        for table in self.tables()?.into_iter().filter(|table| is_wanted(table, args)) {
            if let Some(found) = self.contents.count(&table).map_err(|cause| self.address.unreadable(cause))? {
                counted.insert(table, found);
            }
        }
        Ok(counted)
    }
}

fn is_wanted(table: &TableName, args: &VerifyArgs) -> bool {
    args.table.as_ref().is_none_or(|name| table.table() == name)
        && args.integration.as_ref().is_none_or(|name| table.integration() == Some(name))
}

impl Findings {
    /// Whether everything is as it should be.
    fn hold(&self) -> bool {
        let compared = self.compared.iter().flat_map(BTreeMap::values);
        self.recounted.iter().flat_map(|(_, tables)| tables.values()).all(holds) && { compared }
            .all(|comparison| matches!(comparison, Comparison::Same { .. }))
    }
}

/// Whether there are as many rows as were committed.
fn holds(counted: &Counted) -> bool {
    counted.rows == counted.state.counts.live_rows
}

/// How many records the destination was given.
fn accepted(counted: &Counted) -> u64 {
    counted.state.counts.records()
}

fn tell(format: Option<ReportFormat>, findings: &Findings) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = match format {
        Some(ReportFormat::Json) => writeln!(out, "{}", programs::report(findings)),
        None => people::lines(findings).iter().try_for_each(|line| writeln!(out, "{line}")),
    };
    written.map_err(|cause| Error::failed("what was found cannot be written; verify once more").because(cause))
}
