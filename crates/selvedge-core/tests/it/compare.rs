//! Two destinations agree in a table exactly when its logical view is the same.

use selvedge_core::{
    Comparison, Difference, Differences, Discrepancy, Obstacle, QueueId, Side, Value, compare, logical_view,
};

use crate::shelf::{
    Filled, Life, Shelf, decimal_texts, decimals, doubles, generated_keys, integers, level_ids, moments, orders,
    position, source_keys, texts,
};

/// What most tables of these tests are compared with.
fn columns() -> Vec<Filled> {
    vec![
        integers("id", "id", vec![1, 2, 3]),
        texts("city", "address/city", vec![Some("Ice"), None, Some("Tree Fort")]),
        decimals("price", "price", 2, vec![Some(1050), Some(-200), None]),
        integers("odd", "odd", vec![Some(1), None, None]),
        texts("odd__st", "odd", vec![None, Some("1"), None]),
        moments("_sdc_received_at", vec![10, 10, 10]),
        moments("_sdc_extracted_at", vec![Some(5), None, None]),
    ]
}

/// The same table, but for one column.
fn with(column: Filled) -> Shelf {
    let mut columns = columns();
    columns.retain(|(other, _)| other.name != column.0.name);
    columns.push(column);
    Shelf::new(columns)
}

#[track_caller]
fn check(mut left: Shelf, mut right: Shelf, expected: &Comparison) {
    let found = compare(&mut left, &mut right, &orders()).unwrap();
    assert_eq!(found, *expected);
    let views = [logical_view(&mut left, &orders()).unwrap(), logical_view(&mut right, &orders()).unwrap()];
    assert_eq!(views[0] == views[1], matches!(found, Comparison::Same { .. }), "the views: {views:#?}");
}

#[track_caller]
fn check_same(right: Shelf) {
    check(Shelf::new(columns()), right, &Comparison::Same { rows: 3 });
}

#[test]
fn what_is_not_promised_may_differ() {
    check_same(Shelf::new(columns()));
    check_same(Shelf::new(columns()).cut(1));
    check_same(Shelf::new(columns().into_iter().rev()));
    check_same(with(moments("_sdc_received_at", vec![11, 12, 13])));
    check_same(with(texts("never", "never", vec![None::<&str>, None, None])));
    check_same(with(decimals("price", "price", 4, vec![Some(105_000), Some(-20_000), None])));
    check_same(with(decimal_texts("price", "price", vec![Some("10.5"), Some("-2"), None])));
}

#[test]
fn rows_come_in_any_order() {
    check_same(Shelf::new([
        integers("id", "id", vec![3, 1, 2]),
        texts("city", "address/city", vec![Some("Tree Fort"), Some("Ice"), None]),
        decimals("price", "price", 2, vec![None, Some(1050), Some(-200)]),
        integers("odd", "odd", vec![None, Some(1), None]),
        texts("odd__st", "odd", vec![None, None, Some("1")]),
        moments("_sdc_extracted_at", vec![None, Some(5), None]),
    ]));
}

#[test]
fn either_type_of_a_split_path_bears_the_plain_name() {
    let others = columns().into_iter().filter(|(column, _)| !column.name.starts_with("odd"));
    let split =
        [integers("odd__bi", "odd", vec![Some(1), None, None]), texts("odd", "odd", vec![None, Some("1"), None])];
    check_same(Shelf::new(others.chain(split)));
}

#[test]
fn empty_tables_are_the_same() {
    let empty = || Shelf::new([integers("id", "id", Vec::<i64>::new())]);
    check(empty(), empty(), &Comparison::Same { rows: 0 });
}

fn different(keys_min: usize, examples: impl IntoIterator<Item = (i64, Discrepancy)>) -> Comparison {
    let example = |(id, discrepancy)| Difference { key: vec![Value::Integer(id)], discrepancy };
    Comparison::Different(Differences { keys_min, examples: examples.into_iter().map(example).collect() })
}

fn places<const N: usize>(places: [&str; N]) -> Discrepancy {
    Discrepancy::Places(places.map(ToOwned::to_owned).to_vec())
}

#[test]
fn values_that_differ_are_named_by_key_and_place() {
    let check = |column: Filled, id: i64, place: &str| {
        check(Shelf::new(columns()), with(column), &different(1, [(id, places([place]))]));
    };
    check(texts("city", "address/city", vec![Some("Ice"), None, Some("Tree fort")]), 3, "/address/city");
    check(texts("city", "address/city", vec![Some("Ice"), Some(""), Some("Tree Fort")]), 2, "/address/city");
    check(decimals("price", "price", 3, vec![Some(10_501), Some(-2_000), None]), 1, "/price");
    check(texts("odd__st", "odd", vec![None, Some("2"), None]), 2, "/odd");
    check(moments("_sdc_extracted_at", vec![Some(6), None, None]), 1, "_sdc_extracted_at");
}

