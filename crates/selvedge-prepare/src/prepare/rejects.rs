//! Records that cannot be loaded although they conform to their schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use foldhash::fast::RandomState;
use selvedge_core::{Column, Path, TableState, rejected, schema};

use crate::prepare::convert::Numbers;
use crate::prepare::elements::Layer;
use crate::prepare::generated_key::generated_key;
use crate::prepare::names::{self, Names};
use crate::prepare::part::{Fault, Part};
use crate::prepare::placement::{can_become, shared};
use crate::prepare::policy::{ChangedTypes, NewColumns, Policy};
use crate::prepare::record_text::record_texts;
use crate::prepare::sheet::{Rows, Source};
use crate::prepare::{Blocked, LoadContext};

/// Rejects the records whose names cannot be columns of a table, and those that the policy does not take.
pub(crate) fn reject(context: &LoadContext<'_>, parts: &mut [Part<'_>], root: &[Source<'_>], layers: &[Layer<'_>]) {
    let tables = || std::iter::once((root, None)).chain(layers.iter().map(|layer| (&*layer.sources, Some(layer))));
    tables().for_each(|(sources, layer)| reject_names(parts, sources, layer));
    let Some(state) = context.planned_on else { return };
    for (sources, layer) in tables() {
        let keys = if layer.is_none() { state.keys.as_slice() } else { &[] };
        match known(state, layer) {
            Some(known) => reject_changes(parts, sources, layer, known, keys, context.policy),
            None => reject_elements(parts, layer, context),
        }
    }
}

/// The columns of the table that the elements go to, or of the root; `None` if there is no such subtable yet.
fn known<'s>(state: &'s TableState, layer: Option<&Layer<'_>>) -> Option<&'s [Column]> {
    let Some(layer) = layer else { return Some(&state.columns) };
    let subtable = state.subtables.iter().find(|subtable| subtable.source == *layer.path)?;
    Some(&subtable.columns)
}

