//! Operations for people.
//!
//! ```text
//! name      projects/demo/locations/here/operations/import
//! state     failed RESOURCE_EXHAUSTED
//! error     RESOURCE_EXHAUSTED: out of disk
//! link      Quotas: https://example.com/quotas
//! metadata  {
//!             "verb": "import"
//!           }
//! ```
//!
//! Only names and states have a fixed form. Programs should read `--format
//! json`.

use longrunning::{Any, Code, Operation, Outcome, Progress, Status};

use super::details;
use super::json::indent;
use super::paint::{Painter, TextStyle};
use super::printable::printable;

/// Returns all that is known of an operation, on several lines with labels.
pub(super) fn block(operation: &Operation, painter: Painter) -> String {
    let mut text = TextBlock::default();
    text.row("name", &printable(operation.name()));
    // Only the state has a colour: it is what eyes look for.
    text.row("state", &painter.paint(state_style(operation), &state(operation)));
    match operation.outcome() {
        Outcome::Failed(status) => text.error(status),
        Outcome::Malformed(reason) => text.row("error", &printable(&reason.to_string())),
        _ => {}
    }
    if let Some(target) = operation.target_link() {
        text.row("target", &printable(target));
    }
    if let Some(metadata) = operation.metadata() {
        // The metadata of an extended operation are the operation itself.
        // Named by what it is, since the whole operation stands there.
        let label = if operation.form().is_extended() { "operation" } else { "metadata" };
        text.row(label, &message(metadata));
    }
    if let Outcome::Succeeded(Some(response)) = operation.outcome() {
        text.row("response", &message(response));
    }
    text.0
}

/// Rows with labels, in a column of [`MARGIN`].
#[derive(Default)]
struct TextBlock(String);

impl TextBlock {
    /// Adds a row. The value may have several lines, whose margin is up to the
    /// caller.
    fn row(&mut self, label: &str, value: &str) {
        self.0.push_str(format!("{label:MARGIN$}{value}").trim_end());
        self.0.push('\n');
    }

    /// Adds an error: its message, and a row or more for each of its details.
    fn error(&mut self, status: &Status) {
        self.row("error", &printable(&status.to_string()));
        for detail in status.details() {
            match details::rows(detail) {
                Some(rows) => rows.iter().for_each(|(label, text)| self.row(label, &printable(text))),
                None => self.row("detail", &message(detail)),
            }
        }
    }
}

/// Returns an operation on one line: its name, two spaces, its state, and the
/// message of a failure.
///
/// ```text
/// operations/1  running 45 %
/// operations/2  failed RESOURCE_EXHAUSTED: out of disk
/// operations/3  cancelled: stopped by the user
/// ```
pub(super) fn item(operation: &Operation, painter: Painter) -> String {
    let name = printable(operation.name());
    let state = painter.paint(state_style(operation), &state(operation));
    match operation.outcome() {
        Outcome::Failed(status) => format!("{name}  {state}: {}", printable(status.message())),
        _ => format!("{name}  {state}"),
    }
}

/// Returns the colour of the state of an operation.
pub(crate) fn state_style(operation: &Operation) -> TextStyle {
    match operation.outcome() {
        Outcome::Running => TextStyle::Running,
        Outcome::Succeeded(_) => TextStyle::Succeeded,
        _ => TextStyle::Failed,
    }
}

/// Returns how an operation is getting on, in a few words: `running 45 %`,
/// `succeeded`, `failed NOT_FOUND`, `cancelled`.
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
        // `Outcome` may get more variants. Of those that exist, only success is
        // left.
        _ => "succeeded".to_owned(),
    }
}

/// Returns the state of a failure, which has the code and not the message:
/// columns are narrow.
fn failed(status: &Status) -> String {
    format!("failed {}", status.code())
}

/// Returns a message as indented JSON, or what is known of one that has no JSON
/// form here.
fn message(any: &Any) -> String {
    let margin = " ".repeat(MARGIN);
    match any.json() {
        Ok(json) => indent(&json, &margin).split('\n').map(printable).collect::<Vec<_>>().join("\n"),
        Err(_) => format!("{} (protobuf bytes of a type that has no JSON here)", printable(any.type_name())),
    }
}

/// Columns of the labels, the gap behind them included.
const MARGIN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(json: &str) -> Operation {
        Operation::from_json(json).unwrap()
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
            r#"{"name":"operations/1\u001b[2J","done":true,"metadata":{"n":18446744073709551616},"error":{"code":7,"message":"no\nway","details":[{"@type":"x/google.rpc.ErrorInfo","reason":"NOT_ALLOWED","domain":"a.example","metadata":{"role":"\u001bviewer"}},{"@type":"x/google.rpc.Help","links":[{"description":"Roles","url":"https://a.example/roles"}]},{"@type":"t/a.B","n":[1]}]}}"#,
        );
        let expected = "\
name      operations/1\\u{1b}[2J
state     failed PERMISSION_DENIED
error     PERMISSION_DENIED: no\\nway
reason    NOT_ALLOWED of a.example
          role: \\u{1b}viewer
link      Roles: https://a.example/roles
detail    {
            \"@type\": \"t/a.B\",
            \"n\": [
              1
            ]
          }
metadata  {
            \"n\": 18446744073709551616
          }
";
        assert_eq!(block(&failed, Painter::OFF), expected);
        let state = "state     \x1b[31mfailed PERMISSION_DENIED\x1b[0m\n";
        assert!(block(&failed, Painter::ON).contains(state));
    }
}
