//! A file as it was when the command began.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::input::lines::Place;
use crate::input::{READ_BYTES, Reader};

/// A file and the identity of its content, which is the same under any name. What is appended later is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    path: PathBuf,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    /// XXH3 over them.
    pub(crate) digest: u128,
}

impl Snapshot {
    /// Reads the whole file.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(READ_BYTES, File::open(path)?);
        let mut hash = Xxh3::new();
        let mut bytes = 0;
        loop {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok(Self { path: path.to_owned(), bytes, digest: hash.digest128() });
            }
            hash.update(chunk);
            let length = chunk.len();
            bytes += length as u64;
            reader.consume(length);
        }
    }

    /// A reader of its content from a place on.
    pub(crate) fn open_at(&self, place: Place) -> io::Result<Reader> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(place.byte))?;
        Ok(Box::new(BufReader::with_capacity(READ_BYTES, file).take(self.bytes.saturating_sub(place.byte))))
    }
}
