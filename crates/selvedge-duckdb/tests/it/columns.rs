//! Columns that somebody else dropped or added.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use selvedge_core::{Change, Column, ColumnType, Destination, Inspect, LoadErrorKind, Part, system};
use selvedge_duckdb::DuckDbReader;

use crate::fixture::{Warehouse, column, plan, plan_changes, table};
use crate::subtables::plan_orders;

fn numbers(name: &str, values: &[i64]) -> (Column, ArrayRef) {
    (column(name, ColumnType::Integer), Arc::new(Int64Array::from(values.to_vec())))
}

/// A table `t` with a row for each id, of which `n` is ten times the id.
fn load(warehouse: &mut Warehouse, ids: &[i64]) {
    let tens: Vec<i64> = ids.iter().map(|id| 10 * id).collect();
    let sequences = vec![1; ids.len()];
    let columns = vec![numbers("id", ids), numbers("n", &tens), numbers(system::SEQUENCE, &sequences)];
    warehouse.load(&table("t"), &["id"], columns).unwrap();
}

#[test]
fn a_dropped_column_comes_back_with_the_next_load() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[1, 2]);
    warehouse.execute("ALTER TABLE t DROP COLUMN n");
    load(&mut warehouse, &[2, 3]);
    assert_eq!(warehouse.query("SELECT id, n FROM t ORDER BY id"), "1 null\n2 20\n3 30");
}

/// What the load changes about the column is changed after it came back.
#[test]
fn a_dropped_column_comes_back_before_it_is_changed() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[1]);
    warehouse.execute("ALTER TABLE t DROP COLUMN n");
    let found = warehouse.destination.state(&table("t")).unwrap();
    let changes = vec![
        Change::WidenColumn(column("n", ColumnType::Double)),
        Change::RenameColumn { from: "n".to_owned(), to: "m".to_owned() },
    ];
    let load = plan_changes(&table("t"), found, &["id"], changes, vec![numbers("id", &[2])]);
    warehouse.destination.load(&load).unwrap();
    assert_eq!(warehouse.query("SELECT id, m FROM t ORDER BY id"), "1 null\n2 null");
}

#[test]
fn a_dropped_column_reads_as_null() {
    let mut warehouse = Warehouse::new();
    let orders = plan_orders(&mut warehouse, &table("orders"), &["id"], &[(1, 1, &["a"])]);
    warehouse.destination.load(&orders).unwrap();
    warehouse.execute("ALTER TABLE orders DROP COLUMN _sdc_sequence; ALTER TABLE orders__items DROP COLUMN value");
    let mut reader = DuckDbReader::open(warehouse.path()).unwrap();
    for (part, dropped) in [(Part::Rows, system::SEQUENCE), (Part::Subtable("orders__items"), "value")] {
        let mut rows = 0;
        let each = &mut |_: &_, batch: arrow::array::RecordBatch| {
            rows += batch.num_rows();
            for (field, values) in batch.schema().fields().iter().zip(batch.columns()) {
                assert_eq!(values.null_count() > 0, field.name() == dropped, "{}", field.name());
            }
            ControlFlow::Continue(())
        };
        reader.read(&table("orders"), part, each).unwrap();
        assert_eq!(rows, 1);
    }
}

/// A load is refused after somebody ran this on its tables, and says which column of which table it is about.
fn check_refused(damage: &str, column_name: &str, table_name: &str) {
    let mut warehouse = Warehouse::new();
    for sequence in [1, 2] {
        let orders = plan_orders(&mut warehouse, &table("orders"), &["id"], &[(1, sequence, &["a"])]);
        let loaded = warehouse.destination.load(&orders);
        if sequence == 1 {
            loaded.unwrap();
            warehouse.execute(damage);
            continue;
        }
        let error = loaded.unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Refused);
        let begin = format!("the column `{column_name}` of table {table_name} was dropped");
        assert!(error.to_string().starts_with(&begin), "{error}");
        assert_eq!(warehouse.query("SELECT count(*) FROM orders"), "1");
    }
}

