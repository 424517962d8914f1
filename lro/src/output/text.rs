//! Operations for people.

use std::time::{Duration, SystemTime};

use longrunning::{Any, Code, Operation, Outcome, Progress, Status};

use super::json::indent;
use super::printable::{printable, short};

/// All that is known of an operation, on several lines.
pub(super) fn block(operation: &Operation) -> String {
    let mut text = String::new();
    let mut row = |label: &str, value: &str| text.push_str(&format!("{label:MARGIN$}{value}\n"));
    row("name", &printable(operation.name()));
    row("state", &state(operation));
    if let Some(metadata) = operation.metadata() {
        row("metadata", &message(metadata));
    }
    match operation.outcome() {
        Outcome::Failed(status) => {
            row("error", &printable(&status.to_string()));
            for detail in status.details() {
                row("detail", &message(detail));
            }
        }
        Outcome::Succeeded(Some(response)) => row("response", &message(response)),
        Outcome::Malformed(reason) => row("error", &printable(&reason.to_string())),
        _ => {}
    }
    text
}

/// An operation on one line.
pub(super) fn item(operation: &Operation) -> String {
    let (name, state) = (printable(operation.name()), state(operation));
    match operation.outcome() {
        Outcome::Failed(status) => format!("{name}  {state}: {}", printable(status.message())),
        _ => format!("{name}  {state}"),
    }
}

/// How an operation is getting on, in a few words.
pub(crate) fn state(operation: &Operation) -> String {
    match operation.outcome() {
        Outcome::Running => match Progress::of(operation).percent() {
            // Rounded down: 99.6 % is not all.
            Some(percent) => format!("running {:.0} %", percent.floor()),
            None => "running".to_owned(),
        },
        Outcome::Failed(status) if status.code() == Code::Cancelled => "cancelled".to_owned(),
        Outcome::Failed(status) => failed(status),
        Outcome::Malformed(reason) => format!("malformed: {}", printable(&reason.to_string())),
        _ => "succeeded".to_owned(),
    }
}

fn failed(status: &Status) -> String {
    format!("failed {}", status.code())
}

/// Operations in aligned columns, the header where `widths` are still to be found.
///
/// Columns that a page leaves empty take no room unless an earlier one needed them.
pub(crate) fn table(operations: &[Operation], widths: &mut Vec<usize>) -> String {
    let mut rows: Vec<[String; COLUMNS]> = Vec::with_capacity(operations.len() + 1);
    if widths.is_empty() && !operations.is_empty() {
        rows.push(HEADER.map(str::to_owned));
    }
    rows.extend(operations.iter().map(cells));
    widths.resize(COLUMNS, 0);
    for (column, width) in widths.iter_mut().enumerate() {
        let filled =
            rows.iter().skip(usize::from(rows.len() > operations.len())).any(|row| !row[column].is_empty());
        if filled || *width > 0 {
            let widest = rows.iter().map(|row| row[column].chars().count()).max();
            *width = (*width).max(widest.unwrap_or_default());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths.iter()).filter(|(_, width)| **width > 0) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cells(operation: &Operation) -> [String; COLUMNS] {
    let progress = Progress::of(operation);
    let what = progress.verb().map(str::to_owned);
    let what = what.or_else(|| Some(type_of(operation.metadata()?.type_name())));
    [
        printable(operation.name()),
        state(operation),
        progress.create_time().or(progress.start_time()).map(age).unwrap_or_default(),
        printable(&what.unwrap_or_default()),
    ]
}

/// How long ago that was, by this machine's clock.
fn age(time: SystemTime) -> String {
    short(time.elapsed().unwrap_or(Duration::ZERO))
}

/// The last part of a type name; nothing for types that say nothing.
fn type_of(type_name: &str) -> String {
    match type_name.starts_with("google.protobuf.") {
        true => String::new(),
        false => type_name.rsplit('.').next().unwrap_or_default().to_owned(),
    }
}

fn message(any: &Any) -> String {
    let margin = " ".repeat(MARGIN);
    match any.json() {
        Ok(json) => indent(&json, &margin).split('\n').map(printable).collect::<Vec<_>>().join("\n"),
        Err(_) => format!("{} (protobuf bytes of a type that has no JSON here)", printable(any.type_name())),
    }
}

/// Room for the labels.
const MARGIN: usize = 10;

const COLUMNS: usize = 4;

const HEADER: [&str; COLUMNS] = ["NAME", "STATE", "AGE", "WHAT"];

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(json: &str) -> Operation {
        Operation::from_json(json).unwrap()
    }

    #[test]
    fn columns_line_up_over_pages() {
        let first = [
            operation(
                r#"{"name":"operations/1","metadata":{"@type":"x/y.CopyMetadata","createTime":"2999-01-02T03:04:05.678Z","progressPercent":40}}"#,
            ),
            operation(r#"{"name":"operations/long-id","done":true}"#),
        ];
        let second = [operation(r#"{"name":"operations/3","done":true,"error":{"code":8,"message":"no"}}"#)];
        let mut widths = Vec::new();
        let text = table(&first, &mut widths) + &table(&second, &mut widths);
        let expected = "\
NAME                STATE         AGE  WHAT
operations/1        running 40 %  0s   CopyMetadata
operations/long-id  succeeded
operations/3        failed RESOURCE_EXHAUSTED
";
        assert_eq!(text, expected);
    }

    #[test]
    fn empty_columns_take_no_room() {
        let running = [operation(r#"{"name":"operations/1"}"#)];
        assert_eq!(table(&running, &mut Vec::new()), "NAME          STATE\noperations/1  running\n");
        assert_eq!(table(&[], &mut Vec::new()), "");
    }

    #[test]
    fn states() {
        let rows = [
            (r#"{}"#, "running"),
            (r#"{"metadata":{"percent":12.7}}"#, "running 12 %"),
            (r#"{"done":true}"#, "succeeded"),
            (r#"{"done":true,"error":{"code":1}}"#, "cancelled"),
            (r#"{"done":true,"error":{"code":13}}"#, "failed INTERNAL"),
            (r#"{"done":true,"error":{"code":0}}"#, "malformed: `error` has code 0"),
        ];
        for (json, expected) in rows {
            assert_eq!(state(&operation(json)), expected);
        }
    }

    #[test]
    fn all_that_is_known() {
        let failed = operation(
            r#"{"name":"operations/1\u001b[2J","done":true,"metadata":{"n":18446744073709551616},"error":{"code":7,"message":"no\nway","details":[{"@type":"t/a.B"}]}}"#,
        );
        let expected = "\
name      operations/1\\u{1b}[2J
state     failed PERMISSION_DENIED
metadata  {
            \"n\": 18446744073709551616
          }
error     PERMISSION_DENIED: no\\nway
detail    {
            \"@type\": \"t/a.B\"
          }
";
        assert_eq!(block(&failed), expected);
    }
}
