//! Loads by hand, as preparation would plan them.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray, UInt32Array,
    new_null_array,
};
use arrow_select::take::{take, take_record_batch};
use selvedge_core::{
    ArrayPath, Change, Column, ColumnType, Epoch, Key, Path, Position, QueueId, RowOrder, SOURCE_KEY_PREFIX, Subtable,
    SubtableLoad, TableLoad, TableName, TableState, level_id, rejected, schema, system, tombstone,
};

use crate::failure::Failure;

/// A column and its values, one for each row.
pub(crate) type Values = (Column, ArrayRef);

/// The load of a table that comes after `planned_on`, one batch further. Columns that stand and are not brought hold null, and
/// subtables that stand get no rows.
pub(crate) fn next(
    table: &TableName,
    planned_on: Option<&TableState>,
    keys: &[&str],
    brought: Vec<Values>,
) -> Result<TableLoad, Failure> {
    next_changed(table, planned_on, keys, Vec::new(), brought)
}

/// As [`next`], with changes to the columns that stand: first these, then those of the columns that are brought.
pub(crate) fn next_changed(
    table: &TableName,
    planned_on: Option<&TableState>,
    keys: &[&str],
    changes: Vec<Change>,
    brought: Vec<Values>,
) -> Result<TableLoad, Failure> {
    let (columns, changes) = grown(planned_on.map(|state| &state.columns[..]), changes, &brought);
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let active_version = planned_on.and_then(|state| state.active_version);
    let deletes = tombstone::none(&columns, &keys);
    let load = TableLoad {
        table: table.clone(),
        planned_on: planned_on.cloned(),
        changes,
        rows: rows(&columns, brought)?,
        columns,
        keys,
        subtables: planned_on.map_or(&[][..], |state| &state.subtables).iter().map(unchanged).collect(),
        deletes,
        active_version,
        activations: 0,
        superseded: 0,
        rejects: rejected::none(),
        counts: planned_on.map(|state| state.counts).unwrap_or_default(),
        to: after(planned_on),
    };
    Ok(load)
}

/// Has a load delete keys: `brought` are they and how new the deletes are.
pub(crate) fn delete(load: &mut TableLoad, brought: Vec<Values>) -> Result<(), Failure> {
    let moments = brought.first().map_or(0, |(_, values)| values.len());
    let moments = (0..).take(moments).map(|row| 1_700_000_000_000_000 + row);
    let moments = TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC");
    let deleted_at: Values = (column(system::DELETED_AT, ColumnType::Timestamp), Arc::new(moments));
    load.deletes = rows(&load.tombstone_columns(), brought.into_iter().chain([deleted_at]).collect())?;
    Ok(())
}

/// The columns that stand once they are changed and have all that are brought, and all the changes this takes.
fn grown(stand: Option<&[Column]>, mut changes: Vec<Change>, brought: &[Values]) -> (Vec<Column>, Vec<Change>) {
    let mut columns = stand.unwrap_or_default().to_vec();
    for change in &changes {
        for column in &mut columns {
            match change {
                Change::WidenColumn(wider) if wider.name == column.name => *column = wider.clone(),
                Change::RenameColumn { from, to } if *from == column.name => column.name.clone_from(to),
                _ => {}
            }
        }
    }
    let new: Vec<Column> = brought.iter().map(|(column, _)| column.clone()).filter(|c| !columns.contains(c)).collect();
    match stand {
        None => changes.push(Change::CreateTable(new.clone())),
        Some(_) => changes.extend(new.iter().cloned().map(Change::AddColumn)),
    }
    columns.extend(new);
    (columns, changes)
}

/// The position one batch further.
fn after(planned_on: Option<&TableState>) -> Position {
    let first =
        Position { queue: QueueId::from_bytes([7; 16]), epoch: Epoch::from_bytes([9; 16]), batch: 0, record: 5 };
    let at = planned_on.map_or(first, |state| state.position);
    Position { batch: at.batch + 1, ..at }
}

