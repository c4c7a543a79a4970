//! The arrays at one place: their elements, a row each.

use arrow_array::{Int64Array, UInt32Array};
use selvedge_core::{ArrayPath, Path};

use crate::decode::reading::{Frame, Reading};
use crate::decode::slot::{Finished, Slot};
use crate::records::{Elements, Typing};
use crate::refusal::Refusal;
use crate::schema::record_type::ValueType;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The arrays at one place in the records, or in the elements of other arrays.
pub(crate) struct Array<'t> {
    typing: Typing,
    element: Slot<'t>,
    parents: Vec<u32>,
    positions: Vec<i64>,
    /// Of the elements' own table.
    frame: Frame,
}

impl<'t> Array<'t> {
    /// Arrays within `depth` objects and arrays.
    pub(crate) fn new(element: &'t ValueType, depth: usize, typing: Typing) -> Self {
        let mut frame = Frame::default();
        let element = Slot::new(element, Path::default(), depth + 1, &mut frame.room);
        Self { typing, element, parents: Vec::new(), positions: Vec::new(), frame }
    }

    /// Reads one array: its elements become rows.
    pub(crate) fn read(&mut self, reading: &mut Reading) -> Result<()> {
        // Rows of one batch are far below four thousand million.
        let row = reading.row;
        let parent = u32::try_from(row).unwrap_or(u32::MAX);
        std::mem::swap(reading.frame, &mut self.frame);
        let read = self.read_elements(reading, parent);
        std::mem::swap(reading.frame, &mut self.frame);
        reading.row = row;
        read
    }

    fn read_elements(&mut self, reading: &mut Reading, parent: u32) -> Result<()> {
        reading.scanner.pass(b'[')?;
        if reading.scanner.closes(b']') {
            return Ok(());
        }
        for position in 0.. {
            reading.row = self.parents.len();
            self.parents.push(parent);
            self.positions.push(position);
            let placed = |refusal: Box<Refusal>| refusal.under(&position.to_string());
            reading.count_value().map_err(placed)?;
            let noted = reading.noted;
            let start = reading.scanner.at();
            if let Err(fault) = self.element.read(reading) {
                reading.note(fault, start).map_err(placed)?;
            }
            if reading.noted > noted {
                reading.place_faults(noted, &position.to_string());
            }
            if !reading.scanner.continues(b']')? {
                break;
            }
        }
        Ok(())
    }

    /// Adds the elements as rows of their own, then those of the arrays within them. `within` are the arrays around these.
    pub(crate) fn finish(self, source: ArrayPath, within: Option<usize>, arrays: &mut Vec<Elements>) {
        let rows = self.parents.len();
        if rows == 0 && self.typing == Typing::ByValue {
            return;
        }
        let mut finished = Finished::default();
        self.element.finish(rows, &mut finished);
        let index = arrays.len();
        arrays.push(Elements {
            source: source.clone(),
            typing: self.typing,
            within,
            parents: UInt32Array::from(self.parents),
            positions: Int64Array::from(self.positions),
            columns: finished.columns,
            extra: self.frame.extra.finish(rows),
        });
        finish_all(finished.arrays, &source, Some(index), arrays);
    }
}

/// Adds the arrays at these paths of the rows of a table, which `source` names.
pub(crate) fn finish_all(
    found: Vec<(Path, Array<'_>)>,
    source: &ArrayPath,
    within: Option<usize>,
    arrays: &mut Vec<Elements>,
) {
    for (path, array) in found {
        let mut source = source.clone();
        source.0.push(path);
        array.finish(source, within, arrays);
    }
}
