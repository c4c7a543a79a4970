//! Random records of random schemas, beside what is known of them before they were written down as JSON.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use selvedge_core::Path;
use serde_json::{Map, Value};

use crate::batch::decoded;
use crate::shown;

/// What a property is declared to be.
#[derive(Debug, Clone)]
enum Shape {
    Integer,
    Double,
    Cents,
    Text,
    Boolean,
    Moment,
    Anything,
    Array(Box<Shape>),
    Object(BTreeMap<String, Shape>),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,3}", any::<String>()].prop_filter("reserved", |name| !name.to_lowercase().contains("_sdc"))
}

fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Integer),
        Just(Shape::Double),
        Just(Shape::Cents),
        Just(Shape::Text),
        Just(Shape::Boolean),
        Just(Shape::Moment),
        Just(Shape::Anything),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|shape| Shape::Array(Box::new(shape))),
            btree_map(name(), inner, 1..4).prop_map(Shape::Object),
        ]
    })
}

impl Shape {
    fn schema(&self) -> Value {
        let text = match self {
            Self::Integer => r#"{"type":["null","integer"]}"#,
            Self::Double => r#"{"type":["number","null"]}"#,
            Self::Cents => r#"{"type":["null","number"],"multipleOf":0.01}"#,
            Self::Text => r#"{"type":["null","string"]}"#,
            Self::Boolean => r#"{"type":["null","boolean"]}"#,
            Self::Moment => r#"{"type":["null","string"],"format":"date-time"}"#,
            Self::Anything => "{}",
            Self::Array(_) => r#"{"type":["null","array"]}"#,
            Self::Object(_) => r#"{"type":["null","object"]}"#,
        };
        let mut schema: Value = serde_json::from_str(text).unwrap();
        if let Self::Object(shapes) = self {
            schema["properties"] =
                shapes.iter().map(|(name, shape)| (name.clone(), shape.schema())).collect::<Map<_, _>>().into();
        }
        if let Self::Array(element) = self {
            schema["items"] = element.schema();
        }
        schema
    }

    /// Values of this shape: a property's absence is `None`.
    fn values(&self) -> BoxedStrategy<Option<Sample>> {
        prop_oneof![9 => self.present_values().prop_map(Some), 1 => Just(None)].boxed()
    }

    fn present_values(&self) -> BoxedStrategy<Sample> {
        let present = match self {
            Self::Integer => any::<i64>().prop_map(|value| Sample::leaf(value.to_string(), value.to_string())).boxed(),
            Self::Double => any::<f64>()
                .prop_filter("finite", |value| value.is_finite())
                .prop_map(|value| Sample::leaf(format!("{value:e}"), format!("{:?}", value + 0.0)))
                .boxed(),
            Self::Cents => (any::<i32>(), 0..100)
                .prop_map(|(whole, cents)| format!("{whole}.{cents:02}"))
                .prop_map(|text| Sample::leaf(text.clone(), text.replace("-0.00", "0.00")))
                .boxed(),
            Self::Text => any::<String>().prop_map(Sample::Text).boxed(),
            Self::Boolean => any::<bool>().prop_map(|value| Sample::leaf(value.to_string(), value.to_string())).boxed(),
            Self::Moment => (-62_135_596_800_000_000..253_402_300_800_000_000_i64)
                .prop_map(shown::moment)
                .prop_map(|text| Sample::leaf(format!("\"{text}\""), text))
                .boxed(),
            Self::Anything => anything().boxed(),
            Self::Array(element) => vec(element.present_values(), 0..4).prop_map(Sample::Array).boxed(),
            Self::Object(shapes) => {
                let members: Vec<_> = shapes.iter().map(|(name, shape)| (Just(name.clone()), shape.values())).collect();
                members.prop_map(Sample::Object).boxed()
            }
        };
        prop_oneof![8 => present, 1 => Just(Sample::Null)].boxed()
    }
}

