//! What is carried along while a record is read.

use arrow_array::StringArray;

use crate::decode::scanner::Scanner;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The most values a record may hold, as the Import API states it.
const MAX_DATA_POINTS: usize = 10_000;
/// The most columns a table may have (design.md 5).
pub(crate) const MAX_COLUMNS: usize = 1_000;
/// How many of them values of the records may make; the others are selvedge's own.
const MAX_RECORD_COLUMNS: usize = MAX_COLUMNS - 10;
/// How many arrays that are not declared become subtables, by their places; further ones are kept as JSON.
pub(crate) const MAX_ARRAYS: usize = 200;

/// A record being read.
pub(crate) struct Reading<'s, 'a> {
    pub(crate) scanner: &'s mut Scanner<'a>,
    /// Where strings with escapes are resolved.
    pub(crate) scratch: &'s mut String,
    /// The row of the table that values go to just now: that of the records, or that of an array's elements.
    pub(crate) row: usize,
    /// What else there is of that table.
    pub(crate) frame: &'s mut Frame,
    /// Values met in this record so far.
    pub(crate) data_points: usize,
    /// How many more arrays may become subtables.
    pub(crate) arrays_left: &'s mut usize,
    /// What is wrong with the record, the places as seen from the object or array at hand.
    pub(crate) faults: &'s mut Vec<Refusal>,
    /// How many that are: looked at after every value.
    pub(crate) noted: usize,
}

/// A table while its rows are read.
#[derive(Default)]
pub(crate) struct Frame {
    pub(crate) room: Room,
    pub(crate) extra: Extra,
}

/// How many columns a table may still get.
pub(crate) struct Room(usize);

/// Values without a column, as members of a JSON object for each row that has any.
#[derive(Default)]
pub(crate) struct Extra(Vec<(usize, String)>);

impl Reading<'_, '_> {
    /// Counts a value of the record.
    #[inline]
    pub(crate) fn count_value(&mut self) -> Result<()> {
        self.data_points += 1;
        if self.data_points > MAX_DATA_POINTS { Err(too_many_values()) } else { Ok(()) }
    }

    /// Whether one more array may become a subtable; takes its place.
    pub(crate) fn takes_array(&mut self) -> bool {
        let left = self.arrays_left.checked_sub(1);
        *self.arrays_left = left.unwrap_or(0);
        left.is_some()
    }

    /// Notes what is wrong with the value at `start`, and passes it: all that is wrong with a record is told at once. What
    /// is no fault of the value, but of the JSON around it, ends the reading.
    #[cold]
    pub(crate) fn note(&mut self, fault: Box<Refusal>, start: usize) -> Result<()> {
        if fault.ends_reading() {
            return Err(fault);
        }
        self.add_faults([*fault]);
        *self.scanner = self.scanner.rewound(start);
        self.scanner.value().map(drop).map_err(Refusal::last)
    }

    pub(crate) fn add_faults(&mut self, faults: impl IntoIterator<Item = Refusal>) {
        self.faults.extend(faults);
        self.noted = self.faults.len();
    }

    /// Says of the faults from `first` on that they stand below the property or element `name`.
    #[cold]
    pub(crate) fn place_faults(&mut self, first: usize, name: &str) {
        self.faults.iter_mut().skip(first).for_each(|fault| fault.prepend(name));
    }
}

#[cold]
fn too_many_values() -> Box<Refusal> {
    Refusal::violation(format!("a record holds more than {MAX_DATA_POINTS} values")).last()
}

impl Default for Room {
    fn default() -> Self {
        Self(MAX_RECORD_COLUMNS)
    }
}

impl Room {
    /// Takes room for so many columns, if there is.
    pub(crate) fn take(&mut self, columns: usize) -> bool {
        let left = self.0.checked_sub(columns);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

impl Extra {
    /// Adds a value of a row, by the JSON text of its name and its own.
    pub(crate) fn push(&mut self, row: usize, name: &str, value: &str) {
        match self.0.last_mut() {
            Some((last, members)) if *last == row => {
                members.push(',');
                push_member(members, name, value);
            }
            _ => {
                let mut members = String::with_capacity(name.len() + value.len() + 1);
                push_member(&mut members, name, value);
                self.0.push((row, members));
            }
        }
    }

    /// The members of each of `rows` rows; `None` if no row has any.
    pub(crate) fn finish(self, rows: usize) -> Option<StringArray> {
        if self.0.is_empty() {
            return None;
        }
        let mut texts = vec![None; rows];
        for (row, members) in self.0 {
            if let Some(text) = texts.get_mut(row) {
                *text = Some(members);
            }
        }
        Some(StringArray::from(texts))
    }
}

fn push_member(members: &mut String, name: &str, value: &str) {
    members.push_str(name);
    members.push(':');
    members.push_str(value);
}
