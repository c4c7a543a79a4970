//! What stands in the database.

use std::collections::HashSet;

use rusqlite::{Connection, ErrorCode};

/// Whether there is a table, named as statements name it.
pub(crate) fn has_table(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    match connection.prepare(&format!("SELECT 1 FROM {table}")) {
        Ok(_) => Ok(true),
        // The code of statements that do not fit the database. Nothing else about this one could fail to.
        Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// The columns that a table has in the database, whoever made them. SQLite does not tell `a` from `A`.
#[derive(Default)]
pub(crate) struct Standing(HashSet<String>);

impl Standing {
    /// Those of a table, named as statements name it; none if there is no such table.
    pub(crate) fn in_table(connection: &Connection, table: &str) -> rusqlite::Result<Self> {
        // Unlike `table_info` it lists computed columns too, whose names are just as taken.
        let mut list = connection.prepare(&format!("PRAGMA table_xinfo({table})"))?;
        let name = list.column_index("name")?;
        let names = list.query_map([], |row| Ok(folded(row.get_ref(name)?.as_str()?)))?;
        names.collect::<rusqlite::Result<_>>().map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(&folded(name))
    }

    /// Notes a column that was made, and says whether it is the first of that name.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        self.0.insert(folded(name))
    }

    /// Notes that a column is gone.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(&folded(name));
    }
}

/// SQLite folds the letters of ASCII alone.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}
