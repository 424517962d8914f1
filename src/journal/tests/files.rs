//! Files of other programs, in every place where a journal could take one for
//! its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::Path;

use super::{Files, done, pending, state};
use crate::error::{Error, ErrorKind};
use crate::journal::Journal;
use crate::types::Operation;

/// Everything in a folder: what it is, and what is in it.
fn snapshot(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let contents = match kind.is_file() {
            true => String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned(),
            false => fs::read_link(entry.path()).unwrap_or_default().display().to_string(),
        };
        let modified = fs::symlink_metadata(entry.path()).unwrap().modified().unwrap();
        (entry.file_name().into_string().unwrap(), format!("{kind:?} {modified:?} {contents}"))
    });
    entries.collect()
}

/// Opens a journal that must be refused, and checks that nothing happened but a
/// new lock file.
fn refused(path: &Path) -> String {
    let folder = path.parent().unwrap();
    let before = snapshot(folder);
    let error = Journal::open(path).expect_err("must be refused");
    assert_eq!(error.kind(), ErrorKind::Config);
    let mut after = snapshot(folder);
    after.retain(|name, _| before.contains_key(name) || !name.ends_with(".longrunning-lock"));
    assert_eq!(after, before, "{error}");
    let message = error.to_string();
    let shown = crate::util::file::shown(path);
    message.strip_prefix(&format!("journal `{shown}` ")).map_or(message.clone(), str::to_owned)
}

#[test]
fn neighbours_with_common_names_stay_as_they_are() -> Result<(), Error> {
    let folder = Files::new();
    let names =
        ["Cargo.lock", "Cargo.tmp", "Cargo.bak", "Cargo~", ".Cargo.swp", ".Cargo.lock", "Cargo.lock.lock"];
    for (name, text) in names.iter().zip(["# locked\n", "temporary", "", "4711", "x", "4711\n", "\n"]) {
        folder.0.file(name, text);
    }
    let before = snapshot(folder.0.path());
    let path = folder.0.path().join("Cargo");
    let journal = Journal::open(&path)?;
    journal.add(&pending(1))?;
    journal.compact()?;
    journal.finish(&pending(1), &done(1))?;
    drop(journal);
    assert_eq!(state(&Journal::open(&path)?), (vec![], vec![1]));
    let mut after = snapshot(folder.0.path());
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(after, before);
    Ok(())
}

#[test]
fn folders_and_missing_folders_are_refused() {
    let folder = Files::new();
    let within = |name: &str| folder.0.path().join(name);
    fs::create_dir(within("folder")).unwrap();
    folder.0.file("file", "{}\n");
    assert_eq!(refused(&within("folder")), "is a folder, expected the path of a file");
    assert_eq!(refused(&within("new/")), "has no file name");
    for path in ["none/jobs.jsonl", "file/jobs.jsonl"] {
        let error = Journal::open(within(path)).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::Config, "{path}");
    }
    assert!(Journal::open("").is_err() && Journal::open("/").is_err() && Journal::open(".").is_err());
    assert_eq!(snapshot(folder.0.path()).len(), 2, "no lock beside what is no journal");
}

#[test]
fn a_refused_file_keeps_its_neighbours() {
    let header = "{\"longrunning_journal\":1}\n";
    let rows = ["", "{", "hello", "{}\n", "{\"longrunning_journal\":2}\n", &header[..20], &header[..24]];
    let damaged = format!("{header}broken\n{{\"new\":1}}\n");
    for text in rows.into_iter().chain([damaged.as_str()]) {
        let folder = Files::new();
        for neighbour in ["jobs.jsonl.lock", "jobs.jsonl.tmp"] {
            folder.0.file(neighbour, "of another program");
        }
        fs::write(folder.file(), text).unwrap();
        refused(&folder.file());
        // With a lock file of an earlier process, too.
        folder.0.file(LOCK, "longrunning-lock 4711\n\n");
        refused(&folder.file());
    }
}

