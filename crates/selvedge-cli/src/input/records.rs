//! Plain records, one JSON object a line, put together to batches.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::MAX_BODY_BYTES;
use crate::input::lines::Lines;
use crate::input::piece::{BadPiece, Origin, Piece, Trouble};
use crate::input::sequence::{Fault, Numbering};

/// A batch is full at so many records,
const BATCH_RECORDS: usize = 10_000;
/// or as soon as it has so many bytes of them. Both only depend on what is read, so that a load which is resumed makes the
/// same batches.
const BATCH_BYTES: usize = 4 << 20;

/// What plain records need to become batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordFormat {
    pub(crate) table: String,
    pub(crate) keys: Vec<String>,
    pub(crate) schema: Value,
    pub(crate) numbering: Numbering,
}

impl RecordFormat {
    /// The next batch, after `before` records of the input; `None` at the end.
    pub(crate) fn next_piece(&self, lines: &mut Lines, before: u64) -> Result<Option<Piece>, Trouble> {
        let first_line = lines.place().line;
        let mut body = self.opening();
        let opening = body.len();
        let mut numbers = Vec::new();
        while let Some(line) = lines.peek() {
            if numbers.len() == BATCH_RECORDS || body.len() - opening >= BATCH_BYTES {
                break;
            }
            let index = before + numbers.len() as u64;
            self.append(&mut body, line, index).map_err(|fault| fault.at(lines.place().line, index, first_line))?;
            numbers.push(lines.place().line);
            lines.advance()?;
        }
        if numbers.is_empty() {
            return Ok(None);
        }
        body.pop(); // the comma after the last message
        body.extend_from_slice(b"]}");
        Ok(Some(Piece { body, origin: Origin::Records { lines: numbers, before } }))
    }

    fn opening(&self) -> Vec<u8> {
        let Self { table, keys, schema, numbering: _ } = self;
        let (table, keys) = (Value::from(table.as_str()), Value::from(keys.as_slice()));
        format!(r#"{{"table_name":{table},"schema":{schema},"key_names":{keys},"messages":["#).into_bytes()
    }

    /// Appends a message with the record as it stands, so that numbers keep all their digits.
    fn append(&self, body: &mut Vec<u8>, line: &[u8], index: u64) -> Result<(), Fault> {
        if line.len() > MAX_BODY_BYTES {
            let reason = format!("the record is larger than {} MiB", MAX_BODY_BYTES >> 20);
            return Err(Fault { pointer: String::new(), reason });
        }
        let sequence = self.numbering.sequence(line, index)?;
        body.extend_from_slice(format!(r#"{{"action":"upsert","sequence":{sequence},"data":"#).as_bytes());
        body.extend_from_slice(line);
        body.extend_from_slice(b"},");
        Ok(())
    }
}

impl Fault {
    fn at(self, line: u64, record: u64, first_line: u64) -> Trouble {
        let Self { pointer, reason } = self;
        Trouble::Bad(BadPiece { line, record: Some(record), pointer, reason, first_line })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::lines::Place;

    fn format() -> RecordFormat {
        let numbering = Numbering::Arrival { first: 10 };
        RecordFormat { table: "t".to_owned(), keys: vec!["id".to_owned()], schema: json!({}), numbering }
    }

    fn lines(text: String, place: Place) -> Lines {
        Lines::new(Box::new(std::io::Cursor::new(text)), place).unwrap()
    }

    #[test]
    fn a_record_keeps_its_text() {
        let text = "{\"id\": 1.50}\n\n{\"id\":2}".to_owned();
        let piece = format().next_piece(&mut lines(text, Place::START), 0).unwrap().unwrap();
        let expected = "{\"table_name\":\"t\",\"schema\":{},\"key_names\":[\"id\"],\"messages\":[\
             {\"action\":\"upsert\",\"sequence\":10,\"data\":{\"id\": 1.50}},\
             {\"action\":\"upsert\",\"sequence\":11,\"data\":{\"id\":2}}]}";
        assert_eq!(String::from_utf8(piece.body).unwrap(), expected);
        let Origin::Records { lines, before: 0 } = piece.origin else { panic!("{:?}", piece.origin) };
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn a_load_resumed_at_a_batch_makes_the_same_batches() {
        let wide = "x".repeat(1_000);
        let text: String =
            (0..25_000).map(|id| format!("{{\"id\":{id},\"x\":\"{}\"}}\n", &wide[..id % 1_000])).collect();
        let mut whole = lines(text.clone(), Place::START);
        let (mut before, mut batches) = (0, 0);
        loop {
            let place = whole.place();
            let mut resumed = lines(text[place.byte as usize..].to_owned(), place);
            let piece = format().next_piece(&mut whole, before).unwrap();
            let same = format().next_piece(&mut resumed, before).unwrap();
            assert_eq!(piece.as_ref().map(|piece| &piece.body), same.as_ref().map(|piece| &piece.body));
            let Some(Piece { origin: Origin::Records { lines, .. }, .. }) = piece else { break };
            before += lines.len() as u64;
            batches += 1;
        }
        assert_eq!(before, 25_000);
        assert!(batches > 3, "{batches}");
    }
}
