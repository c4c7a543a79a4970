//! A record, put together from its values by their places.

use std::collections::{BTreeMap, BTreeSet};

use selvedge_core::Value;
use selvedge_prepare::datetime_text;
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// Which places are arrays, and which hold decimals that are texts: as pointers with `*` for an element.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) arrays: BTreeSet<String>,
    pub(super) decimal_texts: BTreeSet<String>,
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
    /// Puts a value at the place that `pointer` names.
    pub(super) fn put(&mut self, pointer: &str, value: &Value, places: &Places) {
        if let Some((data, place)) = self.at(pointer, places) {
            *data = Self::Value(text(value, places.decimal_texts.contains(&place)));
        }
    }

    /// Puts the values for which a table had no column, which are members of a JSON object, into the object that `pointer` names.
    pub(super) fn put_extra(&mut self, pointer: &str, extra: &Value, places: &Places) {
        let Value::Json(extra) = extra else { return };
        let members = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(extra).unwrap_or_default();
        if let Some((Self::Object(known), _)) = self.at(pointer, places) {
            known.extend(members.into_iter().map(|(name, value)| (name, Self::Value(value.get().to_owned()))));
        }
    }

    /// What stands at the place that `pointer` names, made if need be, and that place with `*` for an element.
    fn at(&mut self, pointer: &str, places: &Places) -> Option<(&mut Self, String)> {
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
                let Self::Array(elements) = data else { return None };
                data = elements.entry(index).or_default();
            } else {
                place.push('/');
                place.push_str(token);
                if !matches!(data, Self::Object(_)) {
                    *data = Self::default();
                }
                let Self::Object(members) = data else { return None };
                data = members.entry(token.replace("~1", "/").replace("~0", "~")).or_default();
            }
        }
        Some((data, place))
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
