//! What stands after a version of a table was activated.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use selvedge_core::{Column, ColumnType, Destination, LoadErrorKind, Nesting, Path, TableLoad, level_id, system};

use crate::fixture::{Warehouse, column, plan, plan_subtable, table};
use crate::life::{Record, delete, load, plan_records, row, stored};

/// Applies loads, each with the version that is active after it, then compares what stands and the counts: loaded,
/// superseded, live rows.
fn check(loads: &[(&[Record], Option<i64>)], expected: &str) {
    for nesting in [Nesting::Flat, Nesting::Native] {
        let mut warehouse = Warehouse::with(nesting);
        let mut counts = None;
        for (records, active_version) in loads {
            let state = load(&mut warehouse, records, *active_version);
            assert_eq!(state.active_version, *active_version);
            counts = Some(state.counts);
        }
        let counts = counts.unwrap();
        let stored = stored(&warehouse, nesting);
        let found = format!("{stored} | {} {} {}", counts.loaded, counts.superseded, counts.live_rows);
        assert_eq!(found, expected, "{nesting:?}");
    }
}

#[test]
fn rows_of_lower_versions_and_of_none_go_with_their_elements() {
    let rows = [row(1, Some(1), 5), row(2, Some(2), 5), row(3, None, 5), row(4, Some(3), 5)];
    check(&[(&rows, None), (&[], Some(2))], "2 2 5; 4 3 5 | 2@5; 4@5 |  | 5 0 2");
}

#[test]
fn tombstones_of_lower_versions_and_of_none_go_too() {
    let deletes = [delete(1, Some(1), 5), delete(2, Some(2), 5), delete(3, None, 5), row(4, Some(2), 5)];
    check(&[(&deletes, None), (&[], Some(2))], "4 2 5 | 4@5 | [2] 2 5 | 5 0 1");
}

#[test]
fn what_comes_with_the_activation_stays() {
    check(
        &[
            (&[row(1, Some(1), 9), row(2, Some(1), 9)], Some(1)),
            (&[row(2, Some(2), 1), delete(3, Some(2), 1)], Some(2)),
        ],
        "2 2 1 | 2@1 | [3] 2 1 | 6 0 1",
    );
}

#[test]
fn a_version_may_be_active_before_there_is_a_table() {
    check(&[(&[], Some(1)), (&[row(1, Some(1), 1)], Some(1))], "1 1 1 | 1@1 |  | 2 0 1");
}

#[test]
fn a_table_that_is_emptied_is_filled_again() {
    let (old, new) = ([row(1, Some(1), 9), row(2, None, 9)], [row(1, Some(2), 1), row(3, Some(2), 1)]);
    check(&[(&old, None), (&[], Some(2)), (&new, Some(2))], "1 2 1; 3 2 1 | 1@1; 3@1 |  | 5 0 2");
}

#[test]
fn nothing_goes_while_the_version_stays_active() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[row(1, Some(2), 1)], Some(2));
    warehouse.execute("UPDATE orders SET _sdc_table_version = 1");
    assert_eq!(load(&mut warehouse, &[row(2, Some(2), 1)], Some(2)).counts.live_rows, 2);
}

#[test]
fn an_activation_that_is_planned_on_another_state_has_no_effect() {
    let mut warehouse = Warehouse::new();
    let before = load(&mut warehouse, &[row(1, Some(1), 1)], None);
    load(&mut warehouse, &[row(2, Some(1), 1)], None);
    let error = warehouse.destination.load(&plan_records(Some(before), &[], Some(2))).unwrap_err();
    assert_eq!(error.kind(), LoadErrorKind::Stale);
    assert_eq!(warehouse.query("SELECT id FROM orders ORDER BY id"), "1\n2");
}

/// The rows of a table that had no versions are all below the first one.
#[test]
fn rows_without_a_column_of_versions_go() {
    let integers = |name: &str, values: &[i64]| -> (Column, ArrayRef) {
        (column(name, ColumnType::Integer), Arc::new(Int64Array::from(values.to_vec())))
    };
    let mut warehouse = Warehouse::new();
    let state = warehouse.load(&table("t"), &["id"], vec![integers("id", &[1, 2])]).unwrap();
    let brought = vec![integers("id", &[2]), integers(system::TABLE_VERSION, &[7])];
    let load = plan(&table("t"), Some(state), &["id"], brought);
    let state = warehouse.destination.load(&TableLoad { active_version: Some(7), activations: 1, ..load }).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM t"), "2 7");
    assert_eq!((state.counts.loaded, state.counts.live_rows), (4, 1));
}

/// Rows without keys belong to versions too.
#[test]
fn a_table_without_keys_is_left_with_the_active_version() {
    for nesting in [Nesting::Flat, Nesting::Native] {
        let mut warehouse = Warehouse::with(nesting);
        for (version, active_version) in [(1, None), (2, Some(2))] {
            let found = warehouse.destination.state(&table("t")).unwrap();
            let key: ArrayRef = Arc::new(StringArray::from(vec![format!("key {version}")]));
            let versions: ArrayRef = Arc::new(Int64Array::from(vec![version]));
            let brought = vec![
                (Column::new(system::PRIMARY_KEY, None, ColumnType::String), Arc::clone(&key)),
                (column(system::TABLE_VERSION, ColumnType::Integer), Arc::clone(&versions)),
            ];
            let subrows = vec![
                (Column::new("value", Some(Path::default()), ColumnType::Integer), Arc::clone(&versions)),
                (column("_sdc_source_key___sdc_primary_key", ColumnType::String), key),
                (column(&level_id(0), ColumnType::Integer), Arc::new(Int64Array::from(vec![0])) as ArrayRef),
                (column(system::TABLE_VERSION, ColumnType::Integer), versions),
            ];
            let list = plan_subtable(found.as_ref(), "t__list", &["list"], subrows, vec![0]);
            let load = plan(&table("t"), found, &[], brought);
            let load = TableLoad { subtables: vec![list], active_version, ..load };
            assert_eq!(warehouse.destination.load(&load).unwrap().counts.live_rows, 1);
        }
        let elements =
            if nesting == Nesting::Flat { "SELECT value FROM t__list" } else { "SELECT unnest(list) FROM t" };
        assert_eq!(
            (warehouse.query("SELECT __sdc_primary_key FROM t"), warehouse.query(elements)),
            ("key 2".to_owned(), "2".to_owned())
        );
    }
}

/// What others keep in rows that are replaced stays, however the new version is cut into loads.
#[test]
fn what_others_keep_in_a_row_outlives_its_version() {
    let replaced: &[Record] = &[row(1, Some(2), 6)];
    let in_two: &[(&[Record], Option<i64>)] = &[(replaced, None), (&[], Some(2))];
    for loads in [in_two, &[(replaced, Some(2))]] {
        for nesting in [Nesting::Flat, Nesting::Native] {
            let mut warehouse = Warehouse::with(nesting);
            load(&mut warehouse, &[row(1, Some(1), 5), row(2, Some(1), 5)], None);
            warehouse.execute("ALTER TABLE orders ADD COLUMN mine BIGINT; UPDATE orders SET mine = id");
            let states = loads.iter().map(|(records, version)| load(&mut warehouse, records, *version));
            assert_eq!(states.last().unwrap().counts.live_rows, 1);
            assert_eq!(warehouse.query("SELECT id, mine FROM orders"), "1 1");
        }
    }
}