fn rows(columns: &[Column], brought: Vec<Values>) -> Result<RecordBatch, Failure> {
    let rows = brought.first().map_or(0, |(_, values)| values.len());
    let values = columns.iter().map(|column| {
        let brought = brought.iter().find(|(brought, _)| brought == column);
        brought.map_or_else(|| new_null_array(&column.column_type.arrow(), rows), |(_, values)| Arc::clone(values))
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(schema(columns), values.collect(), &options)?)
}

/// A subtable as it stands, and no rows for it.
fn unchanged(subtable: &Subtable) -> SubtableLoad {
    SubtableLoad {
        subtable: subtable.clone(),
        changes: Vec::new(),
        rows: RecordBatch::new_empty(schema(&subtable.columns)),
        roots: UInt32Array::from(Vec::<u32>::new()),
    }
}

/// The elements of the arrays at one place, in the order of the rows they belong to.
pub(crate) struct Elements {
    /// The names of the properties that hold the arrays within each other; an array directly within another has none.
    pub(crate) source: &'static [&'static str],
    /// For each element the row of the load it belongs to, ascending.
    pub(crate) roots: Vec<u32>,
    /// For each level, where each element stands in the array there.
    pub(crate) positions: Vec<Vec<i64>>,
    /// The changes to the columns that stand.
    pub(crate) changes: Vec<Change>,
    /// What they hold.
    pub(crate) values: Vec<Values>,
}

impl Elements {
    /// The elements of arrays that stand in a property: of each row of the load so many.
    pub(crate) fn of(source: &'static [&'static str], lengths: &[usize], values: Vec<Values>) -> Self {
        let roots = (0..).zip(lengths).flat_map(|(row, length)| vec![row; *length]).collect();
        let positions = lengths.iter().flat_map(|length| (0..).take(*length)).collect();
        Self { source, roots, positions: vec![positions], changes: Vec::new(), values }
    }

    /// Puts the elements into the load: made, or changed, is the subtable that the names on the way to them make.
    pub(crate) fn join(self, load: &mut TableLoad) -> Result<(), Failure> {
        let step = |step: &&str| if step.is_empty() { "value".to_owned() } else { (*step).to_owned() };
        let steps = [load.table.table().to_owned()].into_iter().chain(self.source.iter().map(step));
        let name = steps.collect::<Vec<_>>().join("__");
        let standing = load.planned_on.as_ref().and_then(|state| state.subtable(&name)).cloned();
        let roots = UInt32Array::from(self.roots);
        let mut brought = self.values;
        brought.extend(source_keys(load, &roots)?);
        brought.extend((0..).zip(self.positions).map(|(level, positions)| integers(&level_id(level), positions)));
        for name in [system::SEQUENCE, system::TABLE_VERSION] {
            brought.extend(of_roots(load, &roots, name)?);
        }
        let (columns, changes) = grown(standing.as_ref().map(|it| &it.columns[..]), self.changes, &brought);
        let path = |name: &&str| Path(Some((*name).to_owned()).filter(|name| !name.is_empty()).into_iter().collect());
        let source = ArrayPath(self.source.iter().map(path).collect());
        let rows = rows(&columns, brought)?;
        let joined = SubtableLoad { subtable: Subtable { name, source, columns }, changes, rows, roots };
        match load.subtables.iter_mut().find(|standing| standing.subtable.name == joined.subtable.name) {
            Some(standing) => *standing = joined,
            None => load.subtables.push(joined),
        }
        Ok(())
    }
}

/// The keys of the rows that elements belong to.
fn source_keys(load: &TableLoad, roots: &UInt32Array) -> Result<Vec<Values>, Failure> {
    let of_key = |name: &String| {
        let named = |column: Column| Column::new(format!("{SOURCE_KEY_PREFIX}{name}"), None, column.column_type);
        Ok(of_roots(load, roots, name)?.map(|(column, values)| (named(column), values)))
    };
    Key::of(load)?.names().iter().filter_map(|name| of_key(name).transpose()).collect()
}

/// What the rows that elements belong to hold in a column, if they have it.
fn of_roots(load: &TableLoad, roots: &UInt32Array, name: &str) -> Result<Option<Values>, Failure> {
    let column = load.columns.iter().find(|column| column.name == name);
    let Some((column, values)) = column.zip(load.rows.column_by_name(name)) else { return Ok(None) };
    Ok(Some((column.clone(), take(values, roots, None)?)))
}

