//! The elements of the arrays at one place, in all parts of a load.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::StringArray;
use foldhash::fast::RandomState;
use selvedge_core::ArrayPath;

use crate::prepare::part::Part;
use crate::prepare::sheet::{self, Rows, Source};
use crate::records::{Elements, Records, Typing};

/// The arrays at one place, in all parts of a load.
pub(crate) struct Layer<'p> {
    pub(crate) path: &'p ArrayPath,
    /// Declared if any batch declares it.
    pub(crate) typing: Typing,
    pub(crate) sources: Vec<Source<'p>>,
    pub(crate) extra: Vec<Option<&'p StringArray>>,
    /// Of each part, its elements.
    parts: Vec<Option<Place<'p>>>,
}

/// Elements of one batch: where they stand among what it holds.
#[derive(Clone, Copy)]
struct Place<'p> {
    records: &'p Records,
    elements: &'p Elements,
}

/// All arrays of the parts, those around others first.
pub(crate) fn layers<'p>(parts: &[Part<'p>]) -> Vec<Layer<'p>> {
    let mut known: HashMap<&ArrayPath, usize, RandomState> = HashMap::default();
    let mut found: Vec<Vec<Option<Place<'p>>>> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let records = part.records;
        for elements in &records.arrays {
            let layer = *known.entry(&elements.source).or_insert(found.len());
            if layer == found.len() {
                found.push(vec![None; parts.len()]);
            }
            if let Some(place) = found.get_mut(layer).and_then(|places| places.get_mut(index)) {
                *place = Some(Place { records, elements });
            }
        }
    }
    found.into_iter().filter_map(Layer::new).collect()
}

impl<'p> Layer<'p> {
    fn new(parts: Vec<Option<Place<'p>>>) -> Option<Self> {
        let elements = || parts.iter().map(|part| part.as_ref().map(|place| place.elements));
        let path = &elements().flatten().next()?.source;
        let is_declared = elements().flatten().any(|elements| elements.typing == Typing::Declared);
        let typing = if is_declared { Typing::Declared } else { Typing::ByValue };
        let sources = sheet::sources(elements().map(|part| part.map_or(&[][..], |elements| &elements.columns)));
        let extra = elements().map(|part| part.and_then(|elements| elements.extra.as_ref())).collect();
        Some(Self { path, typing, sources, extra, parts })
    }

    fn place(&self, part: usize) -> Option<Place<'p>> {
        self.parts.get(part).copied().flatten()
    }

    /// How many elements a part has.
    pub(crate) fn len(&self, part: usize) -> usize {
        self.place(part).map_or(0, |place| place.elements.parents.len())
    }

    /// The index of the record an element stands in.
    pub(crate) fn record(&self, part: usize, element: usize) -> Option<usize> {
        self.place(part)?.lineage(element).last().map(|(_, _, parent)| parent)
    }

    /// The JSON pointer of an element in its record.
    pub(crate) fn pointer(&self, part: usize, element: usize) -> Option<String> {
        let lineage: Vec<_> = self.place(part)?.lineage(element).collect();
        let pointer = |(elements, position, _): &(&Elements, i64, usize)| {
            elements.source.0.last().map(|path| format!("{path}/{position}"))
        };
        lineage.iter().rev().map(pointer).collect()
    }

    /// The elements of the records at these rows of the root, and the index of the row that each belongs to.
    pub(crate) fn of_records(&self, records: &Rows) -> (Rows, Vec<u32>) {
        let starts: Vec<Option<Vec<u32>>> =
            self.parts.iter().map(|place| place.as_ref().map(|place| place.starts())).collect();
        let mut places = Vec::new();
        let mut roots = Vec::new();
        // A load holds far less than four thousand million records.
        for (root, (part, record)) in (0_u32..).zip(&records.places) {
            let Some(starts) = starts.get(*part).and_then(Option::as_ref) else { continue };
            let elements = range(starts, *record);
            roots.resize(roots.len() + elements.len(), root);
            places.extend(elements.map(|element| (*part, element)));
        }
        let all: usize = (0..self.parts.len()).map(|part| self.len(part)).sum();
        let left_out = all - places.len();
        (Rows { places, left_out }, roots)
    }

    /// Where the elements at these rows stand: of each of the arrays within each other, from the outermost on, the index in
    /// it.
    pub(crate) fn level_ids(&self, rows: &Rows) -> Vec<Vec<i64>> {
        let mut levels = vec![Vec::with_capacity(rows.places.len()); self.path.levels()];
        for (part, element) in &rows.places {
            let Some(place) = self.place(*part) else { continue };
            for (level, (_, position, _)) in levels.iter_mut().rev().zip(place.lineage(*element)) {
                level.push(position);
            }
        }
        levels
    }
}

impl<'p> Place<'p> {
    /// An element and those it stands in, from the innermost on: the elements it is one of, its index in its array, and the
    /// row its array belongs to, which is a record's in the end.
    fn lineage(self, element: usize) -> impl Iterator<Item = (&'p Elements, i64, usize)> {
        let mut next = Some((self.elements, element));
        std::iter::from_fn(move || {
            let (elements, element) = next.take()?;
            let position = elements.positions.values().get(element).copied()?;
            let parent = elements.parents.values().get(element).copied()? as usize;
            next = elements.within.and_then(|within| Some((self.records.arrays.get(within)?, parent)));
            Some((elements, position, parent))
        })
    }

    /// Of each record, and one beyond the last, the index of its first element.
    fn starts(self) -> Vec<u32> {
        let around = self.elements.within.and_then(|within| self.records.arrays.get(within));
        let Some(around) = around else { return starts(self.elements, self.records.len()) };
        let own = starts(self.elements, around.parents.len());
        let around = Place { records: self.records, elements: around }.starts();
        around.into_iter().filter_map(|start| own.get(start as usize).copied()).collect()
    }
}

/// Of each row that arrays belong to, and one beyond the last, the index of its first element.
fn starts(elements: &Elements, rows: usize) -> Vec<u32> {
    let mut starts = Vec::with_capacity(rows + 1);
    // Parents ascend: a row's elements come after those of all rows before it.
    for (element, parent) in (0_u32..).zip(elements.parents.values()) {
        if starts.len() <= *parent as usize {
            starts.resize(*parent as usize + 1, element);
        }
    }
    starts.resize(rows + 1, elements.parents.len() as u32);
    starts
}

fn range(starts: &[u32], record: usize) -> Range<usize> {
    let at = |index: usize| starts.get(index).map_or(0, |start| *start as usize);
    at(record)..at(record + 1)
}
