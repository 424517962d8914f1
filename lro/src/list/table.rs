//! Operations in columns, fitted to a width.
//!
//! ```text
//! NAME    STATE                      AGE    DURATION  VERB    TARGET
//! copy    running 15 %               2m10s  2m08s     copy    buckets/b
//! import  failed RESOURCE_EXHAUSTED  1h02m  3m20s     import  buckets/c
//! ```
//!
//! Columns that no operation fills are left out. AGE counts from the creation
//! until now, DURATION from the start of the work to its end, or until now.

use std::time::{Duration, SystemTime};

use longrunning::{Operation, Progress};

use crate::output::{
    TextStyle, columns, cut_end, cut_start, pad_end, printable, shared_parent, short, state, state_style,
};
use crate::screen::{ColumnRoom, ScreenLine};

/// A table that grows by pages. Its columns stay where they are, or get wider:
/// rows that were printed cannot be moved.
#[derive(Default)]
pub(super) struct OperationTable {
    /// What the names of the first page have in common; none before it.
    parent: Option<String>,
    /// The columns that all rows so far would take.
    widths: [usize; COLUMNS],
}

/// The cells of a row, and the colour of its state.
type TableRow = ([String; COLUMNS], TextStyle);

impl OperationTable {
    /// Returns the lines of the next page, below a header if it is the first
    /// one. Without a width nothing is cut.
    pub(super) fn page(&mut self, operations: &[Operation], width: Option<usize>) -> Vec<ScreenLine> {
        if operations.is_empty() {
            return Vec::new();
        }
        let is_first = self.parent.is_none();
        // Of the first page, because that is what is known when the first row
        // is printed. Names of later pages that differ are printed whole.
        let parent = self.parent.get_or_insert_with(|| common_parent(operations));
        let mut rows: Vec<TableRow> = operations.iter().map(|operation| row(operation, parent)).collect();
        self.widen(&rows);
        if is_first {
            rows.insert(0, (HEADER.map(str::to_owned), TextStyle::Plain));
        }
        // The header has the same widths as the rows, so it is a row too.
        let widths = fit(&self.widths, width);
        rows.iter().map(|row| line(row, &widths)).collect()
    }

    /// Columns that a page leaves empty take no room unless an earlier one
    /// needed them.
    fn widen(&mut self, rows: &[TableRow]) {
        for (column, width) in self.widths.iter_mut().enumerate() {
            let cells = rows.iter().filter_map(|(cells, _)| cells.get(column));
            let widest = cells.map(|cell| columns(cell)).max().unwrap_or_default();
            let header = HEADER.get(column).map_or(0, |header| header.len());
            if widest > 0 {
                *width = widest.max(header).max(*width);
            }
        }
    }
}

/// Returns the parent that all names share, which is printed nowhere: the user
/// has named it.
fn common_parent(operations: &[Operation]) -> String {
    let names: Vec<&str> = operations.iter().map(Operation::name).collect();
    let shared = shared_parent(&names);
    names.first().and_then(|name| name.get(..shared)).unwrap_or_default().to_owned()
}

/// Returns the cells of an operation. The target is without the parent too, if
/// it is below the same resource.
fn row(operation: &Operation, parent: &str) -> TableRow {
    let progress = Progress::of(operation);
    let (name, target) = (operation.name(), progress.target().unwrap_or_default());
    let verb = progress.verb().map(str::to_owned);
    let verb = verb.or_else(|| Some(verb_of(operation.metadata()?.type_name())));
    let resource = parent.strip_suffix("operations/").unwrap_or(parent);
    let cells = [
        printable(name.strip_prefix(parent).unwrap_or(name)),
        state(operation),
        progress.create_time().or(progress.start_time()).map(age).unwrap_or_default(),
        duration(operation, &progress).map(short).unwrap_or_default(),
        printable(&verb.unwrap_or_default()),
        printable(below(resource, target)),
    ];
    (cells, state_style(operation))
}

/// Returns the target without the parent of the operation, also in a link.
fn below<'a>(resource: &str, target: &'a str) -> &'a str {
    let in_link = || match target.starts_with("https://") && !resource.is_empty() {
        true => target.find(&format!("/{resource}")).and_then(|at| target.get(at + 1 + resource.len()..)),
        false => None,
    };
    target.strip_prefix(resource).or_else(in_link).unwrap_or(target)
}

