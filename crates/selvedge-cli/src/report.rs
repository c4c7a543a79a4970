//! What became of the records of this run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use selvedge::{Progress, TableName, TableProgress, Tally};
use serde_json::{Map, Value, json};

use crate::refused::Refused;

/// The counts of one run. [`Display`](fmt::Display) makes it a text for people.
#[derive(Debug)]
pub(crate) struct Report {
    destinations: Vec<(String, BTreeMap<TableName, Tally>)>,
    took: Duration,
}

impl Report {
    /// The report of a run that took so long. `repeated` holds the records that were not loaded again.
    pub(crate) fn new(
        destinations: &[String],
        progress: &Progress,
        repeated: &BTreeMap<TableName, u64>,
        took: Duration,
    ) -> Self {
        let tables = |name: &String| {
            let of_engine = progress.tables.iter().filter(|table| table.destination == *name);
            let mut tables: BTreeMap<TableName, Tally> =
                of_engine.map(|TableProgress { table, tally, .. }| (table.clone(), *tally)).collect();
            for (table, records) in repeated {
                tables.entry(table.clone()).or_default().repeated += records;
            }
            tables.retain(|_, tally| *tally != Tally::default());
            (name.clone(), tables)
        };
        Self { destinations: destinations.iter().map(tables).collect(), took }
    }

    /// Whether a destination kept a record aside.
    pub(crate) fn has_rejected(&self) -> bool {
        self.destinations.iter().flat_map(|(_, tables)| tables.values()).any(|tally| tally.rejected > 0)
    }

    /// The report as a JSON object.
    pub(crate) fn to_json(&self, refused: Option<&Refused>) -> Value {
        let tables = |tables: &BTreeMap<TableName, Tally>| -> Map<String, Value> {
            tables.iter().map(|(table, tally)| (table.to_string(), counts(tally))).collect()
        };
        let destinations: Map<String, Value> =
            self.destinations.iter().map(|(name, found)| (name.clone(), json!({"tables": tables(found)}))).collect();
        let milliseconds = (self.took.as_secs_f64() * 1_000.0).round();
        let mut report = json!({"destinations": destinations, "seconds": milliseconds / 1_000.0});
        if let (Some(refused), Some(report)) = (refused, report.as_object_mut()) {
            report.insert("refused".to_owned(), json!(refused));
        }
        report
    }
}

fn counts(tally: &Tally) -> Value {
    let Tally { accepted, loaded, superseded, rejected, waiting, repeated } = tally;
    json!({
        "accepted": accepted,
        "loaded": loaded,
        "superseded": superseded,
        "rejected": rejected,
        "waiting": waiting,
        "repeated": repeated,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, tables) in &self.destinations {
            writeln!(f, "{name}")?;
            for (table, tally) in tables {
                writeln!(f, "  {table}: {}", sentence(tally))?;
            }
        }
        write!(f, "in {:.2} s", self.took.as_secs_f64())
    }
}

/// The counts that say something.
fn sentence(tally: &Tally) -> String {
    let Tally { accepted: _, loaded, superseded, rejected, waiting, repeated } = *tally;
    let counts = [
        (loaded, "loaded"),
        (superseded, "superseded by newer versions"),
        (rejected, "rejected"),
        (waiting, "waiting in the queue"),
        (repeated, "loaded before"),
    ];
    let told: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let name = |table: &str| TableName::new(None, table).unwrap();
        let tally = Tally { accepted: 5, loaded: 3, superseded: 2, ..Tally::default() };
        let table = |table: &str, tally: Tally| TableProgress {
            destination: "sqlite:a.db".to_owned(),
            table: name(table),
            tally,
            condition: None,
            alarm: None,
            warnings: Vec::new(),
        };
        let progress = Progress { tables: vec![table("orders", tally), table("idle", Tally::default())] };
        let destinations = ["sqlite:a.db".to_owned(), "parquet:lake".to_owned()];
        let repeated = BTreeMap::from([(name("users"), 7)]);
        Report::new(&destinations, &progress, &repeated, Duration::from_micros(1_234_567))
    }

    #[test]
    fn for_programs() {
        let none = json!({"accepted": 0, "loaded": 0, "superseded": 0, "rejected": 0, "waiting": 0, "repeated": 7});
        let some = json!({"accepted": 5, "loaded": 3, "superseded": 2, "rejected": 0, "waiting": 0, "repeated": 0});
        let expected = json!({
            "destinations": {
                "sqlite:a.db": {"tables": {"orders": some, "users": none}},
                "parquet:lake": {"tables": {"users": none}},
            },
            "seconds": 1.235,
        });
        assert_eq!(report().to_json(None).to_string(), expected.to_string());
    }

    #[test]
    fn for_people() {
        let expected = "sqlite:a.db\n  orders: 3 loaded, 2 superseded by newer versions\n  users: 7 loaded before\n\
                        parquet:lake\n  users: 7 loaded before\nin 1.23 s";
        assert_eq!(report().to_string(), expected);
    }
}
