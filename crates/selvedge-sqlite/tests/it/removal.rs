//! What is taken out because somebody asked for it.

use std::fs;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use selvedge_core::{Applied, Column, Counts, Destination, LoadErrorKind, Removal, TableLoad, TableState, schema};

use crate::database::{Database, integers, plan, table, table_of, texts};
use crate::life::{Load, Record, check_stands, deletes, ids, load, tombstone_tables};
use crate::rejects::{load_with_rejects, rejects};

fn remove(database: &mut Database, removal: Removal<'_>) -> Option<TableState> {
    let found = database.state(&table("orders")).unwrap();
    database.destination.remove(&table("orders"), &found, removal).unwrap()
}

const ROWS: &[Record] = &[(1, 5, None), (2, 5, Some(2)), (3, 5, None), (4, 5, None)];
const DELETES: &[Record] = &[(11, 5, None), (12, 5, Some(2))];

/// Removes these keys: expects these rows and tombstones to be left.
#[track_caller]
fn check(keys: &[i64], rows: &[Record], tombstones: &[Record]) {
    let mut database = Database::new();
    let before = load(&mut database, &Load { rows: ROWS, deletes: DELETES, activates: None });
    let left = remove(&mut database, Removal::Keys(&ids(keys))).unwrap();
    check_stands(&database, rows, tombstones);
    let counts = Counts { live_rows: rows.len() as u64, ..before.counts };
    assert_eq!(left, TableState { counts, ..before });
    assert_eq!(database.state(&table("orders")), Some(left));
}

#[test]
fn what_stands_under_keys_goes() {
    check(&[1, 3], &[(2, 5, Some(2)), (4, 5, None)], DELETES);
    check(&[12], ROWS, &[(11, 5, None)]);
    check(&[2, 11], &[(1, 5, None), (3, 5, None), (4, 5, None)], &[(12, 5, Some(2))]);
    check(&[99], ROWS, DELETES);
    check(&[], ROWS, DELETES);
}

#[test]
fn an_older_record_of_a_removed_key_is_a_new_row() {
    let mut database = Database::new();
    load(&mut database, &Load { rows: ROWS, deletes: DELETES, activates: None });
    remove(&mut database, Removal::Keys(&ids(&[1, 12])));
    let late: &[Record] = &[(1, 2, None), (12, 2, None)];
    let state = load(&mut database, &Load { rows: late, ..Load::default() });
    assert_eq!(state.counts, Counts { loaded: 8, superseded: 0, rejected: 0, live_rows: 5 });
}

