//! The programs of the README and of docs/waiting.md print what is below them there.

use std::cell::RefCell;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Code, Error, OperationsClient, Status};

const README: &str = include_str!("../../README.md");
const WAITING: &str = include_str!("../../docs/waiting.md");
const SOURCE: &str = include_str!("readme.rs");

thread_local! {
    static PRINTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

macro_rules! println {
    ($($word:tt)*) => { keep(format!($($word)*)) };
}

macro_rules! eprintln {
    ($($word:tt)*) => { keep(format!($($word)*)) };
}

fn backup(client: &OperationsClient, name: &str) -> Result<(), Error> {
    let poller = client.poller(name).total_timeout(Duration::from_secs(600)).on_update(|update| {
        if let Some(percent) = update.progress().percent() {
            println!("{percent:3.0} % after {:.1} s", update.elapsed().as_secs_f64());
        }
    });
    println!("{name}: {}", poller.until_done()?.outcome());
    Ok(())
}

fn report(client: &OperationsClient, names: &[String]) {
    for finished in client.poll_many(names).total_timeout(Duration::from_secs(3600)).max_rate(20.0) {
        match finished {
            Ok(operation) => println!("{}: {}", operation.name(), operation.outcome()),
            Err(error) => eprintln!("{}: {error}", error.name().unwrap_or_default()),
        }
    }
}

#[test]
fn a_wait_prints_its_progress() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new("operations/backup").done_after(Duration::from_secs(3)));
    backup(&server.client(), "operations/backup").unwrap();
    assert_shown(README, "fn backup", &PRINTED.take());
}

#[test]
fn a_batch_prints_what_becomes_of_each() {
    let server = FakeServer::start();
    let name = |number| format!("projects/demo/locations/l/operations/export-{number}");
    for number in 1..=3 {
        let export = FakeOperation::new(name(number)).done_after(Duration::from_secs(number));
        let full = Status::new(Code::ResourceExhausted, "out of disk");
        server.insert(if number == 2 { export.fails(full) } else { export });
    }
    report(&server.client(), &(1..=4).map(name).collect::<Vec<_>>());
    let printed = PRINTED.take();
    let printed = printed.iter().map(|line| line.replace(&server.url(), "https://example.googleapis.com"));
    assert_shown(WAITING, "fn report", &printed.collect::<Vec<_>>());
}

#[test]
fn a_wait_that_gives_up_says_what_it_knows() {
    let server = FakeServer::start();
    server.insert(longrunning::Operation::running("operations/42"));
    let poller = server.client().poller("operations/42").total_timeout(Duration::from_secs(900));
    let error = poller.until_done().unwrap_err();
    assert!(README.contains(&format!("``{error}``")), "the README has another one than {error}");
}

/// In place of printing.
fn keep(line: String) {
    PRINTED.with_borrow_mut(|lines| lines.push(line));
}

/// The page has this function of this file, and what it prints in the block after it; an ellipsis there is any lines.
fn assert_shown(page: &str, function: &str, printed: &[String]) {
    let source = SOURCE.split_once(&format!("\n{function}")).unwrap().1.split_once("\n}\n").unwrap().0;
    let after = page.split_once(&format!("\n{function}{source}\n}}\n")).expect("the page has another one").1;
    let block = after.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let mut lines = printed.iter();
    let mut skips = false;
    for expected in block.lines() {
        match expected.trim() {
            "…" => skips = true,
            _ if skips => {
                assert!(lines.any(|line| line == expected), "`{expected}` is not among {printed:#?}");
                skips = false;
            }
            _ => assert_eq!(lines.next().map(String::as_str), Some(expected), "{printed:#?}"),
        }
    }
    assert_eq!(lines.next(), None);
}