/// Returns how long ago that was, by this machine's clock; `0s` if that clock
/// is behind.
fn age(time: SystemTime) -> String {
    short(time.elapsed().unwrap_or(Duration::ZERO))
}

/// Returns how long the work has taken: until its end, or until now if it runs;
/// none if it is done and does not say when.
fn duration(operation: &Operation, progress: &Progress) -> Option<Duration> {
    let begin = progress.start_time().or(progress.create_time())?;
    match (progress.end_time(), operation.is_done()) {
        (Some(end), _) => end.duration_since(begin).ok(),
        (None, false) => begin.elapsed().ok(),
        (None, true) => None,
    }
}

/// Returns the last part of a type name without the word that all of them have;
/// nothing for types that say nothing.
///
/// ```text
/// google.x.v1.CreateIndexMetadata   CreateIndex
/// google.x.v1.DeleteIndexOperation  DeleteIndex
/// google.protobuf.Struct
/// ```
fn verb_of(type_name: &str) -> String {
    if type_name.starts_with("google.protobuf.") {
        return String::new();
    }
    let last = type_name.rsplit('.').next().unwrap_or_default();
    let verb = last.strip_suffix("Metadata").unwrap_or(last);
    verb.strip_suffix("Operation").unwrap_or(verb).to_owned()
}

/// Gives a width to the columns by their importance: the name, the state, the
/// age, the duration, the verb, the target.
///
/// The name gets at most half of the width at first, and what the others leave
/// at last. State, verb and target may be cut down to a least width; age and
/// duration are whole or left out, because a cut number is another number.
/// Without a width every column is as wide as its widest cell.
fn fit(natural: &[usize; COLUMNS], width: Option<usize>) -> [usize; COLUMNS] {
    let Some(width) = width else { return *natural };
    let [name, state, age, duration, verb, target] = *natural;
    let mut room = ColumnRoom::new(width);
    let name_width = room.take_share(name, NAME_SHARE, SHORTEST_NAME);
    let state_width = room.take_up_to(SHORTEST_STATE.min(state), state, GAP);
    let age_width = room.take(age, GAP);
    let duration_width = room.take(duration, GAP);
    let verb_width = room.take_up_to(SHORTEST_VERB.min(verb), verb, GAP);
    let target_width = room.take_up_to(SHORTEST_TARGET.min(target), target, GAP);
    // Last, because the name had its share first: whatever the other columns
    // leave.
    let name_width = name_width + room.take_rest(name - name_width);
    [name_width, state_width, age_width, duration_width, verb_width, target_width]
}

/// Returns a row as a line. Columns of width zero are left out with their gap.
fn line((cells, style): &TableRow, widths: &[usize; COLUMNS]) -> ScreenLine {
    let mut line = ScreenLine::default();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate().filter(|(_, (_, width))| **width > 0)
    {
        if column > 0 {
            line.push(" ".repeat(GAP), TextStyle::Plain);
        }
        // The ends of names tell them apart.
        let cell =
            // Two names often begin alike.
            if [NAME, TARGET].contains(&column) { cut_start(cell, *width) } else { cut_end(cell, *width) };
        let style = if column == STATE { *style } else { TextStyle::Plain };
        line.push(pad_end(&cell, *width), style);
    }
    line
}

const COLUMNS: usize = 6;
const HEADER: [&str; COLUMNS] = ["NAME", "STATE", "AGE", "DURATION", "VERB", "TARGET"];
const NAME: usize = 0;
const STATE: usize = 1;
const TARGET: usize = 5;

/// Spaces between two columns.
const GAP: usize = 2;

