//! Whether a table is the same in two destinations, found out in bounded memory.
//!
//! The keys are spread over buckets, and one pass over each side computes a digest of every bucket's rows and the subrows that
//! belong to these keys, as the logical view has them. Only if digests differ does a second pass hold rows, those of a few
//! buckets, to name keys that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use crate::view::LogicalRows;
use crate::{Inspect, LoadError, LogicalRow, Part, Position, TableName, TableState, Value};

/// The digests of all buckets take 1 MiB a side, and of a table with a hundred million rows a bucket has 1,500.
const BUCKETS: usize = 1 << 16;
/// As many keys are named as examples. As many buckets are looked into for them: each has one at least.
const EXAMPLES: usize = 5;

/// What comparing a table in two destinations found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Both hold the same rows, and the same subrows of them.
    Same {
        /// How many rows, subrows not counted.
        rows: u64,
    },
    /// They differ.
    Different(Differences),
    /// The two may rightly differ, so their rows were not compared.
    NotComparable(Obstacle),
}

/// How two destinations differ in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// At least as many keys differ. It is the number of differing buckets, which few keys seldom share.
    pub keys_min: usize,
    /// A few of these keys, in their order.
    pub examples: Vec<Difference>,
}

/// A key at which two destinations differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The values of the key columns, in the order of the table's keys; in a keyless table, the generated key.
    pub key: Vec<Value>,
    /// What differs.
    pub discrepancy: Discrepancy,
}

/// What of a key differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discrepancy {
    /// How many rows have it: none on the side where it is missing, more than one where something else wrote into the table.
    Rows {
        /// In the first destination.
        left: usize,
        /// In the second.
        right: usize,
    },
    /// The values at these places of its row, which are spelled as in a [`LogicalRow`]; those of subrows also if they stand on
    /// one side only, stand twice on one, or belong to no row.
    Places(Vec<String>),
}

/// Why two destinations may rightly differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The table was never loaded into one of them.
    NeverLoaded(Side),
    /// They are not at the same place of the same queue: wait until both have everything, then compare again.
    Positions {
        /// That of the first.
        left: Position,
        /// That of the second.
        right: Position,
    },
    /// They are at the same place, but were not given as many records on the way there: one was added later, or took the
    /// table over from another queue. If it was given as many all the same, the rows that stood before show as differences.
    Accepted {
        /// Records accepted by the first.
        left: u64,
        /// Records accepted by the second.
        right: u64,
    },
    /// The table was loaded into one of them meanwhile: compare again while nobody loads.
    Loading(Side),
}

/// One of two destinations that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first.
    Left,
    /// The second.
    Right,
}

