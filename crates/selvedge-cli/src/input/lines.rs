//! The lines of an input, and where each begins.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

use crate::input::{MAX_BODY_BYTES, Reader};

/// A place in an input where a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Bytes before it.
    pub(crate) byte: u64,
    /// Its number, from 1.
    pub(crate) line: u64,
}

impl Place {
    /// The beginning of an input.
    pub(crate) const START: Self = Self { byte: 0, line: 1 };
}

/// The lines of an input that are not blank, one looked ahead.
pub(crate) struct Lines {
    reader: Reader,
    /// The line ahead, without white space around it; empty at the end.
    ahead: Vec<u8>,
    ahead_at: Place,
    /// What is read next.
    rest_at: Place,
}

impl Lines {
    /// The lines of `reader`, whose first byte stands at `place` of the input.
    pub(crate) fn new(reader: Reader, place: Place) -> io::Result<Self> {
        let mut lines = Self { reader, ahead: Vec::new(), ahead_at: place, rest_at: place };
        lines.advance()?;
        Ok(lines)
    }

    /// The line ahead; `None` at the end. One longer than [`MAX_BODY_BYTES`] is cut off just above that.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        (!self.ahead.is_empty()).then_some(&self.ahead)
    }

    /// Where the line ahead begins, or the end.
    pub(crate) fn place(&self) -> Place {
        self.ahead_at
    }

    /// Moves on to the next line that is not blank.
    pub(crate) fn advance(&mut self) -> io::Result<()> {
        loop {
            self.ahead.clear();
            self.ahead_at = self.rest_at;
            let longest = MAX_BODY_BYTES as u64 + 1;
            let read = (&mut self.reader).take(longest).read_until(b'\n', &mut self.ahead)?;
            self.rest_at.byte += read as u64;
            self.rest_at.line += 1;
            trim(&mut self.ahead);
            if read == 0 || !self.ahead.is_empty() {
                return Ok(());
            }
        }
    }
}

fn trim(line: &mut Vec<u8>) {
    line.truncate(line.trim_ascii_end().len());
    let indent = line.len() - line.trim_ascii_start().len();
    line.drain(..indent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_passed_and_counted() {
        let text = b"\n  a\r\n\n\t\nb";
        let mut lines = Lines::new(Box::new(&text[..]), Place::START).unwrap();
        let mut seen = Vec::new();
        while let Some(line) = lines.peek() {
            seen.push((line.to_vec(), lines.place()));
            lines.advance().unwrap();
        }
        assert_eq!(seen, [(b"a".to_vec(), Place { byte: 1, line: 2 }), (b"b".to_vec(), Place { byte: 9, line: 5 })]);
        assert_eq!(lines.place().byte, text.len() as u64);
    }
}
