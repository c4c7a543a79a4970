//! What stands on disk after loads, as a reader of the files sees it.

mod files;
mod model;
mod owner;
mod readers;
mod rows;
mod table;
