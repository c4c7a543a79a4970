//! How much memory loading and reading a large table takes.

use std::fs;
use std::ops::ControlFlow;

use selvedge_core::{Destination, Part, TableState, system};

use crate::child::{self, Task, What, told};
use crate::failure::{Checked, Failure, ensure};
use crate::kit::Kit;
use crate::loads::{self, Elements, in_order, integers, next, texts};
use crate::place::{Place, Thing};

/// How many loads there are.
const LOADS: i64 = 8;
/// Loads after which a destination has all that it needs, but for the table's size.
const WARM: i64 = 2;
/// Rows of a load.
const ROWS: i64 = 16_000;
/// Bytes of a row: half of them in an array that it holds.
const ROW_BYTES: usize = 2_000;
/// Bytes of a text.
const TEXT_BYTES: usize = ROW_BYTES / 2;
/// How much more memory than after the first loads is allowed, in MiB. The table has grown by 183 MiB by then.
const GROWTH_MIB: u64 = 96;

pub(crate) fn bounded(place: &Place<'_>) -> Checked {
    fs::create_dir_all(place.aside(""))?;
    let task = Task { what: What::Measure, destination: place.folder(Thing::Destination), told: place.aside("told") };
    let status = child::start(&task)?.wait()?;
    ensure(status.success(), || format!("the process that is measured failed ({status}), as is told above"))?;
    let peaks = told(&task.told).iter().map(|line| line.parse::<u64>()).collect::<Result<Vec<_>, _>>()?;
    let [warm, loaded, read] = peaks[..] else {
        return Err(Failure::new(format!("the process that is measured told {peaks:?}")));
    };
    let table = LOADS * ROWS * ROW_BYTES as i64 / (1 << 20);
    let within = |peak: u64| peak <= warm + GROWTH_MIB;
    ensure(within(loaded) && within(read), || {
        format!(
            "at its peak the process had {warm} MiB after {WARM} loads, {loaded} MiB after {LOADS} loads into a table of \
             {table} MiB, and {read} MiB after reading it; allowed are {GROWTH_MIB} MiB more than after the first"
        )
    })
}

/// In the process: loads the table, reads it, and tells the peak of its memory after each part.
pub(crate) fn load_and_read(kit: &Kit, task: &Task) -> Checked {
    let mut peaks = Vec::new();
    let mut destination = kit.open(&task.destination)?;
    let mut state = None;
    for number in 0..LOADS {
        if number == WARM {
            peaks.push(peak_mib()?);
        }
        state = Some(load(&mut *destination, number, state.as_ref())?);
    }
    peaks.push(peak_mib()?);
    drop(destination);
    for part in [Part::Rows, Part::Subtable("t__items")] {
        let mut rows = 0;
        kit.look(&task.destination)?.read(&loads::table("t")?, part, &mut |_, batch| {
            rows += batch.num_rows();
            ControlFlow::Continue(())
        })?;
        ensure(i64::try_from(rows)? == LOADS * ROWS, || format!("{rows} rows of {part:?} were read"))?;
    }
    peaks.push(peak_mib()?);
    let lines: String = peaks.iter().map(|peak| format!("{peak}\n")).collect();
    Ok(fs::write(&task.told, lines)?)
}

/// Adds rows above all keys, and replaces one row of the load before.
fn load(destination: &mut dyn Destination, number: i64, state: Option<&TableState>) -> Result<TableState, Failure> {
    let table = loads::table("t")?;
    let first = number * ROWS;
    let ids = || (first - 1).max(0)..first + ROWS;
    let columns =
        vec![integers("id", ids()), texts("text", ids().map(text)), integers(system::SEQUENCE, ids().map(|_| number))];
    let mut load = next(&table, state, &["id"], columns)?;
    let elements = vec![texts("text", ids().map(text))];
    Elements::of(&["items"], &vec![1; load.rows.num_rows()], elements).join(&mut load)?;
    let load = in_order(load, destination.capabilities().row_order)?;
    Ok(destination.load(&load)?)
}

/// A text that does not compress to nothing.
fn text(id: i64) -> String {
    let mut word = id.cast_unsigned().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::with_capacity(TEXT_BYTES + 16);
    while text.len() < TEXT_BYTES {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        text.push_str(&format!("{word:016x}"));
    }
    text
}

/// The most memory this process ever had, in MiB.
fn peak_mib() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    let peak: u64 =
        peak.ok_or_else(|| Failure::new("this system does not tell the peak of memory; leave this check out"))?;
    Ok(peak / 1_024)
}
