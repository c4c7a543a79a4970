//! One record being read: the tree of its properties, each with the columns its values go to.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use selvedge_core::{ColumnType, Path};

use crate::json_type::JsonType;
use crate::leaf::{Leaf, Literal, Put};
use crate::record_type::{Additional, Presence, RecordType, UNTYPED, ValueType};
use crate::records::{RecordColumn, Typing};
use crate::refusal::Refusal;
use crate::scanner::Scanner;
use crate::schema::check_not_reserved;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// The most columns a table may have (design.md 5).
pub(crate) const MAX_COLUMNS: usize = 1_000;
/// The most values a record may hold, as the Import API states it.
const MAX_DATA_POINTS: usize = 10_000;
/// The longest string in a key column, in characters, as the Import API enforces it.
const MAX_KEY_CHARACTERS: usize = 1_024;

/// An object of the records, with the columns below it.
pub(crate) struct Object<'t> {
    additional: &'t Additional,
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

/// The columns a property's values go to, by type.
struct Slot<'t> {
    spec: &'t ValueType,
    object: Option<Object<'t>>,
    leaves: Vec<Leaf>,
}

/// What is carried along while a record is read.
pub(crate) struct Reading<'s, 'a> {
    pub(crate) scanner: &'s mut Scanner<'a>,
    /// Where strings with escapes are resolved.
    pub(crate) scratch: &'s mut String,
    /// The record's index.
    pub(crate) row: usize,
    /// Values met in this record so far.
    pub(crate) data_points: usize,
}

impl<'t> Object<'t> {
    pub(crate) fn new(record_type: &'t RecordType) -> Self {
        let children: Vec<Child> =
            record_type.fields.iter().map(|field| Child::new(&field.name, &field.value, field.presence)).collect();
        let by_name = children.iter().enumerate().map(|(index, child)| (child.name.clone(), index)).collect();
        let required = children.iter().filter(|child| child.presence != Presence::Optional).count();
        Self { additional: &record_type.additional, children, by_name, required }
    }

    /// Reads one object into the columns.
    pub(crate) fn read(&mut self, reading: &mut Reading) -> Result<()> {
        reading.scanner.pass(b'{')?;
        let mut required = 0;
        let mut expected = 0;
        if !reading.scanner.closes(b'}') {
            loop {
                let index = self.child(reading, expected)?;
                expected = index + 1;
                if let Some(child) = self.children.get_mut(index) {
                    child.read(reading)?;
                    required += usize::from(child.presence != Presence::Optional);
                }
                if !reading.scanner.continues(b'}')? {
                    break;
                }
            }
        }
        if required < self.required { Err(self.missing(reading.row)) } else { Ok(()) }
    }

    /// Passes a property's name and finds its child. Senders repeat one order of properties, so the child after the last
    /// one is tried first, by comparing bytes.
    #[inline]
    fn child(&mut self, reading: &mut Reading, expected: usize) -> Result<usize> {
        if let Some(child) = self.children.get(expected)
            && !child.start.is_empty()
            && reading.scanner.passes_start(&child.start)
        {
            return Ok(expected);
        }
        let name = reading.scanner.name()?.resolve(reading.scratch)?;
        match self.by_name.get(name) {
            Some(index) => Ok(*index),
            None => self.add_undeclared(name),
        }
    }

    fn add_undeclared(&mut self, name: &str) -> Result<usize> {
        let value = match self.additional {
            Additional::Untyped => &UNTYPED,
            Additional::Typed(value) => value,
            Additional::Refused => {
                return Err(Refusal::violation(format!("extraneous key [{name}] is not permitted")));
            }
        };
        if self.children.len() >= MAX_COLUMNS {
            return Err(Refusal::violation(format!(
                "the records of this batch have more than {MAX_COLUMNS} properties"
            )));
        }
        check_not_reserved(name)?;
        let index = self.children.len();
        self.children.push(Child::new(name, value, Presence::Optional));
        self.by_name.insert(name.to_owned(), index);
        Ok(index)
    }

    #[cold]
    fn missing(&self, row: usize) -> Box<Refusal> {
        let absent = |child: &&Child| child.presence != Presence::Optional && child.seen != row + 1;
        match self.children.iter().find(absent) {
            Some(Child { name, presence: Presence::Key, .. }) => Refusal::missing_key(name),
            Some(Child { name, .. }) => Refusal::violation(format!("required key [{name}] not found")),
            None => Refusal::violation("a required key was not found"),
        }
    }

    /// The finished columns below `path`, all `rows` long.
    pub(crate) fn finish(self, path: &Path, rows: usize, columns: &mut Vec<RecordColumn>) {
        for child in self.children {
            let mut path = path.clone();
            path.0.push(child.name);
            if let Some(object) = child.value.object {
                object.finish(&path, rows, columns);
            }
            columns.extend(child.value.leaves.into_iter().map(|leaf| RecordColumn {
                path: path.clone(),
                column_type: leaf.column_type,
                typing: Typing::Declared,
                values: leaf.finish(rows),
            }));
        }
    }
}

