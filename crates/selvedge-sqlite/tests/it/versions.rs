//! Versions of a table: what goes when one is activated.

use arrow::array::RecordBatch;
use selvedge_core::{Change, Column, Counts, Destination, TableLoad, schema};

use crate::database::{Database, integers, plan, table};
use crate::life::{Load, Record, check_stands, load};

/// Makes a load of `first` (rows, deletes), and one that activates a version and brings `second`: expects these rows and
/// tombstones, and as many records (loaded, superseded).
#[track_caller]
fn check(
    first: (&[Record], &[Record]),
    activated: i64,
    second: (&[Record], &[Record]),
    rows: &[Record],
    tombstones: &[Record],
    counts: (u64, u64),
) {
    let mut database = Database::new();
    load(&mut database, &Load { rows: first.0, deletes: first.1, activates: None });
    let state = load(&mut database, &Load { rows: second.0, deletes: second.1, activates: Some(activated) });
    check_stands(&database, rows, tombstones);
    let (loaded, superseded) = counts;
    let expected = Counts { loaded, superseded, rejected: 0, live_rows: rows.len() as u64 };
    assert_eq!((state.active_version, state.counts), (Some(activated), expected));
    assert_eq!(database.state(&table("orders")), Some(state));
}

const NONE: (&[Record], &[Record]) = (&[], &[]);

#[test]
fn what_has_a_lower_version_goes() {
    let rows: &[Record] = &[(1, 5, Some(1)), (2, 5, Some(2)), (3, 5, Some(3)), (4, 5, Some(-9))];
    check((rows, &[]), 2, NONE, &[(2, 5, Some(2)), (3, 5, Some(3))], &[], (5, 0));
    check((rows, &[]), i64::MIN, NONE, rows, &[], (5, 0));
    check((rows, &[]), i64::MAX, NONE, &[], &[], (5, 0));
}

#[test]
fn what_has_no_version_goes() {
    check((&[(1, 5, None), (2, 4, Some(-3))], &[]), -3, NONE, &[(2, 4, Some(-3))], &[], (3, 0));
    check((&[(1, 5, None)], &[]), i64::MIN, NONE, &[], &[], (2, 0));
}

#[test]
fn tombstones_go_alike() {
    let deletes: &[Record] = &[(1, 5, Some(1)), (2, 5, Some(2)), (3, 5, Some(3)), (4, 5, None)];
    check((&[], deletes), 2, NONE, &[], &[(2, 5, Some(2)), (3, 5, Some(3))], (5, 0));
}

#[test]
fn rows_of_the_load_that_activates_take_the_place_of_those_that_go() {
    let first: &[Record] = &[(1, 5, Some(1)), (2, 5, Some(1)), (3, 5, Some(2))];
    let second: (&[Record], &[Record]) = (&[(1, 2, Some(2)), (3, 4, Some(2)), (4, 1, Some(3))], &[(2, 1, Some(2))]);
    check((first, &[]), 2, second, &[(1, 2, Some(2)), (3, 5, Some(2)), (4, 1, Some(3))], &[(2, 1, Some(2))], (7, 1));
}

#[test]
fn a_version_may_be_activated_with_the_first_load() {
    let mut database = Database::new();
    let state = load(&mut database, &Load { rows: &[(1, 5, Some(2))], deletes: &[], activates: Some(2) });
    check_stands(&database, &[(1, 5, Some(2))], &[]);
    assert_eq!((state.active_version, state.counts.loaded, state.counts.live_rows), (Some(2), 2, 1));
}

#[test]
fn a_version_that_is_active_already_has_no_effect() {
    let mut database = Database::new();
    load(&mut database, &Load { rows: &[(1, 5, Some(2))], deletes: &[(2, 5, Some(2))], activates: Some(2) });
    let state = load(&mut database, &Load { activates: Some(2), ..Load::default() });
    check_stands(&database, &[(1, 5, Some(2))], &[(2, 5, Some(2))]);
    assert_eq!(state.counts, Counts { loaded: 4, superseded: 0, rejected: 0, live_rows: 1 });
    let state = load(&mut database, &Load { activates: Some(3), ..Load::default() });
    check_stands(&database, &[], &[]);
    assert_eq!(state.counts, Counts { loaded: 5, superseded: 0, rejected: 0, live_rows: 0 });
}

#[test]
fn a_late_record_of_the_active_version_counts_again_once_older_tombstones_went() {
    let mut database = Database::new();
    load(&mut database, &Load { deletes: &[(1, 9, Some(1))], ..Load::default() });
    load(&mut database, &Load { activates: Some(2), ..Load::default() });
    load(&mut database, &Load { rows: &[(1, 1, Some(2))], ..Load::default() });
    check_stands(&database, &[(1, 1, Some(2))], &[]);
}