#[test]
fn a_lock_file_of_another_program_is_refused() -> Result<(), Error> {
    for text in ["of another program", "4711\n"] {
        let folder = Files::new();
        folder.0.file(LOCK, text);
        let message = refused(&folder.file());
        assert!(message.contains(LOCK) && message.contains("was not created by a journal"), "{message}");
    }
    let folder = Files::new();
    fs::create_dir(folder.0.path().join(LOCK)).unwrap();
    assert!(refused(&folder.file()).ends_with("is a folder, expected the path of a file"));
    Ok(())
}

#[test]
fn a_journal_of_an_earlier_version_is_read() -> Result<(), Error> {
    let folder = Files::new();
    folder.0.file("jobs.jsonl", include_str!("../../../tests/fixtures/journal/jobs.jsonl"));
    folder.0.file("jobs.jsonl.lock", include_str!("../../../tests/fixtures/journal/jobs.jsonl.lock"));
    let journal = Journal::open(folder.file())?;
    let names: Vec<_> = journal.pending().iter().map(|pending| pending.name().to_string()).collect();
    assert_eq!(names, ["projects/p/locations/l/operations/1", "operations/bare"]);
    let first = &journal.pending()[0];
    let read = (first.endpoint(), first.api_version(), first.label());
    assert_eq!(read, (Some("https://run.googleapis.com"), Some("v2"), Some("nightly é \"1\"")));
    let outcomes: Vec<_> = journal.finished().map(|result| result.unwrap().1.outcome().to_string()).collect();
    assert_eq!(outcomes[0], "failed: INTERNAL: out of disk");
    let opaque: Operation = journal.finished().nth(1).unwrap()?.1;
    assert_eq!(opaque.response().unwrap().to_proto()?.value, [8, 0xff]);
    journal.compact()?;
    journal.add(&pending(7))?;
    drop(journal);
    assert_eq!(Journal::open(folder.file())?.pending().len(), 3);
    let lock = fs::read_to_string(folder.0.path().join("jobs.jsonl.lock")).unwrap();
    assert_eq!(lock, include_str!("../../../tests/fixtures/journal/jobs.jsonl.lock"), "locked, not written");
    Ok(())
}

/// As an earlier version of the crate locks a journal.
fn lock_as_earlier_version(path: &Path) -> Option<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 1);
    let file = options.open(path).ok()?;
    #[cfg(unix)]
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

#[test]
fn two_versions_exclude_each_other() -> Result<(), Error> {
    let folder = Files::new();
    drop(Journal::open(folder.file())?);
    let earlier = Path::new(&folder.0.file("jobs.jsonl.lock", "4711\n")).to_owned();
    let held = lock_as_earlier_version(&earlier).unwrap();
    let message = refused(&folder.file());
    assert!(message.starts_with("is in use by process 4711, which holds `"), "{message}");
    assert!(message.contains("jobs.jsonl.lock`"), "{message}");
    drop(held);
    let journal = Journal::open(folder.file())?;
    assert!(lock_as_earlier_version(&earlier).is_none(), "locked for both versions");
    drop(journal);
    assert!(lock_as_earlier_version(&earlier).is_some());
    Ok(())
}

/// File systems limit names to 255 bytes, and the companions have longer ones.
#[test]
fn names_may_be_as_long_as_the_file_system_allows() -> Result<(), Error> {
    let folder = Files::new();
    for name in
        ["x".repeat(100), "é".repeat(60), "x".repeat(101), "x".repeat(255), format!("{}y", "x".repeat(254))]
    {
        let journal = Journal::open(folder.0.path().join(&name))?;
        journal.add(&pending(1))?;
        journal.compact()?;
        assert!(Journal::open(folder.0.path().join(&name)).is_err(), "{name} is locked");
    }
    assert_eq!(snapshot(folder.0.path()).len(), 10, "a lock each, and nothing else");
    Ok(())
}

