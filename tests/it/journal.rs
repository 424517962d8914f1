//! The journal against what a process cannot be asked about: being killed, a full disk, another process.

use std::collections::BTreeMap;
use std::env;
#[cfg(unix)]
use std::error::Error as _;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
#[cfg(unix)]
use std::process::Command;
use std::thread;
use std::time::Duration;

use longrunning::{Any, ErrorKind, Journal, Operation, Pending};

#[cfg(unix)]
use crate::kit::arguments;
use crate::victim::{Victim, chance, kills};

/// Killed anywhere, also while the file is replaced: nothing is lost, and nothing is reported twice.
#[test]
fn it_survives_being_killed() {
    let folder = Folder::new("kills");
    let mut ledger = Ledger::default();
    let mut compactions = 0;
    let kills = kills(200);
    for round in 0..kills {
        let mut victim = start("works_until_killed", &folder.file(), round);
        let mut lines = victim.lines();
        // Steps are told when the journal is open; it is killed after some of them, in the middle of the next.
        for line in lines
            .by_ref()
            .map(Result::unwrap)
            .filter(|line| line.contains(" operations/"))
            .take(1 + chance(60) as usize)
        {
            ledger.hear(&line);
        }
        thread::sleep(Duration::from_micros(chance(1500)));
        victim.kill();
        lines.map_while(Result::ok).for_each(|line| ledger.hear(&line));
        compactions += u32::from(ledger.check(&folder.file()));
    }
    assert!(ledger.reports > kills && ledger.forgotten > kills / 4, "{ledger:?}");
    println!(
        "{kills} kills: {} results reported, {} forgotten, {} steps in doubt, {compactions} times while the file was replaced",
        ledger.reports, ledger.forgotten, ledger.doubts
    );
}

/// Runs in a process of its own: all kinds of steps, each told before it begins and when it is done.
#[test]
#[ignore = "the process that `it_survives_being_killed` kills"]
fn works_until_killed() {
    let (journal, round) = given();
    let say = |verb: &str, name: &str| println!("\n{verb} {name}");
    say("opened", "");
    for number in 0u64.. {
        let name = format!("operations/{round}-{number}");
        say("adding", &name);
        assert!(journal.add(&Pending::new(&name).unwrap()).unwrap());
        say("added", &name);
        let pending = journal.pending();
        for pending in pending.iter().skip(chance(3) as usize) {
            let name = pending.name().as_str();
            say("finishing", name);
            if journal.finish(pending, &result(name)).unwrap() {
                say("finished", name);
            }
        }
        if chance(3) == 0 {
            journal.compact().unwrap();
        }
        for result in journal.finished().take(chance(3) as usize) {
            let (pending, _) = result.unwrap();
            say("forgetting", pending.name().as_str());
            assert!(journal.forget(&pending).unwrap());
            say("forgot", pending.name().as_str());
        }
    }
}

/// What the killed processes told of their steps.
#[derive(Debug, Default)]
struct Ledger {
    states: BTreeMap<String, State>,
    reports: u32,
    forgotten: u32,
    doubts: u32,
}

/// Where an operation is; in doubt between a step that was begun and the word that it is done.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Adding,
    Pending,
    Finishing,
    Finished,
    Forgetting,
}

impl Ledger {
    fn hear(&mut self, line: &str) {
        let Some((verb, name)) = line.split_once(" operations/") else { return };
        let before = self.states.get(name).copied();
        let (expected, after) = match verb {
            "adding" => (None, State::Adding),
            "added" => (Some(State::Adding), State::Pending),
            "finishing" => (Some(State::Pending), State::Finishing),
            "finished" => (Some(State::Finishing), State::Finished),
            "forgetting" => (Some(State::Finished), State::Forgetting),
            "forgot" => (Some(State::Forgetting), State::Forgetting),
            _ => panic!("{line}"),
        };
        assert_eq!(before, expected, "{line}");
        self.reports += u32::from(verb == "finished");
        match verb {
            "forgot" => drop((self.states.remove(name), self.forgotten += 1)),
            _ => drop(self.states.insert(name.to_owned(), after)),
        }
    }