/// Compares the [logical view](crate::logical_view) of a table in two destinations, and finds what it does not show: rows and
/// subrows that stand more than once. Each is read once, and once more if they differ. Memory stays bounded however large the
/// table is.
///
/// ```
/// # use std::ops::ControlFlow;
/// # use std::sync::Arc;
/// # use arrow_array::{ArrayRef, Int64Array, RecordBatch};
/// # use selvedge_core::*;
/// # struct Shelf(TableState, RecordBatch);
/// # impl Inspect for Shelf {
/// #     fn tables(&mut self) -> Result<Vec<TableName>, LoadError> { Ok(Vec::new()) }
/// #     fn read(&mut self, _: &TableName, _: Part<'_>, each: &mut Each<'_>) -> Result<Option<TableState>, LoadError> {
/// #         let _: ControlFlow<()> = each(&self.0, self.1.clone());
/// #         Ok(Some(self.0.clone()))
/// #     }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let column = |name: &str| Column::new(name, Some(Path(vec![name.to_owned()])), ColumnType::Integer);
/// # let position = Position { queue: QueueId::random(), epoch: Epoch::random(), batch: 7, record: 2 };
/// # let shelf = |paid: [i64; 2]| {
/// #     let (columns, keys) = (vec![column("id"), column("paid")], vec!["id".to_owned()]);
/// #     let column = |values: [i64; 2]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
/// #     let rows = RecordBatch::try_from_iter([("id", column([1, 2])), ("paid", column(paid))]).unwrap();
/// #     Shelf(TableState { columns, keys, subtables: Vec::new(), active_version: None, position, counts: Counts::default() }, rows)
/// # };
/// # let (mut warehouse, mut lake) = (shelf([10, 20]), shelf([10, 21]));
/// use selvedge_core::{Comparison, Discrepancy, TableName, compare};
///
/// let orders = TableName::new(None, "orders")?;
/// match compare(&mut warehouse, &mut lake, &orders)? {
///     Comparison::Same { rows } => println!("{rows} rows, the same in both"),
///     Comparison::NotComparable(obstacle) => println!("not now: {obstacle:?}"),
///     Comparison::Different(differences) => {
/// #       assert_eq!(differences.examples[0].discrepancy, Discrepancy::Places(vec!["/paid".to_owned()]));
///         for difference in differences.examples {
///             println!("{:?} differs: {:?}", difference.key, difference.discrepancy);
///         }
///     }
/// }
/// # assert_eq!(compare(&mut shelf([1, 2]), &mut shelf([1, 2]), &orders)?, Comparison::Same { rows: 2 });
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When a destination cannot be read.
pub fn compare<L: Inspect + ?Sized, R: Inspect + ?Sized>(
    left: &mut L,
    right: &mut R,
    table: &TableName,
) -> Result<Comparison, LoadError> {
    match compare_rows(left, right, table) {
        Ok(comparison) => Ok(comparison),
        Err(Stop::Obstacle(obstacle)) => Ok(Comparison::NotComparable(obstacle)),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// What ends a comparison early.
enum Stop {
    Obstacle(Obstacle),
    Failed(LoadError),
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Self {
        Self::Failed(error)
    }
}

fn compare_rows<L: Inspect + ?Sized, R: Inspect + ?Sized>(
    left: &mut L,
    right: &mut R,
    table: &TableName,
) -> Result<Comparison, Stop> {
    let mut left = Standing::find(left, table, Side::Left)?;
    let mut right = Standing::find(right, table, Side::Right)?;
    check_comparable(&left.state, &right.state)?;
    let (of_left, of_right) = (left.digests()?, right.digests()?);
    let differ = |bucket: &usize| of_left.get(*bucket) != of_right.get(*bucket);
    let differing: Vec<usize> = (0..BUCKETS).filter(differ).collect();
    if differing.is_empty() {
        return Ok(Comparison::Same { rows: of_left.iter().map(|digest| digest.rows).sum() });
    }
    let keys_min = differing.len();
    let examples = examples(&mut left, &mut right, &differing.into_iter().take(EXAMPLES).collect())?;
    Ok(Comparison::Different(Differences { keys_min, examples }))
}

fn check_comparable(left: &TableState, right: &TableState) -> Result<(), Stop> {
    if left.position != right.position {
        return Err(Stop::Obstacle(Obstacle::Positions { left: left.position, right: right.position }));
    }
    let accepted = |state: &TableState| state.counts.records();
    if accepted(left) != accepted(right) {
        return Err(Stop::Obstacle(Obstacle::Accepted { left: accepted(left), right: accepted(right) }));
    }
    Ok(())
}

/// A table on one side, as it stood when the comparison began.
struct Standing<'c, D: ?Sized> {
    destination: &'c mut D,
    table: &'c TableName,
    side: Side,
    state: TableState,
}

/// The rows and subrows of a bucket, whatever their order.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Digest {
    /// Without subrows.
    rows: u64,
    /// Of the hashes of rows and subrows, wrapping.
    sum: u64,
}

impl<'c, D: Inspect + ?Sized> Standing<'c, D> {
    fn find(destination: &'c mut D, table: &'c TableName, side: Side) -> Result<Self, Stop> {
        let counted = destination.count(table)?.ok_or(Stop::Obstacle(Obstacle::NeverLoaded(side)))?;
        Ok(Self { destination, table, side, state: counted.state })
    }

    fn digests(&mut self) -> Result<Vec<Digest>, Stop> {
        let mut digests = vec![Digest::default(); BUCKETS];
        self.read(|part, rows, row| {
            let key = rows.key(row);
            if let Some(digest) = digests.get_mut(bucket(&key)) {
                digest.rows += u64::from(part == Part::Rows);
                digest.sum = digest.sum.wrapping_add(hash_row(&key, rows, row));
            }
        })?;
        Ok(digests)
    }

    /// Hands every row and subrow to `each`, and stops if they turn out to be of another moment than that at which the comparison
    /// began.
    fn read(&mut self, mut each: impl FnMut(Part<'_>, &LogicalRows<'_>, usize)) -> Result<(), Stop> {
        let found = self.destination.read(self.table, Part::Rows, &mut |state, batch| {
            let rows = LogicalRows::new(state, &batch);
            (0..batch.num_rows()).for_each(|row| each(Part::Rows, &rows, row));
            ControlFlow::Continue(())
        })?;
        self.check_stands(found)?;
        for subtable in &self.state.subtables {
            let part = Part::Subtable(&subtable.name);
            let found = self.destination.read(self.table, part, &mut |_, batch| {
                let rows = LogicalRows::of_subtable(subtable, &batch);
                (0..batch.num_rows()).filter(|row| rows.has_values(*row)).for_each(|row| each(part, &rows, row));
                ControlFlow::Continue(())
            })?;
            self.check_stands(found)?;
        }
        Ok(())
    }

