//! Loads into real database files, read back through a connection of the tests' own and through the reader.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod columns;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod database;
#[cfg(test)]
mod deletes;
#[cfg(test)]
mod keyed;
#[cfg(test)]
mod keyless;
#[cfg(test)]
mod life;
#[cfg(test)]
mod names;
#[cfg(test)]
mod random;
#[cfg(test)]
mod reader;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rejects;
#[cfg(test)]
mod removal;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod subtables;
#[cfg(test)]
mod types;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod view;
