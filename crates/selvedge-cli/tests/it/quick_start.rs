//! What the README shows.

use std::fs;
use std::path::Path;

use crate::Place;

fn example() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/customers.json")).unwrap()
}

#[test]
fn customers() {
    let place = Place::new();
    place.write("customers.json", example());
    let run = place.run("load customers.json --to sqlite:demo.db --report json").expect_code(0);
    let counts = r#"{"accepted":1,"loaded":1,"superseded":0,"rejected":0,"waiting":0,"repeated":0}"#;
    let expected = format!(r#"{{"destinations":{{"sqlite:demo.db":{{"tables":{{"customers":{counts}}}}}}},"seconds":"#);
    let rest = run.stdout.strip_prefix(&expected).unwrap_or_else(|| panic!("{}", run.stdout));
    let seconds: f64 = rest.strip_suffix("}\n").unwrap().parse().unwrap();
    assert!(seconds > 0.0, "{rest}");
    assert_eq!(run.stderr, "");
    assert_eq!(place.rows("customers", "id, name, age, has_magic, _sdc_sequence"), ["1|Finn|15|0|1565880017"]);
    assert!(place.path("demo.db.queue").is_dir());
}

#[test]
fn people_get_a_summary() {
    let place = Place::new();
    place.write("customers.json", example());
    let run = place.run("load customers.json --to sqlite:demo.db").expect_code(0);
    assert!(run.stdout.starts_with("sqlite:demo.db\n  customers: 1 loaded\nin 0."), "{}", run.stdout);
    let again = place.run("load customers.json --to sqlite:demo.db").expect_code(0);
    assert!(again.stdout.starts_with("sqlite:demo.db\n  customers: 1 loaded before\nin 0."), "{}", again.stdout);
}
