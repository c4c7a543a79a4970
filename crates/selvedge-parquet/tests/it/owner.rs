//! What a load refuses, and what a crash leaves behind.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use selvedge_core::{Applied, Destination, Inspect, LoadError, LoadErrorKind, Part, TableState};
use selvedge_parquet::{Parquet, ParquetReader, Settings};
use serde_json::Value;
use tempfile::tempdir;

use crate::table::{Table, files, look, read, read_file, reject_files, table_name, write_manifest};

fn open(root: &Path) -> Table {
    Table::open(root, Settings::default(), "id")
}

fn assert_error(error: &LoadError, kind: LoadErrorKind, says: &str) {
    assert_eq!((error.kind(), error.applied()), (kind, Applied::No), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn a_second_owner_is_refused_until_the_first_is_gone() {
    let root = tempdir().unwrap();
    let first = Parquet::open(root.path()).unwrap();
    let error = Parquet::open(root.path()).unwrap_err();
    assert_error(&error, LoadErrorKind::Unavailable, "is being written by another selvedge; stop it or wait");
    drop(first);
    Parquet::open(root.path()).unwrap();
}

#[test]
fn a_folder_is_made_with_those_above_it() {
    let root = tempdir().unwrap();
    let deep = root.path().join("a/b");
    open(&deep).load("id:integer", "1");
    assert_eq!(read(&deep.join("orders")), ["1"]);
}

#[test]
fn a_load_planned_on_another_state_has_no_effect() {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    let first = table.plan("id:integer", "1");
    table.load("id:integer", "2");
    let (before, state) = (files(&root.path().join("orders")), table.lake.state(&table.name).unwrap());
    let error = table.lake.load(&first).unwrap_err();
    assert_error(&error, LoadErrorKind::Stale, "changed by somebody else");
    assert_eq!(files(&root.path().join("orders")), before);
    assert_eq!(table.lake.state(&table.name).unwrap(), state);
}

/// Loads what has to be refused, and looks that nothing is left of it.
fn check_refused(columns: &str, rows: &str, says: &str) {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    let state = table.load("id:integer name:string", "2 b");
    assert_error(&table.try_load(columns, rows).unwrap_err(), LoadErrorKind::Refused, says);
    assert_eq!(fs::read_dir(root.path().join("orders/.generations")).unwrap().count(), 1);
    assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
}

#[test]
fn a_load_that_would_spoil_the_files_is_refused() {
    check_refused("id:integer name:string", "3 c; 1 a", "not in the order of their keys");
    check_refused("id:integer name:string", "1 a; 1 b", "not in the order of their keys");
    check_refused("name:string id:integer", "a 1", "a way Parquet files do not support");
    check_refused("id:integer name:json", "1 a", "a way Parquet files do not support");
}

#[test]
fn a_crash_at_any_step_leaves_nothing_behind() {
    type Step = fn(&Path);
    let steps: [(&str, Step); 6] = [
        ("the folder is made", |table| {
            fs::create_dir(table.join(".generations/000000000002")).unwrap();
        }),
        ("a file is half written", |table| {
            fs::write(table.join(".generations/000000000002/000000000002-0.parquet"), "PAR1").unwrap();
        }),
        ("the folder of the rejects is made", |table| {
            fs::create_dir(table.join(".generations/000000000002/_sdc_rejected")).unwrap();
        }),
        ("a file of the rejects is half written", |table| {
            fs::write(table.join(".generations/000000000002/_sdc_rejected/000000000002-0.parquet"), "PAR1").unwrap();
        }),
        ("the manifest is half written", |table| {
            fs::write(table.join(".generations/000000000002/manifest.json"), "{").unwrap();
        }),
        ("the link is not yet renamed", |table| {
            symlink(".generations/000000000002", table.join(".current-next")).unwrap();
        }),
    ];
    for reached in 1..=steps.len() {
        for opens_again in [false, true] {
            let root = tempdir().unwrap();
            let path = root.path().join("orders");
            let mut table = open(root.path());
            let state = table.load_rejecting("id:integer", "1", 0..1);
            steps.iter().take(reached).for_each(|(_, step)| step(&path));
            if opens_again {
                table.lake = {
                    drop(table.lake);
                    Parquet::open(root.path()).unwrap()
                };
                assert_eq!(fs::read_dir(path.join(".generations")).unwrap().count(), 1, "{}", steps[reached - 1].0);
            }
            assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
            table.load_rejecting("id:integer", "2", 1..2);
            assert_eq!(read(&path).len(), 2, "{}", steps[reached - 1].0);
            let rejected: usize = reject_files(&path).iter().map(|file| read_file(file).num_rows()).sum();
            assert_eq!(rejected, 2, "{}", steps[reached - 1].0);
            let mut names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            assert_eq!(names, [".generations", "current"]);
            assert_eq!(files(&path).len(), 1);
        }
    }
}

#[test]
fn a_crash_within_the_first_load_leaves_nothing_behind() {
    let root = tempdir().unwrap();
    fs::create_dir_all(root.path().join("orders/.generations/000000000001")).unwrap();
    fs::write(root.path().join("orders/.generations/000000000001/manifest.json"), "{").unwrap();
    let mut table = open(root.path());
    assert!(table.lake.state(&table.name).unwrap().is_none());
    table.load("id:integer", "1");
    assert_eq!(read(&root.path().join("orders")), ["1"]);
}

/// Puts something that is not this version's in the way of a loaded table; neither owner nor reader may go on.
fn check_in_the_way(says: &str, put: impl Fn(&Path)) {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    let load = table.plan("id:integer", "1");
    table.load("id:integer", "7734");
    put(&root.path().join("orders"));
    let mut reader = ParquetReader::open(root.path()).unwrap();
    assert_eq!(reader.tables().unwrap(), [table.name.clone()]);
    for error in [
        table.lake.state(&table.name).unwrap_err(),
        table.lake.load(&load).unwrap_err(),
        reader.count(&table.name).unwrap_err(),
        look(root.path(), &table.name, Part::Rejects).unwrap_err(),
    ] {
        assert_error(&error, LoadErrorKind::Refused, says);
        assert!(!format!("{error:?}").contains("7734"), "{error:?}");
    }
}

fn set_in_manifest(table: &Path, member: &str, value: Value) {
    let path = table.join("current/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let (stands, comes) = [&manifest[member], &value].map(|value| format!("\"{member}\": {value}")).into();
    assert!(text.contains(&stands), "{text}");
    write_manifest(table, &text.replacen(&stands, &comes, 1));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    check_in_the_way("is no link", |table| {
        fs::remove_file(table.join("current")).unwrap();
        fs::create_dir(table.join("current")).unwrap();
    });
    check_in_the_way("is a link to somewhere else", |table| {
        fs::remove_file(table.join("current")).unwrap();
        symlink("/", table.join("current")).unwrap();
    });
    check_in_the_way("cannot read", |table| fs::remove_file(table.join("current/manifest.json")).unwrap());
    check_in_the_way(&format!("is of format 0.{}, this selvedge knows", TableState::FORMAT), |table| {
        set_in_manifest(table, "format", 0.into());
    });
    check_in_the_way(".0, this selvedge knows", |table| set_in_manifest(table, "state_format", 0.into()));
    check_in_the_way("is no manifest of selvedge", |table| {
        let manifest = fs::read_to_string(table.join("current/manifest.json")).unwrap();
        write_manifest(table, &manifest.replace("\"rows\": 1", "\"rows\": \"7734\""));
    });
}

#[test]
fn a_key_damaged_in_the_manifest_is_refused_and_not_told() {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    table.load("id:integer", "7734");
    let path = root.path().join("orders/current/manifest.json");
    write_manifest(&root.path().join("orders"), &fs::read_to_string(&path).unwrap().replace("\"7734\"", "\"7734x\""));
    let error = table.try_load("id:integer", "1").unwrap_err();
    assert_error(&error, LoadErrorKind::Refused, "restore the table from a backup");
    assert!(!format!("{error:?}").contains("7734"), "{error:?}");
}

/// One bit at a time, of every byte: whoever reads it says so, and nobody goes by what it says then.
#[test]
fn a_flipped_bit_in_the_manifest_is_found() {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    table.load_rejecting("id:integer", "1", 0..1);
    drop(table);
    let path = root.path().join("orders/current/manifest.json");
    let sound = fs::read(&path).unwrap();
    for (byte, bit) in (0..sound.len()).flat_map(|byte| [1, 16, 128].map(|bit| (byte, bit))) {
        let mut flipped = sound.clone();
        flipped[byte] ^= bit;
        fs::write(&path, flipped).unwrap();
        let name = table_name("orders");
        let read = ParquetReader::open(root.path()).unwrap().count(&name).map(drop).unwrap_err();
        let opened = Parquet::open(root.path()).unwrap().state(&name).map(drop).unwrap_err();
        for error in [read, opened] {
            assert_eq!(error.kind(), LoadErrorKind::Refused, "byte {byte}, bit {bit}");
            assert!(error.to_string().contains("manifest.json"), "byte {byte}, bit {bit}: {error}");
        }
    }
    fs::write(&path, &sound).unwrap();
    assert!(Parquet::open(root.path()).unwrap().state(&table_name("orders")).unwrap().is_some());
}

#[test]
fn a_table_called_current_does_not_harm_another() {
    for (first, second) in [("x", "x.current"), ("x.current", "x")] {
        let root = tempdir().unwrap();
        let mut table = open(root.path());
        table.name = table_name(first);
        let state = table.load("id:integer", "1");
        let mut load = table.plan("id:integer", "2");
        load.planned_on = None;
        load.table = table_name(second);
        assert_error(
            &table.lake.load(&load).unwrap_err(),
            LoadErrorKind::Refused,
            "rename the table or the integration",
        );
        assert_eq!(table.lake.state(&table.name).unwrap(), Some(state));
    }
}

#[test]
fn tables_of_an_integration_stand_beside_a_table_of_its_name() {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    for (name, row) in [("x", "1"), ("x.y", "2"), ("y", "3")] {
        table.name = table_name(name);
        table.load("id:integer", row);
    }
    for (path, row) in [("x", "1"), ("x/y", "2"), ("y", "3")] {
        assert_eq!(read(&root.path().join(path)), [row]);
    }
}

/// It may mean something else by folders that look left over.
#[test]
fn what_another_version_wrote_is_not_swept() {
    let root = tempdir().unwrap();
    let mut table = open(root.path());
    table.load("id:integer", "1");
    drop(table);
    let generations = root.path().join("orders/.generations");
    let manifest = generations.join("000000000001/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let other = text.replacen("\"format\": ", "\"format\": 9", 1);
    assert_ne!(other, text);
    fs::write(&manifest, other).unwrap();
    fs::create_dir(generations.join("000000000002")).unwrap();
    Parquet::open_with(root.path(), Settings { keep_outdated: Duration::ZERO, ..Settings::default() }).unwrap();
    assert!(generations.join("000000000002").exists());
}
