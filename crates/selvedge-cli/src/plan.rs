//! What is left to do with each input.

use std::collections::HashSet;

use selvedge::Engine;

use crate::args::LoadArgs;
use crate::destination::Address;
use crate::error::Error;
use crate::infer::{Properties, Types};
use crate::input::lines::{Lines, Place};
use crate::input::records::RecordFormat;
use crate::input::sequence::Numbering;
use crate::input::snapshot::Snapshot;
use crate::input::{Input, Material};
use crate::resume::{self, Layout, Stage, State};

/// An input and what is left to do with it.
pub(crate) struct Job {
    pub(crate) input: Input,
    /// Its name in the queue; standard input has none.
    pub(crate) source: Option<String>,
    pub(crate) course: Course,
}

/// What is left to do with an input.
pub(crate) enum Course {
    /// To read it from there on.
    Read(Material, State),
    /// To load what an earlier run accepted.
    Finish,
    /// Nothing: it was loaded before, or stands in the command twice.
    Skip(Snapshot),
}

/// What the queue knows of an input.
enum Standing {
    New,
    Seen(State),
    /// It was loaded as this says, and is to be loaded again.
    Again(State),
    /// It stands in the command before.
    Twice,
}

/// Decides what is left to do with each input, in their order.
pub(crate) fn plan(args: &LoadArgs, inputs: Vec<(Input, Material)>, engine: &Engine) -> Result<Vec<Job>, Error> {
    let sources: Vec<Option<String>> = inputs.iter().map(|(_, material)| resume::source_name(material, args)).collect();
    let standings = standings(args, &sources, engine)?;
    let any_new = standings.iter().any(|standing| matches!(standing, Standing::New));
    let layout = find_layout(args, if any_new { &inputs } else { &[] })?;
    let mut jobs = Vec::with_capacity(inputs.len());
    for (((input, material), source), standing) in inputs.into_iter().zip(sources).zip(standings) {
        let course = match (standing, material) {
            (Standing::Twice, Material::File(snapshot)) => Course::Skip(snapshot),
            (Standing::Seen(state), Material::File(snapshot)) => go_on(&input, snapshot, state, &args.settings.to)?,
            (Standing::Again(state), material) => Course::Read(material, beginning(state.layout, &args.settings.to)),
            (_, material) => Course::Read(material, beginning(layout.clone(), &args.settings.to)),
        };
        jobs.push(Job { input, source, course });
    }
    Ok(jobs)
}

fn standings(args: &LoadArgs, sources: &[Option<String>], engine: &Engine) -> Result<Vec<Standing>, Error> {
    let mut before = HashSet::new();
    let standing = |source: &Option<String>| {
        let Some(source) = source else { return Ok(Standing::New) };
        if !before.insert(source.clone()) {
            return Ok(Standing::Twice);
        }
        Ok(match State::recall(engine, source)? {
            // What was stopped halfway is finished first, also by a command that loads again: it may be that very command.
            Some(state) if !args.again || state.stage != Stage::Loaded => Standing::Seen(state),
            Some(state) => Standing::Again(state),
            None => Standing::New,
        })
    };
    sources.iter().map(standing).collect()
}

fn beginning(layout: Layout, to: &[Address]) -> State {
    let destinations = to.iter().map(|address| address.as_str().to_owned()).collect();
    State { stage: Stage::Reading, next: Place::START, records: 0, destinations, layout }
}

/// What is left to do with a file that this queue has seen before.
fn go_on(input: &Input, snapshot: Snapshot, state: State, to: &[Address]) -> Result<Course, Error> {
    let new = to.iter().find(|address| !state.destinations.iter().any(|name| name == address.as_str()));
    let same = new.is_none() && to.len() == state.destinations.len();
    match (state.stage, new) {
        (Stage::Loaded, None) => Ok(Course::Skip(snapshot)),
        (Stage::Loaded, Some(new)) => Err(Error::failed(format!(
            "{input} was loaded from this queue before {new} was added; run again with --again, which leaves keyed tables as \
             they are"
        ))),
        (Stage::Reading, _) if same => Ok(Course::Read(Material::File(snapshot), state)),
        (Stage::Accepted, _) if same => Ok(Course::Finish),
        _ => Err(Error::failed(format!(
            "an earlier load of {input} into {} was stopped halfway; run again with the same --to, so that it is finished",
            state.destinations.join(" and ")
        ))),
    }
}

/// What the inputs of this command consist of. Plain records share one schema, whatever file they stand in.
fn find_layout(args: &LoadArgs, inputs: &[(Input, Material)]) -> Result<Layout, Error> {
    let Some(table) = &args.table else { return Ok(Layout::Batches) };
    let mut properties = Properties::default();
    for (input, material) in inputs {
        let observed = material.sample().and_then(|lines| observe(&mut properties, lines));
        observed.map_err(|cause| input.unreadable(cause))?;
    }
    let numbering = match &args.sequence {
        None => Numbering::Arrival { first: 0 },
        Some(column) if properties.types(column).is_some_and(Types::is_textual) => {
            Numbering::Moments { column: column.clone() }
        }
        Some(column) => Numbering::Integers { column: column.clone() },
    };
    let schema = properties.schema(&args.key);
    let format = RecordFormat { table: table.clone(), keys: args.key.clone(), schema, numbering };
    Ok(Layout::Records(Box::new(format)))
}

/// Takes in the lines. One that cannot be read here is passed over: the load says why if it is no record.
fn observe(properties: &mut Properties, mut lines: Lines) -> std::io::Result<()> {
    while let Some(line) = lines.peek() {
        drop(properties.observe(line));
        lines.advance()?;
    }
    Ok(())
}