/// Values of which the schema says nothing, and containers of them.
fn anything() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|value| Sample::leaf(value.to_string(), value.to_string())),
        any::<String>().prop_map(Sample::Text),
        Just(Sample::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Sample::Array),
            btree_map(name(), inner.prop_map(Some), 0..4)
                .prop_map(|members| Sample::Object(members.into_iter().collect())),
        ]
    })
}

/// A value of a record.
#[derive(Debug, Clone)]
enum Sample {
    Null,
    /// JSON text, and how the column's value is shown.
    Leaf(String, String),
    Text(String),
    Array(Vec<Sample>),
    Object(Vec<(String, Option<Sample>)>),
}

impl Sample {
    fn leaf(json: String, shown: String) -> Self {
        Self::Leaf(json, shown)
    }

    /// Writes the value, spaced, ordered and escaped as `choices` say.
    fn write(&self, text: &mut String, choices: &mut impl Iterator<Item = u8>) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Leaf(json, _) => text.push_str(json),
            Self::Text(string) => write_string(string, text, choices),
            Self::Array(elements) => {
                text.push('[');
                for (index, element) in elements.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { "," });
                    write_space(text, choices);
                    element.write(text, choices);
                    write_space(text, choices);
                }
                text.push(']');
            }
            Self::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
                members.sort_by_cached_key(|_| choices.next());
                text.push('{');
                for (index, (name, value)) in members.into_iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { "," });
                    write_space(text, choices);
                    write_string(name, text, choices);
                    write_space(text, choices);
                    text.push(':');
                    write_space(text, choices);
                    value.write(text, choices);
                    write_space(text, choices);
                }
                text.push('}');
            }
        }
    }

    /// Adds the values of the leaves below `path` as they are shown.
    fn expect(&self, path: &Path, values: &mut BTreeMap<String, String>) {
        match self {
            Self::Null => {}
            Self::Leaf(_, shown) | Self::Text(shown) => drop(values.insert(path.to_string(), shown.clone())),
            Self::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    let below = Path([path.0.as_slice(), &[index.to_string()]].concat());
                    element.expect(&below, values);
                }
            }
            Self::Object(members) => {
                for (name, value) in members {
                    let below = Path([path.0.as_slice(), std::slice::from_ref(name)].concat());
                    value.iter().for_each(|value| value.expect(&below, values));
                }
            }
        }
    }
}

fn write_space(text: &mut String, choices: &mut impl Iterator<Item = u8>) {
    if let Some(choice @ 0..4) = choices.next() {
        text.push([' ', '\n', '\r', '\t'][usize::from(choice)]);
    }
}

fn write_string(string: &str, text: &mut String, choices: &mut impl Iterator<Item = u8>) {
    if choices.next().is_some_and(|choice| choice % 2 == 0) {
        text.push_str(&serde_json::to_string(string).unwrap());
        return;
    }
    text.push('"');
    string.encode_utf16().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
    text.push('"');
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_are_decoded_to_what_they_were(
        (shape, rows) in btree_map(name(), shape(), 1..6).prop_map(Shape::Object).prop_flat_map(|shape| {
            let record = shape.values().prop_filter("a record is an object", |value| matches!(value, Some(Sample::Object(_))));
            (Just(shape), vec(record, 1..5))
        }),
        choices in vec(0_u8..8, 64),
    ) {
        let mut choices = choices.into_iter().cycle();
        let written = rows.iter().flatten().map(|record| {
            let mut text = String::new();
            record.write(&mut text, &mut choices);
            text
        });
        let written: Vec<String> = written.collect();
        let texts: Vec<&str> = written.iter().map(String::as_str).collect();
        let records = decoded(&shape.schema().to_string(), &[], &texts).unwrap();
        for (index, record) in rows.iter().flatten().enumerate() {
            let mut expected = BTreeMap::new();
            record.expect(&Path::default(), &mut expected);
            let found = shown::values(&records, index).into_iter();
            let found: BTreeMap<_, _> = found.map(|(path, typed)| (path, typed.split_once(' ').unwrap().1.to_owned())).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