/// Rejects records with two values that would go to one column, and those with a value whose column would be called as a
/// split one.
fn reject_names(parts: &mut [Part<'_>], sources: &[Source<'_>], layer: Option<&Layer<'_>>) {
    let mut by_name: HashMap<String, Vec<&Source<'_>>, RandomState> = HashMap::default();
    for source in sources {
        by_name.entry(names::plain(source.path).to_lowercase()).or_default().push(source);
    }
    let is_faulty = |(name, sources): &(String, Vec<&Source<'_>>)| {
        names::ends_as_split(name) || sources.windows(2).any(|pair| matches!(pair, [a, b] if a.path != b.path))
    };
    let mut faulty: Vec<(String, Vec<&Source<'_>>)> = by_name.into_iter().filter(is_faulty).collect();
    // Of two faults of a record the first is told, whichever order the columns came in.
    faulty.sort_by(|left, right| left.0.cmp(&right.0));
    for (name, mut sources) in faulty {
        sources.sort_by_key(|source| source.path);
        reject_collisions(parts, &sources, layer);
        if names::ends_as_split(&name) {
            for source in sources {
                let name = names::plain(source.path);
                let reason = format!("column names from client should not include reserved datatype suffix on {name}");
                reject_values(parts, source, layer, |_| Some(reason.clone()));
            }
        }
    }
}

/// Rejects records that hold values at two of the paths of these sources.
fn reject_collisions(parts: &mut [Part<'_>], sources: &[&Source<'_>], layer: Option<&Layer<'_>>) {
    for (index, part) in parts.iter_mut().enumerate() {
        let array = |source: &&Source<'_>| Some((source.path.clone(), Arc::clone(source.array(index)?)));
        let present: Vec<(Path, ArrayRef)> = sources.iter().filter_map(array).collect();
        let Some((first, _)) = present.first() else { continue };
        if present.iter().all(|(path, _)| path == first) {
            continue;
        }
        for row in 0..layer.map_or(part.records.len(), |layer| layer.len(index)) {
            let mut found = present.iter().filter(|(_, array)| array.is_valid(row)).map(|(path, _)| path);
            let Some(first) = found.next() else { continue };
            if let Some(second) = found.find(|path| *path != first) {
                let reason = format!("Field collision on {}", names::plain(first));
                reject_row(part, index, row, layer, second, reason);
            }
        }
    }
}

/// Rejects records with values that the policy has no column for.
fn reject_changes(
    parts: &mut [Part<'_>],
    sources: &[Source<'_>],
    layer: Option<&Layer<'_>>,
    known: &[Column],
    keys: &[String],
    policy: Policy,
) {
    if policy.new_columns != NewColumns::DiscardRecord && policy.changed_types != ChangedTypes::Reject {
        return;
    }
    let mut by_path: HashMap<&Path, Vec<&Column>, RandomState> = HashMap::default();
    for column in known {
        if let Some(path) = &column.path {
            by_path.entry(path).or_default().push(column);
        }
    }
    for source in sources {
        let columns = by_path.get(source.path).map_or(&[][..], Vec::as_slice);
        match columns {
            [] if policy.new_columns == NewColumns::DiscardRecord => {
                let name = names::plain(source.path);
                let reason = format!("column {name} is new, and the policy for new columns is discard_record");
                reject_values(parts, source, layer, |_| Some(reason.clone()));
            }
            [first, ..]
                if policy.changed_types == ChangedTypes::Reject
                    && columns.iter().all(|column| column.column_type != source.column_type) =>
            {
                let rows = loadable(parts, layer);
                let held: Vec<(&Column, Numbers)> =
                    columns.iter().map(|column| (*column, held(column, sources, &rows))).collect();
                let reason = format!(
                    "column {} is of type {}, its value of type {}, and the policy for changed types is reject",
                    first.name, first.column_type, source.column_type
                );
                let reason = |digits| {
                    let numbers = Numbers { column_type: source.column_type, digits };
                    let fits = |(column, held): &(&Column, Numbers)| {
                        let column_type = shared(*held, numbers, source.typing, policy.changed_types);
                        let can_become = |wide| !keys.contains(&column.name) && can_become(column, wide);
                        column_type.is_some_and(|wide| wide == column.column_type || can_become(wide))
                    };
                    (!held.iter().any(fits)).then(|| reason.clone())
                };
                reject_values(parts, source, layer, reason);
            }
            _ => {}
        }
    }
}

/// What a column holds once the values of its own type are loaded.
fn held(column: &Column, sources: &[Source<'_>], rows: &Rows) -> Numbers {
    let Column { column_type, .. } = *column;
    let goes_there =
        |source: &&Source<'_>| source.column_type == column_type && Some(source.path) == column.path.as_ref();
    let digits = sources.iter().filter(goes_there).map(|source| source.digits(rows));
    Numbers { column_type, digits: digits.fold(column.digits, u8::max) }
}

/// The rows of records that are not rejected so far.
fn loadable(parts: &[Part<'_>], layer: Option<&Layer<'_>>) -> Rows {
    let records = |(index, part): (usize, &Part<'_>)| part.rows().map(move |row| (index, row)).collect::<Vec<_>>();
    let places: Vec<(usize, usize)> = parts.iter().enumerate().flat_map(records).collect();
    let all: usize = parts.iter().map(|part| part.records.len()).sum();
    let rows = Rows { left_out: all - places.len(), places };
    layer.map_or_else(|| rows.clone(), |layer| layer.of_records(&rows).0)
}

/// Rejects records with elements for which there is no subtable, if that is the policy.
fn reject_elements(parts: &mut [Part<'_>], layer: Option<&Layer<'_>>, context: &LoadContext<'_>) {
    let (Some(layer), NewColumns::DiscardRecord) = (layer, context.policy.new_columns) else { return };
    let name = Names::new([]).take_subtable(context.table, layer.path);
    for (index, part) in parts.iter_mut().enumerate() {
        for element in 0..layer.len(index) {
            let reason = format!("subtable {name} is new, and the policy for new columns is discard_record");
            reject_row(part, index, element, Some(layer), &Path::default(), reason);
        }
    }
}

/// Rejects the records of those values of a source of which `reason`, told how many digits they have before the point, gives
/// one.
fn reject_values(
    parts: &mut [Part<'_>],
    source: &Source<'_>,
    layer: Option<&Layer<'_>>,
    reason: impl Fn(u8) -> Option<String>,
) {
    for (index, part) in parts.iter_mut().enumerate() {
        let Some(array) = source.array(index) else { continue };
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            if let Some(reason) = reason(crate::prepare::digits::of_value(array, source.column_type, row)) {
                reject_row(part, index, row, layer, source.path, reason);
            }
        }
    }
}

/// Rejects the record in which a row stands, because of what is at `path` in the row.
fn reject_row(part: &mut Part<'_>, index: usize, row: usize, layer: Option<&Layer<'_>>, path: &Path, reason: String) {
    let record = layer.map_or(Some(row), |layer| layer.record(index, row));
    let element = || layer.and_then(|layer| layer.pointer(index, row)).unwrap_or_default();
    if let Some(record) = record {
        part.reject(record, || Fault { pointer: format!("{}{path}", element()), reason });
    }
}

/// The rejected records of a load, with their texts. `body_of` gives the body of a batch.
pub(crate) fn rejects<E: From<Blocked>>(
    parts: &[Part<'_>],
    context: &LoadContext<'_>,
    mut body_of: impl FnMut(u64) -> Result<Vec<u8>, E>,
) -> Result<RecordBatch, E> {
    let rejecting: Vec<&Part<'_>> = parts.iter().filter(|part| !part.rejected.is_empty()).collect();
    if rejecting.is_empty() {
        return Ok(rejected::none());
    }
    let mut texts = Vec::new();
    for part in &rejecting {
        let body = body_of(part.batch)?;
        let found = record_texts(&body, part.rejected.keys().copied());
        texts.extend(found.ok_or_else(|| without_text(part.batch))?.into_iter().map(str::to_owned));
    }
    Ok(batch(&rejecting, texts, context).map_err(Blocked::from)?)
}

fn batch(
    parts: &[&Part<'_>],
    texts: Vec<String>,
    context: &LoadContext<'_>,
) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let LoadContext { table, queue, batched_at, .. } = *context;
    let found =
        || parts.iter().flat_map(|part| part.rejected.iter().map(|(record, fault)| (part.batch, *record, fault)));
    let count = texts.len();
    let text = |values: StringArray| Arc::new(values) as ArrayRef;
    let number = |values: Int64Array| Arc::new(values) as ArrayRef;
    let values = vec![
        text(found().map(|(batch, record, _)| Some(generated_key(queue, batch, record as u64))).collect()),
        Arc::new(TimestampMicrosecondArray::from(vec![batched_at; count]).with_timezone("UTC")),
        text(std::iter::repeat_n(Some(table.table()), count).collect()),
        text(found().map(|(_, _, fault)| Some(&fault.reason)).collect()),
        text(found().map(|(_, _, fault)| Some(&fault.pointer)).collect()),
        text(StringArray::from(texts)),
        number(found().map(|(batch, _, _)| Some(batch.cast_signed())).collect()),
        number(found().map(|(_, record, _)| Some((record as u64).cast_signed())).collect()),
    ];
    RecordBatch::try_new(schema(&rejected::columns()), values)
}

fn without_text(batch: u64) -> Blocked {
    Blocked::new(format!(
        "the text of a rejected record was not found in batch {batch} of the queue; this is a defect of selvedge, please \
         report it"
    ))
}