#[test]
fn keys_of_several_columns_and_generated_ones_are_removed() {
    for keys in [&["shop", "id"] as &[&str], &[]] {
        let names = if keys.is_empty() { &["__sdc_primary_key"] } else { keys };
        let all = |values: [&'static str; 2]| names.iter().map(move |name| texts(name, values));
        let mut database = Database::new();
        let sequence = integers("_sdc_sequence", [1, 1]);
        let rows: Vec<(Column, ArrayRef)> = all(["a", "b'\\\""]).chain([sequence]).collect();
        database.load(&table("orders"), keys, &rows);
        let (columns, values): (Vec<Column>, Vec<ArrayRef>) = all(["b'\\\"", "c"]).unzip();
        let removed = RecordBatch::try_new(schema(&columns), values).unwrap();
        let left = remove(&mut database, Removal::Keys(&removed)).unwrap();
        assert_eq!(left.counts.live_rows, 1);
        assert_eq!(database.rows(&names[..1], "orders"), ["'a'"]);
    }
}

#[test]
fn rejected_records_go_by_their_keys() {
    let mut database = Database::new();
    load_with_rejects(&mut database, &table("customers"), &["a"]);
    let before = load_with_rejects(&mut database, &table("orders"), &["a", "b", "c"]);
    let keys = StringArray::from(vec!["orders 0", "orders 2", "customers 0", "orders 9"]);
    let left = remove(&mut database, Removal::Rejects(&keys));
    assert_eq!(left.as_ref(), Some(&before));
    assert_eq!(database.state(&table("orders")), left);
    let kept = database.rows(&["__sdc_primary_key", "record"], "_sdc_rejected ORDER BY 1");
    assert_eq!(kept, ["'customers 0' | 'a'", "'orders 1' | 'b'"]);
}

/// What the files of the database hold.
fn bytes(database: &Database) -> Vec<Vec<u8>> {
    let files = fs::read_dir(database.file().parent().unwrap()).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn rejected_records_go_by_their_age() {
    let mut database = Database::new();
    load_with_rejects(&mut database, &table("customers"), &["a"]);
    let before = load_with_rejects(&mut database, &table("orders"), &["a", "b"]);
    for (moment, left) in [(1, vec!["'customers 0'", "'orders 0'", "'orders 1'"]), (2, vec!["'customers 0'"])] {
        assert_eq!(remove(&mut database, Removal::RejectsBefore(moment)).as_ref(), Some(&before));
        assert_eq!(database.rows(&["__sdc_primary_key"], "_sdc_rejected ORDER BY 1"), left);
        let written = bytes(&database);
        remove(&mut database, Removal::RejectsBefore(moment));
        assert!(bytes(&database) == written, "something was written, and nothing removed");
    }
}

#[test]
fn of_a_table_without_rejected_records_none_go() {
    let mut database = Database::new();
    let before = load(&mut database, &Load { rows: ROWS, ..Load::default() });
    for removal in [Removal::Rejects(&StringArray::from(vec!["orders 0"])), Removal::RejectsBefore(2)] {
        assert_eq!(remove(&mut database, removal).as_ref(), Some(&before));
    }
}

#[test]
fn a_table_goes_with_all_that_belongs_to_it() {
    let mut database = Database::new();
    let others = [table("customers"), table_of("shop", "orders")];
    for name in &others {
        let state = load_with_rejects(&mut database, name, &["kept"]);
        let none = [integers("id", [0; 0]), integers("_sdc_sequence", [0; 0])];
        let planned = plan(Some(state), name, &["id"], &none);
        let deletes = deletes(&[integers("id", [7])], &[(1, None)]);
        database.destination.load(&TableLoad { deletes, ..planned }).unwrap();
    }
    let state = load(&mut database, &Load { rows: ROWS, deletes: DELETES, activates: None });
    let rejecting = crate::life::planned(Some(state), &Load::default());
    let rejects = rejects(&table("orders"), &["gone"]);
    database.destination.load(&TableLoad { rejects, ..rejecting }).unwrap();
    database.destination.create_coalescing_view(&table("orders"), "orders_view").unwrap();
    database.connection().execute_batch("CREATE VIEW theirs AS SELECT 1 AS a").unwrap();

    assert_eq!(remove(&mut database, Removal::Table), None);
    assert_eq!(database.state(&table("orders")), None);
    let standing = database.strings("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name");
    assert_eq!(
        standing,
        [
            "_sdc_rejected",
            "_sdc_tables",
            "_sdc_tombstones",
            "customers",
            "shop___sdc_rejected",
            "shop___sdc_tombstones",
            "shop__orders",
            "theirs",
        ]
    );
    for prefix in ["", "shop__"] {
        let name = if prefix.is_empty() { "'customers'" } else { "'orders'" };
        assert_eq!(database.rows(&["table_name"], &format!("{prefix}_sdc_rejected")), [name]);
        assert_eq!(database.rows(&["table_name"], &format!("{prefix}_sdc_tombstones")), [name]);
    }
    assert!(others.iter().all(|name| database.state(name).is_some()));
}

#[test]
fn a_dropped_table_is_made_anew_by_the_next_load() {
    let mut database = Database::new();
    load(&mut database, &Load { rows: ROWS, deletes: DELETES, activates: Some(0) });
    remove(&mut database, Removal::Table);
    let state = load(&mut database, &Load { rows: &[(1, 2, None), (11, 2, None)], ..Load::default() });
    check_stands(&database, &[(1, 2, None), (11, 2, None)], &[]);
    assert_eq!(state.counts, Counts { loaded: 2, superseded: 0, rejected: 0, live_rows: 2 });
    assert_eq!(state.active_version, None);
}

#[test]
fn a_table_that_somebody_dropped_by_hand_can_be_removed() {
    let mut database = Database::new();
    load(&mut database, &Load { rows: ROWS, ..Load::default() });
    database.connection().execute_batch("DROP TABLE orders; DROP TABLE orders__items").unwrap();
    assert_eq!(remove(&mut database, Removal::Table), None);
    assert_eq!(tombstone_tables(&database), [""; 0]);
    load(&mut database, &Load { rows: ROWS, ..Load::default() });
    check_stands(&database, ROWS, &[]);
}

#[test]
fn nothing_is_removed_from_a_table_that_changed_meanwhile() {
    let mut database = Database::new();
    let found = load(&mut database, &Load { rows: ROWS, ..Load::default() });
    load(&mut database, &Load { deletes: DELETES, ..Load::default() });
    let rejected = StringArray::from(vec!["orders 0"]);
    let keys = ids(&[1]);
    for removal in [Removal::Table, Removal::Keys(&keys), Removal::Rejects(&rejected), Removal::RejectsBefore(2)] {
        let error = database.destination.remove(&table("orders"), &found, removal).unwrap_err();
        assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Stale, Applied::No));
        assert!(error.to_string().contains("table orders was changed"), "{error}");
    }
    check_stands(&database, ROWS, DELETES);
}

