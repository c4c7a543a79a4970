//! What stands between the queue and the loaders: which tables wait, and the decoded batches kept for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use selvedge_core::{Counts, TableName};
use selvedge_prepare::Records;
use selvedge_queue::TableBounds;

use crate::cache::Cache;
use crate::error::{EngineError, EngineErrorKind};
use crate::progress::{Progress, TableProgress, Waiting};
use crate::shares::Shares;
use crate::track::Track;

/// How long a loader waits at most for senders at work to make a load worthwhile.
const LONGEST_WAIT_FOR_MORE: Duration = Duration::from_secs(1);
/// How often a loader looks again while something waits that is not ready.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Shared by senders, loaders and receipts.
#[derive(Debug)]
pub(crate) struct Backlog {
    state: Mutex<State>,
    changed: Condvar,
    /// The most bytes of bodies that may be on their way into the queue at once.
    arriving_bytes_max: usize,
    /// The most bytes of bodies that may wait for a paused table.
    paused_limit_bytes: u64,
}

#[derive(Debug)]
struct State {
    followers: Vec<Follower>,
    cache: Cache,
    /// Calls to push under way.
    senders: usize,
    arriving_bytes: usize,
    stopping: bool,
}

/// A destination and its tables.
#[derive(Debug)]
struct Follower {
    name: String,
    tracks: BTreeMap<TableName, Track>,
    loader: LoaderIs,
}

/// Whether a destination's loading thread is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoaderIs {
    Alive,
    Dead,
}

/// A batch that became durable.
pub(crate) struct Admission {
    pub(crate) table: TableName,
    pub(crate) batch: u64,
    pub(crate) repeated: bool,
    pub(crate) body_bytes: u64,
    pub(crate) records: Arc<Records>,
}

/// How much makes a load that nothing more is waited for: either of the two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worthwhile {
    pub(crate) records: u64,
    pub(crate) body_bytes: u64,
}

/// What a loader does next.
pub(crate) enum Next {
    Load(TableName),
    /// Remove what was kept long enough.
    Prune,
    Stop,
}

/// A call to push under way. Loaders wait for it, so that it becomes part of their load.
pub(crate) struct Sending<'b> {
    backlog: &'b Backlog,
    bytes: usize,
}