#[test]
fn a_temporary_file_of_a_killed_process_is_removed_and_no_other() -> Result<(), Error> {
    const LONGER: &str = ".jobs.jsonl.longrunning-tmp-0123456789abcdef0";
    const NO_HEX: &str = ".jobs.jsonl.longrunning-tmp-0123456789abcdeg";
    let ours = ".jobs.jsonl.longrunning-tmp-0123456789abcdef";
    let rows = [
        (ours, true),
        (LONGER, false),
        (NO_HEX, false),
        (".jobs.jsonl.longrunning-tmp-/../../../victim", false),
        (".other.longrunning-tmp-0123456789abcdef", false),
        ("victim", false),
    ];
    for (name, removed) in rows {
        let folder = Files::new();
        drop(Journal::open(folder.file())?);
        let victims = ["victim", ours, LONGER, NO_HEX, ".other.longrunning-tmp-0123456789abcdef"];
        for victim in victims {
            folder.0.file(victim, "contents");
        }
        folder.0.file(LOCK, &format!("longrunning-lock 4711\n{name}\n"));
        drop(Journal::open(folder.file())?);
        for victim in victims {
            assert_eq!(
                folder.0.path().join(victim).exists(),
                !(removed && victim == ours),
                "{name}: {victim}"
            );
        }
        let lock = fs::read_to_string(folder.0.path().join(LOCK)).unwrap();
        assert_eq!(lock, format!("longrunning-lock {}\n\n", std::process::id()));
    }
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    fn fifo(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn special_files_are_refused_at_once() {
        let folder = Files::new();
        let within = |name: &str| folder.0.path().join(name);
        fifo(&within("fifo"));
        symlink(within("fifo"), within("to-fifo")).unwrap();
        symlink("/dev/zero", within("device")).unwrap();
        symlink("nowhere", within("dangling")).unwrap();
        symlink("loop", within("loop")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(within("socket")).unwrap();
        assert_eq!(refused(&within("fifo")), "is not a regular file");
        assert!(refused(&within("to-fifo")).ends_with("fifo` is not a regular file"));
        assert_eq!(refused(&within("device")), "journal `/dev/zero` is not a regular file");
        assert_eq!(refused(&within("socket")), "is not a regular file");
        assert_eq!(refused(&within("dangling")), "is a symbolic link to `nowhere`, which does not exist");
        assert_eq!(refused(&within("loop")), "is a symbolic link that leads back to itself");
        assert_eq!(snapshot(folder.0.path()).len(), 6, "no lock beside what is no journal");
    }

    /// In the place of the lock: each of these would be truncated, blocked on
    /// or locked if it were opened without care.
    #[test]
    fn the_lock_file_is_no_other_file() {
        let folder = Files::new();
        let lock = folder.0.path().join(LOCK);
        let victim = PathBuf::from(folder.0.file("victim", "longrunning-lock 4711\n\n"));
        symlink(&victim, &lock).unwrap();
        assert!(refused(&folder.file()).ends_with("is a symbolic link"));
        fs::remove_file(&lock).unwrap();
        symlink(folder.0.path().join("nowhere"), &lock).unwrap();
        assert!(refused(&folder.file()).ends_with("is a symbolic link"));
        fs::remove_file(&lock).unwrap();
        fs::hard_link(&victim, &lock).unwrap();
        assert!(refused(&folder.file()).contains("was not created by a journal"));
        fs::remove_file(&lock).unwrap();
        fifo(&lock);
        assert!(refused(&folder.file()).ends_with("is not a regular file"));
    }

    #[test]
    fn a_lock_of_an_earlier_version_is_no_other_file() -> Result<(), Error> {
        let folder = Files::new();
        let lock = folder.0.path().join("jobs.jsonl.lock");
        let victim = PathBuf::from(folder.0.file("victim", "4711\n"));
        symlink(&victim, &lock).unwrap();
        Journal::open(folder.file())?.add(&pending(1))?;
        fs::remove_file(&lock).unwrap();
        fifo(&lock);
        assert_eq!(state(&Journal::open(folder.file())?), (vec![1], vec![]));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "4711\n");
        Ok(())
    }

    #[test]
    fn compaction_replaces_the_target_of_a_link() -> Result<(), Error> {
        let folder = Files::new();
        fs::create_dir(folder.0.path().join("there")).unwrap();
        let target = folder.0.path().join("there/jobs.jsonl");
        drop(Journal::open(&target)?);
        symlink("there/jobs.jsonl", folder.file()).unwrap();
        symlink(folder.file(), folder.0.path().join("link")).unwrap();
        let before = fs::metadata(&target).unwrap().ino();
        let journal = Journal::open(folder.0.path().join("link"))?;
        journal.add(&pending(1))?;
        journal.compact()?;
        journal.finish(&pending(1), &done(1))?;
        assert_ne!(fs::metadata(&target).unwrap().ino(), before);
        let names: Vec<_> = snapshot(folder.0.path()).into_keys().collect();
        assert_eq!(names, ["jobs.jsonl", "link", "there"], "companions stand beside the target");
        drop(journal);
        assert_eq!(state(&Journal::open(&target)?), (vec![], vec![1]));
        Ok(())
    }

    /// A link that is turned to another journal while this one is open changes
    /// nothing.
    #[test]
    fn a_link_is_followed_once() -> Result<(), Error> {
        let folder = Files::new();
        let [first, second, link] = ["first", "second", "link"].map(|name| folder.0.path().join(name));
        drop((Journal::open(&first)?, Journal::open(&second)?));
        symlink(&first, &link).unwrap();
        let journal = Journal::open(&link)?;
        fs::remove_file(&link).unwrap();
        symlink(&second, &link).unwrap();
        journal.add(&pending(1))?;
        journal.compact()?;
        drop(journal);
        assert_eq!(state(&Journal::open(&first)?), (vec![1], vec![]));
        assert_eq!(state(&Journal::open(&second)?), (vec![], vec![]));
        Ok(())
    }

    #[test]
    fn a_file_in_the_place_of_the_journal_is_left_alone() -> Result<(), Error> {
        let folder = Files::new();
        let journal = Journal::open(folder.file())?;
        journal.add(&pending(1))?;
        journal.finish(&pending(1), &done(1))?;
        let text = fs::read(folder.file()).unwrap();
        for replace in [
            |path: &Path, text: &[u8]| fs::write(path, text).unwrap(),
            |path: &Path, _: &[u8]| fifo(path),
            |path: &Path, _: &[u8]| symlink("/dev/zero", path).unwrap(),
        ] {
            fs::rename(folder.file(), folder.0.path().join("moved")).unwrap();
            replace(&folder.file(), &text);
            let before = snapshot(folder.0.path());
            assert!(journal.add(&pending(2)).is_err());
            assert!(journal.compact().is_err());
            assert!(journal.finished().next().unwrap().is_err(), "not read from it either");
            assert_eq!(snapshot(folder.0.path()), before);
            fs::rename(folder.0.path().join("moved"), folder.file()).unwrap();
            journal.compact()?;
        }
        Ok(())
    }

    /// The file is written anew when more than half of it is dead, not earlier.
    #[test]
    fn a_file_stays_while_its_lines_count() -> Result<(), Error> {
        let folder = Files::new();
        // Open, so that no other file gets its number.
        let open = |path: &Path| fs::File::open(path).unwrap();
        let number = |file: &fs::File| file.metadata().unwrap().ino();
        let large = |number| pending(number).with_label("x".repeat(300_000));
        let unknown = format!("{{\"new\":\"{}\"}}\n", "x".repeat(1_200_000));
        let journal = folder.holding(format!("{{\"longrunning_journal\":1}}\n{unknown}"))?;
        let first = open(&folder.file());
        for name in 0..4 {
            journal.add(&large(name))?;
        }
        // 2.4 MB count.
        for name in 4..9 {
            journal.add(&large(name))?;
            journal.forget(&large(name))?;
        }
        drop(journal);
        let journal = Journal::open(folder.file())?;
        assert_eq!(number(&first), number(&open(&folder.file())), "1.5 MB are dead");
        for name in 9..17 {
            journal.add(&large(name))?;
            journal.forget(&large(name))?;
        }
        assert_ne!(number(&first), number(&open(&folder.file())), "3.9 MB are dead");
        assert_eq!(state(&journal), (vec![0, 1, 2, 3], vec![]));
        Ok(())
    }

    /// The folder has so long a path that there is room for the names of the
    /// journal and of its lock file, and not for that of a temporary file.
    #[test]
    fn a_compaction_that_failed_is_tried_again_when_the_file_has_grown() -> Result<(), Error> {
        const HEADER: &str = "{\"longrunning_journal\":1}\n";
        let files = Files::new();
        let mut folder = files.0.path().to_owned();
        let most = libc::PATH_MAX as usize - "/.j.longrunning-tmp-0123456789abcdef".len();
        while folder.as_os_str().len() < most {
            let rest = most - folder.as_os_str().len();
            folder.push("x".repeat(rest.min(100)));
        }
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("j");
        fs::write(&path, HEADER).unwrap();
        let journal = Journal::open(&path)?;
        // Each attempt records its temporary file in the lock file.
        let lock = folder.join(".j.longrunning-lock");
        let attempted = |step: &dyn Fn()| {
            fs::write(&lock, "").unwrap();
            step();
            !fs::read_to_string(&lock).unwrap().is_empty()
        };
        let length = || fs::metadata(&path).unwrap().len() as usize;
        let labelled = |number: u8, label: usize| pending(number).with_label("x".repeat(label));
        journal.add(&labelled(1, 1))?;
        let overhead = length() - HEADER.len() - 1;
        // After this step the file has so many bytes.
        let grow = |number, to: usize| {
            journal.add(&labelled(number, to - length() - overhead)).unwrap();
            assert_eq!(length(), to);
        };
        assert!(!attempted(&|| grow(2, 5 << 20)), "nothing is dead");
        assert!(attempted(&|| assert!(journal.forget(&labelled(2, 0)).unwrap())), "5 MiB are dead");
        let next = length() + (1 << 20);
        assert!(!attempted(&|| grow(3, next - 1000)), "the file has grown by less than 1 MiB");
        assert!(attempted(&|| grow(4, next)), "the file has grown by 1 MiB");
        assert!(!attempted(&|| grow(5, next + 1000)), "that failed, too");
        drop(journal);
        assert_eq!(Journal::open(&path)?.pending().len(), 4);
        Ok(())
    }

    #[test]
    fn compaction_keeps_the_owner() -> Result<(), Error> {
        let folder = Files::new();
        let journal = Journal::open(folder.file())?;
        if std::os::unix::fs::chown(folder.file(), Some(1), Some(1)).is_err() {
            eprintln!("not tested: this user may not give files away");
            return Ok(());
        }
        journal.compact()?;
        let found = fs::metadata(folder.file()).unwrap();
        assert_eq!((found.uid(), found.gid()), (1, 1));
        Ok(())
    }

    #[test]
    fn a_file_without_permission_is_refused() {
        let folder = Files::new();
        drop(Journal::open(folder.file()).unwrap());
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for bits in [0o000, 0o200, 0o400] {
            mode(&folder.file(), bits);
            if OpenOptions::new().read(true).write(true).open(folder.file()).is_ok() {
                eprintln!("not tested: this user may open files whatever their mode");
                return;
            }
            let error = Journal::open(folder.file()).unwrap_err().to_string();
            assert!(error.ends_with("jobs.jsonl` may not be opened by this user"), "{error}");
        }
        mode(folder.0.path(), 0o500);
        let error = Journal::open(folder.0.path().join("new")).unwrap_err().to_string();
        assert!(error.contains(".new.longrunning-lock` of a journal cannot be created"), "{error}");
        mode(folder.0.path(), 0o700);
    }
}

const LOCK: &str = ".jobs.jsonl.longrunning-lock";