    fn check_stands(&self, found: Option<TableState>) -> Result<(), Stop> {
        let stands = found.is_some_and(|found| found.position == self.state.position);
        if stands { Ok(()) } else { Err(Stop::Obstacle(Obstacle::Loading(self.side))) }
    }
}

fn bucket(key: &[Value]) -> usize {
    let mut hasher = hasher();
    key.hash(&mut hasher);
    hasher.finish() as usize % BUCKETS
}

fn hash_row(key: &[Value], rows: &LogicalRows<'_>, row: usize) -> u64 {
    let mut hasher = hasher();
    (key, rows.place(row)).hash(&mut hasher);
    rows.values(row).for_each(|value| value.hash(&mut hasher));
    hasher.finish()
}

/// The same for both sides. The standard one does: no hash is stored, so another version of Rust may have another; different
/// rows share one once in 2^64 times; and that records can be made which share one matters little, because a comparison guards
/// against accidents, not against senders.
fn hasher() -> DefaultHasher {
    DefaultHasher::new()
}

/// The rows of one key on both sides.
#[derive(Default)]
struct Pair {
    left: Rows,
    right: Rows,
}

/// The rows of one key on one side, by their places: the root's is the empty one. At each there should be one.
type Rows = BTreeMap<String, Vec<LogicalRow>>;

/// The first keys of these buckets that differ.
fn examples<L: Inspect + ?Sized, R: Inspect + ?Sized>(
    left: &mut Standing<'_, L>,
    right: &mut Standing<'_, R>,
    buckets: &BTreeSet<usize>,
) -> Result<Vec<Difference>, Stop> {
    let mut pairs: BTreeMap<Vec<Value>, Pair> = BTreeMap::new();
    let wanted = |rows: &LogicalRows<'_>, row| Some(rows.key(row)).filter(|key| buckets.contains(&bucket(key)));
    let hold =
        |side: &mut Rows, rows: &LogicalRows<'_>, row| side.entry(rows.place(row)).or_default().push(rows.row(row));
    left.read(|_, rows, row| {
        if let Some(key) = wanted(rows, row) {
            hold(&mut pairs.entry(key).or_default().left, rows, row);
        }
    })?;
    right.read(|_, rows, row| {
        if let Some(key) = wanted(rows, row) {
            hold(&mut pairs.entry(key).or_default().right, rows, row);
        }
    })?;
    let difference = |(key, pair): (_, Pair)| Some(Difference { key, discrepancy: pair.discrepancy()? });
    Ok(pairs.into_iter().filter_map(difference).take(EXAMPLES).collect())
}

impl Pair {
    fn discrepancy(mut self) -> Option<Discrepancy> {
        let roots = |rows: &Rows| rows.get("").map_or(0, Vec::len);
        let (left, right) = (roots(&self.left), roots(&self.right));
        if left != right {
            return Some(Discrepancy::Rows { left, right });
        }
        let places: BTreeSet<String> = self.left.keys().chain(self.right.keys()).cloned().collect();
        let mut at = |place: &String| {
            let [left, right] = [&mut self.left, &mut self.right].map(|rows| rows.remove(place).unwrap_or_default());
            differing(left, right)
        };
        let places: BTreeSet<String> = places.iter().flat_map(&mut at).collect();
        if places.is_empty() { None } else { Some(Discrepancy::Places(places.into_iter().collect())) }
    }
}

/// The places at which the rows of two sides differ; a row that the other side lacks does at all of its places.
fn differing(mut left: Vec<LogicalRow>, mut right: Vec<LogicalRow>) -> BTreeSet<String> {
    let rows = left.len().max(right.len());
    for side in [&mut left, &mut right] {
        side.sort();
        side.resize_with(rows, LogicalRow::new);
    }
    left.iter().zip(&right).flat_map(|(left, right)| differing_in_row(left, right)).collect()
}

fn differing_in_row<'r>(left: &'r LogicalRow, right: &'r LogicalRow) -> impl Iterator<Item = String> + 'r {
    let places = left.keys().chain(right.keys());
    places.filter(|place| left.get(*place) != right.get(*place)).cloned()
}
