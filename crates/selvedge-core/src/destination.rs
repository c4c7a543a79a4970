//! The seam: what a destination implements.

#[cfg(doc)]
use crate::SubtableLoad;
use crate::{Capabilities, LoadError, Removal, TableLoad, TableName, TableState};

/// Where prepared tables are loaded.
///
/// Four methods: what this destination is like, how a table stands, one load, and what is taken out of it. Naming, limits,
/// types, deduplication, batching, retries and accounting are done before, once for all destinations.
///
/// # What the engine guarantees
/// - One call at a time, from one thread.
/// - Loads of one table come in order, each planned on the state that the one before it returned.
/// - The rows of a [`TableLoad`] are typed as [`TableLoad::columns`] says, hold each key once and no key that is null, and
///   are in the order the [capabilities](Capabilities::row_order) ask for. They have passed every limit: at most 1,000
///   columns, with names of at most 127 bytes that are unique without regard to case and hold no control character; at most
///   1,024 characters in a text of a key. A name may hold anything else: quote it.
/// - A table has the column [`_sdc_sequence`](crate::system::SEQUENCE), and one without keys has
///   [`__sdc_primary_key`](crate::system::PRIMARY_KEY) in its place, which no two rows share.
/// - [`TableLoad::changes`] lead from the columns that stand to those of the load; so do those of each [`SubtableLoad`].
/// - The rows of a subtable belong to rows of the load, and of those to the same key: their source keys are its keys, and their
///   [`_sdc_table_version`](crate::system::TABLE_VERSION) is its version.
/// - What fails is tried again as the [kind](crate::LoadErrorKind) of the error says. After a load that failed as stale, or of
///   which nobody knows whether it was applied, the engine looks at the [state](Self::state) first.
///
/// # What the destination guarantees
/// - **All or nothing.** Changes, rows, rejected records and state become visible and durable together, or nothing does,
///   whenever the process is killed or the power fails. `Ok` means durable. Where a new table or column cannot be part of
///   the transaction, it may stand before the rest, and the same change comes again: readers go by the state.
/// - **Only as planned.** A load planned on another state than the one found has no effect and fails as
///   [stale](crate::LoadErrorKind::Stale). So a repeated load, a second process or one that was thought dead does no harm. Where
///   nothing in the destination compares and commits in one step, a lock that is held for as long as the destination is
///   open does as well; who comes second is [unavailable](crate::LoadErrorKind::Unavailable).
/// - **State stands where the rows stand,** so that whoever restores, copies or deletes one has done so to the other.
/// - **What others add is left alone.** Whoever adds a column of their own to a table, one that may hold nulls, keeps it and what
///   it holds, also in rows that are replaced. A column of selvedge's that somebody dropped is made again by the next load, and
///   rows that stood hold null in it; where a key or one of selvedge's own (`_sdc…`) was dropped, the load is refused.
/// - **Bounded memory.** What a load holds beside [`TableLoad::rows`] does not grow with the table.
/// - **No content in errors.** A [`LoadError`] names files, tables and columns, never a value.
///
/// Which rows stay is decided by (table version, sequence) alone; [`Key`](crate::Key) compares them for destinations that
/// have no database to do it.
///
/// # Errors
/// | What happened | Kind | What the engine does |
/// |---|---|---|
/// | the state is not the one planned on | [`Stale`](crate::LoadErrorKind::Stale) | reads the state; if somebody else loads the table, pauses it |
/// | busy, locked, unreachable, timed out | [`Unavailable`](crate::LoadErrorKind::Unavailable) | tries again, each time later, up to every half minute |
/// | no room | [`Full`](crate::LoadErrorKind::Full) | the same, and says so |
/// | a row that a constraint of somebody else's keeps out | [`BadRow`](crate::LoadErrorKind::BadRow) | makes smaller loads until it has found the record, rejects it, loads the rest |
/// | anything that would end the same way again | [`Refused`](crate::LoadErrorKind::Refused) | pauses the table until the engine is started again |
///
/// Every message says what to do next. If the load may have been applied all the same, as when the answer to a commit was
/// lost, the error is [marked](LoadError::possibly_applied); then the engine looks before it goes on.
///
/// # Example
/// A destination in memory, without durability and for tables whose columns stay as they are. `selvedge-conformance` holds the
/// checks for your own.
/// ```
/// use std::collections::{BTreeMap, HashMap};
///
/// use arrow_array::RecordBatch;
/// use selvedge_core::*;
///
/// #[derive(Default)]
/// struct InMemory(HashMap<TableName, Table>);
///
/// #[derive(Clone)]
/// struct Table {
///     state: TableState,
///     /// What is newest of each key: a row with its subrows of each subtable, or `None`, the tombstone of one that was deleted.
///     newest: BTreeMap<Vec<u8>, (Age, Option<Row>)>,
/// }
///
/// type Row = (RecordBatch, Vec<RecordBatch>);
///
/// impl Destination for InMemory {
///     fn capabilities(&self) -> &Capabilities {
///         &Capabilities { kind: "in_memory", row_order: RowOrder::Any, worthwhile_records: 1, memory_bytes: 0 }
///     }
///
///     fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
///         Ok(self.0.get(table).map(|table| table.state.clone()))
///     }
///
///     fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
///         load.check_planned_on(self.state(&load.table)?.as_ref())?;
///         let mut newest = self.0.get(&load.table).map(|table| table.newest.clone()).unwrap_or_default();
///         let key = Key::of(load)?;
///         let (rows, deletes) = (key.contestants(&load.rows)?, key.contestants(&load.deletes)?);
///         let misfit = |_| LoadError::new(LoadErrorKind::Refused, "the subrows do not fit; report it as a defect");
///         let row = |index| {
///             let subrows = load.subtables.iter().map(|subtable| subtable.written(|root| root == index));
///             Ok(Some((load.rows.slice(index, 1), subrows.collect::<Result<_, _>>().map_err(misfit)?)))
///         };
///         let mut outcome = Outcome::default();
///         if load.activates() {
///             newest.retain(|_, (age, row)| {
///                 let stays = !age.is_below(load.active_version);
///                 outcome.removed_rows += u64::from(!stays && row.is_some());
///                 stays
///             });
///         }
///         let all = (0..rows.len()).map(|index| (&rows, index, row(index)));
///         for (incoming, index, row) in all.chain((0..deletes.len()).map(|index| (&deletes, index, Ok(None)))) {
///             let (key, newcomer) = (incoming.key(index).data().to_vec(), (incoming.age(index), row?));
///             let stands = newest.get(&key);
///             if stands.is_some_and(|(age, _)| *age > newcomer.0) {
///                 outcome.stale_rows += 1;
///                 continue;
///             }
///             let (had_row, has_row) = (stands.is_some_and(|(_, row)| row.is_some()), newcomer.1.is_some());
///             outcome.new_rows += u64::from(has_row && !had_row);
///             outcome.removed_rows += u64::from(had_row && !has_row);
///             newest.insert(key, newcomer);
///         }
///         let state = load.committed(outcome);
///         self.0.insert(load.table.clone(), Table { state: state.clone(), newest });
///         Ok(state)
///     }
///
///     fn remove(&mut self, table: &TableName, _: &TableState, removal: Removal<'_>) -> Result<Option<TableState>, LoadError> {
///         match removal {
///             Removal::Table => drop(self.0.remove(table)),
///             _ => return Err(LoadError::new(LoadErrorKind::Refused, "this example forgets tables as a whole only")),
///         }
///         Ok(None)
///     }
/// }
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int64Array};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let table = TableName::new(None, "orders")?;
/// # let column = |name: &str| Column::new(name, None, ColumnType::Integer);
/// # let columns = vec![column("id"), column(system::SEQUENCE)];
/// # let load = |planned_on: Option<TableState>, batch: u64, ids: &[i64], sequence: i64| {
/// #     let sequences = vec![sequence; ids.len()];
/// #     let values: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(Int64Array::from(sequences))];
/// #     TableLoad {
/// #         table: table.clone(),
/// #         changes: if planned_on.is_none() { vec![Change::CreateTable(columns.clone())] } else { vec![] },
/// #         columns: columns.clone(),
/// #         keys: vec!["id".to_owned()],
/// #         rows: RecordBatch::try_new(schema(&columns), values).unwrap(),
/// #         subtables: Vec::new(),
/// #         deletes: tombstone::none(&columns, &["id".to_owned()]),
/// #         active_version: None,
/// #         activations: 0,
/// #         superseded: 0,
/// #         rejects: rejected::none(),
/// #         counts: planned_on.as_ref().map(|state| state.counts).unwrap_or_default(),
/// #         to: Position { queue: QueueId::from_bytes([1; 16]), epoch: Epoch::from_bytes([2; 16]), batch, record: 2 },
/// #         planned_on,
/// #     }
/// # };
///
/// let mut destination = InMemory::default();
/// let first = destination.load(&load(None, 1, &[1, 2], 10))?; // ids 1 and 2 as of sequence 10
/// let second = destination.load(&load(Some(first.clone()), 2, &[2, 3], 9))?; // id 2 was newer
/// assert_eq!(second.counts, Counts { loaded: 3, superseded: 1, rejected: 0, live_rows: 3 });
/// assert_eq!(destination.load(&load(Some(first), 2, &[2, 3], 9)).unwrap_err().kind(), LoadErrorKind::Stale);
/// # Ok(())
/// # }
/// ```
pub trait Destination: Send {
    /// What preparation has to know of this destination. The same at every call.
    fn capabilities(&self) -> &Capabilities;

