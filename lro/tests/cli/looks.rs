//! Colours, columns and details: how operations look to people.

use longrunning::{Code, Operation, Status};

use crate::kit::{full_server, lro};

#[test]
fn colours_are_for_terminals() {
    let server = full_server();
    let rows = [("", false), ("--color auto", false), ("--color never", false), ("--color always", true)];
    for (option, colourful) in rows {
        let ran = lro("wait operations/failed --progress auto").and(option).asks(&server).runs().exits(3);
        assert_eq!(ran.stderr.contains("\u{1b}[31mfailed"), colourful, "{option}: {ran:#?}");
    }
    let _ = (server, Code::Ok, Status::new(Code::Ok, ""), Operation::running("a"));
}
