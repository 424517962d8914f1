//! What every state of the file means, and what it takes to get there.

mod files;

use std::error::Error as _;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::{io, thread};

use super::*;
use crate::error::ErrorKind;
use crate::folder::Folder;
use crate::random::{Random, cases};
use crate::types::{Any, Status};

/// The files of one test.
struct Files(Folder);

impl Files {
    fn new() -> Self {
        Self(Folder::new())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("jobs.jsonl")
    }

    /// A journal whose file says this.
    fn holding(&self, text: impl AsRef<[u8]>) -> Result<Journal, Error> {
        fs::write(self.file(), text).unwrap();
        Journal::open(self.file())
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }
}

fn pending(number: u8) -> Pending {
    Pending::new(format!("operations/{number}")).unwrap().with_label(format!("é \"{number}\"\n"))
}

fn done(number: u8) -> Operation {
    let response = format!(r#"{{"@type":"x/y","rows":"{number}","new":[1.50]}}"#);
    Operation::succeeded(format!("operations/{number}"), Any::from_json(&response).unwrap())
}

/// The numbers of what is pending and of what is finished, in order.
fn state(journal: &Journal) -> (Vec<u8>, Vec<u8>) {
    let number = |pending: &Pending| pending.name().id().parse().unwrap();
    let finished = journal.finished().map(|result| {
        let (pending, operation) = result.unwrap();
        assert_eq!(operation.to_json(), done(number(&pending)).to_json());
        number(&pending)
    });
    (journal.pending().iter().map(number).collect(), finished.collect())
}

#[test]
fn an_operation_goes_one_way() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    assert!(journal.add(&pending(1))? && journal.add(&pending(2))?);
    assert!(!journal.add(&pending(1))?, "pending already");
    assert!(!journal.finish(&pending(3), &done(3))?, "never added");
    assert!(journal.finish(&pending(1), &done(1))?);
    assert!(!journal.finish(&pending(1), &done(2))?, "the first result stays");
    assert!(!journal.add(&pending(1))?, "finished already");
    assert_eq!(state(&journal), (vec![2], vec![1]));
    assert!(journal.forget(&pending(1))?);
    assert!(!journal.forget(&pending(1))? && !journal.finish(&pending(1), &done(1))?);
    assert!(journal.forget(&pending(2))?, "without a result too");
    assert_eq!(state(&journal), (vec![], vec![]));
    assert!(journal.add(&pending(1))?, "another of the same name");
    assert_eq!(state(&journal), (vec![1], vec![]));
    let running = journal.finish(&pending(1), &Operation::running("operations/1")).unwrap_err();
    let message = "operation `operations/1` is not done: there is no result to record";
    assert_eq!((running.kind(), running.to_string().as_str()), (ErrorKind::Config, message));
    drop(journal);
    let journal = Journal::open(folder.file())?;
    assert_eq!(journal.pending(), [pending(1).with_started(journal.pending()[0].started().unwrap())]);
    Ok(())
}

#[test]
fn services_are_told_apart() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    let (here, there) = (pending(1).with_endpoint("https://a"), pending(1).with_endpoint("https://b"));
    assert_eq!(journal.add_all([&pending(1), &here, &there, &here])?, 3);
    assert!(journal.finish(&there, &done(1))?);
    let left = journal.pending();
    assert_eq!(left.iter().map(Pending::endpoint).collect::<Vec<_>>(), [None, Some("https://a")]);
    Ok(())
}

