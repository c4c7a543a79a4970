//! The rows of the subtables: the elements of the arrays in the records that are loaded.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, UInt32Array};
use arrow_select::take::take;
use foldhash::fast::RandomState;
use selvedge_core::{ArrayPath, Column, ColumnType, Subtable, SubtableLoad, level_id, system};

use crate::decode::reading::MAX_COLUMNS;
use crate::prepare::elements::Layer;
use crate::prepare::names::{self, Names};
use crate::prepare::placement::{Rules, frozen};
use crate::prepare::policy::{DeclaredColumns, NewColumns, Policy};
use crate::prepare::shape::{Own, Shaped, shape};
use crate::prepare::sheet::{Rows, Sheet};
use crate::prepare::{Blocked, LoadContext};
use crate::records::Typing;

/// The root's rows of a load, and what their subrows need to know of them.
pub(crate) struct Root<'r> {
    pub(crate) rows: &'r Rows,
    pub(crate) shaped: &'r Shaped,
    /// The names of the key columns.
    pub(crate) keys: &'r [String],
}

/// The elements that come to a subtable.
struct Incoming<'l> {
    layer: Option<&'l Layer<'l>>,
    rows: Rows,
    /// The index of the root's row that each belongs to.
    roots: UInt32Array,
}

/// What the load brings to each subtable: those the table has, in their order, then new ones.
pub(crate) fn subtables(
    context: &LoadContext<'_>,
    layers: &[Layer<'_>],
    root: &Root<'_>,
) -> Result<Vec<SubtableLoad>, Blocked> {
    let known = context.planned_on.map_or(&[][..], |state| &state.subtables);
    let mut by_path: HashMap<&ArrayPath, &Layer<'_>, RandomState> =
        layers.iter().map(|layer| (layer.path, layer)).collect();
    let mut loads = Vec::with_capacity(known.len());
    for subtable in known {
        let incoming = Incoming::new(by_path.remove(&subtable.source), root);
        let Subtable { name, source, columns } = subtable;
        loads.push(load(context, root, (name.clone(), source), Some(columns), &incoming)?);
    }
    let mut names = Names::new(known.iter().map(|subtable| subtable.name.as_str()));
    for layer in layers.iter().filter(|layer| by_path.contains_key(layer.path)) {
        let incoming = Incoming::new(Some(layer), root);
        let mut name = || names.take_subtable(context.table, layer.path);
        if is_made(context, layer, &incoming, &mut name)? {
            loads.push(load(context, root, (name(), layer.path), None, &incoming)?);
        }
    }
    Ok(loads)
}

/// Whether a subtable is made for these elements.
fn is_made(
    context: &LoadContext<'_>,
    layer: &Layer<'_>,
    incoming: &Incoming<'_>,
    name: impl FnOnce() -> String,
) -> Result<bool, Blocked> {
    let Policy { new_columns, declared_columns, .. } = context.policy;
    let has_rows = !incoming.roots.is_empty();
    match new_columns {
        NewColumns::Freeze if context.planned_on.is_some() && has_rows => Err(frozen(&format!("subtable {}", name()))),
        _ if context.planned_on.is_some() && new_columns != NewColumns::Evolve => Ok(false),
        _ => Ok(has_rows || (layer.typing == Typing::Declared && declared_columns == DeclaredColumns::AtOnce)),
    }
}

impl<'l> Incoming<'l> {
    fn new(layer: Option<&'l Layer<'l>>, root: &Root<'_>) -> Self {
        let (rows, roots) = layer.map(|layer| layer.of_records(root.rows)).unwrap_or_default();
        Self { layer, rows, roots: UInt32Array::from(roots) }
    }
}

/// What comes to the subtable of this name and place, which has the columns `known` if it stands.
fn load(
    context: &LoadContext<'_>,
    root: &Root<'_>,
    (name, source): (String, &ArrayPath),
    known: Option<&Vec<Column>>,
    incoming: &Incoming<'_>,
) -> Result<SubtableLoad, Blocked> {
    let own = own(root, source, incoming)?;
    let own_names = own.iter().map(|own| own.column.name.clone());
    let reserved: BTreeSet<String> =
        own_names.chain([system::TABLE_VERSION, system::EXTRA].map(str::to_owned)).collect();
    let rules = Rules {
        table: &name,
        policy: if known.is_some() { context.policy } else { context.policy.of_first_load() },
        keys: &[],
        room: MAX_COLUMNS.saturating_sub(reserved.len()),
        reserved: reserved.iter().map(String::as_str).collect(),
    };
    let (sources, extra) = incoming.layer.map_or((&[][..], &[][..]), |layer| (&layer.sources, &layer.extra));
    let sheet = Sheet { sources, extra, rows: &incoming.rows };
    let Shaped { columns, changes, rows } = shape(known.map(Vec::as_slice), &sheet, &rules, own)?;
    let subtable = Subtable { name, source: source.clone(), columns };
    Ok(SubtableLoad { subtable, changes, rows, roots: incoming.roots.clone() })
}

/// Selvedge's own columns: the keys of the root's rows, where the elements stand, and what is noted of their records.
fn own(root: &Root<'_>, source: &ArrayPath, incoming: &Incoming<'_>) -> Result<Vec<Own>, Blocked> {
    let of_root = |name: &str, own_name: String| {
        let columns = &root.shaped.columns;
        let Some(index) = columns.iter().position(|column| column.name == name) else { return Ok(None) };
        let column_type = columns.get(index).map_or(ColumnType::String, |column| column.column_type);
        let values = take(root.shaped.rows.column(index), &incoming.roots, None)?;
        Ok::<_, Blocked>(Some(Own::new(own_name, column_type, values)))
    };
    let mut own = Vec::new();
    let generated = [system::PRIMARY_KEY.to_owned()];
    for key in if root.keys.is_empty() { &generated } else { root.keys } {
        own.extend(of_root(key, names::source_key(key))?);
    }
    let level_ids = incoming.layer.map(|layer| layer.level_ids(&incoming.rows));
    let mut level_ids = level_ids.into_iter().flatten();
    for level in 0..source.levels() {
        let ids = Int64Array::from(level_ids.next().unwrap_or_default());
        own.push(Own::new(level_id(level), ColumnType::Integer, Arc::new(ids) as ArrayRef));
    }
    for name in [system::RECEIVED_AT, system::BATCHED_AT, system::SEQUENCE, system::TABLE_VERSION] {
        own.extend(of_root(name, name.to_owned())?);
    }
    Ok(own)
}
