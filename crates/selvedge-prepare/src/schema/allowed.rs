//! The values an `enum` or a `const` allows.

use selvedge_core::ColumnType;
use serde_json::Value;

use crate::decode::number;
use crate::decode::string::shown;
use crate::schema::limits;

/// Those of one column's type, sorted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Allowed {
    Booleans(Vec<bool>),
    /// Numbers as integers at the column's scale.
    Exact(Vec<i128>),
    Doubles(Vec<f64>),
    Texts(Vec<String>),
}

impl Allowed {
    /// Those of `values` that a column of this type may hold.
    pub(crate) fn of(values: &[&Value], column_type: ColumnType) -> Self {
        let values = values.iter().copied();
        match column_type {
            ColumnType::Boolean => Self::Booleans(values.filter_map(Value::as_bool).collect()),
            ColumnType::Integer => Self::Exact(exact(values, 0)),
            ColumnType::Decimal { scale } => Self::Exact(exact(values, scale)),
            ColumnType::Double => {
                let mut doubles: Vec<f64> = values.filter_map(|value| Some(value.as_f64()? + 0.0)).collect();
                doubles.sort_unstable_by(f64::total_cmp);
                Self::Doubles(doubles)
            }
            _ => {
                let mut texts: Vec<String> = values.filter_map(|value| Some(value.as_str()?.to_owned())).collect();
                texts.sort_unstable();
                Self::Texts(texts)
            }
        }
    }

    pub(crate) fn has_boolean(&self, value: bool) -> bool {
        matches!(self, Self::Booleans(allowed) if allowed.contains(&value))
    }

    /// Whether a number is among them whose value as an integer at the column's scale is this.
    pub(crate) fn has_exact(&self, value: i128) -> bool {
        matches!(self, Self::Exact(allowed) if allowed.binary_search(&value).is_ok())
    }

    pub(crate) fn has_double(&self, value: f64) -> bool {
        matches!(self, Self::Doubles(allowed) if allowed.binary_search_by(|known| known.total_cmp(&value)).is_ok())
    }

    pub(crate) fn has_text(&self, value: &str) -> bool {
        matches!(self, Self::Texts(allowed) if allowed.binary_search_by(|known| known.as_str().cmp(value)).is_ok())
    }
}

/// What is said of a value that is not among them.
#[cold]
pub(crate) fn refused(value: &str) -> String {
    format!("{} is not a valid enum value", shown(value))
}

fn exact<'v>(values: impl Iterator<Item = &'v Value>, scale: u8) -> Vec<i128> {
    let mut numbers: Vec<i128> = values.filter_map(|value| number::scaled(&limits::exact(value)?, scale)).collect();
    numbers.sort_unstable();
    numbers
}