/// Results are what they were: text to the byte but for line ends, bytes of
/// unknown types as bytes.
#[test]
fn results_are_kept_as_they_came() -> Result<(), Error> {
    let bytes = Any::from_proto(prost_types::Any { type_url: "x/y".into(), value: vec![8, 0xff] });
    let spread = Operation::from_json(
        "{\n  \"new\": 18446744073709551615,\r\n  \"done\": true, \"name\": \"a\\nb\",\n\"response\": {}}",
    )?;
    let table = [
        done(1),
        Operation::failed("o", Status::new(crate::Code::Internal, "line\nline \u{2028}")),
        Operation::succeeded("o", bytes.clone()),
        Operation::succeeded("o", Any::pack(&prost_types::Duration { seconds: 1, nanos: 0 })),
        Operation::failed("o", Status::new(crate::Code::Internal, "m").with_detail(bytes)),
    ];
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    for (number, operation) in (0u8..).zip(table.iter().chain([&spread])) {
        journal.add(&pending(number))?;
        assert!(journal.finish(&pending(number), operation)?);
    }
    drop(journal);
    let journal = Journal::open(folder.file())?;
    let kept: Vec<_> = journal.finished().map(|result| result.unwrap().1).collect();
    assert_eq!(kept[5].to_json(), spread.to_json().replace(['\n', '\r'], " "));
    for (kept, operation) in kept.iter().zip(&table) {
        assert_eq!(kept.to_json(), operation.to_json());
        assert_eq!(kept.to_proto().is_ok(), operation.to_proto().is_ok(), "{operation:?}");
    }
    Ok(())
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let table = [
        ("nothing", "", "is empty: remove the file, and a journal is created"),
        ("text", "hello", "is no journal: its first line is not `{\"longrunning_journal\":1}`"),
        ("other JSON", "{}\n", "is no journal: its first line is not `{\"longrunning_journal\":1}`"),
        ("bytes", "\u{0}\u{0}\u{0}", "is no journal: its first line is not `{\"longrunning_journal\":1}`"),
        (
            "later version",
            "{\"longrunning_journal\":2}\nnew\n",
            "is of version 2, and this program knows version 1: use a later one",
        ),
        (
            "bad line",
            "{\"longrunning_journal\":1}\nbroken\n{\"new\":1}\n",
            "is damaged: line 2 is not JSON; mend that line, or take another journal",
        ),
        (
            "bad name",
            "{\"longrunning_journal\":1}\n{\"add\":{\"name\":\"\"}}\n",
            "is damaged: line 2 is not valid: `add`: expected a pending operation; mend that line, or take another \
             journal",
        ),
    ];
    for (row, text, why) in table {
        let folder = Files::new();
        let error = folder.holding(text).expect_err(row);
        assert_eq!(error.kind(), ErrorKind::Config, "{row}");
        assert_eq!(error.to_string(), format!("journal `{}` {why}", folder.file().display()), "{row}");
        assert_eq!(folder.text(), text, "{row}");
    }
}

#[test]
fn what_is_not_known_is_passed_over_and_kept() -> Result<(), Error> {
    let folder = Files::new();
    let lines = [
        r#"{"longrunning_journal":1,"new":[]}"#,
        r#"{"new":{"name":"operations/9"}}"#,
        r#"{"add":{"name":"operations/1","new":{"deep":[1]}},"new":1}"#,
        r#"{"add":{"name":"operations/2"}}"#,
        r#"{"forget":{"name":"operations/2","new":1}}"#,
        "",
    ];
    let journal = folder.holding(lines.join("\n"))?;
    assert_eq!(state(&journal), (vec![1], vec![]));
    journal.compact()?;
    let kept = [r#"{"longrunning_journal":1}"#, lines[1], lines[2], ""].join("\n");
    assert_eq!(folder.text(), kept);
    journal.finish(&pending(1), &done(1))?;
    assert_eq!(state(&journal), (vec![], vec![1]), "after it was moved");
    Ok(())
}

#[test]
fn a_write_that_failed_is_cut_off() -> Result<(), Error> {
    // The last one is longer than the next write, so that a rest of it would stay
    // behind.
    let long = format!("{{\"add\":{{\"name\":\"operations/7\",\"label\":\"{}", "x".repeat(1000));
    let short =
        ["{\"add\":{\"name\":\"operations/7\"", "\0\0\0\0\n", "{\"add\":{\"name\":\"operations/7\"}}"];
    for tail in [short[0], short[1], short[2], &long] {
        let folder = Files::new();
        Journal::open(folder.file())?.add(&pending(1))?;
        let before = folder.text();
        let journal = folder.holding(format!("{before}{tail}"))?;
        assert_eq!(state(&journal), (vec![1], vec![]), "{tail:?}");
        journal.add(&pending(2))?;
        drop(journal);
        assert!(folder.text().starts_with(&before) && !folder.text().contains("/7"), "{tail:?}");
        assert_eq!(state(&Journal::open(folder.file())?), (vec![1, 2], vec![]), "{tail:?}");
    }
    Ok(())
}

#[test]
fn one_at_a_time() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    let error = Journal::open(folder.file()).unwrap_err();
    let file = folder.file();
    let message = format!(
        "journal `{0}` is in use by this process, which holds `{1}`: wait for it to end, or take another journal",
        file.display(),
        file.with_file_name(".jobs.jsonl.longrunning-lock").display()
    );
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Config, message));
    drop(journal);
    Journal::open(folder.file()).map(drop)
}

