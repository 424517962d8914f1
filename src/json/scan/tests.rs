use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::*;
use crate::json::reader::depth;
use crate::random::{Random, cases};

/// What serde_json makes of the first value of a text.
fn by_serde(text: &str) -> Option<ScannedValue> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?.get();
    let is_plain = !value.contains('\\');
    Some(ScannedValue { end: values.byte_offset(), depth: depth(value), is_plain })
}

/// The values of an object by their keys, and what follows it.
type Members = (BTreeMap<String, String>, usize);

fn members(text: &str) -> Option<Members> {
    let mut members = BTreeMap::new();
    let object = scan_members(text, |key, at, value| {
        drop(members.insert(key.to_owned(), text[at..at + value.end].to_owned()));
    })?;
    assert_eq!(scan(text).filter(|_| object.depth <= MOST_LEVELS), Some(object), "{text:?}");
    Some((members, object.end))
}

fn members_by_serde(text: &str) -> Option<Members> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<BTreeMap<String, &RawValue>>();
    let members = values.next()?.ok()?;
    let members = members.into_iter().map(|(key, value)| (key, value.get().to_owned()));
    Some((members.collect(), values.byte_offset()))
}

/// Both find the same value, or none; the scanner may leave deep ones.
fn compare(text: &str) {
    let expected = by_serde(text);
    let left = expected.as_ref().is_some_and(|value| value.depth > MOST_LEVELS);
    let expected = expected.filter(|_| !left);
    assert_eq!(scan(text), expected, "{text:?}");
    let plain = plain_string(text);
    let string = serde_json::Deserializer::from_str(text).into_iter::<&str>().next();
    assert_eq!(plain, string.and_then(Result::ok), "{text:?}");
    let found = members(text);
    // What the scanner leaves has an escape in a key, or a deep value.
    let leaves = expected.is_none_or(|value| !value.is_plain);
    if found.is_some() || !leaves {
        assert_eq!(found, members_by_serde(text), "{text:?}");
    }
}

#[test]
fn values_end_where_serde_json_ends_them() {
    let rows = [
        "",
        " ",
        "{",
        "{}",
        "[]",
        "[ ]x",
        "{} ",
        "[1,]",
        "[,]",
        "{,}",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "]",
        "}",
        "{]",
        "[}",
        "[[}]",
        "{\"a\":[}",
        "true",
        "tru",
        "truex",
        "true,",
        "true\"",
        "nul",
        "null]",
        "false:",
        "-",
        "-1",
        "01",
        "00",
        "-0",
        "1.",
        "1.5",
        ".5",
        "1e",
        "1e5",
        "1E+5",
        "1e-",
        "1e5.5",
        "1\\",
        "1a",
        "1 a",
        "+1",
        "--1",
        "\"",
        "\"a",
        "\"a\"",
        "\"a\"b",
        "\"\\\"",
        "\"\\\"\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\uD8fF\"",
        "\"\\x\"",
        "\"\\",
        "\"\t\"",
        "\"\u{1f}\"",
        "\"\u{7f}\"",
        "\"\u{80}\u{e9}\u{1f600}\"",
        "\"1234567\"",
        "\"12345678\"",
        "\"1234567\u{1}\"",
        "\"123456\\n7\"",
        "\u{feff}1",
        "\u{a0}1",
        "[1\u{b}]",
        "NaN",
        "Infinity",
        "'a'",
        "[1]//",
        "{\"a\" : [ 1 , { } ] }",
    ];
    for text in rows.map(str::trim_start) {
        compare(text);
    }
    for levels in [1, MOST_LEVELS - 1, MOST_LEVELS, MOST_LEVELS + 1, 200] {
        compare(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        compare(&format!("{}1{}", "{\"a\":[".repeat(levels / 2), "]}".repeat(levels / 2)));
    }
    assert_eq!(scan("[{},[1]] x"), Some(ScannedValue { end: 8, depth: 2, is_plain: true }));
}

/// `word` is compared with the slow way, with each special byte at each place.
#[test]
fn the_first_special_byte_of_eight_is_found() {
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    cases(20_000, |random| {
        let bytes = [(); 8].map(|()| match random.below(3) {
            0 => random.pick(b"\"\\\x00\x1f\x20\x21\x23\x5b\x5d\x7f\x80\xa0\xa2\xdc\xff"),
            _ => random.below(256) as u8,
        });
        let expected = bytes.iter().position(special);
        let found = specials(u64::from_le_bytes(bytes));
        let found = (found != 0).then(|| found.trailing_zeros() as usize / 8);
        assert_eq!(found, expected, "{bytes:?}");
    });
}

#[test]
fn changed_texts_are_judged_as_by_serde_json() {
    cases(20_000, |random| {
        let mut text: Vec<char> = random.pick(&SEEDS).chars().collect();
        for _ in 0..random.below(4) {
            change(&mut text, random);
        }
        let text: String = text.into_iter().collect();
        compare(text.trim_start_matches([' ', '\t', '\r', '\n']));
    });
}

fn change(text: &mut Vec<char>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let end = (at + random.below(8)).min(text.len());
    let new: char = match random.below(8) {
        0 => char::from_u32(random.below(0x300) as u32).unwrap_or('x'),
        _ => char::from(random.pick(b"{}[]:,\"\\/ \t\r\n0123456789+-.eEtrufalsn\x00\x1f\x7f")),
    };
    match random.below(5) {
        0 => text.truncate(at),
        1 => text.insert(at, new),
        2 => drop(text.drain(at..end)),
        3 => drop(text.splice(at..end, [new])),
        _ => {
            let copied = text[at..end].to_vec();
            let to = random.below(text.len() + 1);
            drop(text.splice(to..to, copied));
        }
    }
}

const SEEDS: [&str; 6] = [
    r#"{"name":"operations/42","done":true,"response":{"@type":"type.googleapis.com/x.Y","n":[1,-2.5e+3,0]}}"#,
    r#"{ "a" : [ { } , [ ] , null , false , "\u00e9\n\\\"" ] , "b" : { "c" : 1E5 } }"#,
    r#"[[[[{"a":[[[{"b":"12345678"}]]]}]]],"1234567",{"":""}]"#,
    r#""a string \ud83d\ude00 with é and \\ and \" in it""#,
    "-12.75e-3",
    "true",
];
