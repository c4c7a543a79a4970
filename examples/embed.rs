//! A program with the engine inside: `cargo run --release -p selvedge --example embed`
#![expect(clippy::print_stdout, reason = "it shows what it did")]

use std::error::Error;
use std::time::Duration;

use selvedge::{Batch, Engine, sqlite::Sqlite};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::builder("warehouse.queue").destination("warehouse", Sqlite::open("warehouse.db")?).start()?;

    let schema = json!({"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}});
    let batch = Batch::new("customers", &["id"], &schema)
        .upsert(1, &json!({"id": 1, "name": "Finn"}))
        .upsert(2, &json!({"id": 2, "name": "Jake"}));

    let receipt = engine.push(batch)?; // durable from here on; blocks at the budget
    receipt.wait_loaded(Duration::from_secs(30))?; // in every destination
    let left = engine.flush(Duration::from_secs(30))?; // tables that still wait, and why
    assert!(left.is_empty(), "{left:?}");
    print!("{}", engine.progress());
    Ok(())
}
