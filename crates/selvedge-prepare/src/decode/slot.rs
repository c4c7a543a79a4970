//! One place in the records: the columns its values go to, by type.

use selvedge_core::{ColumnType, Path};

use crate::decode::array::Array;
use crate::decode::json_type::JsonType;
use crate::decode::leaf::{Leaf, Literal, Put};
use crate::decode::object::Object;
use crate::decode::reading::{Reading, Room};
use crate::prepare::names;
use crate::records::{RecordColumn, Typing};
use crate::refusal::Refusal;
use crate::schema::record_type::{Choice, MAX_NESTING, OPEN_OBJECT, Others, Scalar, UNTYPED, ValueType};
use crate::schema::rules::Rules;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Where the values of a property, or of the elements of an array, go.
pub(crate) struct Slot<'t> {
    spec: &'t ValueType,
    /// Those of `spec`, where each value is near them.
    rules: Option<&'t Rules>,
    /// From the record, or from the element of an array.
    path: Path,
    /// How many objects and arrays stand around the values, the record not counted.
    depth: usize,
    object: Option<Box<Object<'t>>>,
    array: Option<Box<Array<'t>>>,
    /// Of the declared scalars, in the order they are tried.
    leaves: Vec<Leaf>,
    /// Of values typed by themselves, each type when its first value comes.
    by_value: Vec<Leaf>,
    columns: Columns,
}

/// Whether the next number, a whole one, is beyond 64 bits and written as doubles are: `1e100`.
fn is_large_double(reading: &mut Reading) -> bool {
    let number = reading.scanner.rewound(reading.scanner.at()).number();
    number.is_ok_and(|number| number.text.contains(['.', 'e', 'E']) && number.integer().is_none())
}

/// Whether there was room for the columns of the declared scalars.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    Own,
    /// There was none: values are checked, and go to those without a column.
    None,
}

/// What the columns of a table become once all rows were read.
#[derive(Default)]
pub(crate) struct Finished<'t> {
    pub(crate) columns: Vec<RecordColumn>,
    /// The arrays in its rows, by their paths.
    pub(crate) arrays: Vec<(Path, Array<'t>)>,
}

impl<'t> Slot<'t> {
    pub(crate) fn new(spec: &'t ValueType, path: Path, depth: usize, room: &mut Room) -> Self {
        let object = spec.object.as_ref().map(|object| Box::new(Object::new(object, path.clone(), depth + 1, room)));
        let array = spec.elements.as_ref().map(|element| Box::new(Array::new(element, depth, Typing::Declared)));
        let columns = if room.take(spec.scalars.len()) { Columns::Own } else { Columns::None };
        let leaves = spec.scalars.iter().map(Leaf::new).collect();
        Self { spec, rules: spec.rules.as_deref(), path, depth, object, array, leaves, by_value: Vec::new(), columns }
    }

    #[inline]
    pub(crate) fn read(&mut self, reading: &mut Reading) -> Result<()> {
        match self.rules {
            None => self.read_typed(reading),
            Some(rules) => self.read_ruled(rules, reading),
        }
    }

    /// Reads a value and checks it by rules, if it is of a type the place takes.
    #[cold]
    fn read_ruled(&mut self, rules: &Rules, reading: &mut Reading) -> Result<()> {
        let (start, noted) = (reading.scanner.at(), reading.noted);
        self.read_typed(reading)?;
        if reading.noted == noted
            && let Err(faults) = rules.check(reading.scanner.text_from(start))
        {
            reading.add_faults(faults);
        }
        Ok(())
    }

    #[inline]
    fn read_typed(&mut self, reading: &mut Reading) -> Result<()> {
        match reading.scanner.peek() {
            Some(b'"') => self.read_string(reading),
            Some(b'-' | b'0'..=b'9') => self.read_number(reading),
            Some(b't') => self.read_boolean(reading, "true", Literal::True),
            Some(b'f') => self.read_boolean(reading, "false", Literal::False),
            Some(b'n') => self.read_null(reading),
            Some(b'{') => self.read_object(reading),
            Some(b'[') => self.read_array(reading),
            _ => Err(reading.scanner.malformed("a value")),
        }
    }

    #[inline]
    fn read_string(&mut self, reading: &mut Reading) -> Result<()> {
        let start = reading.scanner.at();
        let text = reading.scanner.string()?.resolve(reading.scratch)?;
        let row = reading.row;
        if self.leaves.iter_mut().any(|leaf| matches!(leaf.put_string(row, text), Ok(Put::Done))) {
            return self.done(reading, start);
        }
        self.read_other(reading, start, JsonType::String)
    }

