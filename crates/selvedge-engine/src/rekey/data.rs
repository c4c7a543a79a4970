//! A record, put together from its values by their places.

use std::collections::{BTreeMap, BTreeSet};

use selvedge_core::{Value, system};
use selvedge_prepare::datetime_text;
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// Which places are arrays, which hold decimals that are texts, and at which stands what had no columns: as pointers with
/// `*` for an element.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) arrays: BTreeSet<String>,
    pub(super) decimal_texts: BTreeSet<String>,
    pub(super) extras: BTreeSet<String>,
}

impl Places {
    /// Of which object in the record a place holds what had no columns; `None` of any other place.
    fn with_extra<'p>(&self, place: &'p str) -> Option<&'p str> {
        let pointer = place.strip_suffix(system::EXTRA)?;
        if pointer.is_empty() {
            return Some(pointer);
        }
        let pointer = pointer.strip_suffix('/')?;
        let mut general = String::new();
        for token in pointer.split('/').skip(1) {
            let is_element = self.arrays.contains(&general);
            general.push('/');
            general.push_str(if is_element { "*" } else { token });
        }
        self.extras.contains(&general).then_some(pointer)
    }
}

/// What stands at one place of a record.
#[derive(Debug)]
pub(super) enum Data {
    Value(String),
    Object(BTreeMap<String, Data>),
    Array(BTreeMap<usize, Data>),
}

impl Default for Data {
    fn default() -> Self {
        Self::Object(BTreeMap::new())
    }
}

impl Data {
    /// Takes in what stands at a place of a row. Of selvedge's own columns that is only what had none: each value goes by
    /// the name that its column would have.
    pub(super) fn take(&mut self, place: &str, value: &Value, places: &Places) {
        match (places.with_extra(place), value) {
            (Some(pointer), Value::Json(members)) => {
                let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(members).unwrap_or_default();
                for (name, value) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    self.put(&format!("{pointer}/{name}"), &Value::Json(value.get().to_owned()), places);
                }
            }
            _ if place.starts_with('/') => self.put(place, value, places),
            _ => {}
        }
    }

    /// Puts a value at the place that `pointer` names.
    fn put(&mut self, pointer: &str, value: &Value, places: &Places) {
        let mut place = String::new();
        let mut data = self;
        for token in pointer.split('/').skip(1) {
            // Of a place that holds a value as well as an object or an array, the latter is kept; no record has both.
            if let Ok(index) = token.parse()
                && places.arrays.contains(&place)
            {
                place.push_str("/*");
                if !matches!(data, Self::Array(_)) {
                    *data = Self::Array(BTreeMap::new());
                }
                let Self::Array(elements) = data else { return };
                data = elements.entry(index).or_default();
            } else {
                place.push('/');
                place.push_str(token);
                if !matches!(data, Self::Object(_)) {
                    *data = Self::default();
                }
                let Self::Object(members) = data else { return };
                data = members.entry(token.replace("~1", "/").replace("~0", "~")).or_default();
            }
        }
        *data = Self::Value(text(value, places.decimal_texts.contains(&place)));
    }

    /// Its JSON text.
    pub(super) fn json(&self) -> String {
        match self {
            Self::Value(text) => text.clone(),
            Self::Object(members) => {
                let members: Vec<String> =
                    members.iter().map(|(name, data)| format!("{}:{}", quoted(name), data.json())).collect();
                format!("{{{}}}", members.join(","))
            }
            Self::Array(elements) => {
                let length = elements.keys().next_back().map_or(0, |last| last + 1);
                let element = |index| elements.get(&index).map_or_else(|| "null".to_owned(), Self::json);
                format!("[{}]", (0..length).map(element).collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// A value as JSON, in the form that its column's schema asks for.
fn text(value: &Value, is_decimal_text: bool) -> String {
    match value {
        Value::Integer(number) if is_decimal_text => quoted(&number.to_string()),
        Value::Decimal(digits) if is_decimal_text => quoted(digits),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(digits) => digits.clone(),
        // The shortest digits that give the same number again.
        Value::Double(bits) => format!("{:?}", f64::from(*bits)),
        Value::String(text) => quoted(text),
        Value::Timestamp(micros) => moment(*micros),
        Value::Date(days) => quoted(&datetime_text::date((*days).into())),
        Value::Time(micros) => quoted(&datetime_text::time(*micros)),
        Value::Json(text) => text.clone(),
    }
}

/// A moment as JSON.
pub(super) fn moment(micros: i64) -> String {
    quoted(&datetime_text::timestamp(micros))
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}
