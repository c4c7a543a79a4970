//! From plain records to the JSON Schema they follow.
//!
//! Every property may be missing or null, but the keys. Integers beside fractions, or too large for 64 bits, make a number;
//! any other second type stands beside the first. Nested objects are described in full, arrays are not looked into, strings
//! are strings.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// The properties seen in objects so far.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    /// In the order they were first seen in.
    seen: Vec<(String, Types)>,
}

/// The types seen in one property.
#[derive(Debug, Default)]
pub(crate) struct Types {
    boolean: bool,
    integer: bool,
    fraction: bool,
    string: bool,
    array: bool,
    object: Option<Properties>,
}

impl Properties {
    /// Takes in a record. Of one that is not well-formed, what comes before the fault may be taken in.
    pub(crate) fn observe(&mut self, record: &[u8]) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(record);
        deserializer.deserialize_map(Observer(self))?;
        deserializer.end()
    }

    /// The types seen in a property.
    pub(crate) fn types(&self, name: &str) -> Option<&Types> {
        self.seen.iter().find(|(seen, _)| seen == name).map(|(_, types)| types)
    }

    /// The schema of records with these keys.
    pub(crate) fn schema(&self, keys: &[String]) -> Value {
        let mut properties = self.nullable();
        for key in keys {
            properties.insert(key.clone(), self.types(key).unwrap_or(&Types::default()).of_key());
        }
        json!({"type": "object", "properties": properties})
    }

    fn nullable(&self) -> Map<String, Value> {
        self.seen.iter().map(|(name, types)| (name.clone(), types.nullable())).collect()
    }

    /// The types of the property `name`. Records repeat one order of properties, so the one expected is tried first.
    fn entry(&mut self, name: &str, expected: usize) -> usize {
        if self.seen.get(expected).is_some_and(|(seen, _)| seen == name) {
            return expected;
        }
        self.seen.iter().position(|(seen, _)| seen == name).unwrap_or_else(|| {
            self.seen.push((name.to_owned(), Types::default()));
            self.seen.len() - 1
        })
    }
}

impl Types {
    /// Whether strings were seen, and no integers.
    pub(crate) fn is_textual(&self) -> bool {
        self.string && !self.integer
    }

    fn names(&self) -> Vec<&'static str> {
        let number = if self.fraction { "number" } else { "integer" };
        let seen = [
            (self.boolean, "boolean"),
            (self.integer || self.fraction, number),
            (self.string, "string"),
            (self.array, "array"),
            (self.object.is_some(), "object"),
        ];
        seen.into_iter().filter(|(seen, _)| *seen).map(|(_, name)| name).collect()
    }

    fn nullable(&self) -> Value {
        let mut names = self.names();
        if names.is_empty() {
            // Nothing but nulls: whatever comes later is typed by itself.
            return json!({});
        }
        names.insert(0, "null");
        match &self.object {
            None => json!({"type": names}),
            Some(object) => json!({"type": names, "properties": object.nullable()}),
        }
    }

    /// A key is never null. One that no record has is declared all the same: the first record is refused for it then.
    fn of_key(&self) -> Value {
        match self.names().as_slice() {
            [] => json!({"type": "string"}),
            [name] => json!({"type": name}),
            names => json!({"type": names}),
        }
    }
}

/// Takes the members of an object in.
struct Observer<'p>(&'p mut Properties);

impl<'de> Visitor<'de> for Observer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        let mut expected = 0;
        while let Some(index) = members.next_key_seed(Name { properties: self.0, expected })? {
            match self.0.seen.get_mut(index) {
                Some((_, types)) => members.next_value_seed(types)?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
            expected = index + 1;
        }
        Ok(())
    }
}

/// Finds the index of the property a member's name stands for.
struct Name<'p> {
    properties: &'p mut Properties,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<usize, E> {
        Ok(self.properties.entry(name, self.expected))
    }
}

impl<'de> DeserializeSeed<'de> for &mut Types {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Types {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.boolean = true;
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.integer = true;
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        if i64::try_from(value).is_ok() {
            self.integer = true;
        } else {
            self.fraction = true;
        }
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.fraction = true;
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.string = true;
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<(), S::Error> {
        self.array = true;
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<(), M::Error> {
        Observer(self.object.get_or_insert_default()).visit_map(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(records: &[&str], keys: &[&str], expected: Value) {
        let mut properties = Properties::default();
        for record in records {
            properties.observe(record.as_bytes()).unwrap();
        }
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let schema = properties.schema(&keys);
        assert_eq!(schema, json!({"type": "object", "properties": expected}), "{records:?}");
    }

    #[test]
    fn one_type() {
        check(&[], &[], json!({}));
        check(&[r#"{"a":true}"#], &[], json!({"a": {"type": ["null", "boolean"]}}));
        check(&[r#"{"a":-1}"#], &[], json!({"a": {"type": ["null", "integer"]}}));
        check(&[r#"{"a":1.5}"#], &[], json!({"a": {"type": ["null", "number"]}}));
        check(&[r#"{"a":"2026-11-23T22:15:00Z"}"#], &[], json!({"a": {"type": ["null", "string"]}}));
        check(&[r#"{"a":[1,{"b":2}]}"#], &[], json!({"a": {"type": ["null", "array"]}}));
        check(&[r#"{"a":null}"#], &[], json!({"a": {}}));
    }

    #[test]
    fn several_types() {
        check(&[r#"{"a":1}"#, r#"{"a":1.5}"#], &[], json!({"a": {"type": ["null", "number"]}}));
        check(&[r#"{"a":9223372036854775807}"#], &[], json!({"a": {"type": ["null", "integer"]}}));
        check(&[r#"{"a":9223372036854775808}"#], &[], json!({"a": {"type": ["null", "number"]}}));
        check(&[r#"{"a":"x"}"#, r#"{"a":1}"#], &[], json!({"a": {"type": ["null", "integer", "string"]}}));
        check(
            &[r#"{"a":"x"}"#, r#"{"a":{"b":1}}"#],
            &[],
            json!({"a": {"type": ["null", "string", "object"], "properties": {"b": {"type": ["null", "integer"]}}}}),
        );
    }

    #[test]
    fn nested_objects_are_seen_through() {
        let expected = json!({"a": {"type": ["null", "object"], "properties": {
            "b": {"type": ["null", "object"], "properties": {"c": {"type": ["null", "integer", "string"]}}},
            "d": {"type": ["null", "boolean"]},
        }}});
        check(&[r#"{"a":{"b":{"c":1}}}"#, r#"{"a":{"b":{"c":"x"},"d":true}}"#, r#"{"a":null}"#], &[], expected);
        check(&[r#"{"a":{}}"#], &[], json!({"a": {"type": ["null", "object"], "properties": {}}}));
    }

    #[test]
    fn keys_are_never_null() {
        check(&[r#"{"id":1,"n":1}"#], &["id"], json!({"id": {"type": "integer"}, "n": {"type": ["null", "integer"]}}));
        check(&[r#"{"id":1}"#], &["other"], json!({"id": {"type": ["null", "integer"]}, "other": {"type": "string"}}));
        check(&[r#"{"id":1}"#, r#"{"id":"x"}"#], &["id"], json!({"id": {"type": ["integer", "string"]}}));
    }

    #[test]
    fn properties_keep_the_order_they_were_seen_in() {
        let mut properties = Properties::default();
        properties.observe(br#"{"b":1,"a":2}"#).unwrap();
        properties.observe(br#"{"c":1,"a":2,"b":3}"#).unwrap();
        let names: Vec<&str> = properties.seen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
    }
}
