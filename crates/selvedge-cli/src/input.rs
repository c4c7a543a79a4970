//! What is loaded: files and standard input.

pub(crate) mod batches;
pub(crate) mod count;
pub(crate) mod lines;
pub(crate) mod piece;
pub(crate) mod records;
pub(crate) mod sequence;
pub(crate) mod snapshot;
pub(crate) mod stream;

use std::convert::Infallible;
use std::fmt;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Error;
use crate::input::lines::{Lines, Place};
use crate::input::snapshot::Snapshot;
use crate::input::stream::Stream;

/// The largest body of a batch, and so the longest line: far beyond what is useful, but within the memory there is.
pub(crate) const MAX_BODY_BYTES: usize = 64 << 20;
/// What is read at once.
pub(crate) const READ_BYTES: usize = 1 << 20;

/// A reader of an input's bytes.
pub(crate) type Reader = Box<dyn BufRead + Send>;

/// An input as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    Standard,
}

/// What there is to read of an input.
pub(crate) enum Material {
    File(Snapshot),
    Stream(Stream),
}

impl Input {
    /// Finds out what there is to read: of a file its identity, of standard input the first `sample_lines`.
    pub(crate) fn material(&self, sample_lines: usize) -> Result<Material, Error> {
        let material = match self {
            Self::File(path) if path.metadata().is_ok_and(|metadata| !metadata.is_file()) => {
                return Err(Error::failed(format!(
                    "{self} is not a file; name the files in it if it is a folder, or send its content over standard \
                     input (`selvedge load - …`)"
                )));
            }
            Self::File(path) => Snapshot::take(path).map(Material::File),
            Self::Standard => Stream::open(sample_lines).map(Material::Stream),
        };
        material.map_err(|cause| self.unreadable(cause))
    }

    /// The error of this input when it could not be read.
    pub(crate) fn unreadable(&self, cause: io::Error) -> Error {
        Error::failed(format!("{self} cannot be read; check its name and your rights to it")).because(cause)
    }
}

impl Material {
    /// How many bytes a file had when the command began; unknown for a stream.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::File(snapshot) => Some(snapshot.bytes),
            Self::Stream(_) => None,
        }
    }

    /// The lines from a place on. A stream is always at its beginning.
    pub(crate) fn into_lines(self, place: Place) -> io::Result<Lines> {
        match self {
            Self::File(snapshot) => Lines::new(snapshot.open_at(place)?, place),
            Self::Stream(stream) => Lines::new(stream.into_reader(), place),
        }
    }

    /// The lines a schema is inferred from: all of a file, the sample of a stream.
    pub(crate) fn sample(&self) -> io::Result<Lines> {
        let reader = match self {
            Self::File(snapshot) => snapshot.open_at(Place::START)?,
            Self::Stream(stream) => stream.sample(),
        };
        Lines::new(reader, Place::START)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Standard => f.write_str("standard input"),
        }
    }
}

impl FromStr for Input {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::Standard } else { Self::File(text.into()) })
    }
}
