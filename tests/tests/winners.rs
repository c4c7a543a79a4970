//! Whatever way the orders come, every destination ends with the newest version of each key, read back by its own reader.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow::temporal_conversions::date32_to_datetime;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use selvedge::{Batch, Engine, duckdb::DuckDb, parquet::Parquet, sqlite::Sqlite};
use selvedge_benches::orders::{self, Message};

/// Messages of each check: 24,000 keys, some 4,800 updates, 600 of all come late.
const MESSAGES: u64 = 30_000;

/// The columns compared, by the key.
type Table = BTreeMap<i64, Row>;

#[derive(Debug, Clone, PartialEq)]
struct Row {
    sequence: i64,
    customer: i64,
    status: String,
    price_cents: i64,
    date: String,
    comment: String,
    discount: f64,
    gift: Option<bool>,
}

/// Pushes the orders in batches of `size`, arranged by `arrange`, over `engines` engines one after the other, and compares
/// every destination with the model.
fn check(size: usize, engines: usize, arrange: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let folder = tempfile::tempdir().unwrap();
    let messages: Vec<Message> = orders::messages(MESSAGES).collect();
    let mut bodies: Vec<Vec<u8>> = messages.chunks(size).map(body).collect();
    arrange(&mut bodies);
    for bodies in bodies.chunks(bodies.len().div_ceil(engines)) {
        let engine = start(folder.path());
        for body in bodies {
            engine.push(Batch::from_json(body.clone())).unwrap();
        }
    }
    let engine = start(folder.path());
    let left = engine.flush(Duration::from_secs(120)).unwrap();
    assert!(left.is_empty(), "{left:?}");
    drop(engine);

    let expected = newest(&messages);
    let read = [
        ("sqlite", read_sqlite(folder.path())),
        ("duckdb", read_duckdb(folder.path())),
        ("parquet", read_parquet(folder.path())),
    ];
    for (destination, table) in read {
        assert_eq!(table.len(), expected.len(), "keys in {destination}");
        for (key, row) in &expected {
            assert_eq!(table.get(key), Some(row), "order {key} in {destination}");
        }
    }
}

fn start(folder: &Path) -> Engine {
    Engine::builder(folder.join("queue"))
        .destination("sqlite", Sqlite::open(folder.join("orders.db")).unwrap())
        .destination("duckdb", DuckDb::open(folder.join("orders.duckdb")).unwrap())
        .destination("parquet", Parquet::open(folder.join("lake")).unwrap())
        .start()
        .unwrap()
}

fn body(messages: &[Message]) -> Vec<u8> {
    let mut body = Vec::new();
    orders::write_batch(&mut body, messages.iter().cloned()).unwrap();
    body
}

/// The model: of each key the message with the greatest sequence, the later one at a tie.
fn newest(messages: &[Message]) -> Table {
    let mut table = Table::new();
    for Message { sequence, data, .. } in messages {
        let row = Row {
            sequence: *sequence,
            customer: data.o_custkey,
            status: data.o_orderstatus.to_owned(),
            price_cents: data.o_totalprice_cents,
            date: data.o_orderdate.clone(),
            comment: data.o_comment.to_owned(),
            discount: data.o_discount,
            gift: data.o_is_gift,
        };
        let known = table.entry(data.o_orderkey).or_insert_with(|| row.clone());
        if row.sequence >= known.sequence {
            *known = row;
        }
    }
    table
}

fn read_sqlite(folder: &Path) -> Table {
    let connection = rusqlite::Connection::open(folder.join("orders.db")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT o_orderkey, _sdc_sequence, o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_comment, o_discount,
                    o_is_gift, o_updated_at = strftime('%Y-%m-%dT%H:%M:%S', _sdc_sequence, 'unixepoch') || '.000000Z'
             FROM orders",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        assert!(row.get::<_, bool>(9)?, "o_updated_at is the sequence as a moment");
        let price: String = row.get(4)?;
        let (whole, cents) = price.split_once('.').unwrap();
        assert_eq!(cents.len(), 2, "{price}");
        Ok((
            row.get(0)?,
            Row {
                sequence: row.get(1)?,
                customer: row.get(2)?,
                status: row.get(3)?,
                price_cents: format!("{whole}{cents}").parse().unwrap(),
                date: row.get(5)?,
                comment: row.get(6)?,
                discount: row.get(7)?,
                gift: row.get(8)?,
            },
        ))
    });
    collect(rows.unwrap().map(Result::unwrap))
}

fn read_duckdb(folder: &Path) -> Table {
    let connection = duckdb::Connection::open(folder.join("orders.duckdb")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT o_orderkey, _sdc_sequence, o_custkey, o_orderstatus, CAST(o_totalprice * 100 AS BIGINT),
                    CAST(o_orderdate AS VARCHAR), o_comment, o_discount, o_is_gift,
                    epoch_us(o_updated_at) = _sdc_sequence * 1000000
             FROM orders",
        )
        .unwrap();
    let rows = statement.query_map([], |row| {
        assert!(row.get::<_, bool>(9)?, "o_updated_at is the sequence as a moment");
        Ok((
            row.get(0)?,
            Row {
                sequence: row.get(1)?,
                customer: row.get(2)?,
                status: row.get(3)?,
                price_cents: row.get(4)?,
                date: row.get(5)?,
                comment: row.get(6)?,
                discount: row.get(7)?,
                gift: row.get(8)?,
            },
        ))
    });
    collect(rows.unwrap().map(Result::unwrap))
}

fn read_parquet(folder: &Path) -> Table {
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder.join("lake/orders/current")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let file = std::fs::File::open(path).unwrap();
            for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
                rows.extend(rows_of(&batch.unwrap()));
            }
        }
    }
    collect(rows.into_iter())
}

fn rows_of(batch: &arrow::array::RecordBatch) -> Vec<(i64, Row)> {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let integer = |name: &str, row: usize| column(name).as_primitive::<Int64Type>().value(row);
    let text = |name: &str, row: usize| column(name).as_string::<i32>().value(row).to_owned();
    let of_row = |row: usize| {
        let date = column("o_orderdate").as_primitive::<Date32Type>().value(row);
        let gift = column("o_is_gift").as_boolean();
        let values = Row {
            sequence: integer("_sdc_sequence", row),
            customer: integer("o_custkey", row),
            status: text("o_orderstatus", row),
            price_cents: column("o_totalprice").as_primitive::<Decimal128Type>().value(row).try_into().unwrap(),
            date: date32_to_datetime(date).unwrap().date().to_string(),
            comment: text("o_comment", row),
            discount: column("o_discount").as_primitive::<Float64Type>().value(row),
            gift: gift.is_valid(row).then(|| gift.value(row)),
        };
        (integer("o_orderkey", row), values)
    };
    (0..batch.num_rows()).map(of_row).collect()
}

/// No key may stand twice.
fn collect(rows: impl Iterator<Item = (i64, Row)>) -> Table {
    let mut table = Table::new();
    for (key, row) in rows {
        assert!(table.insert(key, row).is_none(), "order {key} stands twice");
    }
    table
}

#[test]
fn in_order() {
    check(1_000, 1, |_| {});
}

#[test]
fn backwards_in_small_batches_and_three_engines() {
    check(333, 3, |bodies| bodies.reverse());
}

#[test]
fn every_batch_twice() {
    check(2_000, 2, |bodies| {
        let again = bodies.clone();
        bodies.extend(again);
    });
}

#[test]
fn all_at_once() {
    check(20_000, 1, |_| {});
}