/// Also in a keyless table, whose subrows belong to generated keys.
#[test]
fn all_rows_of_a_table_that_had_no_versions_go() {
    for keys in [&["id"] as &[&str], &[]] {
        let mut database = Database::new();
        let key = keys.first().copied().unwrap_or("__sdc_primary_key");
        let before = [integers(key, [1, 2]), integers("_sdc_sequence", [7, 8])];
        let first = database.load(&table("orders"), keys, &before);
        let after = [integers(key, [3]), integers("_sdc_sequence", [1]), integers("_sdc_table_version", [4])];
        let planned = plan(Some(first), &table("orders"), keys, &after);
        assert!(matches!(planned.changes.as_slice(), [Change::AddColumn(_)]));
        let activating = TableLoad { active_version: Some(4), activations: 1, ..planned };
        let state = database.destination.load(&activating).unwrap();
        assert_eq!(database.rows(&[key, "_sdc_table_version"], "orders"), ["3 | 4"]);
        assert_eq!(state.counts, Counts { loaded: 4, superseded: 0, rejected: 0, live_rows: 1 });
    }
}

#[test]
fn subrows_of_a_keyless_table_go_with_their_rows() {
    let mut database = Database::new();
    let orders = |planned_on, id: i64| {
        crate::subtables::orders(planned_on, &table("orders"), &[], &[(id, 1, &[&["a", "b"], &["c"]])])
    };
    let first = database.destination.load(&orders(None, 1)).unwrap();
    let mut second = orders(Some(first), 2);
    version(&mut second.columns, &mut second.rows, &mut second.changes);
    for part in &mut second.subtables {
        version(&mut part.subtable.columns, &mut part.rows, &mut part.changes);
    }
    second.active_version = Some(4);
    database.destination.load(&second).unwrap();
    let source = "_sdc_source_key___sdc_primary_key";
    assert_eq!(database.rows(&[source, "_sdc_level_0_id"], "orders__items ORDER BY 1"), ["2 | 0", "2 | 1"]);
    assert_eq!(database.rows(&[source, "value"], "orders__items__parts ORDER BY 1"), ["2 | 'a'", "2 | 'b'", "2 | 'c'"]);
}

/// Gives all rows the version 4, in a new column.
fn version(columns: &mut Vec<Column>, rows: &mut RecordBatch, changes: &mut Vec<Change>) {
    let (column, versions) = integers("_sdc_table_version", vec![4; rows.num_rows()]);
    columns.push(column.clone());
    let values = rows.columns().iter().cloned().chain([versions]).collect();
    *rows = RecordBatch::try_new(schema(columns), values).unwrap();
    changes.push(Change::AddColumn(column));
}

#[test]
fn rows_that_somebody_inserted_by_hand_go_uncounted() {
    let mut database = Database::new();
    load(&mut database, &Load { rows: &[(1, 5, Some(1))], ..Load::default() });
    let by_hand = "INSERT INTO orders (id, _sdc_sequence) VALUES (7, 1), (8, 1)";
    database.connection().execute_batch(by_hand).unwrap();
    let state =
        load(&mut database, &Load { rows: &[(2, 5, Some(2))], deletes: &[(7, 5, Some(2))], activates: Some(2) });
    check_stands(&database, &[(2, 5, Some(2))], &[(7, 5, Some(2))]);
    assert_eq!(state.counts.live_rows, 0);
}

/// What others keep in rows that are replaced stays, however the new version is cut into loads.
#[test]
fn what_others_keep_in_a_row_outlives_its_version() {
    let replaced: &[Record] = &[(1, 6, Some(2))];
    let in_two = [Load { rows: replaced, ..Load::default() }, Load { activates: Some(2), ..Load::default() }];
    let in_one = [Load { rows: replaced, deletes: &[], activates: Some(2) }];
    for loads in [&in_two[..], &in_one] {
        let mut database = Database::new();
        load(&mut database, &Load { rows: &[(1, 5, Some(1)), (2, 5, Some(1))], ..Load::default() });
        database.connection().execute_batch("ALTER TABLE orders ADD COLUMN mine; UPDATE orders SET mine = id").unwrap();
        let counts = loads.iter().map(|next| load(&mut database, next).counts.live_rows).last();
        check_stands(&database, replaced, &[]);
        assert_eq!(counts, Some(1));
        assert_eq!(database.rows(&["mine"], "orders"), ["1"]);
    }
}