    /// The table as it stands, or `None` before its first load.
    ///
    /// It is what the last load returned, whoever made that load. The engine asks once a table after it was started, after a
    /// load that failed as stale, and after one of which nobody knows whether it was applied: what is answered has to be
    /// durable.
    ///
    /// # Errors
    /// When the destination cannot be read. Nothing is changed.
    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError>;

    /// Applies one load, all or nothing, and returns the state it left. `Ok` means durable.
    ///
    /// Inside one transaction:
    /// 1. read the state and refuse the load unless it is the one planned on ([`TableLoad::check_planned_on`]);
    /// 2. apply [`TableLoad::changes`] in order;
    /// 3. in a keyed table, write each row unless the stored row of its key, or its [tombstone](crate::tombstone), has a greater
    ///    (table version, sequence), where a null version is below all others; at equality the row of the load replaces the
    ///    stored one, as a whole. A tombstone goes when a row is written in its place. In a keyless table, append every row;
    /// 4. by the same rule, each of [`TableLoad::deletes`] takes away the stored row of its key, if there is one, with its subrows,
    ///    and leaves a tombstone, whether there was a row or not;
    /// 5. for each of [`TableLoad::subtables`], apply its changes, remove the rows that belong to a row written in step 3, and
    ///    write those of the load that do ([`SubtableLoad::written`]): what belongs to a row that was not written stays as it
    ///    is. A keyless table's are appended;
    /// 6. if the load [activates](TableLoad::activates) a version, remove the rows of lower ones and of none, with their subrows,
    ///    and such tombstones. Where others may have columns of their own, not before: a row that takes the place of one of
    ///    these keeps what they hold;
    /// 7. keep [`TableLoad::rejects`] beside those kept before;
    /// 8. write the state that [`TableLoad::committed`] computes, and return it.
    ///
    /// A load may come without rows: then it moves the position.
    ///
    /// # Errors
    /// The kind says what the engine does next, [`LoadError::applied`] whether the load may have taken effect.
    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError>;

    /// Takes something out of a table, all or nothing, though no record came for that, and returns the state it left; `None`
    /// after [`Removal::Table`]. `Ok` means durable. The position stays, and so do the counts, but for the number of rows.
    ///
    /// # Errors
    /// [`Stale`](crate::LoadErrorKind::Stale), without effect, unless the state found is `found`; otherwise as [`load`](Self::load).
    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError>;
}

/// A boxed destination, for programs that choose one at run time.
impl<D: Destination + ?Sized> Destination for Box<D> {
    fn capabilities(&self) -> &Capabilities {
        (**self).capabilities()
    }

    fn state(&mut self, table: &TableName) -> Result<Option<TableState>, LoadError> {
        (**self).state(table)
    }

    fn load(&mut self, load: &TableLoad) -> Result<TableState, LoadError> {
        (**self).load(load)
    }

    fn remove(
        &mut self,
        table: &TableName,
        found: &TableState,
        removal: Removal<'_>,
    ) -> Result<Option<TableState>, LoadError> {
        (**self).remove(table, found, removal)
    }
}
