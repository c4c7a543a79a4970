//! Standard input, which can be read only once.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use crate::input::{MAX_BODY_BYTES, READ_BYTES, Reader};

/// Standard input, of which a part was read ahead.
pub(crate) struct Stream {
    sample: Vec<u8>,
    rest: Reader,
}

impl Stream {
    /// Reads so many lines ahead, unless they are very long.
    pub(crate) fn open(sample_lines: usize) -> io::Result<Self> {
        let mut rest: Reader = Box::new(BufReader::with_capacity(READ_BYTES, io::stdin()));
        let mut sample = Vec::new();
        for _ in 0..sample_lines {
            let room = MAX_BODY_BYTES.saturating_sub(sample.len()) as u64;
            if (&mut rest).take(room).read_until(b'\n', &mut sample)? == 0 {
                break;
            }
        }
        Ok(Self { sample, rest })
    }

    /// What was read ahead.
    pub(crate) fn sample(&self) -> Reader {
        Box::new(Cursor::new(self.sample.clone()))
    }

    /// All of it, from the beginning.
    pub(crate) fn into_reader(self) -> Reader {
        Box::new(Cursor::new(self.sample).chain(self.rest))
    }
}
