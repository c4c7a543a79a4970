//! The messages: how many, which keys, in which order, and what stands in the end.

use std::collections::HashMap;

use selvedge_benches::orders::{Arrival, Message, messages};

#[track_caller]
fn check(count: u64, keys: usize, updates: usize, late: usize) {
    let of = |arrival| messages(count).filter(|message| message.arrival == arrival).count();
    assert_eq!(messages(count).count() as u64, count);
    assert_eq!((of(Arrival::First), of(Arrival::Update), of(Arrival::Late)), (keys, updates, late));
    let mut distinct: Vec<i64> = messages(count).map(|message| message.data.o_orderkey).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), keys);
}

#[test]
fn one_message_in_five_is_of_an_earlier_key_and_one_in_fifty_late() {
    check(0, 0, 0, 0);
    check(1, 1, 0, 0);
    check(50, 40, 9, 1);
    check(10_007, 8_006, 1_801, 200);
    check(100_000, 80_000, 18_000, 2_000);
}

#[test]
fn an_arrival_says_how_the_sequence_stands_to_those_before() {
    let mut newest: HashMap<i64, i64> = HashMap::new();
    for Message { arrival, sequence, data } in messages(50_000) {
        let before = newest.get(&data.o_orderkey).copied();
        let found = match before {
            None => Arrival::First,
            Some(before) if sequence > before => Arrival::Update,
            Some(before) => {
                assert_ne!(sequence, before, "a tie would leave the winner to the order of arrival");
                Arrival::Late
            }
        };
        assert_eq!(arrival, found, "key {} sequence {sequence}", data.o_orderkey);
        newest.insert(data.o_orderkey, before.map_or(sequence, |before| before.max(sequence)));
    }
}

#[test]
fn an_update_changes_the_record() {
    let mut current = HashMap::new();
    let mut updates = 0;
    for Message { arrival, mut data, .. } in messages(20_000) {
        // Leaves the values that come from the source, not those that change with every message.
        data.o_updated_at.clear();
        data.o_discount = 0.0;
        match arrival {
            Arrival::First => assert!(current.insert(data.o_orderkey, data).is_none()),
            Arrival::Update => {
                updates += 1;
                let before = current.insert(data.o_orderkey, data.clone());
                assert_ne!(before, Some(data));
            }
            Arrival::Late => {}
        }
    }
    assert_eq!(updates, 3_600);
}

#[test]
fn keys_are_sparse() {
    let keys: Vec<i64> =
        messages(20).filter(|message| message.arrival == Arrival::First).map(|first| first.data.o_orderkey).collect();
    assert_eq!(keys, [1, 2, 3, 4, 5, 6, 7, 32, 33, 34, 35, 36, 37, 38, 39, 64]);
}

#[test]
fn a_smaller_workload_is_the_beginning_of_a_larger_one() {
    assert!(messages(1_000).eq(messages(100_000).take(1_000)));
}

#[test]
fn gifts_are_null_now_and_then() {
    let of = |gift| messages(16_000).filter(|message| message.data.o_is_gift == gift).count();
    let (unknown, yes, no) = (of(None), of(Some(true)), of(Some(false)));
    assert!((800..1_200).contains(&unknown) && yes > 2 * unknown && no > 2 * yes, "{unknown} {yes} {no}");
}
