//! Which column of a table the values of a path and type go to, and which columns it needs for them.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use selvedge_core::{Column, ColumnType, Path};

use crate::prepare::Blocked;
use crate::prepare::convert::{self, Numbers};
use crate::prepare::names::{self, Names};
use crate::prepare::policy::{ChangedTypes, DeclaredColumns, FirstType, NewColumns, Policy};
use crate::prepare::sheet::{Rows, Source};
use crate::records::Typing;

/// What decides where values go besides themselves.
pub(crate) struct Rules<'r> {
    /// What the table is called.
    pub(crate) table: &'r str,
    /// What it allows: anything while it is made.
    pub(crate) policy: Policy,
    /// The properties that are keys. Their columns stay as they are.
    pub(crate) keys: &'r [String],
    /// The most columns that properties may have.
    pub(crate) room: usize,
    /// Names no property's column may take.
    pub(crate) reserved: Vec<&'r str>,
}

/// The columns of a table with what goes into each.
pub(crate) struct Placement {
    /// Those it had, in their order, then new ones.
    pub(crate) columns: Vec<Column>,
    /// Of each column, the indices of the sources whose values it takes.
    pub(crate) fed_by: Vec<Vec<usize>>,
    /// The sources for which there was no room.
    pub(crate) overflow: Vec<usize>,
}

/// Places the values of all `sources` that stand in `rows` on the columns of a table that has those `known`.
///
/// Which rows hold them, and in which order, makes no difference: values of a type that has a column go there, then those
/// that share a column, and only then are columns made.
pub(crate) fn place(
    known: &[Column],
    sources: &[Source<'_>],
    rows: &Rows,
    rules: &Rules<'_>,
) -> Result<Placement, Blocked> {
    let mut table = Table::new(known, sources, rows, rules);
    let homeless: Vec<usize> = (0..sources.len()).filter(|index| !table.place_exactly(*index)).collect();
    for index in ordered(homeless, sources) {
        table.place(index)?;
    }
    Ok(Placement { columns: table.columns, fed_by: table.fed_by, overflow: table.overflow })
}

/// Sources in the order of their paths. Of one path, declared types come in the order of the schemas; then doubles, which
/// integers can share, and what else is typed by value.
fn ordered(mut indices: Vec<usize>, sources: &[Source<'_>]) -> Vec<usize> {
    let mut first: HashMap<&Path, usize, RandomState> = HashMap::default();
    for (rank, source) in indices.iter().filter_map(|index| sources.get(*index)).enumerate() {
        first.entry(source.path).or_insert(rank);
    }
    let by_value = |source: &Source<'_>| {
        (source.typing == Typing::ByValue).then_some((source.column_type != ColumnType::Double, source.column_type))
    };
    indices.sort_by_key(|index| sources.get(*index).map(|source| (first.get(source.path).copied(), by_value(source))));
    indices
}

/// Whether a column can take values of another type, and the type it has then.
pub(crate) fn shared(
    column: Numbers,
    source: Numbers,
    typing: Typing,
    changed_types: ChangedTypes,
) -> Option<ColumnType> {
    use ColumnType::Decimal;
    match (column.column_type, source.column_type) {
        (column_type, same) if column_type == same => Some(column_type),
        _ if changed_types == ChangedTypes::Widen => convert::common_number(column, source),
        (Decimal { .. }, Decimal { .. }) => convert::common_decimal(column, source),
        _ if typing == Typing::ByValue => convert::common_double(column, source),
        _ => None,
    }
}

/// Whether a column can become one of this type: its name must not tell of another one.
pub(crate) fn can_become(column: &Column, column_type: ColumnType) -> bool {
    column.column_type.split_suffix() == column_type.split_suffix() || !is_named_by_type(column)
}

fn is_named_by_type(column: &Column) -> bool {
    let named = |path: &Path| column.name.starts_with(&names::split(path, column.column_type));
    column.path.as_ref().is_some_and(named)
}

/// A table whose columns are being found.
struct Table<'t> {
    sources: &'t [Source<'t>],
    rows: &'t Rows,
    rules: &'t Rules<'t>,
    columns: Vec<Column>,
    fed_by: Vec<Vec<usize>>,
    overflow: Vec<usize>,
    /// The columns of each path.
    by_path: HashMap<&'t Path, Vec<usize>, RandomState>,
    /// How many columns properties have.
    taken: usize,
    /// Made when the first new column needs one.
    names: Option<Names>,
}