/// Whether any file of the database holds these bytes.
fn holds(database: &Database, text: &str) -> bool {
    let folder = database.file().parent().unwrap().to_owned();
    let mut files = fs::read_dir(folder).unwrap();
    files.any(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

/// Loads so many customers, all of them a second time and in another order, so that pages are split and rows are moved.
fn load_customers(database: &mut Database) {
    for (sequence, factor) in [(1, 1), (2, 7_919), (3, 104_729)] {
        let names: Vec<String> = (0..2_000).map(|number| format!("customer-{:04}", number * factor % 2_000)).collect();
        let mails: Vec<String> =
            names.iter().map(|name| format!("{name}@{}.example", "x".repeat(sequence * 40))).collect();
        let columns = [
            texts("id", names.iter().map(String::as_str)),
            texts("mail", mails.iter().map(String::as_str)),
            integers("_sdc_sequence", vec![sequence as i64; names.len()]),
        ];
        database.load(&table("orders"), &["id"], &columns);
    }
}

#[test]
fn no_file_holds_what_was_removed() {
    let mut database = Database::new();
    load_customers(&mut database);
    let found = load_with_deletes(&mut database, "customer-0500");
    let gone: Vec<String> = (0..2_000).step_by(100).map(|number| format!("customer-{number:04}")).collect();
    assert!(gone.iter().all(|key| holds(&database, key)));
    let (column, values) = texts("id", gone.iter().map(String::as_str));
    let keys = RecordBatch::try_new(schema(&[column]), vec![values]).unwrap();
    let left = database.destination.remove(&table("orders"), &found, Removal::Keys(&keys)).unwrap().unwrap();
    assert_eq!(left.counts.live_rows, 2_000 - 20);
    let left: Vec<&String> = gone.iter().filter(|key| holds(&database, key)).collect();
    assert_eq!(left, [""; 0]);
    assert!(holds(&database, "customer-0001@"));
    assert_eq!(database.strings("PRAGMA integrity_check"), ["ok"]);
}

/// Deletes a customer, of which a tombstone is left.
fn load_with_deletes(database: &mut Database, key: &str) -> TableState {
    let state = database.state(&table("orders"));
    let none = [texts("id", [""; 0]), texts("mail", [""; 0]), integers("_sdc_sequence", [0; 0])];
    let planned = plan(state, &table("orders"), &["id"], &none);
    let deletes = deletes(&[texts("id", [key])], &[(9, None)]);
    database.destination.load(&TableLoad { deletes, ..planned }).unwrap()
}

#[test]
fn no_file_holds_rejected_records_that_were_removed() {
    let mut database = Database::new();
    load_with_rejects(&mut database, &table("orders"), &["a secret", "a plain one"]);
    assert!(holds(&database, "a secret"));
    remove(&mut database, Removal::Rejects(&StringArray::from(vec!["orders 0"])));
    assert!(!holds(&database, "a secret") && holds(&database, "a plain one"));
}

#[test]
fn while_another_program_reads_it_is_not_known_to_be_gone() {
    let mut database = Database::new();
    let found = load(&mut database, &Load { rows: ROWS, ..Load::default() });
    let other = database.connection();
    other.execute_batch("BEGIN; SELECT count(*) FROM orders").unwrap();
    let error = database.destination.remove(&table("orders"), &found, Removal::Keys(&ids(&[1]))).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (LoadErrorKind::Unavailable, Applied::Unknown));
    assert!(error.to_string().contains("another program is reading"), "{error}");
    assert!(error.to_string().ends_with("then remove it once more"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    let left = remove(&mut database, Removal::Keys(&ids(&[1]))).unwrap();
    assert_eq!(left.counts.live_rows, 3);
}
