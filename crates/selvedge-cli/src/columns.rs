//! Tables as people read them.

/// On which side of a column its texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    /// For numbers.
    Right,
}

/// The lines of a table, the columns as wide as their widest text.
pub(crate) fn align<const N: usize>(columns: [Align; N], rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.chars().count().max(*width);
        }
    }
    rows.iter().map(|row| line(&columns, &widths, row)).collect()
}

fn line(columns: &[Align], widths: &[usize], row: &[String]) -> String {
    let padded = columns.iter().zip(widths).zip(row).map(|((align, width), text)| match align {
        Align::Left => format!("{text:<width$}"),
        Align::Right => format!("{text:>width$}"),
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// `1 row`, `2 rows`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let rows = [["table", "rows", ""], ["ö", "7", "holds"]].map(|row| row.map(str::to_owned));
        let lines = align([Align::Left, Align::Right, Align::Left], &rows);
        assert_eq!(lines, ["table  rows", "ö         7  holds"]);
    }
}
