//! The generator through its public surface.

#[cfg(test)]
mod batches;
#[cfg(test)]
mod orders;
