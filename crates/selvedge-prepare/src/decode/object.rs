//! One object of the records: its properties, each with where its values go.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use selvedge_core::Path;

use crate::decode::reading::{Reading, Room};
use crate::decode::scanner::Scanner;
use crate::decode::slot::{Finished, Slot};
use crate::refusal::Refusal;
use crate::schema::check_not_reserved;
use crate::schema::record_type::{Additional, Presence, RecordType, UNTYPED, ValueType};

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The longest string in a key column, in characters, as the Import API enforces it.
const MAX_KEY_CHARACTERS: usize = 1_024;

/// An object of the records, with the columns below it.
pub(crate) struct Object<'t> {
    additional: &'t Additional,
    /// From the record, or from the element of an array.
    path: Path,
    /// How many objects and arrays stand around its values, the record not counted.
    depth: usize,
    children: Vec<Child<'t>>,
    /// The index of each child, by name.
    by_name: HashMap<String, usize, RandomState>,
    /// How many properties must be present, keys included.
    required: usize,
}

struct Child<'t> {
    name: String,
    /// The name with quotes and colon, as nearly all senders write it; empty when it needs escapes.
    start: Vec<u8>,
    presence: Presence,
    /// One more than the row this property was last seen in.
    seen: usize,
    value: Slot<'t>,
}

impl<'t> Object<'t> {
    /// An object at `path`, with columns for what is declared as far as there is room. `depth` counts the objects and arrays
    /// around its values, the record left out.
    pub(crate) fn new(record_type: &'t RecordType, path: Path, depth: usize, room: &mut Room) -> Self {
        let mut object = Self {
            additional: &record_type.additional,
            path,
            depth,
            children: Vec::with_capacity(record_type.fields.len()),
            by_name: HashMap::default(),
            required: 0,
        };
        for field in &record_type.fields {
            object.required += usize::from(field.presence != Presence::Optional);
            object.add(&field.name, &field.value, field.presence, room);
        }
        object
    }

    fn add(&mut self, name: &str, value: &'t ValueType, presence: Presence, room: &mut Room) -> usize {
        let index = self.children.len();
        let mut path = self.path.clone();
        path.0.push(name.to_owned());
        let value = Slot::new(value, path, self.depth, room);
        self.children.push(Child { name: name.to_owned(), start: start_of(name), presence, seen: 0, value });
        self.by_name.insert(name.to_owned(), index);
        index
    }

    /// From now on, no property must be present but keys.
    pub(crate) fn require_keys_only(&mut self) {
        for child in self.children.iter_mut().filter(|child| child.presence == Presence::Required) {
            child.presence = Presence::Optional;
            self.required -= 1;
        }
    }