impl<'t> Table<'t> {
    fn new(known: &'t [Column], sources: &'t [Source<'t>], rows: &'t Rows, rules: &'t Rules<'t>) -> Self {
        let mut by_path: HashMap<&Path, Vec<usize>, RandomState> = HashMap::default();
        let mut taken = 0;
        for (index, column) in known.iter().enumerate() {
            if let Some(path) = &column.path {
                by_path.entry(path).or_default().push(index);
                taken += 1;
            }
        }
        let fed_by = vec![Vec::new(); known.len()];
        Self {
            sources,
            rows,
            rules,
            columns: known.to_vec(),
            fed_by,
            overflow: Vec::new(),
            by_path,
            taken,
            names: None,
        }
    }

    /// Places a source on the column of its own type, if there is one.
    fn place_exactly(&mut self, index: usize) -> bool {
        let Some(source) = self.sources.get(index) else { return true };
        let is_own = |column: &usize| self.columns.get(*column).is_some_and(|c| c.column_type == source.column_type);
        match self.of_path(source.path).iter().copied().find(is_own) {
            Some(column) => {
                self.feed(column, index);
                true
            }
            None => false,
        }
    }

    fn place(&mut self, index: usize) -> Result<(), Blocked> {
        let Some(source) = self.sources.get(index) else { return Ok(()) };
        if self.place_exactly(index) {
            return Ok(());
        }
        let has_values = source.has_values(self.rows);
        if let Some((column, column_type)) = self.sharing(source) {
            if has_values {
                self.widen(column, column_type);
                self.feed(column, index);
            }
            return Ok(());
        }
        let is_split = !self.of_path(source.path).is_empty();
        let is_wanted = if has_values {
            is_split || self.takes_new_columns(source)?
        } else {
            self.is_wanted_empty(source, is_split)
        };
        if is_wanted && self.taken < self.rules.room {
            self.add(index, source);
        } else if is_wanted && has_values {
            self.overflow.push(index);
        }
        Ok(())
    }

    fn of_path(&self, path: &Path) -> &[usize] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    fn feed(&mut self, column: usize, source: usize) {
        if let Some(fed_by) = self.fed_by.get_mut(column) {
            fed_by.push(source);
        }
    }

    /// The column of another type that can take the values of a source, and the type it has then: one that has it already
    /// before one that has to be widened.
    fn sharing(&self, source: &Source<'_>) -> Option<(usize, ColumnType)> {
        let standing = self.of_path(source.path);
        if standing.is_empty() {
            return None;
        }
        let numbers = Numbers { column_type: source.column_type, digits: source.digits(self.rows) };
        let found = |index: &usize| {
            let column = self.columns.get(*index)?;
            let held = Numbers { column_type: column.column_type, digits: self.digits(*index, column) };
            let column_type = shared(held, numbers, source.typing, self.rules.policy.changed_types)?;
            Some((*index, column, column_type))
        };
        let found = standing.iter().filter_map(found);
        let wide = found.clone().find(|(_, column, column_type)| column.column_type == *column_type);
        let widened = || {
            let can_be = |(_, column, column_type): &(usize, &Column, ColumnType)| {
                !self.is_key(source.path) && can_become(column, *column_type)
            };
            found.clone().find(can_be)
        };
        wide.or_else(widened).map(|(index, _, column_type)| (index, column_type))
    }

    /// The most digits before the point of what is in a column, once the sources placed on it so far are.
    fn digits(&self, index: usize, column: &Column) -> u8 {
        let placed = self.fed_by.get(index).into_iter().flatten().filter_map(|source| self.sources.get(*source));
        placed.map(|source| source.digits(self.rows)).fold(column.digits, u8::max)
    }

    fn widen(&mut self, index: usize, column_type: ColumnType) {
        if let Some(column) = self.columns.get_mut(index) {
            column.column_type = column_type;
        }
    }

    fn is_key(&self, path: &Path) -> bool {
        matches!(path.0.as_slice(), [name] if self.rules.keys.contains(name))
    }

    fn takes_new_columns(&self, source: &Source<'_>) -> Result<bool, Blocked> {
        match self.rules.policy.new_columns {
            NewColumns::Evolve => Ok(true),
            NewColumns::DiscardColumn | NewColumns::DiscardRecord => Ok(false),
            NewColumns::Freeze => {
                Err(frozen(&format!("column `{}` of {}", names::plain(source.path), self.rules.table)))
            }
        }
    }

    /// Whether there is to be a column before it has a value.
    fn is_wanted_empty(&self, source: &Source<'_>, is_split: bool) -> bool {
        let Policy { new_columns, changed_types, declared_columns, .. } = self.rules.policy;
        let is_allowed =
            if is_split { changed_types != ChangedTypes::Reject } else { new_columns == NewColumns::Evolve };
        let is_declared = source.typing == Typing::Declared && declared_columns == DeclaredColumns::AtOnce;
        // Records that hold a value at a path with such a name are rejected, so the column would stay empty.
        let is_possible = || !names::ends_as_split(&names::plain(source.path));
        self.is_key(source.path) || (is_allowed && is_declared && is_possible())
    }

    fn add(&mut self, index: usize, source: &'t Source<'t>) {
        let Source { path, column_type, .. } = *source;
        let standing = self.of_path(path).to_vec();
        let wanted = if standing.is_empty() { names::plain(path) } else { names::split(path, column_type) };
        if self.rules.policy.first_type == FirstType::IsRenamed {
            standing.into_iter().for_each(|column| self.rename(column, path));
        }
        let name = self.names().take_column(wanted, path, column_type);
        self.by_path.entry(path).or_default().push(self.columns.len());
        self.columns.push(Column::new(name, Some(path.clone()), column_type));
        self.fed_by.push(vec![index]);
        self.taken += 1;
    }

    /// Calls a column by its type, unless it is so called already, or is a key.
    fn rename(&mut self, index: usize, path: &Path) {
        let is_due = |column: &&Column| !self.is_key(path) && !is_named_by_type(column);
        let Some(column_type) = self.columns.get(index).filter(is_due).map(|column| column.column_type) else { return };
        let name = self.names().take_column(names::split(path, column_type), path, column_type);
        if let Some(column) = self.columns.get_mut(index) {
            column.name = name;
        }
    }

    fn names(&mut self) -> &mut Names {
        let taken = || {
            let standing = self.columns.iter().map(|column| column.name.as_str());
            Names::new(standing.chain(self.rules.reserved.iter().copied()))
        };
        self.names.get_or_insert_with(taken)
    }
}

/// Why a table is not loaded that would need what its policy does not allow.
pub(crate) fn frozen(what: &str) -> Blocked {
    Blocked::new(format!(
        "the records need the new {what}, but the table takes none: its policy for new columns is `freeze`. Its batches \
         wait; to load them, start again with `evolve`, or with `discard_column` or `discard_record` to do without"
    ))
}
