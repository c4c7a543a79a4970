//! The spelling of statements, the state's way through its row, and the text of values.

#[cfg(test)]
mod coalescing;
#[cfg(test)]
mod dialect;
#[cfg(test)]
mod parse;
#[cfg(test)]
mod select;
#[cfg(test)]
mod state;
#[cfg(test)]
mod text;
#[cfg(test)]
mod tombstones;
#[cfg(test)]
mod versions;
