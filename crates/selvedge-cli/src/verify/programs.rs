//! What was found, for programs.

use std::collections::BTreeMap;

use selvedge::{Comparison, Counted, Counts, Difference, Differences, Discrepancy, Obstacle, TableName, Value as Cell};
use serde_json::{Map, Value, json};

use crate::verify::{Findings, accepted, holds};

/// The findings as a JSON object.
pub(super) fn report(findings: &Findings) -> Value {
    let destinations: Map<String, Value> = findings
        .recounted
        .iter()
        .map(|(name, tables)| (name.clone(), json!({"tables": by_table(tables, recounted)})))
        .collect();
    let mut report = json!({"holds": findings.hold(), "destinations": destinations});
    if let (Some(tables), Some(report)) = (&findings.compared, report.as_object_mut()) {
        report.insert("compared".to_owned(), by_table(tables, compared).into());
    }
    report
}

fn by_table<T>(tables: &BTreeMap<TableName, T>, describe: impl Fn(&T) -> Value) -> Map<String, Value> {
    tables.iter().map(|(table, found)| (table.to_string(), describe(found))).collect()
}

fn recounted(counted: &Counted) -> Value {
    let Counts { loaded, superseded, rejected, live_rows } = counted.state.counts;
    let position = counted.state.position;
    json!({
        "holds": holds(counted),
        "queue": position.queue.to_string(),
        "batch": position.batch,
        "record": position.record,
        "accepted": accepted(counted),
        "loaded": loaded,
        "superseded": superseded,
        "rejected": rejected,
        "rows": live_rows,
        "counted": counted.rows,
    })
}

fn compared(comparison: &Comparison) -> Value {
    match comparison {
        Comparison::Same { rows } => json!({"verdict": "same", "rows": rows}),
        Comparison::Different(Differences { keys_min, examples }) => {
            let examples: Vec<Value> = examples.iter().map(example).collect();
            json!({"verdict": "different", "keys_min": keys_min, "examples": examples})
        }
        Comparison::NotComparable(obstacle) => json!({"verdict": "not_comparable", "obstacle": name(obstacle)}),
    }
}

fn example(Difference { key, discrepancy }: &Difference) -> Value {
    let key: Vec<Value> = key.iter().map(cell).collect();
    match discrepancy {
        Discrepancy::Rows { left, right } => json!({"key": key, "rows": [left, right]}),
        Discrepancy::Places(places) => json!({"key": key, "places": places}),
    }
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Boolean(value) => (*value).into(),
        Cell::Integer(value) => (*value).into(),
        Cell::Decimal(text) | Cell::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

fn name(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::NeverLoaded(_) => "never_loaded",
        Obstacle::Positions { .. } => "positions",
        Obstacle::Accepted { .. } => "accepted",
        Obstacle::Loading(_) => "loading",
    }
}