#[test]
fn without_a_key_or_a_column_of_selvedges_nothing_is_loaded() {
    check_refused("ALTER TABLE orders DROP COLUMN id", "id", "orders");
    check_refused("ALTER TABLE orders DROP COLUMN _sdc_sequence", "_sdc_sequence", "orders");
    check_refused("ALTER TABLE orders__items DROP COLUMN _sdc_source_key_id", "_sdc_source_key_id", "orders__items");
    check_refused("ALTER TABLE orders__items DROP COLUMN _sdc_level_0_id", "_sdc_level_0_id", "orders__items");
}

/// Only the user's own statements change what stands in the user's columns, of whatever type these are.
#[test]
fn what_others_added_stays_with_the_key() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[1, 2, 3]);
    warehouse.execute(
        "ALTER TABLE t ADD COLUMN \"my \"\"note\" VARCHAR; \
         ALTER TABLE t ADD COLUMN tags STRUCT(a UNION(i INTEGER, t VARCHAR), b ENUM('x', 'y')[]); \
         ALTER TABLE t ADD COLUMN grade INTEGER DEFAULT 6; \
         UPDATE t SET \"my \"\"note\" = 'note ' || id, tags = {a: 'one', b: ['y']}, grade = id WHERE id < 3",
    );
    load(&mut warehouse, &[2, 3, 4]);
    load(&mut warehouse, &[2]);
    assert_eq!(
        warehouse.query("SELECT id, n, \"my \"\"note\", tags, grade FROM t ORDER BY id"),
        "1 10 note 1 {'a': one, 'b': [y]} 1\n2 20 note 2 {'a': one, 'b': [y]} 2\n3 30 null null 6\n4 40 null null 6"
    );
}

/// In a subtable the key is where an element stands in its array.
#[test]
fn what_others_added_stays_with_the_key_in_subtables() {
    let mut warehouse = Warehouse::new();
    let load = |warehouse: &mut Warehouse, orders: &[(i64, i64, &[&str])]| {
        let load = plan_orders(warehouse, &table("orders"), &["id"], orders);
        warehouse.destination.load(&load).unwrap();
    };
    load(&mut warehouse, &[(1, 1, &["a", "b"]), (2, 5, &["c", "d"])]);
    warehouse.execute("ALTER TABLE orders__items ADD COLUMN mine VARCHAR; UPDATE orders__items SET mine = value");
    load(&mut warehouse, &[(1, 2, &["A"]), (2, 4, &["older"])]);
    load(&mut warehouse, &[(1, 3, &["A", "B", "C"])]);
    assert_eq!(
        warehouse.query("SELECT _sdc_source_key_id, value, mine FROM orders__items ORDER BY ALL"),
        "1 A a\n1 B null\n1 C null\n2 c c\n2 d d"
    );
}

#[test]
fn others_may_add_columns_to_a_table_without_keys() {
    let mut warehouse = Warehouse::new();
    warehouse.load(&table("t"), &[], vec![numbers("id", &[1])]).unwrap();
    warehouse.execute("ALTER TABLE t ADD COLUMN mine VARCHAR; UPDATE t SET mine = 'note'");
    warehouse.load(&table("t"), &[], vec![numbers("id", &[1])]).unwrap();
    assert_eq!(warehouse.query("SELECT * FROM t ORDER BY ALL"), "1 note\n1 null");
}

/// A column that the records bring must not become one that somebody else uses.
#[test]
fn a_name_that_others_took_is_refused() {
    let mut warehouse = Warehouse::new();
    load(&mut warehouse, &[1]);
    warehouse.execute("ALTER TABLE t ADD COLUMN Mine VARCHAR");
    let found = warehouse.destination.state(&table("t")).unwrap();
    let rename = vec![Change::RenameColumn { from: "n".to_owned(), to: "mine".to_owned() }];
    for load in [
        plan(&table("t"), found.clone(), &["id"], vec![numbers("id", &[1]), numbers("mine", &[1])]),
        plan_changes(&table("t"), found.clone(), &["id"], rename, vec![numbers("id", &[1])]),
    ] {
        let error = warehouse.destination.load(&load).unwrap_err();
        assert_eq!(error.kind(), LoadErrorKind::Refused);
        assert!(error.to_string().starts_with("the records bring a column `mine`, and somebody added"), "{error}");
    }
    warehouse.execute("ALTER TABLE t RENAME COLUMN Mine TO \"really mine\"");
    let columns = vec![numbers("id", &[1]), numbers("mine", &[1])];
    warehouse.destination.load(&plan(&table("t"), found, &["id"], columns)).unwrap();
}
