//! Loading what has no keys, and rejects: each load appends a file, and small files are merged as they gather.

use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;
use selvedge_core::LoadError;

use crate::error::refused;
use crate::leaving::Leaving;
use crate::manifest::DataFile;
use crate::transition::{Transition, disk_bytes};
use crate::write::FileWriter;

/// So many files of a size become one of the next size. Each row is written again once a size: seven times at most on its
/// way from a load of one row to a full file.
const FILES_OF_A_SIZE: u32 = 8;

/// Writes or keeps the files of the next generation, in the order of arrival. Tells how many stored rows went.
pub(crate) fn append(rows: &RecordBatch, transition: &Transition<'_>) -> Result<(Vec<DataFile>, u64), LoadError> {
    let stored = transition.stored();
    let added = rows.num_rows() as u64;
    let kept =
        if transition.reshapes() { 0 } else { kept(stored, added, |file| transition.is_small(file.rows, file.bytes)) };
    let (kept, merged) = stored.split_at(kept);
    let mut files = Vec::new();
    let mut gone = 0;
    for file in kept {
        match transition.leaving(file)? {
            Leaving::Nothing => files.push(transition.keep(file)?),
            leaving => {
                let mut new = transition.files(file.rows, file.bytes);
                gone += copy(file, leaving, transition, &mut new)?;
                files.extend(new.finish()?);
            }
        }
    }
    let merged_rows: u64 = merged.iter().map(|file| file.rows).sum();
    let merged_bytes: u64 = merged.iter().map(|file| file.bytes).sum();
    let mut new = transition.files(merged_rows + added, merged_bytes + disk_bytes(rows));
    for file in merged {
        gone += copy(file, transition.leaving(file)?, transition, &mut new)?;
    }
    new.write(rows)?;
    files.extend(new.finish()?);
    Ok((files, gone))
}

/// Writes the rows of a file that stay; tells how many do not.
fn copy(
    file: &DataFile,
    leaving: &Leaving<'_>,
    transition: &Transition<'_>,
    new: &mut FileWriter<'_>,
) -> Result<u64, LoadError> {
    let mut gone = 0;
    for batch in transition.read(file)? {
        let batch = batch?;
        let Some(staying) = leaving.staying(&batch) else {
            new.write(&batch)?;
            continue;
        };
        let stay = filter_record_batch(&batch, &staying).map_err(|error| {
            refused("rows cannot be parted; report this as an error of selvedge").with_source(error)
        })?;
        gone += (batch.num_rows() - stay.num_rows()) as u64;
        new.write(&stay)?;
    }
    Ok(gone)
}

/// How many of the stored files, from the first on, stay as they are when `added` rows follow them.
fn kept(stored: &[DataFile], added: u64, is_small: impl Fn(&DataFile) -> bool) -> usize {
    let mut kept = stored;
    let mut rows = added;
    while rows > 0 {
        let size = size(rows);
        let alike = kept.iter().rev().take_while(|file| is_small(file) && self::size(file.rows) <= size).count();
        if alike + 1 < FILES_OF_A_SIZE as usize {
            break;
        }
        let (before, merged) = kept.split_at(kept.len() - alike);
        rows += merged.iter().map(|file| file.rows).sum::<u64>();
        kept = before;
    }
    kept.len()
}

/// Files of 1 to 7 rows are of size 0, up to 63 of size 1, and so on.
fn size(rows: u64) -> u32 {
    rows.max(1).ilog(u64::from(FILES_OF_A_SIZE))
}
