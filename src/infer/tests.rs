//! What fields seem to be.

use super::Field;
use super::guess::Guess;

fn guess(name: &str, values: &[&str]) -> Guess {
    let values = values.iter().map(|value| Some((*value).to_owned())).collect();
    Field { name: name.to_owned(), values }.guess()
}

#[track_caller]
fn is(name: &str, values: &[&str], data_type: &str, formats: &[&str]) {
    let guess = guess(name, values);
    assert_eq!((guess.data_type.as_str(), &guess.formats[..]), (data_type, formats), "{name}");
}

#[test]
fn values_tell_the_type() {
    is("a", &["x", "1"], "string", &[]);
    is("a", &["", "N/A"], "string", &[]);
    is("a", &["true", "False"], "boolean", &[]);
    is("a", &["1", "-20", "0"], "integer", &[]);
    is("zip", &["01234", "12345"], "string", &[]);
    is("a", &["1.5", "200", "-0.125"], "decimal(18,3)", &[]);
    is("a", &["1234567890123.4567"], "decimal(38,4)", &[]);
    is("a", &["1e-9", "2.5"], "double", &[]);
    is("a", &["19.99", "19.990000000000002"], "decimal(18,2)", &[]);
    is("a", &["2.4019999999999997"], "decimal(18,4)", &[]);
    is("a", &["ann@mail.shop", "b.c@x.org"], "email", &[]);
    is("phone", &["13812345678", "021 5555 1234"], "phone", &[]);
    is("a", &["+86 138 1234 5678"], "phone", &[]);
    is("a", &["13812345678"], "integer", &[]);
}

#[test]
fn times_tell_their_formats() {
    is("day", &["2026-01-31", "2026-02-01"], "date", &["%Y-%m-%d"]);
    is("day", &["31/01/2026", "2026-02-01"], "date", &["%Y-%m-%d", "%d/%m/%Y"]);
    is("day", &["01/02/2026", "01/31/2026"], "date", &["%m/%d/%Y"]);
    is("at", &["2026-01-31T08:00:00+08:00"], "timestamp", &["rfc3339"]);
    is("at", &["31/01/2026 08:15"], "timestamp", &["%d/%m/%Y %H:%M"]);
    is("at", &["31.01.2026 08:15"], "timestamp", &["%d.%m.%Y %H:%M"]);
    is("ts", &["1767312000000"], "timestamp", &["unix_ms"]);
    is("order_id", &["1767312000000"], "integer", &[]);
}

#[test]
fn a_dirty_value_in_many_is_told_and_does_not_decide() {
    let mut values = vec!["7"; 40];
    values.push("seven");
    let dirty = guess("a", &values);
    assert_eq!((dirty.data_type.as_str(), dirty.misfits), ("integer", 1));
    assert!(dirty.required && !dirty.distinct);
    values.extend(["many"; 5]);
    assert_eq!(guess("a", &values).data_type, "string");
}

#[test]
fn what_was_missing_once_is_not_required() {
    assert!(guess("a", &["1", "2"]).required);
    assert!(!guess("a", &["1", "N/A"]).required);
    let values = vec![Some("1".to_owned()), None];
    assert!(!Field { name: "a".to_owned(), values }.guess().required);
}

#[test]
fn a_name_that_martlet_gives_itself_is_left_to_it() {
    let column = |name: &str| {
        Field { name: name.to_owned(), values: vec![Some("c-7".to_owned())] }.as_column()
    };
    assert!(column("Customer ID").starts_with("source_customer_id: { from: \"Customer ID\", "));
    assert!(column("customer").starts_with("customer: { type: "));
}

#[test]
fn what_floating_point_has_left_is_rounded() {
    let column = |values: [&str; 2]| {
        let values = values.iter().map(|value| Some((*value).to_owned())).collect();
        Field { name: "price".to_owned(), values }.as_column()
    };
    let noisy = column(["19.99", "0.30000000000000004"]);
    assert_eq!(noisy, "price: { type: \"decimal(18,2)\", round: true, required: true }");
    assert!(!column(["19.99", "0.3"]).contains("round"));
}
