//! The body of a batch, written anew with some of its messages.

use std::collections::BTreeSet;

use crate::decode::member;
use crate::decode::scanner::Scanner;
use crate::prepare::record_text;
use crate::redact::rewriter::{Fate, Rewriter};
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// What stands in place of a message that was erased, so that those after it keep their indices.
const ERASED: &str = "null";

/// The body of a batch with the same envelope, and of the messages in `body` only those of these indices, in their order and
/// byte for byte; what [`erased_body`] has erased is left out. With a `schema`, it takes the place of the one in `body`. `body`
/// is one that [`decode_rejecting`](crate::decode_rejecting) accepts, or one that was erased from.
///
/// # Errors
/// When there is no message of one of these indices, when all of them were erased, and when `schema` is no JSON object. Whether
/// the records conform to it is not looked at.
///
/// # Examples
/// ```
/// use selvedge_prepare::replay_body;
///
/// let body = br#"{"table_name": "t", "schema": {}, "messages": [
///     {"action": "upsert", "sequence": 1, "data": {"id": 1}},
///     {"action": "upsert", "sequence": 2, "data": {"id": 2}}
/// ]}"#;
/// let replayed = br#"{"table_name": "t", "schema": {}, "messages": [{"action": "upsert", "sequence": 2, "data": {"id": 2}}]}"#;
/// assert_eq!(replay_body(body, &[1], None)?, replayed);
/// # Ok::<(), selvedge_prepare::Refusal>(())
/// ```
pub fn replay_body(body: &[u8], records: &[u64], schema: Option<&str>) -> std::result::Result<Vec<u8>, Refusal> {
    let records: BTreeSet<u64> = records.iter().copied().collect();
    rewritten(body, |batch, name| match (name, schema) {
        ("schema", Some(schema)) => {
            check_object(schema).map_err(|refusal| refusal.under("schema"))?;
            batch.replace(|_| Ok(schema.to_owned()))
        }
        ("messages", _) => batch.replace(|messages| picked(messages, &records)),
        _ => batch.scanner.well_formed().map(drop),
    })
}

/// The same body, with `null` in place of each message whose record `is_erased`, told its index in the batch and its JSON text.
/// All else stays as it is, byte for byte. `body` is as [`replay_body`] takes it.
///
/// # Errors
/// When `body` cannot be read. What it holds is not erased then.
pub fn erased_body(body: &[u8], mut is_erased: impl FnMut(u64, &str) -> bool) -> std::result::Result<Vec<u8>, Refusal> {
    rewritten(body, |batch, name| {
        if name != "messages" {
            return batch.scanner.well_formed().map(drop);
        }
        let mut indices = 0..;
        batch.array(|batch| {
            let index = indices.next().unwrap_or_default();
            batch.replace(|message| {
                let record = if message == ERASED { None } else { record_text::data(&mut Scanner::new(message))? };
                let is_erased = record.is_some_and(|record| is_erased(index, record));
                Ok(if is_erased { ERASED } else { message }.to_owned())
            })?;
            Ok(Fate::Stays)
        })
    })
}

/// The body with what `member`, given a name, makes of the members of its envelope.
fn rewritten<'a>(
    body: &'a [u8],
    mut member: impl FnMut(&mut Rewriter<'a>, &str) -> Result<()>,
) -> std::result::Result<Vec<u8>, Refusal> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| *Refusal::request("the body is not UTF-8"))?;
    let mut batch = Rewriter::new(text);
    batch.object(|batch, name| member(batch, name).map(|()| Fate::Stays)).map_err(|refusal| *refusal)?;
    Ok(batch.finish().into_bytes())
}

/// The messages of these indices, of a list of all of them.
fn picked(messages: &str, records: &BTreeSet<u64>) -> Result<String> {
    let messages = elements(messages)?;
    let message = |record: &u64| {
        let message = usize::try_from(*record).ok().and_then(|index| messages.get(index)).copied();
        message.ok_or_else(|| Refusal::request(format!("the batch has no message {record}")).under("messages"))
    };
    let mut picked = records.iter().map(message).collect::<Result<Vec<&str>>>()?;
    picked.retain(|message| *message != ERASED);
    if picked.is_empty() {
        return Err(Refusal::request("none of the records is left: they were erased").under("messages"));
    }
    Ok(format!("[{}]", picked.join(",")))
}

fn elements(text: &str) -> Result<Vec<&str>> {
    let mut scanner = Scanner::new(text);
    let mut elements = Vec::new();
    member::open_array(&mut scanner)?;
    if scanner.closes(b']') {
        return Ok(elements);
    }
    loop {
        elements.push(scanner.well_formed()?);
        if !scanner.continues(b']')? {
            return Ok(elements);
        }
    }
}

fn check_object(text: &str) -> Result<()> {
    let mut scanner = Scanner::new(text);
    member::object(&mut scanner)?;
    scanner.finish()
}
