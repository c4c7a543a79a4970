//! JSON text, copied but for what is left out or replaced.

use crate::decode::scanner::Scanner;
use crate::refusal::Refusal;

type Result<T> = std::result::Result<T, Box<Refusal>>;

/// Copies a JSON text while a cursor goes over it.
pub(crate) struct Rewriter<'a> {
    text: &'a str,
    pub(crate) scanner: Scanner<'a>,
    written: String,
    /// Up to there the text is written, replaced or left out.
    done_to: usize,
}

/// What becomes of a member or an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    Goes,
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, scanner: Scanner::new(text), written: String::with_capacity(text.len()), done_to: 0 }
    }

    /// Passes an object. `member` is given the name of each member, passes its value, and decides about it.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<Fate>) -> Result<()> {
        self.scanner.pass(b'{')?;
        if self.scanner.closes(b'}') {
            return Ok(());
        }
        let mut stays_to = None;
        loop {
            self.scanner.peek();
            let start = self.scanner.at();
            let name = self.scanner.name()?.resolved()?;
            let fate = member(self, &name)?;
            if !self.settle(start, fate, &mut stays_to, b'}')? {
                return Ok(());
            }
        }
    }

    /// Passes an array. `element` passes each element and decides about it.
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<Fate>) -> Result<()> {
        self.scanner.pass(b'[')?;
        if self.scanner.closes(b']') {
            return Ok(());
        }
        let mut stays_to = None;
        loop {
            self.scanner.peek();
            let start = self.scanner.at();
            let fate = element(self)?;
            if !self.settle(start, fate, &mut stays_to, b']')? {
                return Ok(());
            }
        }
    }

    /// Passes what follows the part that began at `start`, and leaves the part out if it goes, with the comma before it, or
    /// the one after it if no part before it stays. `stays_to` is where the last part that stays ends. False at the end.
    fn settle(&mut self, start: usize, fate: Fate, stays_to: &mut Option<usize>, close: u8) -> Result<bool> {
        let end = self.scanner.at();
        let goes_on = self.scanner.continues(close)?;
        match (fate, *stays_to) {
            (Fate::Stays, _) => *stays_to = Some(end),
            (Fate::Goes, Some(stays_to)) => self.leave_out(stays_to, end),
            (Fate::Goes, None) if goes_on => {
                self.scanner.peek();
                self.leave_out(start, self.scanner.at());
            }
            (Fate::Goes, None) => self.leave_out(start, end),
        }
        Ok(goes_on)
    }

    /// Passes a value and writes what `replacement` makes of its text.
    pub(crate) fn replace(&mut self, replacement: impl FnOnce(&'a str) -> Result<String>) -> Result<()> {
        self.scanner.peek();
        let start = self.scanner.at();
        let replacement = replacement(self.scanner.well_formed()?)?;
        self.leave_out(start, self.scanner.at());
        self.written.push_str(&replacement);
        Ok(())
    }

    fn leave_out(&mut self, from: usize, to: usize) {
        self.copy_to(from);
        self.done_to = to;
    }

    fn copy_to(&mut self, to: usize) {
        // What was just left out may reach beyond; the ends lie beside ASCII bytes that were looked at.
        self.written.push_str(self.text.get(self.done_to..to).unwrap_or_default());
    }

    /// The text as it is now.
    pub(crate) fn finish(mut self) -> String {
        self.copy_to(self.text.len());
        self.written
    }
}
