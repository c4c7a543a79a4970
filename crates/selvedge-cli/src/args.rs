//! What can be asked of the command.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use selvedge::rejected::Rejected;
use selvedge::{
    BadRecords, ChangedTypes, Deletes, IntegrationName, Loading, NameError, Nesting, NewColumns, TableName,
};

use crate::column_rules::Column;
use crate::destination::Address;
use crate::error::Error;
use crate::input::Input;
use crate::quantity;

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
    /// Looks after tables: shows how they stand, pauses them, gives them other keys, begins them anew, drops them.
    #[command(subcommand, after_long_help = TABLE_EXAMPLES)]
    Table(TableCommand),
    /// Lists the records that were rejected, with what is wrong with them.
    ///
    /// They stand in the table `_sdc_rejected` of their integration (in Parquet, in a folder of their table), whole, so that
    /// nothing is lost with them.
    #[command(after_long_help = REJECTED_EXAMPLES)]
    Rejected(RejectedArgs),
    /// Sends rejected records again, once what kept them out is mended: each once, however often the command is run.
    ///
    /// They go in as they came, with their own sequence: a newer record of their key that came meanwhile stays. Those that
    /// were kept longer than --rejected-kept says are gone.
    #[command(after_long_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
    /// Erases a key: its rows, its tombstone, and its rejected records, in every destination of the queue and in the queue.
    ///
    /// For requests of persons whose data it is. What others have copied out of a destination, and backups, are not reached.
    #[command(after_long_help = PURGE_EXAMPLES)]
    Purge(PurgeArgs),
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

    #[command(flatten)]
    pub(crate) settings: SettingsArgs,

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

    /// Prints what became of the records as one JSON object, and nothing else, on standard output.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) report: Option<ReportFormat>,

    /// Loads files again that were loaded before. Tables with a key keep their values, others get the rows once more.
    #[arg(long)]
    pub(crate) again: bool,
}

/// What an engine is started with.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// Where to load: sqlite:FILE, duckdb:FILE or parquet:FOLDER. May be given several times.
    ///
    /// The queue knows a destination by this very text: `sqlite:./x.db` is another one than `sqlite:x.db`.
    #[arg(long, value_name = "DESTINATION", required = true)]
    pub(crate) to: Vec<Address>,

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

    /// What a delete leaves of the row it deletes: `soft` keeps it, with the moment in `_sdc_deleted_at` and its values blanked,
    /// `hard` takes it away.
    #[arg(long, value_name = "DELETES", default_value = "soft", value_parser = deletes())]
    pub(crate) deletes: Deletes,

    /// What becomes of older versions of a key: `upsert` replaces them, `append` keeps every record as a row of its own.
    #[arg(long, value_name = "LOADING", default_value = "upsert", value_parser = loading())]
    pub(crate) loading: Loading,

    /// What becomes of a batch with records that violate its schema: `refuse` takes none of it, `reject` keeps the bad ones aside,
    /// for `selvedge rejected`, and takes the others.
    #[arg(long, value_name = "BAD", default_value = "refuse", value_parser = bad_records())]
    pub(crate) bad_records: BadRecords,

    /// How long rejected records are kept, in the destinations and in the queue: 30d, 12h, 15m, 10s.
    ///
    /// What is older is removed when a command begins, and at least once an hour while it runs. It stays counted. Every
    /// command goes by what it is given itself: give the same to all that load from a queue.
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = quantity::duration)]
    pub(crate) rejected_kept: Duration,

    /// How many bytes of a table's batches may wait while the table is paused: 1GiB, 512MiB, 64KiB. Beyond that, no more is
    /// taken for it; from four fifths on, that is said.
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = quantity::bytes)]
    pub(crate) paused_limit: u64,

    /// The folder of the queue, where accepted records are kept until every destination has them. Default: the first
    /// destination's path with `.queue` after it. Use the same folder for the same destinations.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,

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

#[derive(Debug, Subcommand)]
pub(crate) enum TableCommand {
    /// Shows the tables: their keys, active version and rows in each destination, how many records wait, and what is paused.
    List(TableListArgs),
    /// Has a table's records wait in the queue, while those of others are loaded. What more comes for it is accepted, up to a
    /// limit.
    Pause(PauseArgs),
    /// Has the records of a paused table loaded again.
    Resume(TableArgs),
    /// Gives a table other keys: its rows go into the queue again, and it is made anew of them under the new keys.
    ///
    /// Of rows that share the new key the newest stays; one that has nothing in it ends among the rejected records. The next load
    /// makes the table. The rejected records it had before go: list them (`selvedge rejected`) or send them again
    /// (`selvedge replay`) first. Records that wait under other keys than the new ones are to be loaded first. If the command is
    /// cut short, the table is paused until it is given again.
    Rekey(RekeyArgs),
    /// Begins a table anew: removes it from every destination, and lets it be made of what waits in the queue, with the keys that
    /// has. What was loaded before is gone until it is sent again, and so are its rejected records: list or replay them first.
    Reset(TableArgs),
    /// Removes a table from every destination and from the queue.
    Drop(DropArgs),
}

/// A table of a queue.
#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// The table.
    #[arg(value_name = "TABLE", value_parser = table)]
    pub(crate) table: String,

    /// The integration of the table.
    #[arg(long, value_name = "NAME", value_parser = integration)]
    pub(crate) integration: Option<IntegrationName>,

    /// The folder of the queue, which must be there and used by nobody else.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,
}

impl TableArgs {
    /// The table's whole name.
    ///
    /// # Errors
    /// When it is too long together.
    pub(crate) fn name(&self) -> Result<TableName, Error> {
        whole_name(self.integration.as_ref(), &self.table)
    }
}