#[test]
fn a_file_that_changes_underneath_is_noticed() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    journal.add(&pending(1))?;
    writeln!(OpenOptions::new().append(true).open(folder.file()).unwrap(), "by hand").unwrap();
    let error = journal.add(&pending(2)).unwrap_err();
    assert!(error.to_string().ends_with("cannot be written, nothing of this step is recorded"), "{error}");
    assert_eq!(error.source().unwrap().to_string(), "another program has changed it");
    assert!(folder.text().ends_with("by hand\n"));
    fs::remove_file(folder.file()).unwrap();
    let error = journal.add(&pending(2)).unwrap_err();
    let cause = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(cause.kind(), io::ErrorKind::NotFound, "not written into a file that is gone");
    Ok(())
}

#[test]
fn threads_share_a_journal() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    journal.add_all(&[1, 2, 3].map(pending))?;
    let firsts = thread::scope(|scope| {
        let finish = || [1, 2, 3].map(|number| journal.finish(&pending(number), &done(number)).unwrap());
        let threads = [scope.spawn(finish), scope.spawn(finish), scope.spawn(finish)];
        threads.map(|thread| thread.join().unwrap()).concat()
    });
    assert_eq!(firsts.iter().filter(|first| **first).count(), 3, "each is reported once");
    Ok(())
}

/// What is dead goes by itself, so that the file does not grow with what it has
/// seen.
#[test]
fn the_file_follows_what_it_holds() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    let label = "x".repeat(300_000);
    journal.add(&pending(1))?;
    journal.finish(&pending(1), &done(1))?;
    for number in 2..60 {
        journal.add(&pending(number).with_label(&label))?;
        journal.forget(&pending(number))?;
        assert!(fs::metadata(folder.file()).unwrap().len() < 2_000_000, "{number}");
    }
    assert_eq!(state(&journal), (vec![], vec![1]));
    drop(journal);
    assert_eq!(state(&Journal::open(folder.file())?), (vec![], vec![1]));
    Ok(())
}

#[cfg(unix)]
#[test]
fn files_stay_private_and_links_stay_links() -> Result<(), Error> {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Files::new();
    let mode = || fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777;
    let link = folder.0.path().join("link");
    symlink(folder.file(), &link).unwrap();
    Journal::open(folder.file())?.add(&pending(1))?;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let journal = Journal::open(&link)?;
    journal.compact()?;
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!((mode(), state(&journal)), (0o640, (vec![1], vec![])));
    assert!(Journal::open(folder.file()).is_err(), "one journal, whatever its path");
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o400)).unwrap();
    if OpenOptions::new().append(true).open(folder.file()).is_ok() {
        eprintln!("not tested: this user may write to files that are read-only");
        return Ok(());
    }
    drop(journal);
    let error = Journal::open(&link).unwrap_err();
    assert!(error.to_string().ends_with("may not be opened by this user"), "{error}");
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Add(u8),
    Finish(u8),
    Forget(u8),
    Compact,
    Reopen,
}

fn step(random: &mut Random) -> Step {
    let number = random.below(6) as u8;
    match random.below(17) {
        0..6 => Step::Add(number),
        6..12 => Step::Finish(number),
        12..15 => Step::Forget(number),
        15 => Step::Compact,
        _ => Step::Reopen,
    }
}

/// The same, in memory.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model(Vec<u8>, Vec<u8>);

impl Model {
    fn take(&mut self, step: Step) -> bool {
        let Self(pending, finished) = self;
        match step {
            Step::Add(n) if !pending.contains(&n) && !finished.contains(&n) => pending.push(n),
            Step::Finish(n) if pending.contains(&n) => {
                pending.retain(|other| *other != n);
                finished.push(n);
            }
            Step::Forget(n) if pending.contains(&n) || finished.contains(&n) => {
                [pending, finished].into_iter().for_each(|list| list.retain(|other| *other != n));
            }
            _ => return false,
        }
        true
    }
}