impl Backlog {
    pub(crate) fn new(destinations: impl Iterator<Item = String>, shares: Shares, paused_limit_bytes: u64) -> Self {
        let followers =
            destinations.map(|name| Follower { name, tracks: BTreeMap::new(), loader: LoaderIs::Alive }).collect();
        let cache = Cache::new(shares.waiting);
        let state = State { followers, cache, senders: 0, arriving_bytes: 0, stopping: false };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            arriving_bytes_max: shares.arriving,
            paused_limit_bytes,
        }
    }

    // Each change to the state is whole before the lock is let go, so a thread that died holding it left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State>, longest: Duration) -> MutexGuard<'g, State> {
        self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
    }

    /// The most bytes of bodies that may be on their way into the queue at once.
    pub(crate) fn arriving_bytes_max(&self) -> usize {
        self.arriving_bytes_max
    }

    /// Begins a push of `bytes`, once there is room for them. One that is larger than all the room goes alone.
    pub(crate) fn send(&self, bytes: usize) -> Sending<'_> {
        let mut state = self.lock();
        while state.arriving_bytes > 0 && state.arriving_bytes + bytes > self.arriving_bytes_max {
            state = self.wait(state, Duration::MAX);
        }
        Self::begin(self, state, bytes)
    }

    /// Begins a push of `bytes` if there is room for them now.
    pub(crate) fn try_send(&self, bytes: usize) -> Option<Sending<'_>> {
        let state = self.lock();
        let room = state.arriving_bytes == 0 || state.arriving_bytes + bytes <= self.arriving_bytes_max;
        room.then(|| Self::begin(self, state, bytes))
    }

    fn begin<'b>(&'b self, mut state: MutexGuard<'b, State>, bytes: usize) -> Sending<'b> {
        state.senders += 1;
        state.arriving_bytes += bytes;
        Sending { backlog: self, bytes }
    }

    /// Takes in what an earlier engine left in the queue, for all destinations.
    pub(crate) fn inherit(&self, bounds: &TableBounds) {
        for follower in &mut self.lock().followers {
            follower.tracks.entry(bounds.table.clone()).or_default().inherit(bounds);
        }
    }

    /// Takes in batches that are durable now, for all destinations.
    pub(crate) fn admit(&self, admissions: Vec<Admission>) {
        let mut state = self.lock();
        for Admission { table, batch, repeated, body_bytes, records } in admissions {
            let count = records.len() as u64;
            let mut awaited = false;
            for follower in &mut state.followers {
                let track = follower.tracks.entry(table.clone()).or_default();
                if repeated {
                    track.repeat(count);
                } else {
                    track.accept(batch, count, body_bytes);
                    awaited |= track.is_running() && track.awaits(batch);
                }
            }
            if awaited {
                state.cache.offer(&table, batch, records);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The decoded batch, if it is still in memory.
    pub(crate) fn cached(&self, table: &TableName, batch: u64) -> Option<Arc<Records>> {
        self.lock().cache.get(table, batch)
    }

    /// Waits for work of one destination: the table that waits longest, once a load is worth it or nobody is sending; but from
    /// the moment `due` on, what was kept long enough goes first.
    pub(crate) fn next(&self, follower: usize, worthwhile: Worthwhile, due: Instant) -> Next {
        let mut state = self.lock();
        loop {
            if state.stopping {
                return Next::Stop;
            }
            let now = Instant::now();
            if now >= due {
                return Next::Prune;
            }
            let Some(tracks) = state.followers.get(follower).map(|follower| &follower.tracks) else {
                return Next::Stop;
            };
            let ready = tracks.iter().filter_map(|(table, track)| Some((track.ready_since(now)?, table, track)));
            if let Some((since, table, track)) = ready.min_by_key(|(since, ..)| *since)
                && (state.senders == 0
                    || track.waiting() >= worthwhile.records
                    || track.waiting_bytes() >= worthwhile.body_bytes
                    || now.duration_since(since) >= LONGEST_WAIT_FOR_MORE)
            {
                return Next::Load(table.clone());
            }
            let waits = tracks.values().any(Track::is_unfinished);
            state = self.wait(state, if waits { LOOK_AGAIN } else { due.saturating_duration_since(now) });
        }
    }

    /// Notes that a destination already had `records` of what the queue holds of a table, up to batch `loaded_to`.
    pub(crate) fn forget(&self, follower: usize, table: &TableName, records: u64, loaded_to: u64) {
        self.with_track(follower, table, |track| track.forget(records, loaded_to));
    }

    /// Notes that a destination's loader holds the decoded batches up to `batch` itself now.
    pub(crate) fn take(&self, follower: usize, table: &TableName, batch: u64) {
        self.with_track(follower, table, |track| track.take(batch));
    }

    /// Notes what a load committed. All batches up to and including `loaded_to` are in the destination now.
    pub(crate) fn commit(&self, follower: usize, table: &TableName, before: Counts, after: Counts, loaded_to: u64) {
        self.with_track(follower, table, |track| track.commit(before, after, loaded_to));
    }

    /// Puts a table off after a failure that may pass.
    pub(crate) fn put_off(&self, follower: usize, table: &TableName, reason: String) {
        self.with_track(follower, table, |track| track.put_off(reason));
    }

    /// Pauses a table until somebody acts.
    pub(crate) fn pause(&self, follower: usize, table: &TableName, reason: String) {
        self.with_track(follower, table, |track| track.pause(reason));
    }

    /// Pauses a table in all destinations.
    pub(crate) fn hold(&self, table: &TableName, reason: &str) {
        self.with_tracks(table, |track| track.hold(Some(reason.to_owned())));
    }

    /// Lets a table go on in all destinations, whatever it was paused for.
    pub(crate) fn resume(&self, table: &TableName) {
        self.with_tracks(table, Track::resume);
    }

    /// Whether a table is paused in one destination, by hand or because it cannot be loaded.
    pub(crate) fn is_paused(&self, follower: usize, table: &TableName) -> bool {
        let state = self.lock();
        state.followers.get(follower).and_then(|follower| follower.tracks.get(table)).is_some_and(Track::is_paused)
    }

    /// Notes something about a table that somebody may want to know.
    pub(crate) fn warn(&self, follower: usize, table: &TableName, warning: String) {
        self.with_track(follower, table, |track| track.warn(warning));
    }

    /// Checks that a body of so many bytes may be added to what waits of a table: if it is paused, that has a limit.
    pub(crate) fn check_room(&self, table: &TableName, body_bytes: u64) -> Result<(), EngineError> {
        let state = self.lock();
        let limit = self.paused_limit_bytes;
        let full = state.followers.iter().find_map(|follower| {
            let track = follower.tracks.get(table).filter(|track| track.is_paused())?;
            (track.waiting_bytes().saturating_add(body_bytes) > limit).then_some((&follower.name, track))
        });
        let Some((name, track)) = full else { return Ok(()) };
        let message = format!(
            "nothing of the batch was queued: {table} is paused and {} bytes of it wait for {name} already, of {limit} at most. \
             Do what the reason asks for, then let it go on (`selvedge table resume`), or give it up (`selvedge table drop`); \
             the reason: {}",
            track.waiting_bytes(),
            track.reason().unwrap_or_default()
        );
        Err(EngineError::new(EngineErrorKind::Paused, message))
    }

    /// Notes that a destination's loader is gone, so that nobody waits for it for ever.
    pub(crate) fn bury(&self, follower: usize) {
        let mut state = self.lock();
        if let Some(follower) = state.followers.get_mut(follower) {
            follower.loader = LoaderIs::Dead;
        }
        drop(state);
        self.changed.notify_all();
    }

    fn with_track(&self, follower: usize, table: &TableName, change: impl FnOnce(&mut Track)) {
        let mut state = self.lock();
        if let Some(follower) = state.followers.get_mut(follower) {
            change(follower.tracks.entry(table.clone()).or_default());
        }
        state.release_taken(table);
        drop(state);
        self.changed.notify_all();
    }

    fn with_tracks(&self, table: &TableName, change: impl Fn(&mut Track)) {
        let mut state = self.lock();
        for follower in &mut state.followers {
            change(follower.tracks.entry(table.clone()).or_default());
        }
        state.release_taken(table);
        drop(state);
        self.changed.notify_all();
    }

    /// That nearly as much waits of a paused table as may.
    fn alarm(&self, table: &TableName, track: &Track) -> Option<String> {
        let (bytes, limit) = (track.waiting_bytes(), self.paused_limit_bytes);
        let alarming = track.is_paused() && bytes >= limit / 5 * 4;
        alarming.then(|| {
            format!("{bytes} bytes wait while {table} is paused; beyond {limit}, no more is taken for it; see `selvedge table`")
        })
    }

    /// Tells the loaders to end after the load they are at.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
        self.changed.notify_all();
    }

    pub(crate) fn progress(&self) -> Progress {
        let state = self.lock();
        let of_follower = |follower: &Follower| {
            let of_track = |(table, track): (&TableName, &Track)| TableProgress {
                destination: follower.name.clone(),
                table: table.clone(),
                tally: track.tally(),
                condition: track.reason().map(str::to_owned),
                alarm: self.alarm(table, track),
                warnings: track.warnings().cloned().collect(),
            };
            follower.tracks.iter().filter(|(_, track)| track.is_of_interest()).map(of_track).collect::<Vec<_>>()
        };
        Progress { tables: state.followers.iter().flat_map(of_follower).collect() }
    }

    /// Waits until nothing waits, or only what is paused, or the time is over; tells what is left.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<Vec<Waiting>, EngineError> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        loop {
            state.check_loaders()?;
            let mut tracks = state.followers.iter().flat_map(|follower| follower.tracks.values());
            let unfinished = tracks.any(Track::is_unfinished);
            let left = remaining(deadline);
            if !unfinished || left.is_zero() || state.stopping {
                return Ok(state.followers.iter().flat_map(Follower::waiting).collect());
            }
            state = self.wait(state, left);
        }
    }

    pub(crate) fn wait_loaded(&self, table: &TableName, batch: u64, timeout: Duration) -> Result<(), EngineError> {
        let deadline = Instant::now().checked_add(timeout);
        let not_loaded = |reason: String| Err(EngineError::new(EngineErrorKind::NotLoaded, reason));
        let mut state = self.lock();
        loop {
            let mut behind = state.followers.iter().filter_map(|follower| {
                let track = follower.tracks.get(table).filter(|track| track.loaded_to < batch)?;
                Some((&follower.name, track))
            });
            let Some((name, track)) = behind.next() else { return Ok(()) };
            state.check_loaders()?;
            let left = remaining(deadline);
            if track.is_paused() || left.is_zero() || state.stopping {
                let no_failure = if state.stopping { "the engine was ended" } else { "there was not enough time" };
                let reason = track.reason().unwrap_or(no_failure);
                return not_loaded(format!("batch {batch} of {table} is durable but not yet in {name}: {reason}"));
            }
            state = self.wait(state, left);
        }
    }
}

