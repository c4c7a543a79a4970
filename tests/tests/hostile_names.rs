//! Names that would break out: of an identifier, of a statement, of a folder. They come back as they were sent, and nothing stands
//! in the destinations, or beside them, that should not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use selvedge::{
    Batch, Engine, EngineErrorKind, Inspect, IntegrationName, LogicalRow, TableName, Value, duckdb, logical_view,
    parquet, sqlite,
};
use serde_json::json;

/// What names are made of here.
const PIECES: [&str; 40] = [
    "\"",
    "'",
    "`",
    "[",
    "]",
    ";",
    "--",
    "/*",
    "*/",
    "\\",
    "/",
    "../",
    "..\\",
    ".",
    "..",
    "~",
    "%2e%2e%2f",
    "\0",
    "\n",
    "\r\n",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{85}",
    "DROP TABLE victim",
    "\"; DROP TABLE victim; --",
    "');--",
    "select",
    "rowid",
    "1",
    " ",
    "CON",
    "NUL:",
    "$(touch x)",
    "é",
    "e\u{301}",
    "ﬃ",
    "🧵",
];

/// Names, long ones among them.
fn name() -> impl Strategy<Value = String> {
    let pieces = vec(prop_oneof![4 => select(PIECES.to_vec()).prop_map(str::to_owned), 1 => any::<String>()], 0..5);
    (pieces, prop_oneof![9 => Just(1), 1 => 50..5_000_usize]).prop_map(|(pieces, times)| {
        let mut name = pieces.concat().repeat(times);
        let end = (0..=name.len().min(10_000)).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        name.truncate(end);
        name
    })
}

/// Loads records with these names in all places a sender has for them, and looks at everything that stands then.
fn check(names: &[String]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    make_victims(&inside);
    let engine = start(&inside);
    let mut expected = BTreeMap::new();
    let mut rejected = 0;
    for (name, id) in names.iter().zip(1..) {
        let records = [
            (json!({"id": id, (name): 1}), vec![(pointer(&[name]), 1)]),
            (json!({"id": -id, (name): {(name): 2}}), vec![(pointer(&[name, name]), 2)]),
            (
                json!({"id": 1_000 * id, (name): [3, {(name): [4]}]}),
                vec![(pointer(&[name, "0"]), 3), (pointer(&[name, "1", name, "0"]), 4)],
            ),
        ];
        for (record, values) in records {
            let batch =
                Batch::new("t", &["id"], &json!({"properties": {"id": {"type": "integer"}}})).upsert(1, &record);
            match engine.push(batch) {
                Err(error) => {
                    prop_assert_eq!(error.kind(), EngineErrorKind::Refused);
                    prop_assert!(is_own(name), "{:?}: {}", name, error);
                }
                Ok(_) if values.len() == 1 && is_reserved(name) => rejected += 1,
                Ok(_) => {
                    drop(expected.insert(vec![Value::Integer(record["id"].as_i64().unwrap())], row(&record, values)))
                }
            }
        }
    }
    let (mut tables, mut integrations) = (BTreeSet::from(["t".to_owned()]), BTreeSet::new());
    for name in names {
        push_to(&engine, Batch::new(name, &[], &json!({})), &mut tables, name)?;
        if let Ok(integration) = IntegrationName::new(name.as_str()) {
            let batch = Batch::new("u", &[], &json!({})).integration(integration);
            push_to(&engine, batch, &mut integrations, name)?;
        }
    }
    let left = engine.flush(Duration::from_secs(120)).unwrap();
    // Names that differ in case alone are one to some destinations, and the second of them is refused.
    prop_assert!(left.iter().all(|waiting| folds(waiting.table.table(), &tables)), "{:?}", left);
    drop(engine);

    for (kind, mut destination) in look(&inside) {
        let view = logical_view(&mut *destination, &TableName::new(None, "t").unwrap()).unwrap().unwrap();
        prop_assert_eq!(&view.rows, &expected, "in {}", kind);
        let state = destination.count(&TableName::new(None, "t").unwrap()).unwrap().unwrap().state;
        prop_assert_eq!(state.counts.rejected, rejected, "in {}", kind);
    }
    check_surroundings(folder.path(), &inside, &tables, &integrations)
}

fn push_to(engine: &Engine, batch: Batch, taken: &mut BTreeSet<String>, name: &str) -> Result<(), TestCaseError> {
    match engine.push(batch.upsert(1, &json!({"v": 1}))) {
        Ok(_) => drop(taken.insert(name.to_owned())),
        Err(error) => prop_assert_eq!(error.kind(), EngineErrorKind::Refused),
    }
    Ok(())
}

