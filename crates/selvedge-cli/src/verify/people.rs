//! What was found, for people.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use selvedge::{
    Comparison, Counted, Counts, Difference, Differences, Discrepancy, Obstacle, Position, Side, TableName,
};

use crate::columns::{Align, align, plural};
use crate::verify::{Findings, accepted};

const HEADER: [&str; 9] =
    ["table", "batch", "accepted", "loaded", "superseded", "rejected", "rows", "counted", "verdict"];

/// The names of the two destinations that were compared.
struct Names<'f> {
    left: &'f str,
    right: &'f str,
}

/// The findings, line by line.
pub(super) fn lines(findings: &Findings) -> Vec<String> {
    let mut lines = Vec::new();
    for (destination, tables) in &findings.recounted {
        lines.push(destination.clone());
        lines.extend(recounted(tables).into_iter().map(indented));
    }
    if let (Some(compared), [(left, _), (right, _)]) = (&findings.compared, &findings.recounted[..]) {
        lines.push(format!("{left} and {right}"));
        lines.extend(Names { left, right }.compared(compared).into_iter().map(indented));
    }
    lines
}

fn indented(line: String) -> String {
    format!("  {line}")
}

fn recounted(tables: &BTreeMap<TableName, Counted>) -> Vec<String> {
    if tables.is_empty() {
        return vec!["nothing was loaded".to_owned()];
    }
    let header = HEADER.map(str::to_owned);
    let rows: Vec<[String; 9]> =
        [header].into_iter().chain(tables.iter().map(|(table, counted)| row(table, counted))).collect();
    let [left, right] = [Align::Left, Align::Right];
    align([left, right, right, right, right, right, right, right, left], &rows)
}

fn row(table: &TableName, counted: &Counted) -> [String; 9] {
    let Counts { loaded, superseded, rejected, live_rows } = counted.state.counts;
    let batch = counted.state.position.batch;
    let numbers = [batch, accepted(counted), loaded, superseded, rejected, live_rows, counted.rows];
    let [batch, accepted, loaded, superseded, rejected, live_rows, rows] = numbers.map(|number| number.to_string());
    [table.to_string(), batch, accepted, loaded, superseded, rejected, live_rows, rows, verdict(counted)]
}

/// Some places of a row: one that lacks an array may differ at thousands.
fn few(places: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = places.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn verdict(counted: &Counted) -> String {
    let committed = counted.state.counts.live_rows;
    let rows = plural(counted.rows.abs_diff(committed), "row");
    match counted.rows.cmp(&committed) {
        Ordering::Equal => "holds".to_owned(),
        Ordering::Less => format!("{rows} missing"),
        Ordering::Greater => format!("{rows} too many"),
    }
}

impl Names<'_> {
    fn compared(&self, tables: &BTreeMap<TableName, Comparison>) -> Vec<String> {
        let rows: Vec<[String; 2]> =
            tables.iter().map(|(table, comparison)| [table.to_string(), self.verdict(comparison)]).collect();
        let lines = align([Align::Left, Align::Left], &rows);
        let examples = tables.values().map(|comparison| self.examples(comparison));
        lines.into_iter().zip(examples).flat_map(|(line, examples)| [vec![line], examples].concat()).collect()
    }

    fn verdict(&self, comparison: &Comparison) -> String {
        match comparison {
            Comparison::Same { rows } => format!("{}, the same in both", plural(*rows, "row")),
            Comparison::Different(Differences { keys_min: 1, .. }) => "at least 1 key differs".to_owned(),
            Comparison::Different(Differences { keys_min, .. }) => format!("at least {keys_min} keys differ"),
            Comparison::NotComparable(obstacle) => format!("not compared: {}", self.obstacle(obstacle)),
        }
    }

    fn examples(&self, comparison: &Comparison) -> Vec<String> {
        let Comparison::Different(Differences { examples, .. }) = comparison else { return Vec::new() };
        examples.iter().map(|example| indented(self.example(example))).collect()
    }

    fn example(&self, Difference { key, discrepancy }: &Difference) -> String {
        let Self { left, right } = self;
        let key: Vec<String> = key.iter().map(ToString::to_string).collect();
        let what = match discrepancy {
            Discrepancy::Rows { left: 0, .. } => format!("missing in {left}"),
            Discrepancy::Rows { right: 0, .. } => format!("missing in {right}"),
            Discrepancy::Rows { left: rows, right: others } => {
                format!("{rows} times in {left}, {others} times in {right}")
            }
            Discrepancy::Places(places) => format!("differs at {}", few(places)),
        };
        format!("key {}: {what}", key.join(", "))
    }

    /// Why a table was not compared, and what to do about it.
    fn obstacle(&self, obstacle: &Obstacle) -> String {
        let Self { left, right } = self;
        match obstacle {
            Obstacle::NeverLoaded(side) => format!("it was never loaded into {}", self.name(*side)),
            Obstacle::Loading(side) => {
                format!("somebody loaded it into {} meanwhile; verify again when nobody does", self.name(*side))
            }
            Obstacle::Accepted { left: records, right: others } => format!(
                "{left} was given {}, {right} {others}; one of them was added later, or took the table over from another \
                 queue",
                plural(*records, "record"),
            ),
            Obstacle::Positions { left, right } => self.positions(left, right),
        }
    }

    fn positions(&self, of_left: &Position, of_right: &Position) -> String {
        let Self { left, right } = self;
        let shown = |position: &Position| format!("batch {}, record {}", position.batch, position.record);
        if of_left.queue != of_right.queue {
            return format!("{left} was loaded from queue {}, {right} from queue {}", of_left.queue, of_right.queue);
        }
        if of_left.batch == of_right.batch && of_left.epoch != of_right.epoch {
            let batch = of_left.batch;
            return format!(
                "they were loaded from two copies of one queue, and batch {batch} is another in each of them"
            );
        }
        format!(
            "{left} is at {}, {right} at {}; verify again when both have loaded everything",
            shown(of_left),
            shown(of_right)
        )
    }

    fn name(&self, side: Side) -> &str {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }
}
