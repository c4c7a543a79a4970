//! A cursor over JSON text.
//!
//! It checks the grammar of what it passes (RFC 8259) and hands out slices of the text; nothing is copied but strings with
//! escapes. The text is known to be UTF-8 before it gets here.

use std::borrow::Cow;

use crate::decode::number::{MAX_SMALL_DIGITS, Number, Small};
use crate::decode::string::JsonString;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// How deep values may nest before the text is refused: deeper ones would exhaust the stack.
const MAX_DEPTH: usize = 128;

/// A place in a JSON text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// A cursor over the same text at another place.
    pub(crate) fn rewound(&self, at: usize) -> Self {
        Self { text: self.text, at }
    }

    /// The place, in bytes from the text's start.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is not white space, left where it is.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Passes `byte`, which must come next.
    #[inline]
    pub(crate) fn pass(&mut self, byte: u8) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.without(byte))
    }

    /// Whether the container just opened ends at once; passes its end if so.
    #[inline]
    pub(crate) fn closes(&mut self, close: u8) -> bool {
        self.peek();
        self.passes(close)
    }

    /// Passes what follows a member: true after a comma, false after the container's end.
    #[inline]
    pub(crate) fn continues(&mut self, close: u8) -> Result<bool> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.without(close)),
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.malformed("the end of the text")),
        }
    }

    /// Passes `start`, which begins with no white space, if it comes next.
    #[inline]
    pub(crate) fn passes_start(&mut self, start: &[u8]) -> bool {
        self.peek();
        let passes = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(start));
        if passes {
            self.at += start.len();
        }
        passes
    }

    /// Passes a member's name and the colon after it.
    pub(crate) fn name(&mut self) -> Result<JsonString<'a>> {
        let name = self.string()?;
        self.pass(b':')?;
        Ok(name)
    }

    /// Passes a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<JsonString<'a>> {
        self.pass(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_bytes(self.rest());
            if self.text.as_bytes().get(self.at) == Some(&b'"') {
                break;
            }
            self.pass_escape()?;
            escaped = true;
        }
        let inner = self.slice(start, self.at);
        self.at += 1;
        Ok(if escaped { JsonString::Escaped(inner) } else { JsonString::Plain(inner) })
    }

    /// Passes a backslash and what it escapes.
    fn pass_escape(&mut self) -> Result<()> {
        if !self.passes(b'\\') {
            return Err(self.malformed("the end of a string (control characters must be escaped)"));
        }
        self.at += 1;
        Ok(())
    }

    /// Passes a number.
    // The compiler would make a call of this, and hand over its result in memory.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> Result<Number<'a>> {
        self.peek();
        let start = self.at;
        let negative = self.passes(b'-');
        let leading_zero = self.text.as_bytes().get(self.at) == Some(&b'0');
        let mut value = 0;
        let whole = self.digits(&mut value);
        let mut complete = whole == 1 || (whole > 1 && !leading_zero);
        let mut fraction = 0;
        if self.passes(b'.') {
            fraction = self.digits(&mut value);
            complete &= fraction > 0;
        }
        let exponent = self.exponent();
        if !complete || exponent == Some(0) {
            self.at = start;
            return Err(self.malformed("a number"));
        }
        let digits = if negative { value.wrapping_neg() } else { value };
        let small = exponent.is_none() && whole + fraction <= MAX_SMALL_DIGITS;
        Ok(Number { text: self.slice(start, self.at), small: small.then_some(Small { digits, fraction }) })
    }

    /// Passes an exponent, if one comes next, and gives how many digits it has.
    #[inline]
    fn exponent(&mut self) -> Option<usize> {
        let Some(b'e' | b'E') = self.text.as_bytes().get(self.at) else { return None };
        self.at += 1;
        let _signed = self.passes(b'+') || self.passes(b'-');
        Some(self.digits(&mut 0))
    }

    /// Passes digits, gives how many, and appends them to `value`, which is of use while they fit.
    #[inline]
    fn digits(&mut self, value: &mut i64) -> usize {
        let mut count = 0;
        for byte in self.rest() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            *value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
            count += 1;
        }
        self.at += count;
        count
    }

    /// Passes `byte` if it stands right here.
    #[inline]
    fn passes(&mut self, byte: u8) -> bool {
        if self.text.as_bytes().get(self.at) == Some(&byte) {
            self.at += 1;
            return true;
        }
        false
    }

    /// Passes `true`, `false` or `null`.
    #[inline]
    pub(crate) fn literal(&mut self, word: &str) -> Result<()> {
        self.peek();
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.malformed(&format!("`{word}`")))
    }

    /// Passes any value and gives its text.
    pub(crate) fn value(&mut self) -> Result<&'a str> {
        self.value_within(0)
    }

    /// Passes any value that stands within `depth` objects and arrays, and gives its text.
    pub(crate) fn value_within(&mut self, depth: usize) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.skip(MAX_DEPTH.saturating_sub(depth), Names::Unique)?;
        Ok(self.slice(start, self.at))
    }

    /// Passes any value that is well-formed, even if a name stands twice in an object of it, and gives its text.
    pub(crate) fn well_formed(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.skip(MAX_DEPTH, Names::Any)?;
        Ok(self.slice(start, self.at))
    }

    fn skip(&mut self, depth: usize, names: Names) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string()?.resolved().map(drop),
            Some(b'{') => self.skip_object(depth, names),
            Some(b'[') => self.skip_array(depth, names),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number().map(drop),
        }
    }

    fn skip_object(&mut self, depth: usize, taken: Names) -> Result<()> {
        let depth = inside(depth)?;
        self.at += 1;
        if self.closes(b'}') {
            return Ok(());
        }
        let mut names = Vec::new();
        loop {
            let name = self.name()?.resolved()?;
            self.skip(depth, taken).map_err(|refusal| refusal.under(&name))?;
            names.push(name);
            if !self.continues(b'}')? {
                return if taken == Names::Unique { check_unique(names) } else { Ok(()) };
            }
        }
    }

    fn skip_array(&mut self, depth: usize, names: Names) -> Result<()> {
        let depth = inside(depth)?;
        self.at += 1;
        if self.closes(b']') {
            return Ok(());
        }
        for index in 0_u64.. {
            self.skip(depth, names).map_err(|refusal| refusal.under(&index.to_string()))?;
            if !self.continues(b']')? {
                break;
            }
        }
        Ok(())
    }

    #[cold]
    fn without(&self, byte: u8) -> Box<Refusal> {
        self.malformed(&format!("`{}`", char::from(byte)))
    }

    /// The refusal of a text that is no JSON here.
    #[cold]
    pub(crate) fn malformed(&self, expected: &str) -> Box<Refusal> {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => format!("`{}`", found.escape_debug()),
            None => "the end".to_owned(),
        };
        Refusal::request(format!("malformed JSON at byte {}: expected {expected}, found {found}", self.at))
    }

    /// The text passed since `start`.
    pub(crate) fn text_from(&self, start: usize) -> &'a str {
        self.slice(start, self.at)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    // Both ends always lie beside ASCII bytes that were just looked at.
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Which names the objects of a passed value may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// No name twice in one object.
    Unique,
    Any,
}

fn inside(depth: usize) -> Result<usize> {
    depth.checked_sub(1).ok_or_else(|| Refusal::request(format!("values nest deeper than {MAX_DEPTH} levels")))
}

fn check_unique(mut names: Vec<Cow<str>>) -> Result<()> {
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(twice) => Err(Refusal::twice().under(twice.first().map_or("", |name| name))),
        None => Ok(()),
    }
}

/// How many bytes come before the first quote, backslash or control character; all of them without one.
///
/// Eight bytes are looked at together: strings are what JSON mostly consists of.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks();
    let mut plain = 0;
    for word in words {
        let found = special_marks(u64::from_le_bytes(*word));
        if found != 0 {
            return plain + (found.trailing_zeros() / 8) as usize;
        }
        plain += 8;
    }
    let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    plain + tail.iter().position(special).unwrap_or(tail.len())
}

/// Marks the high bit of each byte that is a quote, a backslash or below 0x20. Marks above the lowest one may be wrong:
/// a borrow can reach them.
fn special_marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * b'"' as u64));
    let backslash = zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}