#[test]
fn whole_numbers_stand_in_any_column() {
    let price = |price: Filled| Shelf::new([integers("id", "id", vec![1]), price]);
    let decimal = || decimals("price", "price", 2, vec![-200]);
    let same = Comparison::Same { rows: 1 };
    check(price(decimal()), price(integers("price", "price", vec![-2])), &same);
    check(price(decimal()), price(doubles("price", "price", vec![-2.0])), &same);
    let ids = |id: Filled| Shelf::new([id, texts("x", "x", vec!["x"])]);
    check(ids(integers("id", "id", vec![7])), ids(decimal_texts("id", "id", vec!["7"])), &same);
}

#[test]
fn the_same_digits_as_another_type_are_another_value() {
    let price = |price: Filled| Shelf::new([integers("id", "id", vec![1]), price]);
    let check = |left: Filled, right: Filled| {
        check(price(left), price(right), &different(1, [(1, places(["/price"]))]));
    };
    check(integers("price", "price", vec![2]), texts("price", "price", vec!["2"]));
    check(decimals("price", "price", 1, vec![25]), doubles("price", "price", vec![2.5]));
}

#[test]
fn several_places_of_a_row() {
    let others = columns().into_iter().filter(|(column, _)| column.name != "price" && column.name != "city");
    let right = Shelf::new(others.chain([
        texts("city", "address/city", vec![Some("Fire"), None, Some("Tree Fort")]),
        decimals("price", "price", 2, vec![None, Some(-200), None]),
    ]));
    check(Shelf::new(columns()), right, &different(1, [(1, places(["/address/city", "/price"]))]));
}

#[test]
fn rows_that_stand_on_one_side() {
    let ids = |ids: Vec<i64>| Shelf::new([integers("id", "id", ids)]);
    let rows = |left, right| Discrepancy::Rows { left, right };
    check(ids(vec![1, 2, 3]), ids(vec![3, 1]), &different(1, [(2, rows(1, 0))]));
    check(ids(vec![1, 2]), ids(vec![0, 1, 2]), &different(1, [(0, rows(0, 1))]));
    check(ids(vec![1, 2]), ids(vec![2, 9]), &different(2, [(1, rows(1, 0)), (9, rows(0, 1))]));
    check(ids(vec![]), ids(vec![4]), &different(1, [(4, rows(0, 1))]));
}

#[test]
fn a_row_that_stands_twice() {
    let ids = |ids: Vec<i64>| Shelf::new([integers("id", "id", ids)]);
    let found = compare(&mut ids(vec![1, 2, 2]), &mut ids(vec![1, 2]), &orders()).unwrap();
    assert_eq!(found, different(1, [(2, Discrepancy::Rows { left: 2, right: 1 })]));
}

#[test]
fn only_some_of_many_differences_are_named() {
    let numbers = |first: i64| Shelf::new([integers("id", "id", (first..first + 3_000).collect::<Vec<_>>())]);
    let found = compare(&mut numbers(0), &mut numbers(1_000), &orders()).unwrap();
    let Comparison::Different(Differences { keys_min, examples }) = found else { panic!("{found:?}") };
    // Two thousand keys share few of the buckets.
    assert!((1_900..=2_000).contains(&keys_min), "{keys_min}");
    assert_eq!(examples.len(), 5, "{examples:?}");
    for Difference { key, discrepancy } in examples {
        let [Value::Integer(id)] = key[..] else { panic!("{key:?}") };
        let expected = if id < 1_000 { (1, 0) } else { (0, 1) };
        assert_eq!(discrepancy, Discrepancy::Rows { left: expected.0, right: expected.1 }, "{id}");
        assert!(!(1_000..3_000).contains(&id), "{id} stands in both");
    }
}

#[test]
fn keyless_rows_are_known_by_their_generated_keys() {
    let rows = |keys: [&str; 2], values: [i64; 2]| {
        Shelf::new([generated_keys(keys.to_vec()), integers("n", "n", values.to_vec())])
    };
    check(rows(["a", "b"], [1, 2]), rows(["b", "a"], [2, 1]), &Comparison::Same { rows: 2 });
    let key = vec![Value::String("b".to_owned())];
    let examples = vec![Difference { key, discrepancy: places(["/n"]) }];
    check(
        rows(["a", "b"], [1, 2]),
        rows(["a", "b"], [1, 3]),
        &Comparison::Different(Differences { keys_min: 1, examples }),
    );
}

/// Orders 1 and 2, the first with two items, of which the first has taxes.
fn with_items() -> Shelf {
    with_some_items(vec![1, 1], vec![Some(10), Some(20)])
}

/// The same orders, with items of these orders and prices.
fn with_some_items(orders: Vec<i64>, prices: Vec<Option<i64>>) -> Shelf {
    let at = |row| orders[..row].iter().rev().take_while(|order| **order == orders[row]).count() as i64;
    let ids: Vec<i64> = (0..orders.len()).map(at).collect();
    Shelf::new([integers("id", "id", vec![1, 2])])
        .with("items/*", [integers("price", "price", prices), source_keys(orders), level_ids(0, ids)])
        .with(
            "items/*/taxes/*",
            [
                texts("value", "", vec!["vat", "duty"]),
                source_keys(vec![1, 1]),
                level_ids(0, vec![0, 0]),
                level_ids(1, vec![0, 1]),
            ],
        )
}

