//! The order of a listing.
//!
//! Services list in an order of their own, which few of them document. Sorting
//! is stable: operations that are equal stay in that order.

use std::cmp::Reverse;
use std::time::SystemTime;

use longrunning::{Code, Operation, Outcome, Progress};

use crate::args::SortArg;

/// Sorts operations as people look for them: by name, the latest first, or
/// those that need attention first and the latest first among them.
pub(super) fn sort(operations: &mut [Operation], order: SortArg) {
    match order {
        SortArg::Name => operations.sort_by(|one, other| one.name().cmp(other.name())),
        // The latest one is what was just started.
        SortArg::Age => operations.sort_by_cached_key(|operation| Reverse(begin(operation))),
        // Cached: metadata are parsed once for each operation and not for each
        // comparison.
        SortArg::State => {
            operations.sort_by_cached_key(|operation| (rank(operation), Reverse(begin(operation))))
        }
    }
}

/// Returns when the operation was created, else when its work began. `None` is
/// the least of all times, so such operations come last.
fn begin(operation: &Operation) -> Option<SystemTime> {
    let progress = Progress::of(operation);
    progress.create_time().or(progress.start_time())
}

/// Returns the place of a state: running, failed, cancelled, succeeded. What
/// needs attention comes first.
fn rank(operation: &Operation) -> u8 {
    match operation.outcome() {
        Outcome::Running => 0,
        Outcome::Failed(status) if status.code() == Code::Cancelled => 2,
        Outcome::Succeeded(_) => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let operation = |name: &str, time: &str, end: &str| {
            let json =
                format!(r#"{{"name":"{name}","metadata":{{"@type":"x/y","createTime":"{time}"}}{end}}}"#);
            Operation::from_json(&json).unwrap()
        };
        let operations = [
            operation("c", "2026-01-01T00:00:00Z", r#","done":true,"response":{"@type":"x/y"}"#),
            operation("a", "2026-01-03T00:00:00Z", r#","done":true,"error":{"code":1}"#),
            operation("d", "2026-01-02T00:00:00Z", ""),
            operation("b", "", r#","done":true,"error":{"code":8}"#),
            operation("e", "2026-01-04T00:00:00Z", ""),
        ];
        for (order, expected) in
            [(SortArg::Name, "abcde"), (SortArg::Age, "eadcb"), (SortArg::State, "edbac")]
        {
            let mut sorted = operations.clone();
            sort(&mut sorted, order);
            assert_eq!(sorted.iter().map(Operation::name).collect::<String>(), expected, "{order:?}");
        }
    }
}