/// Cut off after any byte, the file holds exactly the steps whose lines are
/// whole.
#[test]
fn every_prefix_is_a_state() {
    cases(48, |random| {
        let steps: Vec<_> = (0..random.below(24)).map(|_| step(random)).collect();
        let folder = Files::new();
        let mut journal = Some(Journal::open(folder.file()).unwrap());
        let mut model = Model::default();
        // How long the file was when it came to which state.
        let mut states = vec![(record::HEADER.len(), model.clone())];
        for step in steps {
            let changes = model.take(step);
            let open = journal.as_ref().unwrap();
            let changed = match step {
                Step::Add(n) => open.add(&pending(n)).unwrap(),
                Step::Finish(n) => open.finish(&pending(n), &done(n)).unwrap(),
                Step::Forget(n) => open.forget(&pending(n)).unwrap(),
                Step::Compact => {
                    open.compact().unwrap();
                    // What is left has other lines before it.
                    states = vec![(folder.text().len(), model.clone())];
                    false
                }
                Step::Reopen => {
                    drop(journal.take());
                    journal = Some(Journal::open(folder.file()).unwrap());
                    false
                }
            };
            assert_eq!(changed, changes, "{:?}", step);
            states.push((folder.text().len(), model.clone()));
            let (pending, finished) = state(journal.as_ref().unwrap());
            assert_eq!(&Model(pending, finished), &model);
        }
        let text = folder.text();
        let first = states[0].0;
        for end in 0..=text.len() {
            let replayed = index::Replayed::read(&text.as_bytes()[..end]);
            if end < record::HEADER.len() {
                assert!(replayed.is_err(), "the header comes into being as a whole");
                continue;
            }
            let replayed = replayed.unwrap();
            let cut = text.as_bytes()[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            assert_eq!(replayed.len as usize, cut);
            if end >= first {
                let (_, expected) = states.iter().rfind(|(length, _)| *length <= end).unwrap();
                let numbers =
                    |list: Vec<Pending>| list.iter().map(|p| p.name().id().parse().unwrap()).collect();
                let found = Model(numbers(replayed.index.pending()), numbers(replayed.index.finished()));
                assert_eq!(&found, expected, "at {}", end);
            }
        }
    });
}

/// Whatever stands in a file: a journal, or an error.
#[test]
fn no_file_is_too_odd() {
    cases(48, |random| {
        let bytes: Vec<_> = (0..random.below(200)).map(|_| random.next() as u8).collect();
        let lines: Vec<_> = (0..random.below(4)).map(|_| random.text("{}[]\":,az09 \\", 30)).collect();
        let folder = Files::new();
        let with_header = [record::HEADER.as_bytes(), &bytes, lines.join("\n").as_bytes()].concat();
        for content in [&bytes, &with_header] {
            if let Ok(journal) = folder.holding(content) {
                assert!(journal.pending().len() <= content.len());
                journal.add(&pending(1)).unwrap();
                drop(journal);
                let journal = Journal::open(folder.file()).unwrap();
                assert!(journal.pending().iter().any(|found| found.name() == pending(1).name()));
            }
        }
    });
}

#[test]
fn lines_of_one_step_are_found_after_compaction() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    journal.add_all(&[1, 2, 3].map(pending))?;
    journal.finish(&pending(2), &done(2))?;
    journal.forget(&pending(1))?;
    journal.compact()?;
    assert_eq!(state(&journal), (vec![3], vec![2]));
    drop(journal);
    assert_eq!(state(&Journal::open(folder.file())?), (vec![3], vec![2]));
    Ok(())
}

#[test]
fn a_file_that_changes_before_the_first_write_is_noticed() -> Result<(), Error> {
    let folder = Files::new();
    let journal = Journal::open(folder.file())?;
    writeln!(OpenOptions::new().append(true).open(folder.file()).unwrap(), "by hand").unwrap();
    assert!(journal.add(&pending(1)).is_err());
    assert!(folder.text().ends_with("by hand\n"));
    Ok(())
}
