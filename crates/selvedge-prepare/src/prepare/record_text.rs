//! The text of a record, as it stands in the body of its batch.

use crate::decode::member;
use crate::decode::scanner::Scanner;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The JSON text of the records of these indices, which ascend, in the order of the indices. `None` if the body is none of a
/// batch that holds them.
pub(crate) fn record_texts(body: &[u8], records: impl IntoIterator<Item = usize>) -> Option<Vec<&str>> {
    let text = simdutf8::basic::from_utf8(body).ok()?;
    let mut messages = messages(text).ok()?;
    let mut next = 0;
    let mut texts = Vec::new();
    for record in records {
        for _ in next..record {
            messages.well_formed().ok()?;
            messages.pass(b',').ok()?;
        }
        texts.push(data(&mut messages).ok()??);
        next = record + 1;
        if messages.peek() == Some(b',') {
            messages.pass(b',').ok()?;
        }
    }
    Some(texts)
}

/// A cursor at the first message.
fn messages(text: &str) -> Result<Scanner<'_>> {
    let mut scanner = Scanner::new(text);
    member::open_object(&mut scanner)?;
    while scanner.name()?.resolved()? != "messages" {
        scanner.value()?;
        scanner.pass(b',')?;
    }
    member::open_array(&mut scanner)?;
    Ok(scanner)
}

/// The text of a message's `data`, if it has any; the cursor is behind the message then.
pub(crate) fn data<'a>(messages: &mut Scanner<'a>) -> Result<Option<&'a str>> {
    let mut data = None;
    member::open_object(messages)?;
    loop {
        let name = messages.name()?.resolved()?;
        let value = messages.well_formed()?;
        if name == "data" {
            data = Some(value);
        }
        if !messages.continues(b'}')? {
            return Ok(data);
        }
    }
}
