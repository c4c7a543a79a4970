//! The checksum of a manifest: its first member, over all that follows it.

use xxhash_rust::xxh3::xxh3_128;

/// How a manifest begins.
const BEFORE: &str = "{\n  \"xxh3\": \"";
/// What stands behind the checksum.
const AFTER: &str = "\",\n";
/// Its hexadecimal digits.
const DIGITS: usize = 32;

/// A JSON object, written over several lines, with its checksum.
pub(super) fn added_to(object: &str) -> String {
    let members = object.strip_prefix("{\n").unwrap_or(object);
    format!("{BEFORE}{:0DIGITS$x}{AFTER}{members}", xxh3_128(members.as_bytes()))
}

/// Whether a manifest is as it was written, to the last bit.
pub(super) fn holds(manifest: &[u8]) -> bool {
    let sum_and_members = || {
        let (sum, rest) = manifest.strip_prefix(BEFORE.as_bytes())?.split_at_checked(DIGITS)?;
        Some((sum, rest.strip_prefix(AFTER.as_bytes())?))
    };
    sum_and_members().is_some_and(|(sum, members)| sum == format!("{:0DIGITS$x}", xxh3_128(members)).as_bytes())
}