impl<'t> Child<'t> {
    fn new(name: &str, spec: &'t ValueType, presence: Presence) -> Self {
        let plain = name.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
        let start = if plain { format!("\"{name}\":").into_bytes() } else { Vec::new() };
        let object = spec.object.as_ref().map(Object::new);
        let leaves = spec.scalars.iter().map(Leaf::new).collect();
        Self { name: name.to_owned(), start, presence, seen: 0, value: Slot { spec, object, leaves } }
    }

    #[inline]
    fn read(&mut self, reading: &mut Reading) -> Result<()> {
        if self.seen == reading.row + 1 {
            return Err(Refusal::twice(&self.name));
        }
        self.seen = reading.row + 1;
        reading.data_points += 1;
        if reading.data_points > MAX_DATA_POINTS {
            return Err(Refusal::violation(format!("a record holds more than {MAX_DATA_POINTS} values")));
        }
        if self.presence == Presence::Key {
            return self.read_key(reading);
        }
        self.value.read(reading).map_err(|refusal| refusal.under(&self.name))
    }

    fn read_key(&mut self, reading: &mut Reading) -> Result<()> {
        if reading.scanner.peek() == Some(b'n') {
            return Err(Refusal::missing_key(&self.name));
        }
        let start = reading.scanner.at();
        self.value.read(reading).map_err(|refusal| refusal.under(&self.name))?;
        // A string is never longer in characters than in bytes, so most keys are known to be short at once.
        if reading.scanner.at() - start > MAX_KEY_CHARACTERS {
            check_key_length(&mut reading.scanner.rewound(start)).map_err(|refusal| refusal.under(&self.name))?;
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

impl Slot<'_> {
    #[inline]
    fn read(&mut self, reading: &mut Reading) -> Result<()> {
        match reading.scanner.peek() {
            Some(b'"') => self.read_string(reading),
            Some(b'-' | b'0'..=b'9') => self.read_number(reading),
            Some(b't') => self.read_boolean(reading, "true", Literal::True),
            Some(b'f') => self.read_boolean(reading, "false", Literal::False),
            Some(b'n') => self.read_null(reading),
            Some(b'{') => self.read_object(reading),
            Some(b'[') => self.read_json(reading, reading.scanner.at(), JsonType::Array),
            _ => Err(reading.scanner.malformed("a value")),
        }
    }

    #[inline]
    fn read_string(&mut self, reading: &mut Reading) -> Result<()> {
        let start = reading.scanner.at();
        let text = reading.scanner.string()?.resolve(reading.scratch)?;
        for leaf in &mut self.leaves {
            if leaf.put_string(reading.row, text)? == Put::Done {
                return Ok(());
            }
        }
        self.read_json(reading, start, JsonType::String)
    }

    #[inline]
    fn read_number(&mut self, reading: &mut Reading) -> Result<()> {
        let start = reading.scanner.at();
        let number = reading.scanner.number()?;
        for leaf in &mut self.leaves {
            if leaf.put_number(reading.row, number)? == Put::Done {
                return Ok(());
            }
        }
        self.read_json(reading, start, number.json_type())
    }

    fn read_boolean(&mut self, reading: &mut Reading, word: &str, literal: Literal) -> Result<()> {
        let start = reading.scanner.at();
        reading.scanner.literal(word)?;
        if self.leaves.iter_mut().any(|leaf| leaf.put_boolean(reading.row, literal) == Put::Done) {
            return Ok(());
        }
        self.read_json(reading, start, JsonType::Boolean)
    }

    fn read_null(&self, reading: &mut Reading) -> Result<()> {
        reading.scanner.literal("null")?;
        if self.spec.nullable { Ok(()) } else { Err(self.wrong_type(JsonType::Null)) }
    }

    fn read_object(&mut self, reading: &mut Reading) -> Result<()> {
        match &mut self.object {
            Some(object) => object.read(reading),
            None => self.read_json(reading, reading.scanner.at(), JsonType::Object),
        }
    }

    /// Reads the value at `start`, which is of the type `found`, into the column of JSON text, if such values go there.
    fn read_json(&mut self, reading: &mut Reading, start: usize, found: JsonType) -> Result<()> {
        if !self.spec.kept_as_json.contains(&found) {
            return Err(self.wrong_type(found));
        }
        *reading.scanner = reading.scanner.rewound(start);
        let text = reading.scanner.value()?;
        self.leaves.iter_mut().for_each(|leaf| leaf.put_json(reading.row, text));
        Ok(())
    }

    #[cold]
    fn wrong_type(&self, found: JsonType) -> Box<Refusal> {
        let object = self.object.iter().map(|_| JsonType::Object.to_string());
        let scalars = self.leaves.iter().filter_map(|leaf| match leaf.column_type {
            ColumnType::Json => None,
            ColumnType::Boolean => Some("Boolean"),
            ColumnType::Integer => Some("Integer"),
            ColumnType::Decimal { .. } | ColumnType::Double => Some("Number"),
            _ => Some("String"),
        });
        let kept = self.spec.kept_as_json.iter().map(JsonType::to_string);
        let expected: Vec<String> = object.chain(scalars.map(str::to_owned)).chain(kept).collect();
        match expected.as_slice() {
            [] => Refusal::violation(format!("expected: null, found: {found}")),
            _ => Refusal::violation(format!("expected type: {}, found: {found}", expected.join(" or "))),
        }
    }
}
