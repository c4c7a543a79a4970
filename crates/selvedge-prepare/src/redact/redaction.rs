//! The rules for the columns of one table, made ready to be applied.

use std::collections::BTreeMap;
use std::fmt;

use crate::redact::rules::{Action, ColumnRules, Step};
use crate::redact::secret::Secret;

/// What is excluded and hashed of the records of one table.
#[derive(Debug, Clone)]
pub struct Redaction {
    pub(crate) record: Within,
}

/// What is done to a value.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Exclude,
    Hash(Secret),
    Within(Within),
}

/// What is done to the parts of a value. There are few rules, so they are looked through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Within {
    rules: BTreeMap<Step, Rule>,
}

impl Redaction {
    /// Makes rules ready, with the secret of the table's integration if it has one.
    ///
    /// # Errors
    /// When values are to be hashed and there is no secret.
    pub fn new(rules: &ColumnRules, secret: Option<&Secret>) -> Result<Self, MissingSecret> {
        let mut record = Within::default();
        for (steps, action) in rules.iter() {
            let rule = match action {
                Action::Exclude => Rule::Exclude,
                Action::Hash => Rule::Hash(secret.ok_or(MissingSecret)?.clone()),
            };
            record.insert(steps, rule);
        }
        Ok(Self { record })
    }

    /// What these rules exclude, for records that they were applied to before: a hash is not to be hashed again.
    #[must_use]
    pub fn exclusions(&self) -> Self {
        Self { record: self.record.exclusions() }
    }
}

impl Within {
    /// Adds a rule. No rule lies within another, so that it never meets one on its way.
    fn insert(&mut self, steps: &[Step], rule: Rule) {
        match steps {
            [] => {}
            [last] => drop(self.rules.insert(last.clone(), rule)),
            [first, rest @ ..] => {
                let inner = self.rules.entry(first.clone()).or_insert_with(|| Rule::Within(Self::default()));
                if let Rule::Within(inner) = inner {
                    inner.insert(rest, rule);
                }
            }
        }
    }

    fn exclusions(&self) -> Self {
        let exclusion = |(step, rule): (&Step, &Rule)| match rule {
            Rule::Exclude => Some((step.clone(), Rule::Exclude)),
            Rule::Hash(_) => None,
            Rule::Within(within) => Some((step.clone(), Rule::Within(within.exclusions()))),
        };
        Self { rules: self.rules.iter().filter_map(exclusion).collect() }
    }

    /// What is done to the property `name`.
    pub(crate) fn property(&self, name: &str) -> Option<&Rule> {
        self.properties().find(|(known, _)| *known == name).map(|(_, rule)| rule)
    }

    /// The properties something is done to.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.rules.iter().filter_map(|(step, rule)| match step {
            Step::Property(name) => Some((name.as_str(), rule)),
            Step::Element => None,
        })
    }

    /// What is done to every element.
    pub(crate) fn elements(&self) -> Option<&Rule> {
        self.rules.get(&Step::Element)
    }
}

/// The error of columns that are to be hashed without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingSecret;

impl fmt::Display for MissingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("columns are to be hashed, but the integration has no secret; give it one")
    }
}

impl std::error::Error for MissingSecret {}