    /// Compares with the file, and learns what came of the steps in doubt; whether a half-made file was left.
    fn check(&mut self, path: &Path) -> bool {
        let half_made = temporary_files(path) > 0;
        let journal = Journal::open(path).unwrap();
        assert_eq!(temporary_files(path), 0, "the next process removes what a killed one left");
        let mut found = BTreeMap::new();
        for pending in journal.pending() {
            assert_eq!(found.insert(pending.name().id().to_owned(), State::Pending), None);
        }
        for stored in journal.finished() {
            let (pending, operation) = stored.unwrap();
            assert_eq!(operation.to_json(), result(pending.name().as_str()).to_json());
            assert_eq!(found.insert(pending.name().id().to_owned(), State::Finished), None, "{pending:?}");
        }
        for (name, state) in &self.states {
            let possible: &[Option<State>] = match state {
                State::Adding => &[None, Some(State::Pending)],
                State::Pending => &[Some(State::Pending)],
                State::Finishing => &[Some(State::Pending), Some(State::Finished)],
                State::Finished => &[Some(State::Finished)],
                State::Forgetting => &[Some(State::Finished), None],
            };
            assert!(possible.contains(&found.get(name).copied()), "{name}: {state:?} {:?}", found.get(name));
            self.doubts += u32::from(possible.len() > 1);
        }
        assert!(found.keys().all(|name| self.states.contains_key(name)), "nothing comes back");
        self.states = found;
        half_made
    }
}

fn temporary_files(journal: &Path) -> usize {
    let names = fs::read_dir(journal.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with(".jobs.jsonl.longrunning-tmp-")).count()
}

#[test]
fn a_second_process_is_told_about_the_first() {
    let folder = Folder::new("second");
    let mut victim = start("works_until_killed", &folder.file(), 0);
    let mut lines = victim.lines();
    lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("opened")).unwrap();
    let error = Journal::open(folder.file()).unwrap_err();
    let (file, id) = (folder.file(), victim.id());
    let message = format!(
        "journal `{0}` is in use by process {id}, which holds `{1}`: wait for it to end, or take another journal",
        file.display(),
        file.with_file_name(".jobs.jsonl.longrunning-lock").display()
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, message));
    victim.kill();
    assert!(Journal::open(folder.file()).is_ok(), "the lock ends with the process");
}

/// A limit on the size of files stands in for a full disk: both write a part of a line, then none.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = Folder::new("full");
    Journal::open(folder.file()).unwrap().add(&Pending::new("operations/before").unwrap()).unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(arguments("journal::fills_the_disk"))
        .env("LONGRUNNING_TEST_JOURNAL", folder.file())
        .env("LONGRUNNING_TEST_ROUND", "0")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("filled"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let journal = Journal::open(folder.file()).unwrap();
    let names: Vec<_> = journal.pending().iter().map(|pending| pending.name().id().to_owned()).collect();
    assert_eq!(names.first().map(String::as_str), Some("before"));
    assert!(names.len() > 10 && names.iter().skip(1).all(|name| name.starts_with("fits")), "{names:?}");
}

#[cfg(unix)]
#[test]
#[ignore = "the process whose disk `a_full_disk_loses_nothing` fills"]
fn fills_the_disk() {
    let (journal, _) = given();
    let mut number = 0;
    let error = loop {
        let pending = Pending::new(format!("operations/fits-{number}")).unwrap().with_label("x".repeat(100));
        match journal.add(&pending) {
            Ok(added) => assert!(added),
            Err(error) => break error,
        }
        number += 1;
    };
    assert!(error.to_string().ends_with("cannot be written, nothing of this step is recorded"), "{error}");
    assert!(error.source().is_some());
    assert_eq!(journal.pending().len(), number + 1, "what failed is not pending");
    assert!(journal.add(&Pending::new("operations/large").unwrap().with_label("x".repeat(4096))).is_err());
    for pending in journal.pending().iter().skip(1).take(5) {
        journal.forget(pending).map_or_else(|error| assert_eq!(error.kind(), ErrorKind::Config), drop);
    }
    println!("filled");
}

fn result(name: &str) -> Operation {
    Operation::succeeded(name, Any::from_json(r#"{"@type":"x/y","rows":"9"}"#).unwrap())
}

/// The journal that a process of these tests was given, and its number.
fn given() -> (Journal, String) {
    let path = env::var_os("LONGRUNNING_TEST_JOURNAL").expect("is started by another test");
    (Journal::open(path).unwrap(), env::var("LONGRUNNING_TEST_ROUND").unwrap())
}

fn start(test: &str, journal: &Path, round: u32) -> Victim {
    let round = round.to_string();
    let variables =
        [("LONGRUNNING_TEST_JOURNAL", journal.as_os_str()), ("LONGRUNNING_TEST_ROUND", OsStr::new(&round))];
    Victim::start(&format!("journal::{test}"), variables)
}

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("longrunning-it-journal-{test}-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("jobs.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
