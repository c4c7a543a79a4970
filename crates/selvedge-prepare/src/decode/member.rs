//! Values of the envelope, each of the one type it must have.

use crate::decode::json_type::JsonType;
use crate::decode::scanner::Scanner;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Passes the start of an object.
#[inline]
pub(crate) fn open_object(scanner: &mut Scanner) -> Result<()> {
    if scanner.peek() == Some(b'{') { scanner.pass(b'{') } else { Err(wrong_type(scanner, JsonType::Object)) }
}

/// Passes the start of an array.
pub(crate) fn open_array(scanner: &mut Scanner) -> Result<()> {
    if scanner.peek() == Some(b'[') { scanner.pass(b'[') } else { Err(wrong_type(scanner, JsonType::Array)) }
}

/// The text of an object.
pub(crate) fn object<'a>(scanner: &mut Scanner<'a>) -> Result<&'a str> {
    if scanner.peek() == Some(b'{') { scanner.value() } else { Err(wrong_type(scanner, JsonType::Object)) }
}

pub(crate) fn string(scanner: &mut Scanner) -> Result<String> {
    Ok(text(scanner, &mut String::new())?.to_owned())
}

/// A string, resolved into `scratch` where it has escapes.
pub(crate) fn text<'s, 'a: 's>(scanner: &mut Scanner<'a>, scratch: &'s mut String) -> Result<&'s str> {
    if scanner.peek() == Some(b'"') {
        scanner.string()?.resolve(scratch)
    } else {
        Err(wrong_type(scanner, JsonType::String))
    }
}

pub(crate) fn strings(scanner: &mut Scanner) -> Result<Vec<String>> {
    open_array(scanner)?;
    let mut strings = Vec::new();
    if scanner.closes(b']') {
        return Ok(strings);
    }
    loop {
        strings.push(string(scanner)?);
        if !scanner.continues(b']')? {
            return Ok(strings);
        }
    }
}

pub(crate) fn integer(scanner: &mut Scanner) -> Result<i64> {
    if !matches!(scanner.peek(), Some(b'-' | b'0'..=b'9')) {
        return Err(wrong_type(scanner, JsonType::Integer));
    }
    let number = scanner.number()?;
    number.integer().ok_or_else(|| match number.json_type() {
        JsonType::Integer => Refusal::request("integer out of range of 64 bits"),
        found => Refusal::request(format!("expected type: Integer, found: {found}")),
    })
}

/// The refusal of the value that comes next, which should have been of the type `expected`.
#[cold]
pub(crate) fn wrong_type(scanner: &mut Scanner, expected: JsonType) -> Box<Refusal> {
    let found = match scanner.peek() {
        Some(b'"') => JsonType::String,
        Some(b'{') => JsonType::Object,
        Some(b'[') => JsonType::Array,
        Some(b't' | b'f') => JsonType::Boolean,
        Some(b'n') => JsonType::Null,
        Some(b'-' | b'0'..=b'9') => match scanner.number() {
            Ok(number) => number.json_type(),
            Err(malformed) => return malformed,
        },
        _ => return scanner.malformed("a value"),
    };
    Refusal::request(format!("expected type: {expected}, found: {found}"))
}
