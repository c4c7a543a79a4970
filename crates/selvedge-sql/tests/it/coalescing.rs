//! What the coalescing view shows.

use selvedge_core::ColumnType::{self, Boolean, Date, Decimal, DecimalText, Double, Integer, Json, String, Timestamp};
use selvedge_core::{Column, Path};

use crate::dialect::{PREFIXES, SCHEMAS, table};

/// A table of these columns, all but selvedge's own from one path: expects what is selected.
#[track_caller]
fn check(columns: &[(&str, ColumnType)], expected: &str) {
    let column = |(name, column_type): &(&str, ColumnType)| {
        let path = (!name.starts_with("_sdc")).then(|| Path(vec!["age".to_owned()]));
        Column::new(*name, path, *column_type)
    };
    let columns: Vec<Column> = columns.iter().map(column).collect();
    let query = PREFIXES.coalescing_query(&table(None, "people"), &columns);
    assert_eq!(query, format!(r#"SELECT {expected} FROM "people" AS t"#));
}

#[test]
fn a_column_alone_at_its_path_is_as_it_is() {
    check(&[("age", Integer), ("_sdc_sequence", Integer)], r#"t."age", t."_sdc_sequence""#);
    check(&[("age__bi", Integer)], r#"t."age__bi""#);
    check(&[("a\"ge", Boolean)], r#"t."a""ge""#);
}

#[test]
fn integers_and_doubles_are_numbers() {
    check(&[("age", Integer), ("age__do", Double)], r#"coalesce(t."age", t."age__do") AS "age""#);
}

#[test]
fn integers_and_decimals_are_decimals_while_all_integers_fit() {
    let both = |scale| [("age", Integer), ("age__de", Decimal { scale })];
    let decimal = r#"coalesce(CAST(t."age" AS "a decimal(19)"), CAST(t."age__de" AS "a decimal(19)")) AS "age""#;
    check(&both(19), decimal);
    let text = r#"coalesce(CAST(t."age" AS TEXT), CAST(t."age__de" AS TEXT)) AS "age""#;
    check(&both(20), text);
}

#[test]
fn what_no_number_holds_exactly_is_text() {
    let text = r#"coalesce(CAST(t."age" AS TEXT), CAST(t."age__de" AS TEXT)) AS "age""#;
    check(&[("age", Double), ("age__de", Decimal { scale: 2 })], text);
    check(&[("age", Integer), ("age__de", DecimalText)], text);
    check(&[("age", Decimal { scale: 2 }), ("age__de", Decimal { scale: 30 })], text);
}

#[test]
fn other_types_are_text_and_booleans_words() {
    check(
        &[("age", Timestamp), ("age__bo", Boolean), ("age__js", Json)],
        concat!(
            r#"coalesce(CAST(t."age" AS TEXT), "#,
            r#"CASE WHEN t."age__bo" THEN 'true' WHEN NOT t."age__bo" THEN 'false' END, "#,
            r#"CAST(t."age__js" AS TEXT)) AS "age""#
        ),
    );
}

#[test]
fn the_plain_name_is_the_one_without_a_suffix() {
    let texts = |first: &str, second: &str, name: &str| {
        format!(r#"coalesce(CAST(t."{first}" AS TEXT), CAST(t."{second}" AS TEXT)) AS "{name}""#)
    };
    check(&[("age__st", String), ("age", Date)], &texts("age__st", "age", "age"));
    check(&[("age__bi", DecimalText), ("age__st", String)], &texts("age__bi", "age__st", "age"));
}

#[test]
fn a_plain_name_that_another_path_has_is_not_taken() {
    let column = |name: &str, property: &str| Column::new(name, Some(Path(vec![property.to_owned()])), Date);
    let columns = [column("age__st", "age"), column("age__da", "age"), column("Age", "Age")];
    assert_eq!(
        PREFIXES.coalescing_query(&table(None, "people"), &columns),
        r#"SELECT coalesce(CAST(t."age__st" AS TEXT), CAST(t."age__da" AS TEXT)) AS "age__st", t."Age" FROM "people" AS t"#
    );
}

#[test]
fn the_view_stands_where_its_dialect_says() {
    let view = |dialect: selvedge_sql::Dialect| {
        let age = Column::new("age", Some(Path(vec!["age".to_owned()])), Integer);
        dialect.coalescing_view(&table(Some("shop"), "all"), &table(Some("shop"), "people"), &[age])
    };
    assert_eq!(view(SCHEMAS), r#"CREATE VIEW "shop"."all" AS SELECT t."age" FROM "shop"."people" AS t"#);
    assert_eq!(view(PREFIXES), r#"CREATE VIEW "shop__all" AS SELECT t."age" FROM "shop__people" AS t"#);
}
