//! The JSON Schema by which values become columns of a type.

use selvedge_core::ColumnType;
use serde_json::{Value, json};

/// The schema of values, nulls among them, that are loaded into columns of this type.
pub(crate) fn json_type(column_type: ColumnType) -> Value {
    match column_type {
        ColumnType::Boolean => json!({"type": ["null", "boolean"]}),
        ColumnType::Integer => json!({"type": ["null", "integer"]}),
        ColumnType::Decimal { scale: 0 } => json!({"type": ["null", "number"], "multipleOf": 1}),
        ColumnType::Decimal { scale } => {
            let unit = format!("1e-{scale}");
            json!({"type": ["null", "number"], "multipleOf": serde_json::from_str::<Value>(&unit).unwrap_or(json!(1))})
        }
        ColumnType::DecimalText => json!({"type": ["null", "string"], "format": "singer.decimal"}),
        ColumnType::Double => json!({"type": ["null", "number"]}),
        ColumnType::String => json!({"type": ["null", "string"]}),
        ColumnType::Timestamp => json!({"type": ["null", "string"], "format": "date-time"}),
        ColumnType::Date => json!({"type": ["null", "string"], "format": "date"}),
        ColumnType::Time => json!({"type": ["null", "string"], "format": "time"}),
        ColumnType::Json => json!({}),
    }
}