    #[inline]
    fn read_number(&mut self, reading: &mut Reading) -> Result<()> {
        let start = reading.scanner.at();
        let number = reading.scanner.number()?;
        let row = reading.row;
        if self.leaves.iter_mut().any(|leaf| matches!(leaf.put_number(row, number), Ok(Put::Done))) {
            return self.done(reading, start);
        }
        self.read_other(reading, start, number.json_type())
    }

    fn read_boolean(&mut self, reading: &mut Reading, word: &str, literal: Literal) -> Result<()> {
        let start = reading.scanner.at();
        reading.scanner.literal(word)?;
        let row = reading.row;
        if self.leaves.iter_mut().any(|leaf| matches!(leaf.put_boolean(row, literal), Ok(Put::Done))) {
            return self.done(reading, start);
        }
        self.read_other(reading, start, JsonType::Boolean)
    }

    fn read_null(&self, reading: &mut Reading) -> Result<()> {
        reading.scanner.literal("null")?;
        if self.spec.nullable { Ok(()) } else { Err(self.refused(JsonType::Null, None)) }
    }

    fn read_object(&mut self, reading: &mut Reading) -> Result<()> {
        if self.object.is_none() && self.flattens() {
            let path = self.path.clone();
            self.object = Some(Box::new(Object::new(&OPEN_OBJECT, path, self.depth + 1, &mut reading.frame.room)));
        }
        match &mut self.object {
            Some(object) => object.read(reading),
            None => self.read_other(reading, reading.scanner.at(), JsonType::Object),
        }
    }

    fn read_array(&mut self, reading: &mut Reading) -> Result<()> {
        if self.array.is_none() && self.flattens() && reading.takes_array() {
            self.array = Some(Box::new(Array::new(&UNTYPED, self.depth, Typing::ByValue)));
        }
        match &mut self.array {
            Some(array) => array.read(reading),
            None => self.read_other(reading, reading.scanner.at(), JsonType::Array),
        }
    }

    /// Whether objects and arrays that are not declared become columns and rows of their own here.
    fn flattens(&self) -> bool {
        self.spec.others == Others::ByValue && self.depth < MAX_NESTING
    }

    /// A declared scalar took the value that began at `start`.
    #[inline]
    fn done(&mut self, reading: &mut Reading, start: usize) -> Result<()> {
        if self.columns == Columns::None {
            self.leaves.iter_mut().for_each(Leaf::clear);
            self.keep_extra(reading, start);
        }
        Ok(())
    }

    /// Reads the value at `start`, which is of the type `found` and which no declared scalar took.
    #[cold]
    #[inline(never)]
    fn read_other(&mut self, reading: &mut Reading, start: usize, found: JsonType) -> Result<()> {
        *reading.scanner = reading.scanner.rewound(start);
        if self.spec.kept_as_json.contains(&found) {
            let text = reading.scanner.value_within(self.depth)?;
            self.leaves.iter_mut().for_each(|leaf| leaf.put_json(reading.row, text));
            return self.done(reading, start);
        }
        if self.spec.others == Others::ByValue {
            return self.read_by_value(reading, found);
        }
        let fault = self.fault(reading, found)?;
        Err(self.refused(found, fault))
    }

    /// Passes the next value, of the type `found`, and gives what the first scalar of that type has against it: offered a value
    /// again, they say the same again. The way of values that are taken carries no faults along.
    fn fault(&mut self, reading: &mut Reading, found: JsonType) -> Result<Option<Box<Refusal>>> {
        let row = reading.row;
        let mut leaves = self.leaves.iter_mut();
        Ok(match found {
            JsonType::String => {
                let text = reading.scanner.string()?.resolve(reading.scratch)?;
                leaves.find_map(|leaf| leaf.put_string(row, text).err())
            }
            JsonType::Integer | JsonType::Double => {
                let number = reading.scanner.number()?;
                leaves.find_map(|leaf| leaf.put_number(row, number).err())
            }
            JsonType::Boolean => {
                let literal = if reading.scanner.value()? == "true" { Literal::True } else { Literal::False };
                leaves.find_map(|leaf| leaf.put_boolean(row, literal).err())
            }
            JsonType::Null | JsonType::Array | JsonType::Object => {
                reading.scanner.value()?;
                None
            }
        })
    }

