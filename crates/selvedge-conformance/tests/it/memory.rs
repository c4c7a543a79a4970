//! The in-memory destination keeps the whole contract but one part.

use selvedge_conformance::{Kit, Memory};

#[test]
fn conforms() {
    let reason = "its tables are held in memory, which is what it is for";
    Kit::new(Memory::open, Memory::read_only).leave_out("bounded_memory", reason).check();
}
