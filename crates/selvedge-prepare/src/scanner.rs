//! A cursor over JSON text.
//!
//! It checks the grammar of what it passes (RFC 8259) and hands out slices of the text; nothing is copied but strings with
//! escapes. The text is known to be UTF-8 before it gets here.

use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// How deep values may nest before the text is refused: deeper ones would exhaust the stack.
const MAX_DEPTH: usize = 128;

/// A place in a JSON text.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(crate) enum JsonString<'a> {
    /// Without escapes: the text itself.
    Plain(&'a str),
    /// With escapes, to be resolved by [`unescape`].
    Escaped(&'a str),
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
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Passes `byte`, which must come next.
    #[inline]
    pub(crate) fn pass(&mut self, byte: u8) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.malformed(&format!("`{}`", char::from(byte))))
    }

    /// Whether the container just opened ends at once; passes its end if so.
    #[inline]
    pub(crate) fn closes(&mut self, close: u8) -> bool {
        let closes = self.peek() == Some(close);
        self.at += usize::from(closes);
        closes
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
            _ => Err(self.malformed(&format!("`,` or `{}`", char::from(close)))),
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn finish(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.malformed("the end of the text")),
        }
    }

    /// Passes `quoted` (a name with its quotes) and the colon after it, if that is what comes next.
    #[inline]
    pub(crate) fn passes_name(&mut self, quoted: &[u8]) -> Result<bool> {
        self.peek();
        if !self.rest().starts_with(quoted) {
            return Ok(false);
        }
        self.at += quoted.len();
        self.pass(b':')?;
        Ok(true)
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
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at = special_byte(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                _ => return Err(self.malformed("the end of a string (control characters must be escaped)")),
            }
        }
        let inner = self.slice(start, self.at);
        self.at += 1;
        Ok(if escaped { JsonString::Escaped(inner) } else { JsonString::Plain(inner) })
    }

    /// Passes a number and gives its text.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<&'a str> {
        self.peek();
        let bytes = self.rest();
        let mut end = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(bytes, end);
        let leading_zero = whole > 1 && bytes.get(end) == Some(&b'0');
        end += whole;
        let mut complete = whole > 0 && !leading_zero;
        if bytes.get(end) == Some(&b'.') {
            let fraction = digits(bytes, end + 1);
            complete &= fraction > 0;
            end += 1 + fraction;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(bytes, end + 1 + sign);
            complete &= exponent > 0;
            end += 1 + sign + exponent;
        }
        if !complete {
            return Err(self.malformed("a number"));
        }
        let start = self.at;
        self.at += end;
        Ok(self.slice(start, self.at))
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
        self.peek();
        let start = self.at;
        self.skip(MAX_DEPTH)?;
        Ok(self.slice(start, self.at))
    }

    fn skip(&mut self, depth: usize) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().and_then(JsonString::check),
            Some(b'{') => self.skip_members(depth, b'}'),
            Some(b'[') => self.skip_members(depth, b']'),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number().map(|_| ()),
        }
    }

    fn skip_members(&mut self, depth: usize, close: u8) -> Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Refusal::request(format!("values nest deeper than {MAX_DEPTH} levels")));
        };
        self.at += 1;
        if self.closes(close) {
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.name()?.check()?;
            }
            self.skip(depth)?;
            if !self.continues(close)? {
                return Ok(());
            }
        }
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

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    // Both ends always lie beside ASCII bytes that were just looked at.
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }
}

impl<'a> JsonString<'a> {
    /// The string itself, resolved into `scratch` where it has escapes.
    #[inline]
    pub(crate) fn resolve<'s>(self, scratch: &'s mut String) -> Result<&'s str>
    where
        'a: 's,
    {
        match self {
            Self::Plain(text) => Ok(text),
            Self::Escaped(text) => {
                scratch.clear();
                unescape(text, scratch)?;
                Ok(scratch)
            }
        }
    }

    fn check(self) -> Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Escaped(text) => unescape(text, &mut String::new()),
        }
    }
}

fn unescape(text: &str, into: &mut String) -> Result<()> {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(backslash);
        into.push_str(plain);
        let (character, length) = escaped_character(escape).ok_or_else(|| {
            Refusal::request("malformed JSON: a string holds an unknown escape or half a surrogate pair".to_owned())
        })?;
        into.push(character);
        rest = escape.get(length..).unwrap_or_default();
    }
    into.push_str(rest);
    Ok(())
}

/// The character an escape at the start of `text` stands for, and the escape's length in bytes.
fn escaped_character(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode_escape(text),
        _ => return None,
    };
    Some((simple, 2))
}

fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let first = code_unit(text)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 6));
    }
    let second = code_unit(text.get(6..)?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 12))
}

fn code_unit(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    let all_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_hex.then(|| u16::from_str_radix(hex, 16).ok())?
}

fn digits(bytes: &[u8], from: usize) -> usize {
    bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The index of the first quote, backslash or control character at or after `at`; the text's length without one.
///
/// Eight bytes are looked at together: strings are what JSON mostly consists of.
#[inline]
fn special_byte(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = special_marks(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).unwrap_or(tail.len())
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
