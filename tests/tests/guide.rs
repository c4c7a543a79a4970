//! `docs/writing-a-destination.md` shows code that runs, all of it, and names checks there are.

use std::fs;
use std::ops::Range;
use std::path::Path;

use selvedge_conformance::{names, twins};

const GUIDE: &str = "docs/writing-a-destination.md";
const EXAMPLE: &str = "examples/json_lines.rs";
const DIALECT: &str = "crates/selvedge-sql/src/lib.rs";

#[test]
fn its_code_stands_in_a_program() {
    let (example, dialect) = (lines(EXAMPLE), documentation(&lines(DIALECT)));
    for block in rust_blocks(&lines(GUIDE)) {
        let stands = find(&block, &example).or_else(|| find(&block, &dialect)).is_some();
        assert!(stands, "{GUIDE} shows what stands neither in {EXAMPLE} nor in {DIALECT}:\n{}", block.join("\n"));
    }
}

#[test]
fn it_shows_every_function() {
    let example = lines(EXAMPLE);
    let shown: Vec<Range<usize>> =
        rust_blocks(&lines(GUIDE)).iter().filter_map(|block| find(block, &example)).collect();
    let functions = functions(&example);
    assert!(!functions.is_empty(), "{EXAMPLE} has no function");
    for (name, function) in functions {
        let whole = shown.iter().any(|shown| shown.start <= function.start && function.end <= shown.end);
        let line = function.start + 1;
        assert!(whole, "{GUIDE} does not show `{name}` in one piece, which stands in {EXAMPLE} from line {line} on");
    }
}

#[test]
fn its_table_is_that_of_the_kit() {
    let guide = lines(GUIDE);
    let rows: Vec<[&str; 4]> =
        guide.iter().skip_while(|line| *line != "## The checks").filter_map(|line| row(line)).collect();
    let checks: Vec<&str> = rows.iter().map(|[check, ..]| *check).collect();
    assert_eq!(checks, names(), "the table of checks in {GUIDE} (left), and the checks of the kit");
    for [check, step, twin, says] in rows {
        let found = twins().iter().any(|it| it.name == twin && it.says == says && it.found_by.contains(&check));
        assert!(found, "{GUIDE}: no destination `{twin}` that {says:?} is known to be found by `{check}`");
        let headings = [format!("## Step {step}: "), format!("## The {step}")];
        let stands = guide.iter().any(|line| headings.iter().any(|heading| line.starts_with(heading)));
        assert!(stands, "{GUIDE}: the row of `{check}` names a step `{step}`, which there is not");
    }
}

#[test]
fn its_prose_names_checks_there_are() {
    let guide = lines(GUIDE);
    check_names(&between(&guide, "[`", "`](#the-checks)"), "links");
    check_names(&between(&guide, ".leave_out(\"", "\""), "leaves out");
    let reported = guide.iter().filter(|line| line.contains(" holds  ") || line.contains(" FAILS  "));
    check_names(&reported.filter_map(|line| line.split_whitespace().next()).collect::<Vec<_>>(), "reports");
}

#[track_caller]
fn check_names(checks: &[&str], what: &str) {
    assert!(!checks.is_empty(), "{GUIDE} {what} no check");
    for check in checks {
        assert!(names().contains(check), "{GUIDE} {what} the check `{check}`, which there is not");
    }
}

/// The lines of a file of the repository.
fn lines(path: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

/// The documentation of a crate as it reads.
fn documentation(lines: &[String]) -> Vec<String> {
    let text = |line: &String| Some(line.strip_prefix("//! ").or_else(|| line.strip_prefix("//!"))?.to_owned());
    lines.iter().filter_map(text).collect()
}

/// What the guide shows as Rust.
fn rust_blocks(guide: &[String]) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut lines = guide.iter();
    while lines.any(|line| line.trim_start().starts_with("```rust")) {
        blocks.push(lines.by_ref().take_while(|line| line.trim_start() != "```").cloned().collect());
    }
    assert!(!blocks.is_empty(), "{GUIDE} shows no Rust");
    blocks
}

/// Where the lines of a block stand in a program, but for the indentation they have in common.
fn find(block: &[String], program: &[String]) -> Option<Range<usize>> {
    let start = program.windows(block.len()).position(|lines| outdented(lines) == outdented(block))?;
    Some(start..start + block.len())
}

fn outdented(lines: &[String]) -> Vec<&str> {
    let common = lines.iter().filter(|line| !line.is_empty()).map(|line| indentation(line)).min().unwrap_or(0);
    lines.iter().map(|line| line.get(common..).unwrap_or_default()).collect()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The functions of a formatted program with their lines, from the signature to the brace that closes them.
fn functions(program: &[String]) -> Vec<(&str, Range<usize>)> {
    let mut functions = Vec::new();
    for (start, line) in program.iter().enumerate() {
        let Some(signature) = line.trim_start().strip_prefix("fn ") else { continue };
        let brace = format!("{:width$}}}", "", width = indentation(line));
        let length = program[start..].iter().position(|line| *line == brace).unwrap() + 1;
        functions.push((signature.split(['(', '<']).next().unwrap(), start..start + length));
    }
    functions
}

/// The cells of a row of the table of checks; its heading is none.
fn row(line: &str) -> Option<[&str; 4]> {
    let cells = line.strip_prefix("| `")?.strip_suffix(" |")?;
    let mut cells = cells.splitn(4, " | ");
    let [check, step, twin, says] = [cells.next()?, cells.next()?, cells.next()?, cells.next()?];
    Some([check.trim_end_matches('`'), step, twin.trim_matches('`'), says])
}

/// What stands between two marks, wherever a line has both.
fn between<'g>(guide: &'g [String], before: &str, after: &str) -> Vec<&'g str> {
    let texts = guide.iter().flat_map(|line| line.split(before).skip(1));
    texts.filter_map(|text| Some(text.split_once(after)?.0)).collect()
}
