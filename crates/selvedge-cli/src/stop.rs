//! SIGTERM and SIGINT (Ctrl-C): intake stops, the loads under way are finished, and the command ends.
//!
//! Nothing depends on it, a kill is as safe; but who is asked kindly leaves nothing half done for the next run to clear away.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::error::Error;

/// How long the command takes at most to end once it was asked to. What is under way then is abandoned, as by a kill.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Whether somebody asked the command to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicI32>);

impl Stop {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self, Error> {
        let signals = Signals::new([SIGINT, SIGTERM])
            .map_err(|cause| Error::failed("the system does not let signals be handled; try again").because(cause))?;
        let stop = Self::default();
        let told = stop.clone();
        thread::spawn(move || told.await_signals(signals));
        Ok(stop)
    }

    /// The signal, if there was one.
    pub(crate) fn signal(&self) -> Option<u8> {
        u8::try_from(self.0.load(Ordering::Relaxed)).ok().filter(|signal| *signal > 0)
    }

    fn await_signals(&self, mut signals: Signals) {
        for signal in signals.forever() {
            if self.signal().is_some() {
                end_at_once(signal);
            }
            self.0.store(signal, Ordering::Relaxed);
            eprintln!(
                "selvedge: stopping: what is being loaded is finished, in {} s at most; stop it again to end at once",
                SHUTDOWN.as_secs()
            );
            thread::spawn(move || {
                thread::sleep(SHUTDOWN);
                end_at_once(signal);
            });
        }
    }
}

fn end_at_once(signal: i32) {
    // It does not come back, unless the system refuses to end the process.
    let _ = emulate_default_handler(signal);
}
