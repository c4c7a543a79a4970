//! The same records give the same tables: random records of random schemas, upserts, deletes and activated versions, with and without
//! keys, cut into batches and loads in random ways, stand in every destination as a simple model has them, and are counted as there
//! at every step.

mod model;
mod records;
mod run;
mod standing;

use proptest::prelude::*;

use self::records::{Act, Cut, Stream};
use self::run::Run;

/// Pushes the batches of a stream as `cut` says. What is counted is compared with the model after every step, and the tables are
/// whenever an engine ended.
fn check(stream: &Stream, cut: &Cut) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::start(folder.path(), stream.kind);
    for (index, batch) in stream.batches(cut).iter().enumerate() {
        run.push(batch)?;
        run.compare_counts()?;
        for act in cut.acts_after(index) {
            match act {
                Act::Repeat => run.repeat(batch)?,
                Act::Replay => run.replay()?,
                Act::Pause => run.pause(),
                Act::Resume => run.resume(),
                Act::Flush => run.flush()?,
                Act::Restart => run = run.restart()?,
            }
            run.compare_counts()?;
        }
    }
    run.resume();
    run.flush()?;
    run.restart()?.compare_counts()
}

/// How many streams are tried; more by the environment variable PROPTEST_CASES.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_cut_of_a_stream_gives_the_same_tables(stream in records::stream(), cuts in proptest::collection::vec(records::cut(), 2)) {
        for cut in &cuts {
            check(&stream, cut)?;
        }
    }
}
