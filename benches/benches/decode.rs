//! How fast a batch of orders is decoded, beside what bounds it and what others reach.
//!
//! Everything runs in one process on the same 10,000 records, one thread each, so the ratios hold on any machine:
//! `ceiling/…` is work no decoder can leave out, `peer/…` is what other libraries need for the same bytes, `decode/…` is
//! ours.
#![expect(clippy::expect_used, reason = "a benchmark of a workload that cannot be read has to stop")]

use std::hint::black_box;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow_json::ReaderBuilder;
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use selvedge_benches::orders;
use selvedge_prepare::{Schemas, decode};
use serde::de::IgnoredAny;
use serde_json::Value;

/// Messages in the batch, as many as the generator puts in one by default.
const MESSAGES: u64 = 10_000;

fn main() {
    let body = body();
    let mut criterion = Criterion::default().configure_from_args();
    ceilings(layer(&mut criterion, "ceiling", &body), &body);
    peers(layer(&mut criterion, "peer", &body), &body);
    decoders(layer(&mut criterion, "decode", &body), &body);
    criterion.final_summary();
}

/// The batch as it is sent.
fn body() -> Vec<u8> {
    let mut body = Vec::new();
    orders::write_batch(&mut body, orders::messages(MESSAGES)).expect("a vector can be written");
    body
}

/// A group whose throughput is that of the input.
fn layer<'a>(criterion: &'a mut Criterion, name: &str, input: &[u8]) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::ElementsAndBytes { elements: MESSAGES, bytes: input.len() as u64 });
    group
}

fn ceilings(mut group: BenchmarkGroup<WallTime>, body: &[u8]) {
    group.bench_function("utf8", |bench| bench.iter(|| simdutf8::basic::from_utf8(black_box(body)).is_ok()));
    group.bench_function("newlines", |bench| bench.iter(|| memchr::memchr_iter(b'\n', black_box(body)).count()));
    group.bench_function("xxh3", |bench| bench.iter(|| xxhash_rust::xxh3::xxh3_128(black_box(body))));
    group.finish();
}

fn peers(mut group: BenchmarkGroup<WallTime>, body: &[u8]) {
    group.bench_function("serde_json IgnoredAny", |bench| {
        bench.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(body)).expect("the body is JSON"));
    });
    group.bench_function("serde_json Value", |bench| {
        bench.iter(|| serde_json::from_slice::<Value>(black_box(body)).expect("the body is JSON"));
    });
    let (schema, lines) = (arrow_schema(), lines());
    group.throughput(Throughput::ElementsAndBytes { elements: MESSAGES, bytes: lines.len() as u64 });
    group.bench_function("arrow-json, records cut out beforehand", |bench| {
        bench.iter(|| {
            let mut decoder = ReaderBuilder::new(Arc::clone(&schema))
                .with_batch_size(10_000)
                .build_decoder()
                .expect("the schema is right");
            decoder.decode(black_box(&lines)).expect("the lines are JSON");
            decoder.flush().expect("the records fit the schema")
        });
    });
    group.finish();
}

/// The records alone, one a line: what arrow-json can read.
fn lines() -> Vec<u8> {
    let mut lines = Vec::new();
    for message in orders::messages(MESSAGES) {
        serde_json::to_writer(&mut lines, &message.data).expect("a vector can be written");
        lines.push(b'\n');
    }
    lines
}

/// The columns of the orders, typed as our decoder types them. arrow-json reads "UTC" only with a table of time zones.
fn arrow_schema() -> Arc<Schema> {
    let column = |(name, data_type): (&str, DataType)| Field::new(name, data_type, true);
    let columns = [
        ("o_orderkey", DataType::Int64),
        ("o_custkey", DataType::Int64),
        ("o_orderstatus", DataType::Utf8),
        ("o_totalprice", DataType::Decimal128(38, 2)),
        ("o_orderdate", DataType::Date32),
        ("o_orderpriority", DataType::Utf8),
        ("o_clerk", DataType::Utf8),
        ("o_shippriority", DataType::Int64),
        ("o_comment", DataType::Utf8),
        ("o_updated_at", DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))),
        ("o_discount", DataType::Float64),
        ("o_is_gift", DataType::Boolean),
    ];
    Arc::new(Schema::new(columns.map(column).to_vec()))
}

fn decoders(mut group: BenchmarkGroup<WallTime>, body: &[u8]) {
    // Kept from batch to batch, as the engine keeps it: the schema is compiled once.
    let schemas = Schemas::new();
    group.bench_function("orders", |bench| {
        bench.iter(|| decode(black_box(body), &schemas).expect("the batch is valid"));
    });
    group.finish();
}