/// How much of a screen names may take from the other columns. The least widths
/// below it are those at which a column still says something.
const NAME_SHARE: f64 = 0.5;
const SHORTEST_NAME: usize = 8;
const SHORTEST_STATE: usize = 8;
const SHORTEST_VERB: usize = 6;
const SHORTEST_TARGET: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Painter;

    fn operation(json: &str) -> Operation {
        Operation::from_json(json).unwrap()
    }

    fn shown(table: &mut OperationTable, operations: &[Operation], width: Option<usize>) -> String {
        let lines = table.page(operations, width);
        lines.iter().map(|line| line.text(Painter::OFF) + "\n").collect()
    }

    fn operations() -> [Operation; 3] {
        [
            operation(
                r#"{"name":"projects/p/locations/l/operations/operation-1700000000-copy","metadata":{"@type":"x/y.CopyMetadata","createTime":"2999-01-02T03:04:05.678Z","progressPercent":40,"target":"projects/p/locations/l/clusters/main"}}"#,
            ),
            operation(
                r#"{"name":"projects/p/locations/l/operations/2","done":true,"response":{"@type":"x/y"},"metadata":{"@type":"x/y.OperationMetadata","createTime":"2999-01-02T03:04:05Z","startTime":"2999-01-02T03:05:00Z","endTime":"2999-01-02T03:05:42Z","verb":"create"}}"#,
            ),
            operation(
                r#"{"name":"projects/p/locations/l/operations/3","done":true,"error":{"code":8,"message":"no"}}"#,
            ),
        ]
    }

    #[test]
    fn columns_fit_the_width() {
        let rows = [
            (
                None,
                "\
NAME                       STATE                      AGE  DURATION  VERB    TARGET
operation-1700000000-copy  running 40 %               0s             Copy    clusters/main
2                          succeeded                  0s   42s       create
3                          failed RESOURCE_EXHAUSTED
",
            ),
            (
                Some(80),
                "\
NAME                       STATE                      AGE  DURATION  VERB
operation-1700000000-copy  running 40 %               0s             Copy
2                          succeeded                  0s   42s       create
3                          failed RESOURCE_EXHAUSTED
",
            ),
            (
                Some(60),
                "\
NAME                       STATE                      AGE
operation-1700000000-copy  running 40 %               0s
2                          succeeded                  0s
3                          failed RESOURCE_EXHAUSTED
",
            ),
            (
                Some(40),
                "\
NAME                  STATE
…ion-1700000000-copy  running 40 %
2                     succeeded
3                     failed RESOURCE_E…
",
            ),
            (Some(8), "NAME\n…00-copy\n2\n3\n"),
        ];
        for (width, expected) in rows {
            let text = shown(&mut OperationTable::default(), &operations(), width);
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(width.is_none_or(|width| longest <= width), "{width:?}\n{text}");
            assert_eq!(text, expected, "{width:?}\n{text}");
        }
    }

    #[test]
    fn columns_line_up_over_pages() {
        let mut table = OperationTable::default();
        let first = [operation(r#"{"name":"a/operations/one"}"#), operation(r#"{"name":"a/operations/2"}"#)];
        let second = [
            operation(r#"{"name":"a/operations/3","done":true}"#),
            operation(r#"{"name":"b/operations/4"}"#),
        ];
        let text = shown(&mut table, &first, None) + &shown(&mut table, &second, None);
        let expected = "\
NAME  STATE
one   running
2     running
3               succeeded
b/operations/4  running
";
        assert_eq!(text, expected);
        assert_eq!(shown(&mut table, &[], None), "");
        assert_eq!(shown(&mut OperationTable::default(), &[], None), "");
    }

    #[test]
    fn verbs_of_types() {
        let rows = [
            ("x.y.CopyMetadata", "Copy"),
            ("x.y.CreateClusterOperationMetadata", "CreateCluster"),
            ("x.y.OperationMetadata", ""),
            ("x.y.Progress", "Progress"),
            ("google.protobuf.Struct", ""),
        ];
        for (type_name, expected) in rows {
            assert_eq!(verb_of(type_name), expected);
        }
    }

    #[test]
    fn states_have_colours() {
        let lines = OperationTable::default().page(&operations(), None);
        let texts: Vec<String> = lines.iter().map(|line| line.text(Painter::ON)).collect();
        for (text, code) in texts.iter().skip(1).zip(["36", "32", "31"]) {
            assert!(text.contains(&format!("\x1b[{code}m")), "{text:?}");
        }
    }
}
