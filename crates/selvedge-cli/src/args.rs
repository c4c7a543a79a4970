//! What can be asked of the command.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use selvedge::{ChangedTypes, IntegrationName, NameError, Nesting, NewColumns, TableName};

use crate::column_rules::Column;
use crate::destination::Address;
use crate::input::Input;

/// Loads records into databases and files: durable once accepted, the newest version of each key, each record exactly once.
#[derive(Debug, Parser)]
#[command(name = "selvedge", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Loads files, or what comes over standard input, into one or more destinations.
    #[command(after_long_help = LOAD_EXAMPLES)]
    Load(LoadArgs),
    /// Checks that a destination holds the rows it says it does, and that another one holds the same.
    ///
    /// For each table it counts the rows one by one, and compares that with the number committed together with them. Given
    /// two destinations it does so for both, then compares all their values, table by table. It writes nothing, and may run
    /// while selvedge loads.
    #[command(after_long_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Manages the destinations that a queue keeps records for.
    ///
    /// A queue deletes a record once every destination registered with it has it. `selvedge load` registers those it loads
    /// into.
    #[command(subcommand, after_long_help = DESTINATION_EXAMPLES)]
    Destination(DestinationCommand),
    /// Makes a view of a table, in which a property whose values are of several types is one column.
    ///
    /// A table has a column for each type of a property (`age` and `age__st`); the view has one, `age`, which shows whichever
    /// has a value: as a number if all of them are, else as text. A view of that name is made anew.
    #[command(after_long_help = VIEW_EXAMPLES)]
    View(ViewArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DestinationCommand {
    /// Has the queue keep records for one more destination from now on. Nothing is loaded yet.
    Add(AddArgs),
    /// Has the queue keep no more records for a destination. What is loaded in it stays as it is.
    Remove(RemoveArgs),
    /// Shows the destinations, how many records wait for each, and since when each gets everything.
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// Files to load, or `-` for standard input.
    ///
    /// Without --table they hold batches of the Import API (table_name, schema, key_names, messages): one JSON object a
    /// file, over as many lines as it likes, or several, each beginning on a line of its own. With --table they hold plain
    /// records, one JSON object a line.
    ///
    /// Files can be interrupted and repeated: how far one was read is committed together with its records, so the same
    /// command goes on where it was stopped, even by a crash, and a file that was loaded is not loaded twice. A file is
    /// known by its content, not by its name. Standard input cannot be read again, so none of this holds for it.
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<Input>,

    /// Where to load: sqlite:FILE, duckdb:FILE or parquet:FOLDER. May be given several times.
    ///
    /// The queue knows a destination by this very text: `sqlite:./x.db` is another one than `sqlite:x.db`.
    #[arg(long, value_name = "DESTINATION", required = true)]
    pub(crate) to: Vec<Address>,

    /// The name of the source the records come from. Its tables stand apart from those of others: in a schema of that name,
    /// in SQLite under `NAME__TABLE`. Without it they stand in the default schema under their own names.
    #[arg(long, value_name = "NAME", value_parser = integration)]
    pub(crate) integration: Option<IntegrationName>,

    /// The table of plain records.
    ///
    /// Its columns and their types are taken from the records: all files of the command are read for that first, of standard
    /// input the first 10,000 lines. Nested objects become columns of their own (`address__city`), arrays tables of their own
    /// (`people__tags`), strings stay strings, integers beside fractions become numbers, and a property of several types
    /// becomes a column for each.
    #[arg(long, value_name = "NAME", value_parser = table)]
    pub(crate) table: Option<String>,

    /// The properties that make up the key of a plain record: of the records with one key the newest stays. Without it,
    /// every record is a row of its own.
    #[arg(long, value_name = "COL[,COL…]", value_delimiter = ',', requires = "table")]
    pub(crate) key: Vec<String>,

    /// The property of plain records that tells which of two versions is newer.
    ///
    /// It holds integers, or date-times of RFC 3339 (which become microseconds since 1970), the same in all records. Without
    /// it the later record is the newer one.
    #[arg(long, value_name = "COL", requires = "table")]
    pub(crate) sequence: Option<String>,

    /// Leaves a property out of a table's records before they are stored anywhere, in the queue neither. May be given several
    /// times.
    ///
    /// The property is written as a JSON pointer: `users:/email`, `users:/address/city`; `*` stands for every element of an
    /// array: `orders:/items/*/note`. A key cannot be left out.
    #[arg(long, value_name = "TABLE:/POINTER")]
    pub(crate) exclude: Vec<Column>,

    /// Replaces a property by its hash before it is stored anywhere, in the queue neither. May be given several times.
    ///
    /// The hash is the HMAC-SHA-256 of the value in hexadecimal digits, so that equal values stay equal. Its secret is taken
    /// from the environment variable SELVEDGE_HASH_SECRET, at least 32 random bytes; whoever has it can try out values.
    #[arg(long, value_name = "TABLE:/POINTER")]
    pub(crate) hash: Vec<Column>,

    /// How DuckDB and Parquet keep objects and arrays: `flat`, as columns and tables of their own, or `native`, as STRUCT and LIST.
    /// A table keeps what it was first loaded with.
    #[arg(long, value_name = "NESTING", default_value = "flat", value_parser = nesting())]
    pub(crate) nesting: Nesting,

    /// What happens to properties that a table has no column for, once it was loaded for the first time.
    ///
    /// `evolve` gives it one, `freeze` leaves the table as it is and its records in the queue, `discard_column` drops their
    /// values, `discard_record` rejects their records.
    #[arg(long, value_name = "POLICY", default_value = "evolve", value_parser = new_columns())]
    pub(crate) new_columns: NewColumns,

    /// What happens to values of another type than those the table has for their property.
    ///
    /// `split` gives them a column of their own beside the first (`age__st`), `widen` makes the first one wider where it
    /// then holds all values exactly, and splits otherwise, `reject` rejects their records.
    #[arg(long, value_name = "POLICY", default_value = "split", value_parser = changed_types())]
    pub(crate) changed_types: ChangedTypes,

    /// The folder of the queue, where accepted records are kept until every destination has them. Default: the first
    /// destination's path with `.queue` after it. Use the same folder for the same destinations.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,

    /// Prints what became of the records as one JSON object, and nothing else, on standard output.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) report: Option<ReportFormat>,

    /// Loads files again that were loaded before. Tables with a key keep their values, others get the rows once more.
    #[arg(long)]
    pub(crate) again: bool,

    /// Takes over tables that were loaded from another queue, as when its folder is lost or was replaced. Without it they are
    /// left alone. What that queue had accepted and not yet loaded must be sent again, if need be all of it: tables with a
    /// key take records a second time without a change, tables without one get them as further rows. Do not load from that
    /// queue again: its tables are this one's from now on.
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// What to verify: sqlite:FILE, duckdb:FILE or parquet:FOLDER.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Address,

    /// Another destination of the same queue, to compare with the first.
    ///
    /// Two destinations agree when they hold the same rows with the same values. What may differ is not compared: the order
    /// of rows and columns, columns without a value, the names of columns whose property has several types, and when
    /// selvedge received and prepared a record. A table is compared only if both have loaded the same records.
    #[arg(value_name = "OTHER")]
    pub(crate) other: Option<Address>,

    /// Only the tables of this integration.
    #[arg(long, value_name = "NAME", value_parser = integration)]
    pub(crate) integration: Option<IntegrationName>,

    /// Only the tables of this name.
    #[arg(long, value_name = "NAME", value_parser = table)]
    pub(crate) table: Option<String>,

    /// Prints what was found as one JSON object, and nothing else, on standard output.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) report: Option<ReportFormat>,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The destination, spelled as the loads into it will spell it: sqlite:FILE, duckdb:FILE or parquet:FOLDER.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Address,

    /// The folder of the queue, which must be there.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The destination as `selvedge destination list` shows it.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: String,

    /// The folder of the queue, which must be there.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,

    /// Removes the destination even though records wait for it, which it then never gets from this queue.
    #[arg(long)]
    pub(crate) give_up_waiting: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The folder of the queue, which must be there.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    /// Where the table is: sqlite:FILE or duckdb:FILE.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Address,

    /// The table.
    #[arg(long, value_name = "TABLE", value_parser = table)]
    pub(crate) of: String,

    /// The integration of the table.
    #[arg(long, value_name = "NAME", value_parser = integration)]
    pub(crate) integration: Option<IntegrationName>,

    /// The name of the view, which stands beside the table.
    #[arg(long = "as", value_name = "NAME", value_parser = table)]
    pub(crate) name: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One JSON object.
    Json,
}

fn integration(name: &str) -> Result<IntegrationName, NameError> {
    IntegrationName::new(name)
}

fn table(name: &str) -> Result<String, NameError> {
    TableName::new(None, name).map(|table| table.table().to_owned())
}

fn nesting() -> impl TypedValueParser<Value = Nesting> {
    PossibleValuesParser::new(["flat", "native"]).try_map(|text| text.parse())
}

fn new_columns() -> impl TypedValueParser<Value = NewColumns> {
    PossibleValuesParser::new(["evolve", "freeze", "discard_column", "discard_record"]).try_map(|text| text.parse())
}

fn changed_types() -> impl TypedValueParser<Value = ChangedTypes> {
    PossibleValuesParser::new(["split", "widen", "reject"]).try_map(|text| text.parse())
}

const LOAD_EXAMPLES: &str = "\
Examples:
  selvedge load customers.json --to sqlite:demo.db
      A file of batches into a SQLite database.

  selvedge load batches/*.jsonl --to duckdb:warehouse.duckdb --to parquet:lake
      Many files into two destinations at once.

  selvedge load users.jsonl --table users --key id --sequence updated_at --to sqlite:app.db
      Plain records, one JSON object a line; of each id the one with the latest updated_at stays.

  gunzip -c events.jsonl.gz | selvedge load - --table events --to parquet:lake
      Plain records without a key from standard input: every record becomes a row.

  selvedge load users.jsonl --table users --key id --exclude users:/phone --hash users:/email --to sqlite:app.db
      Without the phone numbers, and with a hash in place of each address; SELVEDGE_HASH_SECRET has the secret.

Exit codes:
  0  everything was loaded
  1  something failed; what was accepted is kept in the queue
  2  the command was not understood
  3  a record or batch was refused: what stands before it was loaded, what comes after was not read";

const VERIFY_EXAMPLES: &str = "\
Examples:
  selvedge verify sqlite:demo.db
      Counts the rows of every table.

  selvedge verify sqlite:demo.db parquet:lake
      Counts the rows in both, and compares their values.

  selvedge verify duckdb:warehouse.duckdb --integration shop --table orders --report json
      One table, for a program to read.

What is shown of each table:
  batch       the newest batch of the queue that is loaded
  accepted    the records given to the destination, which are those loaded, superseded and rejected
  rows        how many rows were committed
  counted     how many rows there are

Exit codes:
  0  everything holds
  1  a destination cannot be read
  2  the command was not understood
  4  something does not hold, or two destinations cannot be compared";

const DESTINATION_EXAMPLES: &str = "\
Examples:
  selvedge destination list --data demo.db.queue
      What `selvedge load … --to sqlite:demo.db` has registered with its queue.

  selvedge destination add parquet:lake --data demo.db.queue
      From now on records are kept for parquet:lake, too, until they are loaded with --to parquet:lake --data demo.db.queue.

  selvedge destination remove parquet:lake --data demo.db.queue
      Records are kept for it no longer. The folder lake stays as it is.

Exit codes:
  0  it is done
  1  it is not: the queue cannot be used, or records wait for the destination
  2  the command was not understood";

const VIEW_EXAMPLES: &str = "\
Examples:
  selvedge view sqlite:demo.db --of orders --as orders_whole
      The view orders_whole beside the table orders.

  selvedge view duckdb:warehouse.duckdb --of orders --integration shop --as orders_whole
      The view orders_whole in the schema shop.

Exit codes:
  0  the view stands
  1  it does not: there is no such table, or the destination cannot make views
  2  the command was not understood";
