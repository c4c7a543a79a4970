//! The workspace as a whole: its layout, and the program as its users meet it.

#[cfg(test)]
mod arrows;
#[cfg(test)]
mod convergence;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod hostile_names;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod winners;
