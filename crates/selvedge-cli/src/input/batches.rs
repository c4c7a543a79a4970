//! Batches of the Import API, one JSON object after the other.
//!
//! In valid JSON a line never breaks inside a string, and `}` before `{` occurs between two whole objects only. So one batch
//! ends where a line ends with `}` and the next begins with `{`: that finds batches of one line and of many alike, and
//! looks at hardly any byte. What is not valid JSON ends up in one piece or another, and decoding refuses it.

use crate::input::MAX_BODY_BYTES;
use crate::input::lines::Lines;
use crate::input::piece::{BadPiece, Origin, Piece, Trouble};

/// The next batch; `None` at the end.
pub(crate) fn next_piece(lines: &mut Lines) -> Result<Option<Piece>, Trouble> {
    let first_line = lines.place().line;
    let bad = |reason: String| {
        Err(Trouble::Bad(BadPiece { line: first_line, record: None, pointer: String::new(), reason, first_line }))
    };
    let Some(first) = lines.peek() else { return Ok(None) };
    if !first.starts_with(b"{") {
        return bad("expected a JSON object: a batch begins with `{`".to_owned());
    }
    let mut body = Vec::new();
    while let Some(line) = lines.peek() {
        if body.ends_with(b"}") && line.starts_with(b"{") {
            break;
        }
        // White space may stand between any two lines, and must between two numbers.
        if !body.is_empty() {
            body.push(b'\n');
        }
        body.extend_from_slice(line);
        if body.len() > MAX_BODY_BYTES {
            return bad(format!("the batch is larger than {} MiB; split it", MAX_BODY_BYTES >> 20));
        }
        lines.advance()?;
    }
    Ok(Some(Piece { body, origin: Origin::Batch(first_line) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::lines::Place;

    fn check(text: &'static str, expected: &[(&str, u64)]) {
        let mut lines = Lines::new(Box::new(text.as_bytes()), Place::START).unwrap();
        let mut found = Vec::new();
        while let Some(Piece { body, origin: Origin::Batch(line) }) = next_piece(&mut lines).unwrap() {
            found.push((String::from_utf8(body).unwrap(), line));
        }
        let expected: Vec<_> = expected.iter().map(|(body, line)| ((*body).to_owned(), *line)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn one_a_line_or_one_over_many() {
        check("", &[]);
        check("{\"a\":1}", &[("{\"a\":1}", 1)]);
        check("{\"a\":1}\n{\"b\":2}\n\n{}\n", &[("{\"a\":1}", 1), ("{\"b\":2}", 2), ("{}", 4)]);
        check("{\n  \"a\": {\n  }\n}\n", &[("{\n\"a\": {\n}\n}", 1)]);
        check("{\n\"a\": [{},\n{}]}\n\n{\"b\":\n{}}", &[("{\n\"a\": [{},\n{}]}", 1), ("{\"b\":\n{}}", 5)]);
        check("{\"a\":[{}\n,{}]}\n{}", &[("{\"a\":[{}\n,{}]}", 1), ("{}", 3)]);
    }

    #[test]
    fn an_array_is_no_batch() {
        let mut lines = Lines::new(Box::new(&b"\n[{}]"[..]), Place::START).unwrap();
        let Err(Trouble::Bad(bad)) = next_piece(&mut lines) else { panic!("not refused") };
        assert_eq!((bad.line, bad.reason.as_str()), (2, "expected a JSON object: a batch begins with `{`"));
    }
}