impl State {
    /// Lets go of a table's decoded batches that no destination awaits.
    fn release_taken(&mut self, table: &TableName) {
        let tracks = self.followers.iter().filter_map(|follower| follower.tracks.get(table));
        // A destination that is away decodes again when it is back; its batches do not hold memory meanwhile.
        let taken_by_all = tracks.filter(|track| track.is_running()).map(Track::taken_up).min();
        self.cache.release(table, taken_by_all.unwrap_or(u64::MAX));
    }

    fn check_loaders(&self) -> Result<(), EngineError> {
        match self.followers.iter().find(|follower| follower.loader == LoaderIs::Dead) {
            None => Ok(()),
            Some(follower) => Err(EngineError::new(
                EngineErrorKind::Stopped,
                format!(
                    "the thread that loads {} died of a defect, please report it; nothing is lost, and loading goes on when \
                     the process is started again",
                    follower.name
                ),
            )),
        }
    }
}

impl Follower {
    fn waiting(&self) -> impl Iterator<Item = Waiting> {
        let of_track = |(table, track): (&TableName, &Track)| Waiting {
            destination: self.name.clone(),
            table: table.clone(),
            records: track.waiting(),
            reason: track.reason().map(str::to_owned),
        };
        self.tracks.iter().filter(|(_, track)| track.is_behind() || track.reason().is_some()).map(of_track)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let mut state = self.backlog.lock();
        state.senders -= 1;
        state.arriving_bytes -= self.bytes;
        drop(state);
        self.backlog.changed.notify_all();
    }
}

/// The time until the deadline; without one, as long as a wait can be.
fn remaining(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
}
