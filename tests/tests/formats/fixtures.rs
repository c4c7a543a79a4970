//! Copies of the fixtures, and which versions stand where.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A copy of a fixture.
pub(super) fn copy(fixture: &str) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    unpack(&folder(fixture), copy.path());
    copy
}

/// Copies of the fixtures of queue, SQLite, DuckDB and Parquet, beside each other: `queue`, `warehouse.db`,
/// `warehouse.duckdb` and `lake`.
pub(super) fn copies([queue, sqlite, duckdb, parquet]: [&str; 4]) -> TempDir {
    let copies = tempfile::tempdir().unwrap();
    for (fixture, to) in [(queue, "queue"), (sqlite, ""), (duckdb, ""), (parquet, "lake")] {
        unpack(&folder(fixture), &copies.path().join(to));
    }
    copies
}

fn folder(fixture: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture)
}

/// Copies a folder: links as links, compressed files as what they were.
fn unpack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_symlink() {
            symlink(fs::read_link(path).unwrap(), to).unwrap();
        } else if path.is_dir() {
            unpack(&path, &to);
        } else if path.extension().is_some_and(|kind| kind == "zst") {
            fs::write(to.with_extension(""), zstd::decode_all(&*fs::read(path).unwrap()).unwrap()).unwrap();
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

/// The names that fixtures of what stands in a folder have, if it is laid out as [`copies`] does.
pub(super) fn names(folder: &Path) -> [String; 4] {
    let manifest = fs::read(folder.join("lake/customers/current/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let state = "SELECT max(format) FROM _sdc_tables";
    [
        format!("queue-{}", sqlite_number(&folder.join("queue/queue.db"), "PRAGMA user_version")),
        format!("sqlite-{}", sqlite_number(&folder.join("warehouse.db"), state)),
        format!("duckdb-{}", duckdb_number(&folder.join("warehouse.duckdb"), state)),
        format!("parquet-{}.{}", manifest["format"], manifest["state_format"]),
    ]
}

fn sqlite_number(file: &Path, query: &str) -> i64 {
    rusqlite::Connection::open(file).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

fn duckdb_number(file: &Path, query: &str) -> i64 {
    duckdb::Connection::open(file).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

/// What each file in a folder holds, and where each link leads.
pub(super) fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut content = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            content.insert(path, target.into_os_string().into_encoded_bytes());
        } else if path.is_dir() {
            content.extend(self::content(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            content.insert(path, bytes);
        }
    }
    content
}