#[test]
fn the_same_subrows() {
    let same = Comparison::Same { rows: 2 };
    check(with_items(), with_items().cut(1), &same);
    check(with_items(), with_some_items(vec![1, 1, 1, 2], vec![Some(10), Some(20), None, None]), &same);
    let nothing = Vec::<i64>::new;
    let never = [integers("value", "", nothing()), source_keys(nothing()), level_ids(0, nothing())];
    check(with_items(), with_items().with("never/*", never), &same);
}

#[test]
fn subrows_that_differ_are_named_by_place() {
    let check = |orders: Vec<i64>, prices: Vec<i64>, differing: Vec<(i64, Discrepancy)>| {
        let prices = prices.into_iter().map(Some).collect();
        check(with_items(), with_some_items(orders, prices), &different(differing.len(), differing));
    };
    check(vec![1, 1], vec![10, 21], vec![(1, places(["/items/1/price"]))]);
    check(vec![1, 1], vec![20, 10], vec![(1, places(["/items/0/price", "/items/1/price"]))]);
    check(vec![1], vec![10], vec![(1, places(["/items/1/price"]))]);
    check(vec![1, 1, 1], vec![10, 20, 30], vec![(1, places(["/items/2/price"]))]);
    check(vec![1, 2], vec![10, 20], vec![(1, places(["/items/1/price"])), (2, places(["/items/0/price"]))]);
}

#[test]
fn orphaned_subrows() {
    let orphaned = with_some_items(vec![1, 1, 3], vec![Some(10), Some(20), Some(30)]);
    check(with_items(), orphaned, &different(1, [(3, places(["/items/0/price"]))]));
    let without_root = |ids: Vec<i64>| {
        Shelf::new([integers("id", "id", ids)])
            .with("tags/*", [texts("value", "", vec!["a"]), source_keys(vec![1]), level_ids(0, vec![0])])
    };
    check(without_root(vec![1]), without_root(vec![]), &different(1, [(1, Discrepancy::Rows { left: 1, right: 0 })]));
    check(without_root(vec![]), without_root(vec![]), &Comparison::Same { rows: 0 });
}

#[test]
fn subrows_that_stand_twice() {
    let tags = |ids: Vec<i64>| {
        let (tags, keys) = (vec!["a"; ids.len()], vec![1; ids.len()]);
        Shelf::new([integers("id", "id", vec![1])])
            .with("tags/*", [texts("value", "", tags), source_keys(keys), level_ids(0, ids)])
    };
    // The logical view does not tell them apart.
    let found = compare(&mut tags(vec![0, 1, 1]), &mut tags(vec![0, 1]), &orders()).unwrap();
    assert_eq!(found, different(1, [(1, places(["/tags/1"]))]));
}

#[track_caller]
fn check_obstacle(mut left: Shelf, mut right: Shelf, expected: Obstacle) {
    assert_eq!(compare(&mut left, &mut right, &orders()).unwrap(), Comparison::NotComparable(expected));
}

#[test]
fn positions_that_differ() {
    let at = |position| {
        let mut shelf = Shelf::new(columns());
        shelf.state.position = position;
        shelf
    };
    let (left, mut right) = (position(7), position(8));
    check_obstacle(at(left), at(right), Obstacle::Positions { left, right });
    right = position(7);
    right.record = 2;
    check_obstacle(at(left), at(right), Obstacle::Positions { left, right });
    right = position(7);
    right.queue = QueueId::from_bytes([9; 16]);
    check_obstacle(at(left), at(right), Obstacle::Positions { left, right });
}

#[test]
fn a_destination_that_was_added_later() {
    let mut later = Shelf::new(columns());
    later.state.counts.loaded = 1;
    later.state.counts.superseded = 1;
    check_obstacle(Shelf::new(columns()), later, Obstacle::Accepted { left: 3, right: 2 });
}

#[test]
fn records_may_have_ended_differently() {
    let mut other = Shelf::new(columns());
    other.state.counts.loaded = 2;
    other.state.counts.superseded = 1;
    check_same(other);
}

#[test]
fn loads_meanwhile() {
    let empty = vec![integers("id", "id", Vec::<i64>::new())];
    for columns in [columns(), empty] {
        let table = |life| Shelf::new(columns.clone()).living(life);
        check_obstacle(table(Life::Moving), table(Life::Still), Obstacle::Loading(Side::Left));
        check_obstacle(table(Life::Still), table(Life::Moving), Obstacle::Loading(Side::Right));
    }
}

#[test]
fn a_side_without_the_table() {
    let table = |life| Shelf::new(columns()).living(life);
    check_obstacle(table(Life::NeverLoaded), table(Life::Still), Obstacle::NeverLoaded(Side::Left));
    check_obstacle(table(Life::Still), table(Life::NeverLoaded), Obstacle::NeverLoaded(Side::Right));
}
