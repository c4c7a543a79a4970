//! Patterns of JSON Schema, for an engine whose time is linear in the text.

use regex::Regex;

use crate::decode::string::shown;

/// A regular expression of ECMA 262, as far as it can be had without looking around or back.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As the schema writes it.
    pub(crate) source: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// # Errors
    /// Why the pattern cannot be used, as a clause.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let regex = Regex::new(&translated(source)).map_err(|error| {
            format!("the pattern [{source}] cannot be checked in linear time: {}", last_line(&error.to_string()))
        })?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// Whether it is found anywhere in the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// What is said of a text it is not found in.
    #[cold]
    pub(crate) fn refused(&self, text: &str) -> String {
        format!("string [{}] does not match pattern {}", shown(text), self.source)
    }
}

/// The engine draws the pattern and points at the place; the reason stands in the last line.
fn last_line(error: &str) -> &str {
    error.lines().last().unwrap_or(error).trim_start_matches("error: ")
}

/// What `\s` is, within a class.
const SPACES: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// What `[]` is, which the engine would take for the start of a class with a bracket in it.
const NOTHING: &str = r"[^\s\S]";

/// The same expression in the engine's own syntax: what `\d`, `\w`, `\s` and `.` stand for differs, and a class has signs
/// of its own.
fn translated(source: &str) -> String {
    let mut pattern = String::with_capacity(source.len() + 16);
    let mut characters = source.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => push_escape(&mut pattern, characters.next(), in_class),
            '[' if in_class => pattern.push_str(r"\["),
            '[' if characters.next_if_eq(&']').is_some() => pattern.push_str(NOTHING),
            '[' => {
                in_class = true;
                pattern.push('[');
            }
            ']' => {
                in_class = false;
                pattern.push(']');
            }
            '&' | '~' if in_class => pattern.extend(['\\', character]),
            '.' if !in_class => pattern.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            other => pattern.push(other),
        }
    }
    pattern
}

fn push_escape(pattern: &mut String, escaped: Option<char>, in_class: bool) {
    match escaped {
        Some('d') => pattern.push_str("[0-9]"),
        Some('D') => pattern.push_str("[^0-9]"),
        Some('w') => pattern.push_str("[0-9A-Za-z_]"),
        Some('W') => pattern.push_str("[^0-9A-Za-z_]"),
        Some('s') => pattern.extend(["[", SPACES, "]"]),
        Some('S') => pattern.extend(["[^", SPACES, "]"]),
        Some('b') if in_class => pattern.push_str(r"\x08"),
        Some(boundary @ ('b' | 'B')) => pattern.extend(["(?-u:\\", &boundary.to_string(), ")"]),
        Some('0') => pattern.push_str(r"\x00"),
        Some(other) => pattern.extend(['\\', other]),
        None => pattern.push('\\'),
    }
}
