//! A journal that was open at a fork belongs to the parent.
#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use longrunning::{Journal, Operation, Pending};
use longrunning_fork_tests::Child;

#[test]
fn a_child_shows_the_journal_of_its_parent_and_writes_nothing() {
    let folder = Folder::new("reads");
    let journal = Journal::open(folder.journal()).unwrap();
    journal.add(&pending(1)).unwrap();
    let before = fs::read(folder.journal()).unwrap();
    let child = Child::start(|_| {
        let names: Vec<_> = journal.pending().iter().map(|pending| pending.name().to_string()).collect();
        let done = Operation::from_json(r#"{"name":"operations/1","done":true,"response":{"@type":"x/y"}}"#)
            .unwrap();
        let errors = [
            journal.add(&pending(2)).map(drop),
            journal.finish(&pending(1), &done).map(drop),
            journal.forget(&pending(1)).map(drop),
            journal.compact(),
        ]
        .map(|result| result.unwrap_err().to_string());
        let opened = Journal::open(folder.journal()).unwrap_err().to_string();
        format!("{names:?}\n{}\n{opened}", errors.join("\n"))
    });
    let report = child.finish();
    let lines: Vec<_> = report.lines().collect();
    assert_eq!(lines[0], r#"["operations/1"]"#, "{report}");
    let refused = format!("belongs to process {}, of which this one is a forked child", std::process::id());
    assert!(lines[1..5].iter().all(|line| line.contains(&refused)), "{report}");
    assert!(lines[5].contains(" is in use by "), "the lock is still the parent's: {report}");
    assert_eq!(fs::read(folder.journal()).unwrap(), before);

    assert!(journal.add(&pending(2)).unwrap());
    journal.compact().unwrap();
    assert!(Journal::open(folder.journal()).is_err(), "it is still locked");
    drop(journal);
    assert_eq!(Journal::open(folder.journal()).unwrap().pending().len(), 2);
}

#[test]
fn a_child_that_has_used_or_dropped_the_journal_does_not_hold_its_lock() {
    for drops in [false, true] {
        let folder = Folder::new(if drops { "drops" } else { "uses" });
        let mut journal = Some(Journal::open(folder.journal()).unwrap());
        let mut child = Child::start(|parent| {
            match drops {
                true => drop(journal.take()),
                false => assert!(journal.as_ref().unwrap().pending().is_empty()),
            }
            fs::write(folder.0.join("ready"), "").unwrap();
            parent.wait();
            // The parent has closed it.
            drop(journal.take());
            Journal::open(folder.journal())
                .and_then(|own| own.add(&pending(1)))
                .map_or_else(|error| error.to_string(), |added| added.to_string())
        });
        while !folder.0.join("ready").exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        drop(journal.take());
        drop(Journal::open(folder.journal()).unwrap());
        child.go_on();
        assert_eq!(child.finish(), "true", "{drops}");
    }
}

/// A child ends without destructors, and with copies of all descriptors.
#[test]
fn the_end_of_a_child_releases_nothing() {
    let folder = Folder::new("ends");
    let journal = Journal::open(folder.journal()).unwrap();
    assert_eq!(Child::start(|_| String::new()).finish(), "");
    assert!(Journal::open(folder.journal()).is_err());
    assert!(journal.add(&pending(1)).unwrap());
}

fn pending(number: u32) -> Pending {
    Pending::new(format!("operations/{number}")).unwrap().with_endpoint("https://run.googleapis.com")
}

/// A folder for one test at a time: a child of another test would have a copy of the lock, too.
struct Folder(PathBuf, #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("longrunning-fork-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder, ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn journal(&self) -> PathBuf {
        self.0.join("jobs.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
