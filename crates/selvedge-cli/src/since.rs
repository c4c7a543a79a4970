//! Since when a destination gets everything of a table.

use selvedge::Since;

use crate::columns::plural;
use crate::moment::moment;

/// As a phrase that `complete` or `gets orders` goes before.
pub(crate) fn since(since: Option<&Since>) -> String {
    let Some(Since { batch, records, received_at }) = since else { return "from the beginning".to_owned() };
    format!(
        "from batch {} on, received since {}; {} before that {} no longer kept",
        batch + 1,
        moment(*received_at),
        plural(*records, "record"),
        if *records == 1 { "is" } else { "are" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_read_it() {
        let check = |batch, records, expected: &str| {
            let received_at = 1_764_030_662_987_654;
            assert_eq!(since(Some(&Since { batch, records, received_at })), expected);
        };
        check(
            40,
            400,
            "from batch 41 on, received since 2025-11-25T00:31:02Z; 400 records before that are no longer kept",
        );
        check(1, 1, "from batch 2 on, received since 2025-11-25T00:31:02Z; 1 record before that is no longer kept");
        assert_eq!(since(None), "from the beginning");
    }
}