/// The name of a table of an integration.
///
/// # Errors
/// When it is too long together.
pub(crate) fn whole_name(integration: Option<&IntegrationName>, table: &str) -> Result<TableName, Error> {
    TableName::new(integration.cloned(), table)
        .map_err(|cause| Error::usage(format!("{table} is no table")).because(cause))
}

#[derive(Debug, Args)]
pub(crate) struct TableListArgs {
    /// The folder of the queue, which must be there.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,

    /// Why, for those who find it paused.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RekeyArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,

    /// The properties that make up the new key.
    #[arg(long, value_name = "COL[,COL…]", value_delimiter = ',', required = true)]
    pub(crate) key: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,

    /// Drops the table even though records of it are in the queue, which are gone then.
    #[arg(long)]
    pub(crate) give_up_waiting: bool,
}

/// Which rejected records.
#[derive(Debug, Args)]
pub(crate) struct RejectedFilter {
    /// Only those of this table.
    #[arg(long, value_name = "NAME", value_parser = table)]
    pub(crate) table: Option<String>,

    /// Only those of this integration.
    #[arg(long, value_name = "NAME", value_parser = integration)]
    pub(crate) integration: Option<IntegrationName>,

    /// Only those whose reason holds this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,

    /// Only those of this batch of the queue.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) batch: Option<u64>,
}

impl RejectedFilter {
    pub(crate) fn takes_table(&self, table: &TableName) -> bool {
        self.table.as_ref().is_none_or(|name| name == table.table())
            && self.integration.as_ref().is_none_or(|name| Some(name) == table.integration())
    }

    pub(crate) fn takes(&self, rejected: &Rejected) -> bool {
        self.reason.as_ref().is_none_or(|text| rejected.reason.contains(text))
            && self.batch.is_none_or(|batch| batch == rejected.batch)
    }
}

#[derive(Debug, Args)]
pub(crate) struct RejectedArgs {
    /// Where to look: sqlite:FILE, duckdb:FILE or parquet:FOLDER.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Address,

    #[command(flatten)]
    pub(crate) filter: RejectedFilter,

    /// At most so many.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) limit: Option<usize>,

    /// Prints each as one JSON object on a line of its own.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) report: Option<ReportFormat>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,

    #[command(flatten)]
    pub(crate) filter: RejectedFilter,

    /// A file with the JSON Schema of the records, in place of the one they were sent with.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PurgeArgs {
    /// The table.
    #[arg(long, value_name = "NAME", value_parser = table)]
    pub(crate) table: String,

    /// The integration of the table.
    #[arg(long, value_name = "NAME", value_parser = integration)]
    pub(crate) integration: Option<IntegrationName>,

    /// The folder of the queue, which must be there and used by nobody else.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: PathBuf,

    /// The key, as a JSON object of its properties: '{"id": 17}'.
    #[arg(long, value_name = "JSON")]
    pub(crate) key: String,
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

fn deletes() -> impl TypedValueParser<Value = Deletes> {
    PossibleValuesParser::new(["soft", "hard"]).try_map(|text| text.parse())
}

fn loading() -> impl TypedValueParser<Value = Loading> {
    PossibleValuesParser::new(["upsert", "append"]).try_map(|text| text.parse())
}

fn bad_records() -> impl TypedValueParser<Value = BadRecords> {
    PossibleValuesParser::new(["refuse", "reject"]).map(|text| match text.as_str() {
        "reject" => BadRecords::RejectEach,
        _ => BadRecords::RefuseBatch,
    })
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

const TABLE_EXAMPLES: &str = "\
Examples:
  selvedge table list --data demo.db.queue
      How every table stands, and what waits.

  selvedge table pause orders --data demo.db.queue --reason 'until the migration is over'
  selvedge table resume orders --data demo.db.queue
      Its records wait in the queue in between.

  selvedge table rekey orders --key shop,id --data demo.db.queue
      Its sender changed its keys, so the table was paused: it gets the same ones, and keeps its rows.

  selvedge table reset orders --data demo.db.queue
      The table begins anew with what waits.

  selvedge table drop orders --data demo.db.queue --give-up-waiting
      The table is gone, and what waits for it.

Exit codes:
  0  it is done
  1  it is not: the queue or a destination cannot be used, or records wait
  2  the command was not understood";

const REJECTED_EXAMPLES: &str = "\
Examples:
  selvedge rejected sqlite:demo.db
      All of them.

  selvedge rejected duckdb:warehouse.duckdb --table orders --reason 'out of range' --limit 10
      Some of one table.

  selvedge rejected parquet:lake --report json
      For a program to read, one on each line.

Exit codes:
  0  they are listed
  1  the destination cannot be read
  2  the command was not understood";

const REPLAY_EXAMPLES: &str = "\
Examples:
  selvedge replay --to sqlite:demo.db --table orders --schema orders.schema.json
      The schema was wrong: the records go in with another one.

  selvedge replay --to sqlite:demo.db --reason discard_record --new-columns evolve
      The policy was too strict.

Exit codes:
  0  what was sent again is loaded
  1  something failed; what was accepted is kept in the queue
  2  the command was not understood
  3  records were rejected again";

const PURGE_EXAMPLES: &str = "\
Examples:
  selvedge purge --table users --key '{\"id\": 17}' --data demo.db.queue
      Nothing of this user is left.

Exit codes:
  0  it is done
  1  it is not: records wait in which the key may be, or the queue or a destination cannot be used
  2  the command was not understood";
