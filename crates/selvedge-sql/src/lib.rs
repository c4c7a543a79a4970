//! What SQL destinations share: how names, types and statements are spelled ([`Dialect`]), how a table's state is stored
//! ([`StateRow`] and its statements), and the exact text of values where a destination keeps them as text.
//!
//! Nothing here talks to a database: a destination runs the statements with its own driver.

mod dialect;
mod state;
mod text;

pub use dialect::{Dialect, quote, quote_list};
pub use state::{CREATE_STATE_TABLE, SELECT_STATE, StateRow, UPSERT_STATE, integration_key};
pub use text::{date_text, time_text, timestamp_text, write_decimal};
