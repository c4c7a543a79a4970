//! Files whose making was cut off: DuckDB never opens them again, and nothing can have been committed in them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// DuckDB begins a file with three headers of this size, before anything can be written to it.
const HEADER_BYTES: u64 = 4_096;
/// What stands in the first of them after a checksum of eight bytes.
const MAGIC: [u8; 4] = *b"DUCK";

/// Removes a file that a process was killed while making, which holds less than the headers; tells whether it did. Any other
/// file that is as short is somebody else's.
pub(crate) fn remove(path: &Path) -> bool {
    is_stillborn(path) && fs::remove_file(path).is_ok()
}

fn is_stillborn(path: &Path) -> bool {
    let is_short = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() < 3 * HEADER_BYTES);
    let mut log = path.as_os_str().to_owned();
    log.push(".wal");
    is_short && !Path::new(&log).exists() && begins_as_ours(path).unwrap_or(false)
}

/// Whether the file is empty or begins as DuckDB's do.
fn begins_as_ours(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(12).read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning.get(8..) == Some(&MAGIC))
}
