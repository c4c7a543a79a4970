//! Which properties of a table's records are excluded or hashed.

use std::fmt;

/// What happens to properties of a table's records before the records are stored anywhere, named by JSON pointers (RFC 6901):
/// `/email`, `/address/city`. In a pointer, `*` stands for every element of an array: `/items/*/sku`. A name is matched as it
/// is spelled, letter by letter. Where an array stands in the place of an object, what is said of the object holds for its
/// elements.
///
/// ```
/// use selvedge_prepare::ColumnRules;
///
/// let rules = ColumnRules::new().exclude("/email")?.hash("/items/*/buyer")?;
/// # Ok::<(), selvedge_prepare::ColumnRuleError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnRules {
    rules: Vec<(Vec<Step>, Action)>,
}

/// A step of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Property(String),
    /// Any element of an array.
    Element,
}

/// What is done to a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Exclude,
    Hash,
}

impl ColumnRules {
    /// No rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves a property out, with all that is in it: of the records, and of what the schema says of it. A key cannot be left
    /// out.
    ///
    /// # Errors
    /// When `pointer` is none, or the property lies within one that has a rule, or the other way round.
    pub fn exclude(self, pointer: &str) -> Result<Self, ColumnRuleError> {
        self.with(pointer, Action::Exclude)
    }

    /// Replaces the value of a property by its HMAC-SHA-256 with the integration's [`Secret`](crate::Secret), 64 lower-case
    /// hexadecimal digits. Equal values have equal hashes: of a string its text is hashed, of a number its exact value without
    /// an exponent or superfluous zeros (`1.50` as `1.5`), of true and false that word, of an object or array its text without
    /// white space between its parts. Null stays null.
    ///
    /// # Errors
    /// As [`exclude`](Self::exclude).
    pub fn hash(self, pointer: &str) -> Result<Self, ColumnRuleError> {
        self.with(pointer, Action::Hash)
    }

    fn with(mut self, pointer: &str, action: Action) -> Result<Self, ColumnRuleError> {
        let refused = |reason| ColumnRuleError { pointer: pointer.to_owned(), reason };
        let steps =
            steps(pointer).ok_or_else(|| refused("is no pointer to a property; write it as /email or /items/*/sku"))?;
        let overlaps = |(known, _): &(Vec<Step>, Action)| known.starts_with(&steps) || steps.starts_with(known);
        if self.rules.iter().any(overlaps) {
            return Err(refused("lies within a property that has a rule already, or holds one; keep one of the two"));
        }
        self.rules.push((steps, action));
        Ok(self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[Step], Action)> {
        self.rules.iter().map(|(steps, action)| (steps.as_slice(), *action))
    }
}

/// The steps of a pointer; `None` when it is malformed, or leads to a record as a whole or to elements of one.
fn steps(pointer: &str) -> Option<Vec<Step>> {
    let steps: Vec<Step> = pointer.strip_prefix('/')?.split('/').map(step).collect::<Option<_>>()?;
    matches!(steps.first(), Some(Step::Property(_))).then_some(steps)
}

fn step(token: &str) -> Option<Step> {
    if token == "*" {
        return Some(Step::Element);
    }
    let escapes_are_known = token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    escapes_are_known.then(|| Step::Property(token.replace("~1", "/").replace("~0", "~")))
}

/// Why a rule for a property cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRuleError {
    pointer: String,
    reason: &'static str,
}

impl fmt::Display for ColumnRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, reason } = self;
        write!(f, "`{}` {reason}", pointer.escape_debug())
    }
}

impl std::error::Error for ColumnRuleError {}
