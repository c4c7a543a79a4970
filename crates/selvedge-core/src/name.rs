//! Names of integrations and tables.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of an integration or a table, in bytes. With `__` between them and a suffix both still fit where
/// identifiers and file names end at 255 bytes.
pub const MAX_NAME_BYTES: usize = 120;

/// The name of an integration: a schema of its own in the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationName(String);

/// Schemas that databases have themselves: DuckDB refuses tables in them.
const RESERVED_SCHEMAS: [&str; 6] = ["information_schema", "main", "memory", "pg_catalog", "system", "temp"];

impl IntegrationName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, longer than [`MAX_NAME_BYTES`], begins with `_sdc`, holds `__` (which joins an integration to its
    /// tables where a destination has no schemas), is a schema that databases
    /// have themselves (`main`, `temp`, …), or holds anything but letters, digits, `_`, `-`, `$` and inner spaces or dots.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        check(&name)?;
        if name.contains("__") {
            return Err(NameError { name, reason: "holds `__`" });
        }
        if RESERVED_SCHEMAS.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            return Err(NameError { name, reason: "is a schema of the database itself" });
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A table, with the integration it belongs to; without one it stands in the destination's default schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    integration: Option<IntegrationName>,
    table: String,
}

impl TableName {
    /// Takes a table's name as its sender spells it.
    ///
    /// # Errors
    /// As [`IntegrationName::new`], but `__` is allowed.
    pub fn new(integration: Option<IntegrationName>, table: impl Into<String>) -> Result<Self, NameError> {
        let table = table.into();
        check(&table)?;
        Ok(Self { integration, table })
    }

    /// The integration, if any.
    pub fn integration(&self) -> Option<&IntegrationName> {
        self.integration.as_ref()
    }

    /// The table's own name.
    pub fn table(&self) -> &str {
        &self.table
    }
}

/// `integration.table`, or `table` alone.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(integration) = &self.integration {
            write!(f, "{}.", integration.0)?;
        }
        f.write_str(&self.table)
    }
}

/// Whether a character of a property's name becomes `_` in what is named after it: a control character, or one of those of
/// Unicode that direct the text around them or are not seen at all.
pub fn is_unseen(character: char) -> bool {
    let unseen = matches!(
        character,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{61C}'
    );
    unseen || character.is_control()
}

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    name: String,
    reason: &'static str,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, reason } = self;
        let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
        write!(
            f,
            "the name `{shown}` {reason}; use 1 to {MAX_NAME_BYTES} bytes of letters, digits, `_`, `-`, `$`, inner spaces or dots"
        )
    }
}

impl std::error::Error for NameError {}

fn check(name: &str) -> Result<(), NameError> {
    let begins = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let edge = |c: char| c == ' ' || c == '.';
    let reason = if name.is_empty() {
        "is empty"
    } else if name.len() > MAX_NAME_BYTES {
        "is too long"
    } else if begins("_sdc") {
        "begins with `_sdc`, which is selvedge's own"
    } else if begins("sqlite_") {
        "begins with `sqlite_`, which is SQLite's own"
    } else if name.starts_with(edge) || name.ends_with(edge) {
        "begins or ends with a space or a dot"
    } else if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ' ' | '.')) {
        "holds a character that is not allowed"
    } else {
        return Ok(());
    };
    Err(NameError { name: name.to_owned(), reason })
}

impl TryFrom<String> for IntegrationName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl From<IntegrationName> for String {
    fn from(name: IntegrationName) -> Self {
        name.0
    }
}

impl fmt::Display for IntegrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