    /// Reads the next value, of the type `found`, into the column of that type.
    fn read_by_value(&mut self, reading: &mut Reading, found: JsonType) -> Result<()> {
        let start = reading.scanner.at();
        let depth = self.depth;
        let column_type = match found {
            JsonType::Boolean => ColumnType::Boolean,
            JsonType::Integer if !is_large_double(reading) => ColumnType::Integer,
            JsonType::Integer | JsonType::Double => ColumnType::Double,
            JsonType::String => ColumnType::String,
            JsonType::Null | JsonType::Array | JsonType::Object => ColumnType::Json,
        };
        let Some(leaf) = self.leaf(column_type, &mut reading.frame.room) else {
            reading.scanner.value_within(depth)?;
            self.keep_extra(reading, start);
            return Ok(());
        };
        let row = reading.row;
        let put = match found {
            JsonType::Boolean => {
                let text = reading.scanner.value()?;
                leaf.put_boolean(row, if text == "true" { Literal::True } else { Literal::False })?
            }
            JsonType::Integer | JsonType::Double => leaf.put_number(row, reading.scanner.number()?)?,
            JsonType::String => leaf.put_string(row, reading.scanner.string()?.resolve(reading.scratch)?)?,
            JsonType::Null | JsonType::Array | JsonType::Object => {
                leaf.put_json(row, reading.scanner.value_within(depth)?);
                Put::Done
            }
        };
        if put == Put::Done { Ok(()) } else { Err(self.wrong_type(found)) }
    }

    /// The column of values of a type that the schema does not name, made with the first of them; `None` if there was no room
    /// for it.
    fn leaf(&mut self, column_type: ColumnType, room: &mut Room) -> Option<&mut Leaf> {
        let at = self.by_value.iter().position(|leaf| leaf.column_type == column_type);
        let at = match at {
            Some(at) => at,
            None if room.take(1) => {
                self.by_value.push(Leaf::new(&Scalar::plain(column_type)));
                self.by_value.len() - 1
            }
            None => return None,
        };
        self.by_value.get_mut(at)
    }

    /// Puts the value that began at `start`, and was passed, among those without a column.
    #[cold]
    fn keep_extra(&self, reading: &mut Reading, start: usize) {
        let name = names::plain(&self.path);
        let name = serde_json::Value::from(name).to_string();
        let text = reading.scanner.text_from(start);
        let row = reading.row;
        reading.frame.extra.push(row, &name, text);
    }

    /// What is said of a value of the type `found` that nothing here takes, because of `fault` if there is one.
    #[cold]
    fn refused(&self, found: JsonType, fault: Option<Box<Refusal>>) -> Box<Refusal> {
        match (self.spec.choice, fault) {
            (_, Some(fault)) if fault.is_out_of_range() => fault,
            (Choice::AnyOf(schemas @ 2..), _) => {
                Refusal::violation(format!("no subschema matched out of the total {schemas} subschemas"))
            }
            (Choice::OneOf, _) => Refusal::violation("0 subschemas matched instead of one"),
            (_, Some(fault)) => fault,
            (_, None) => self.wrong_type(found),
        }
    }

    #[cold]
    fn wrong_type(&self, found: JsonType) -> Box<Refusal> {
        let object = self.object.iter().map(|_| JsonType::Object.to_string());
        let array = self.array.iter().map(|_| JsonType::Array.to_string());
        let scalars = self.leaves.iter().filter_map(|leaf| match leaf.column_type {
            ColumnType::Json => None,
            ColumnType::Boolean => Some("Boolean"),
            ColumnType::Integer => Some("Integer"),
            ColumnType::Decimal { .. } | ColumnType::Double => Some("Number"),
            _ => Some("String"),
        });
        let kept = self.spec.kept_as_json.iter().map(JsonType::to_string);
        let expected: Vec<String> = object.chain(array).chain(scalars.map(str::to_owned)).chain(kept).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        Refusal::violation(found.instead_of(&expected))
    }

    /// Adds the finished columns of this place, all `rows` long, and the arrays.
    pub(crate) fn finish(self, rows: usize, finished: &mut Finished<'t>) {
        let Self { path, object, array, leaves, by_value, columns, .. } = self;
        if let Some(object) = object {
            object.finish(rows, finished);
        }
        let typings = [(leaves, Typing::Declared), (by_value, Typing::ByValue)];
        for (leaves, typing) in typings {
            if typing == Typing::Declared && columns == Columns::None {
                continue;
            }
            finished.columns.extend(leaves.into_iter().map(|leaf| RecordColumn {
                path: path.clone(),
                column_type: leaf.column_type,
                typing,
                values: leaf.finish(rows),
            }));
        }
        finished.arrays.extend(array.map(|array| (path, *array)));
    }
}
