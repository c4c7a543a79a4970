//! Orders: flat records of twelve columns under an integer key, some of them sent again and some of those too late.
//!
//! The values are those of the TPC-H table of the same name, with three columns a live table would have besides: when the
//! order was changed, a discount as a floating point number, and a boolean that is null now and then.
//!
//! Of every fifty messages forty bring a new key, nine a newer version of a key sent before, and one a version that arrives
//! late: its sequence is lower than the one its key already has, so it must lose. A million messages hold 800,000 keys.
//!
//! What a destination has to hold in the end follows from the messages themselves:
//!
//! ```
//! use std::collections::HashMap;
//!
//! use selvedge_benches::orders::{self, Arrival};
//!
//! let winners: HashMap<i64, orders::Order> = orders::messages(1_000)
//!     .filter(|message| message.arrival != Arrival::Late)
//!     .map(|message| (message.data.o_orderkey, message.data))
//!     .collect();
//! assert_eq!(winners.len(), 800);
//! ```

mod batch;
mod message;
mod stream;

pub use batch::{Summary, write_batch, write_batches};
pub use message::{Arrival, Message, Order};
pub use stream::{Messages, messages};
