//! Which fields the columns of a table and its subtables make.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields, Schema, SchemaRef};

use crate::{Column, Path, Subtable, is_unseen};

/// A table and its subtables as nested fields.
pub(super) struct Layout<'t> {
    pub(super) columns: &'t [Column],
    pub(super) subtables: &'t [Subtable],
    pub(super) fields: Vec<Field>,
}

/// A field of a row, or of a struct in it.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) content: Content,
}

/// What a field or an element of a list holds.
pub(super) enum Content {
    /// What the column at this index holds: of the root, or, within a list, of the list's subtable.
    Scalar(usize),
    Struct(Vec<Field>),
    List {
        /// The index of the subtable.
        subtable: usize,
        element: Box<Content>,
    },
}

impl<'t> Layout<'t> {
    pub(super) fn new(columns: &'t [Column], subtables: &'t [Subtable]) -> Self {
        let mut fields = fields(items(columns, &[], subtables));
        let own = columns.iter().enumerate().filter(|(_, column)| column.path.is_none());
        fields.extend(own.map(|(at, column)| Field { name: column.name.clone(), content: Content::Scalar(at) }));
        Self { columns, subtables, fields }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.arrow_fields(&self.fields, self.columns)))
    }

    fn arrow_fields(&self, fields: &[Field], columns: &[Column]) -> Fields {
        let field = |field: &Field| Some(ArrowField::new(&field.name, self.arrow(&field.content, columns)?, true));
        fields.iter().filter_map(field).collect()
    }

    fn arrow(&self, content: &Content, columns: &[Column]) -> Option<DataType> {
        Some(match content {
            Content::Scalar(at) => columns.get(*at)?.column_type.arrow(),
            Content::Struct(fields) => DataType::Struct(self.arrow_fields(fields, columns)),
            Content::List { subtable, element } => {
                let element = self.arrow(element, &self.subtables.get(*subtable)?.columns)?;
                DataType::List(Arc::new(ArrowField::new_list_field(element, true)))
            }
        })
    }
}

/// A column or a list on the way into the structs it belongs to.
struct Item<'t> {
    /// The rest of its path.
    path: &'t [String],
    thing: Thing<'t>,
}

enum Thing<'t> {
    /// The column, which stands at this index.
    Column(usize, &'t Column),
    List(Content),
}

/// What stands in the records, or within the elements of the array at `outer`: columns, then lists.
fn items<'t>(columns: &'t [Column], outer: &[Path], subtables: &'t [Subtable]) -> Vec<Item<'t>> {
    let scalar = |(at, column): (usize, &'t Column)| {
        let extra = || (!outer.is_empty() && Subtable::is_of_elements(column)).then_some(&[][..]);
        let path = column.path.as_ref().map(|path| &path.0[..]).or_else(extra)?;
        Some(Item { path, thing: Thing::Column(at, column) })
    };
    let list = |(at, subtable): (usize, &'t Subtable)| {
        let (path, around) = subtable.source.0.split_last()?;
        let element = (around == outer).then(|| element(subtable, subtables))??;
        let content = Content::List { subtable: at, element: Box::new(element) };
        Some(Item { path: &path.0, thing: Thing::List(content) })
    };
    let lists = subtables.iter().enumerate().filter_map(list);
    columns.iter().enumerate().filter_map(scalar).chain(lists).collect()
}

/// What an element of the array is; `None` if none ever had a value.
fn element(subtable: &Subtable, subtables: &[Subtable]) -> Option<Content> {
    let mut items = items(&subtable.columns, &subtable.source.0, subtables);
    match &items[..] {
        [] => None,
        [Item { path: [], .. }] => items.pop().map(|item| match item.thing {
            Thing::Column(at, _) => Content::Scalar(at),
            Thing::List(content) => content,
        }),
        _ => Some(Content::Struct(fields(items))),
    }
}

/// A field while others may still come into it, or before it.
enum Draft<'t> {
    Scalar(Field),
    Struct { property: &'t str, items: Vec<Item<'t>> },
    List { property: &'t str, content: Content },
}

fn fields(items: Vec<Item<'_>>) -> Vec<Field> {
    let mut names = Names::default();
    let mut drafts = Vec::new();
    let mut structs: HashMap<&str, usize> = HashMap::new();
    for Item { path, thing } in items {
        match (path, thing) {
            ([property, path @ ..], thing) if !path.is_empty() => {
                let at = *structs.entry(property).or_insert_with(|| {
                    drafts.push(Draft::Struct { property, items: Vec::new() });
                    drafts.len() - 1
                });
                if let Some(Draft::Struct { items, .. }) = drafts.get_mut(at) {
                    items.push(Item { path, thing });
                }
            }
            (_, Thing::Column(at, column)) => {
                let name = names.free(name_in_struct(column), column.column_type.split_suffix());
                drafts.push(Draft::Scalar(Field { name, content: Content::Scalar(at) }));
            }
            (path, Thing::List(content)) => {
                let property = path.first().map_or(ELEMENT, String::as_str);
                drafts.push(Draft::List { property, content });
            }
        }
    }
    // Scalars have their names by now, so that they keep them whatever else their properties hold.
    let field = |draft| match draft {
        Draft::Scalar(field) => field,
        Draft::Struct { property, items } => {
            Field { name: names.free(spelled(property), "__re"), content: Content::Struct(fields(items)) }
        }
        Draft::List { property, content } => Field { name: names.free(spelled(property), "__ar"), content },
    };
    drafts.into_iter().map(field).collect()
}

/// What an element is called that is no object and needs a name.
const ELEMENT: &str = "value";

/// The name of a column without the names of the objects it stands in, if it begins with those; long ones do not.
fn name_in_struct(column: &Column) -> String {
    let Some((last, objects)) = column.path.as_ref().and_then(|path| path.0.split_last()) else {
        return column.name.clone();
    };
    let prefix: String = objects.iter().map(|name| format!("{}__", without_unseen(name))).collect();
    let rest = column.name.strip_prefix(&prefix).filter(|rest| !rest.is_empty());
    rest.map_or_else(|| spelled(last), str::to_owned)
}

/// The longest name of a property in bytes: with a suffix, it still is as short as those of columns.
const MAX_PROPERTY_BYTES: usize = 100;

/// The name of a property as one of columns is spelled.
fn spelled(property: &str) -> String {
    let mut name = without_unseen(property);
    let mut end = name.len().min(MAX_PROPERTY_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    if name.is_empty() { "_".to_owned() } else { name }
}

fn without_unseen(property: &str) -> String {
    property.replace(is_unseen, "_")
}

/// The names taken in a struct, in lower case.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    /// Takes the name, with the suffix if it is taken already, with a number after that if so is this.
    fn free(&mut self, name: String, suffix: &str) -> String {
        let suffixed = format!("{name}{suffix}");
        let numbered = (2_u32..).map(|number| format!("{suffixed}_{number}"));
        let mut names = [name, suffixed.clone()].into_iter().chain(numbered);
        let free = names.find(|name| self.0.insert(name.to_lowercase()));
        free.unwrap_or(suffixed)
    }
}
