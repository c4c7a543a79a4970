//! The view in which a path whose values are of several types is one column.

use std::collections::HashMap;

use selvedge_core::{Column, ColumnType, DECIMAL_PRECISION, Path, TableName};

use crate::{Dialect, quote};

/// Digits of the greatest integer of 64 bits.
const INTEGER_DIGITS: u8 = 19;

impl Dialect {
    /// The statement that makes a view of a table: selvedge's columns, but for a path that has several, one of its plain name.
    ///
    /// In each row at most one of those has a value, which is shown
    /// - as it is, where they are integers and doubles. Where a column has one type, that is the database's for both: a double;
    /// - as a decimal, where they are integers and decimals of at most 19 digits after the point;
    /// - otherwise as the text the database casts it to, booleans as `true` and `false`. An old SQLite cuts doubles to 15 digits.
    ///
    /// Columns that others added are not in the view.
    pub fn coalescing_view(&self, view: &TableName, table: &TableName, columns: &[Column]) -> String {
        format!("CREATE VIEW {} AS {}", self.table(view), self.coalescing_query(table, columns))
    }

    /// The query of that view.
    pub fn coalescing_query(&self, table: &TableName, columns: &[Column]) -> String {
        let items: Vec<String> = by_path(columns).iter().map(|group| self.shown(group, columns)).collect();
        format!("SELECT {} FROM {} AS t", items.join(", "), self.table(table))
    }

    fn shown(&self, group: &[&Column], all: &[Column]) -> String {
        if let [column] = group {
            return stored(column);
        }
        let values: Vec<String> = match Shown::of(group) {
            Shown::AsTheyAre => group.iter().map(|column| stored(column)).collect(),
            Shown::As(decimal) => group.iter().map(|column| self.cast(&stored(column), decimal)).collect(),
            Shown::AsText => group.iter().map(|column| text(column)).collect(),
        };
        format!("coalesce({}) AS {}", values.join(", "), quote(plain_name(group, all)))
    }
}

/// How the values of one path are shown.
enum Shown {
    AsTheyAre,
    As(ColumnType),
    AsText,
}

impl Shown {
    fn of(group: &[&Column]) -> Self {
        let mut decimal = None;
        let mut has_doubles = false;
        for column in group {
            match column.column_type {
                ColumnType::Integer => {}
                ColumnType::Double => has_doubles = true,
                ColumnType::Decimal { scale } if decimal.is_none() && scale <= DECIMAL_PRECISION - INTEGER_DIGITS => {
                    decimal = Some(column.column_type);
                }
                _ => return Self::AsText,
            }
        }
        match decimal {
            None => Self::AsTheyAre,
            Some(decimal) if !has_doubles => Self::As(decimal),
            Some(_) => Self::AsText,
        }
    }
}

/// A column of the table, which is never taken for a text even if it is missing.
fn stored(column: &Column) -> String {
    format!("t.{}", quote(&column.name))
}

fn text(column: &Column) -> String {
    let stored = stored(column);
    if column.column_type == ColumnType::Boolean {
        return format!("CASE WHEN {stored} THEN 'true' WHEN NOT {stored} THEN 'false' END");
    }
    format!("CAST({stored} AS TEXT)")
}

/// The columns of each path, in the order of the first of them. Each that comes from no path stands alone.
fn by_path(columns: &[Column]) -> Vec<Vec<&Column>> {
    let mut groups: Vec<Vec<&Column>> = Vec::new();
    let mut group_of: HashMap<&Path, usize> = HashMap::new();
    for column in columns {
        let group = column.path.as_ref().map_or(groups.len(), |path| *group_of.entry(path).or_insert(groups.len()));
        match groups.get_mut(group) {
            Some(group) => group.push(column),
            None => groups.push(vec![column]),
        }
    }
    groups
}

/// The name of the column that has no suffix, or what is left of the first one's without it.
fn plain_name<'c>(group: &[&'c Column], all: &[Column]) -> &'c str {
    let names = || group.iter().map(|column| column.name.as_str());
    let plain = names().find(|name| without_suffix(name).is_none()).or_else(|| {
        let free = |name: &&str| all.iter().all(|column| !column.name.eq_ignore_ascii_case(name));
        names().next().and_then(without_suffix).filter(free)
    });
    plain.or_else(|| names().next()).unwrap_or_default()
}

/// The name without the suffix of a split. It need not be that of the column's type, which may have been widened since.
fn without_suffix(name: &str) -> Option<&str> {
    const TYPES: [ColumnType; 9] = [
        ColumnType::Boolean,
        ColumnType::Integer,
        ColumnType::DecimalText,
        ColumnType::Double,
        ColumnType::String,
        ColumnType::Timestamp,
        ColumnType::Date,
        ColumnType::Time,
        ColumnType::Json,
    ];
    TYPES.iter().find_map(|column_type| name.strip_suffix(column_type.split_suffix()))
}