/// The same load with its rows in the order the destination asks for, and with them their subrows.
pub(crate) fn in_order(mut load: TableLoad, order: RowOrder) -> Result<TableLoad, Failure> {
    if order == RowOrder::Key && !load.keys.is_empty() {
        let keys = Key::of(&load)?.contestants(&load.rows)?;
        let mut rows: Vec<u32> = (0..u32::try_from(keys.len())?).collect();
        rows.sort_by(|left, right| keys.key(*left as usize).cmp(&keys.key(*right as usize)));
        load.subtables.iter_mut().try_for_each(|subtable| follow(subtable, &rows))?;
        load.rows = take_record_batch(&load.rows, &UInt32Array::from(rows))?;
    }
    Ok(load)
}

/// Puts subrows into the order in which the rows they belong to are now.
fn follow(subtable: &mut SubtableLoad, rows: &[u32]) -> Result<(), Failure> {
    let mut roots: Vec<(u32, u32)> = (0..).zip(rows).map(|(now, before)| (*before, now)).collect();
    roots.sort_unstable();
    let now = |before: u32| roots.get(before as usize).map_or(before, |(_, now)| *now);
    let mut subrows: Vec<(u32, u32)> = subtable.roots.values().iter().map(|root| now(*root)).zip(0..).collect();
    subrows.sort_unstable();
    subtable.rows =
        take_record_batch(&subtable.rows, &subrows.iter().map(|(_, subrow)| *subrow).collect::<UInt32Array>())?;
    subtable.roots = subrows.iter().map(|(root, _)| *root).collect();
    Ok(())
}

pub(crate) fn table(name: &str) -> Result<TableName, Failure> {
    Ok(TableName::new(None, name)?)
}

/// A column of that name, filled from the property of that name unless it is selvedge's own.
pub(crate) fn column(name: &str, column_type: ColumnType) -> Column {
    let own = name.starts_with("_sdc") || name.starts_with("__sdc");
    Column::new(name, (!own).then(|| Path(vec![name.to_owned()])), column_type)
}

/// The column of elements that are scalars.
pub(crate) fn scalar_elements(column_type: ColumnType) -> Column {
    Column::new("value", Some(Path::default()), column_type)
}

pub(crate) fn integers(name: &str, values: impl IntoIterator<Item = impl Into<Option<i64>>>) -> Values {
    let values: Int64Array = values.into_iter().map(Into::into).collect();
    (column(name, ColumnType::Integer), Arc::new(values))
}

pub(crate) fn texts<T: AsRef<str>>(name: &str, values: impl IntoIterator<Item = T>) -> Values {
    let values: StringArray = values.into_iter().map(Some).collect();
    (column(name, ColumnType::String), Arc::new(values))
}

/// The generated keys of a keyless table, made of numbers.
pub(crate) fn generated_keys(numbers: impl IntoIterator<Item = i64>) -> Values {
    texts(system::PRIMARY_KEY, numbers.into_iter().map(generated_key))
}

/// The generated key that is made of a number.
pub(crate) fn generated_key(number: i64) -> String {
    format!("00000000-0000-8000-8000-{number:012}")
}

/// When the rejected record of a number was rejected.
pub(crate) fn rejected_at(number: i64) -> i64 {
    1_700_000_000_000_000 + number
}

/// Rejected records of a table, one for each number.
pub(crate) fn rejects(table: &TableName, numbers: &[i64]) -> Result<RecordBatch, Failure> {
    let texts = |text: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(numbers.iter().map(|number| Some(text(*number))).collect::<StringArray>())
    };
    let moments = numbers.iter().map(|number| Some(rejected_at(*number)));
    let moments = moments.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
    let integers: ArrayRef = Arc::new(Int64Array::from(numbers.to_vec()));
    let columns = vec![
        texts(&generated_key),
        Arc::new(moments),
        texts(&|_| table.table().to_owned()),
        texts(&|number| format!("field collision on `a \"quoted\" {number}`")),
        texts(&|_| "/a~1b/0".to_owned()),
        texts(&|number| format!("{{\"id\": {number}, \"text\": \"line\\nline 'ü' \u{1f9f5}\"}}")),
        Arc::clone(&integers),
        integers,
    ];
    Ok(RecordBatch::try_new(rejected::none().schema(), columns)?)
}