    /// Reads the keys of one object into the columns, and passes all else. The object was found to hold them.
    pub(crate) fn read_keys(&mut self, reading: &mut Reading) -> Result<()> {
        reading.scanner.pass(b'{')?;
        loop {
            let name = reading.scanner.name()?.resolve(reading.scratch)?;
            let index = self.by_name.get(name).copied();
            match index.and_then(|index| self.children.get_mut(index)) {
                Some(child) if child.presence == Presence::Key => child.read(reading)?,
                _ => drop(reading.scanner.value()?),
            }
            if !reading.scanner.continues(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads one object into the columns.
    pub(crate) fn read(&mut self, reading: &mut Reading) -> Result<()> {
        reading.scanner.pass(b'{')?;
        let mut required = 0;
        let mut expected = 0;
        if !reading.scanner.closes(b'}') {
            loop {
                if let Some(index) = self.child(reading, expected)? {
                    expected = index + 1;
                    if let Some(child) = self.children.get_mut(index) {
                        child.read(reading)?;
                        required += usize::from(child.presence != Presence::Optional);
                    }
                }
                if !reading.scanner.continues(b'}')? {
                    break;
                }
            }
        }
        if required < self.required {
            self.note_missing(reading);
        }
        Ok(())
    }

    /// Passes a property's name and finds its child; `None` where the schema has no place for it, and then its value is
    /// passed too. Senders repeat one order of properties, so the child after the last one is tried first, by comparing
    /// bytes.
    #[inline]
    fn child(&mut self, reading: &mut Reading, expected: usize) -> Result<Option<usize>> {
        if let Some(child) = self.children.get(expected)
            && !child.start.is_empty()
            && reading.scanner.passes_start(&child.start)
        {
            return Ok(Some(expected));
        }
        let name = reading.scanner.name()?.resolve(reading.scratch)?;
        match self.by_name.get(name) {
            Some(index) => Ok(Some(*index)),
            None => {
                let name = name.to_owned();
                self.add_undeclared(&name, reading)
            }
        }
    }

    fn add_undeclared(&mut self, name: &str, reading: &mut Reading) -> Result<Option<usize>> {
        let value = match self.additional {
            Additional::Untyped => &UNTYPED,
            Additional::Typed(value) => value,
            Additional::Refused => {
                let start = reading.scanner.at();
                reading.note(Refusal::violation(format!("extraneous key [{name}] is not permitted")), start)?;
                return Ok(None);
            }
        };
        if self.path.0.is_empty()
            && let Err(fault) = check_not_reserved(name)
        {
            let start = reading.scanner.at();
            reading.note(fault, start)?;
            return Ok(None);
        }
        Ok(Some(self.add(name, value, Presence::Optional, &mut reading.frame.room)))
    }

    #[cold]
    fn note_missing(&self, reading: &mut Reading) {
        let row = reading.row;
        let absent = |child: &&Child| child.presence != Presence::Optional && child.seen != row + 1;
        for Child { name, presence, .. } in self.children.iter().filter(absent) {
            reading.add_faults([*match presence {
                Presence::Key => Refusal::missing_key(name),
                _ => Refusal::violation(format!("required key [{name}] not found")),
            }]);
        }
    }

    /// Adds the finished columns of its properties, all `rows` long, and the arrays among them.
    pub(crate) fn finish(self, rows: usize, finished: &mut Finished<'t>) {
        self.children.into_iter().for_each(|child| child.value.finish(rows, finished));
    }
}

fn start_of(name: &str) -> Vec<u8> {
    let plain = name.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain { format!("\"{name}\":").into_bytes() } else { Vec::new() }
}

impl Child<'_> {
    #[inline]
    fn read(&mut self, reading: &mut Reading) -> Result<()> {
        let noted = reading.noted;
        self.read_value(reading).map_err(|refusal| refusal.under(&self.name))?;
        if reading.noted > noted {
            reading.place_faults(noted, &self.name);
        }
        Ok(())
    }

    #[inline]
    fn read_value(&mut self, reading: &mut Reading) -> Result<()> {
        let start = reading.scanner.at();
        if self.seen == reading.row + 1 {
            return reading.note(Refusal::twice(), start);
        }
        self.seen = reading.row + 1;
        reading.count_value()?;
        match self.read_present(reading) {
            Ok(()) => Ok(()),
            Err(fault) => reading.note(fault, start),
        }
    }

    #[inline]
    fn read_present(&mut self, reading: &mut Reading) -> Result<()> {
        if self.presence == Presence::Key { self.read_key(reading) } else { self.value.read(reading) }
    }

    fn read_key(&mut self, reading: &mut Reading) -> Result<()> {
        if reading.scanner.peek() == Some(b'n') {
            return Err(Refusal::null_key(&self.name));
        }
        let start = reading.scanner.at();
        self.value.read(reading)?;
        // A string is never longer in characters than in bytes, so most keys are known to be short at once.
        if reading.scanner.at() - start > MAX_KEY_CHARACTERS {
            check_key_length(&mut reading.scanner.rewound(start))?;
        }
        Ok(())
    }
}

fn check_key_length(scanner: &mut Scanner) -> Result<()> {
    if scanner.peek() == Some(b'"') && scanner.string()?.resolved()?.chars().count() > MAX_KEY_CHARACTERS {
        return Err(Refusal::violation(format!("String keys cannot be longer than {MAX_KEY_CHARACTERS} characters")));
    }
    Ok(())
}
