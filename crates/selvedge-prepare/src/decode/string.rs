//! Strings of JSON: what stands between their quotes, and what it means.

use std::borrow::Cow;

use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(crate) enum JsonString<'a> {
    /// Without escapes: the text itself.
    Plain(&'a str),
    /// With escapes, to be resolved by [`unescape`].
    Escaped(&'a str),
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

    /// The string itself, copied where it has escapes.
    pub(crate) fn resolved(self) -> Result<Cow<'a, str>> {
        match self {
            Self::Plain(text) => Ok(Cow::Borrowed(text)),
            Self::Escaped(text) => {
                let mut resolved = String::with_capacity(text.len());
                unescape(text, &mut resolved)?;
                Ok(Cow::Owned(resolved))
            }
        }
    }
}

/// As much of a text as is shown of it when it is refused.
#[cold]
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

fn unescape(text: &str, into: &mut String) -> Result<()> {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(backslash);
        into.push_str(plain);
        let (character, length) = escaped_character(escape).ok_or_else(|| {
            Refusal::request("malformed JSON: a string holds an unknown escape or half a surrogate pair")
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
