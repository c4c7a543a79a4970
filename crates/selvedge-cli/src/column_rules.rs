//! Columns that are excluded or hashed, as the command line names them: `TABLE:/POINTER`.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Display;
use std::mem::take;
use std::str::FromStr;

use selvedge::{ColumnRuleError, ColumnRules, EngineBuilder, Secret, TableName};

use crate::args::LoadArgs;
use crate::error::Error;

/// The environment variable with the secret: what stands in a command line, others on the machine can read.
const SECRET: &str = "SELVEDGE_HASH_SECRET";

/// A property of a table's records.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    table: String,
    pointer: String,
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (table, pointer) = text.split_once(':').ok_or("write TABLE:/POINTER, as in users:/email")?;
        Ok(Self { table: table.to_owned(), pointer: pointer.to_owned() })
    }
}

/// Has an engine exclude and hash what the command says.
///
/// # Errors
/// When the rules cannot be used, or there is no secret for hashes.
pub(crate) fn set(args: &LoadArgs, mut builder: EngineBuilder) -> Result<EngineBuilder, Error> {
    for (table, rules) in rules(args)? {
        builder = builder.columns(table, rules);
    }
    if !args.hash.is_empty() {
        builder = builder.hash_secret(args.integration.clone(), secret()?);
    }
    Ok(builder)
}

/// Adds what is done to a property to the rules of its table.
type Action = fn(ColumnRules, &str) -> Result<ColumnRules, ColumnRuleError>;

/// The rules of each table.
fn rules(args: &LoadArgs) -> Result<BTreeMap<TableName, ColumnRules>, Error> {
    let excluded = args.exclude.iter().map(|column| (column, ColumnRules::exclude as Action));
    let hashed = args.hash.iter().map(|column| (column, ColumnRules::hash as Action));
    let mut rules = BTreeMap::<TableName, ColumnRules>::new();
    for (column, action) in excluded.chain(hashed) {
        let of_table = rules.entry(column.table_name(args)?).or_default();
        *of_table = action(take(of_table), &column.pointer).map_err(|cause| column.wrong(cause))?;
    }
    Ok(rules)
}

impl Column {
    fn table_name(&self, args: &LoadArgs) -> Result<TableName, Error> {
        // A name that is misspelled would let through what must not be.
        if let Some(loaded) = args.table.as_ref().filter(|loaded| **loaded != self.table) {
            return Err(self.wrong(format!("the table that is loaded is {loaded}")));
        }
        TableName::new(args.integration.clone(), self.table.as_str()).map_err(|cause| self.wrong(cause))
    }

    fn wrong(&self, cause: impl Display) -> Error {
        let Self { table, pointer } = self;
        Error::usage(format!("{table}:{pointer} cannot be excluded or hashed: {cause}"))
    }
}

fn secret() -> Result<Secret, Error> {
    let secret = env::var_os(SECRET).unwrap_or_default();
    Secret::new(secret.as_encoded_bytes()).map_err(|_| {
        Error::usage(format!(
            "--hash needs a secret; put at least 32 random bytes into the environment variable {SECRET}, and keep them"
        ))
    })
}