fn folds(table: &str, tables: &BTreeSet<String>) -> bool {
    tables.iter().filter(|other| other.to_lowercase() == table.to_lowercase()).count() > 1 || table == "u"
}

/// Whether a property of that name is selvedge's own.
fn is_own(name: &str) -> bool {
    let name = name.to_lowercase();
    ["_sdc", "__sdc", "_rjm"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether its column would be called as one of a split path.
fn is_reserved(name: &str) -> bool {
    let end = name.to_lowercase();
    ["__bi", "__bo", "__de", "__do", "__st", "__ti", "__da", "__tm", "__js"].iter().any(|suffix| end.ends_with(suffix))
}

fn pointer(path: &[&str]) -> String {
    path.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
}

fn row(record: &serde_json::Value, values: Vec<(String, i64)>) -> LogicalRow {
    let id = record["id"].as_i64().unwrap();
    let own = [("/id".to_owned(), id), ("_sdc_sequence".to_owned(), 1)];
    own.into_iter().chain(values).map(|(place, value)| (place, Value::Integer(value))).collect()
}

fn start(folder: &Path) -> Engine {
    Engine::builder(folder.join("queue"))
        .destination("sqlite", sqlite::Sqlite::open(folder.join("t.db")).unwrap())
        .destination("duckdb", duckdb::DuckDb::open(folder.join("t.duckdb")).unwrap())
        .destination("parquet", parquet::Parquet::open(folder.join("lake")).unwrap())
        .start()
        .unwrap()
}

fn look(folder: &Path) -> [(&'static str, Box<dyn Inspect>); 3] {
    [
        ("sqlite", Box::new(sqlite::SqliteReader::open(folder.join("t.db")).unwrap())),
        ("duckdb", Box::new(duckdb::DuckDbReader::open(folder.join("t.duckdb")).unwrap())),
        ("parquet", Box::new(parquet::ParquetReader::open(folder.join("lake")).unwrap())),
    ]
}

/// What somebody else keeps in the same databases, and what must be left of it.
fn make_victims(folder: &Path) {
    const VICTIM: &str = "CREATE TABLE victim (v INTEGER); INSERT INTO victim VALUES (42)";
    rusqlite::Connection::open(folder.join("t.db")).unwrap().execute_batch(VICTIM).unwrap();
    ::duckdb::Connection::open(folder.join("t.duckdb")).unwrap().execute_batch(VICTIM).unwrap();
}

/// Checks that the victims live, and that files and tables are where they belong.
fn check_surroundings(
    root: &Path,
    inside: &Path,
    tables: &BTreeSet<String>,
    integrations: &BTreeSet<String>,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(names_in(root), BTreeSet::from(["inside".to_owned()]));
    let known = ["lake", "queue", "t.db", "t.db-shm", "t.db-wal", "t.duckdb", "t.duckdb.wal"];
    prop_assert!(names_in(inside).iter().all(|name| known.contains(&name.as_str())), "{:?}", names_in(inside));
    let lake = names_in(&inside.join("lake"));
    let of_lake = |name: &String| name.starts_with('.') || tables.contains(name) || integrations.contains(name);
    prop_assert!(lake.iter().all(of_lake), "{:?}", lake);
    prop_assert!(names_in(&inside.join("lake/t")).iter().all(|name| name == "current" || name.starts_with('.')));

    let sqlite = rusqlite::Connection::open(inside.join("t.db")).unwrap();
    let victim: i64 = sqlite.query_row("SELECT v FROM victim", [], |row| row.get(0)).unwrap();
    let mut statement = sqlite.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let found: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    prop_assert_eq!(victim, 42);
    prop_assert!(found.iter().all(|name| is_known(name, tables, integrations)), "{:?}", found);

    let duckdb = ::duckdb::Connection::open(inside.join("t.duckdb")).unwrap();
    let victim: i64 = duckdb.query_row("SELECT v FROM victim", [], |row| row.get(0)).unwrap();
    let mut statement = duckdb.prepare("SELECT table_name FROM information_schema.tables").unwrap();
    let found: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    prop_assert_eq!(victim, 42);
    prop_assert!(found.iter().all(|name| is_known(name, tables, integrations)), "{:?}", found);
    Ok(())
}

fn is_known(name: &str, tables: &BTreeSet<String>, integrations: &BTreeSet<String>) -> bool {
    let of_integration = |integration: &String| *name == format!("{integration}__u");
    ["victim", "_sdc_tables", "_sdc_rejected", "u"].contains(&name)
        || tables.contains(name)
        || name.starts_with("t__")
        || integrations.iter().any(of_integration)
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.collect()
}

/// How many sets of names are tried; more by the environment variable PROPTEST_CASES.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_neither_inject_nor_escape(names in vec(name(), 1..6)) {
        check(&names)?;
    }
}
