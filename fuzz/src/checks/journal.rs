//! Files in place of a journal.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use longrunning::{Journal, Pending};

use super::messages::check_error;

/// A file that is rejected stays as it is. One that is accepted has the same operations after it was opened again,
/// also if a line was cut off at its end, and takes new ones.
pub fn journal(data: &[u8]) {
    let path = path();
    fs::write(&path, data).expect("the folder is there");
    let journal = match Journal::open(&path) {
        Ok(journal) => journal,
        Err(error) => {
            check_error(&error);
            assert_eq!(fs::read(&path).expect("it is there"), data);
            return;
        }
    };
    let before = names(&journal);
    let added = Pending::new("operations/added-by-the-check").expect("a valid name");
    let is_new = journal.add(&added).expect("the disk has room");
    assert_eq!(
        is_new,
        !before.0.iter().chain(&before.1).any(|name| name == "operations/added-by-the-check@")
    );
    drop(journal);
    let journal = Journal::open(&path).expect("it was accepted before");
    let mut after = names(&journal);
    if is_new {
        after.0.retain(|name| name != "operations/added-by-the-check@");
    }
    assert_eq!(after, before);
    journal.compact().expect("the disk has room");
    assert_eq!(names(&journal).1, before.1);
}

/// The pending and the finished operations; results that cannot be read count by their error.
fn names(journal: &Journal) -> (Vec<String>, Vec<String>) {
    let key = |pending: &Pending| format!("{}@{}", pending.name(), pending.endpoint().unwrap_or_default());
    let mut pending: Vec<String> = journal.pending().iter().map(key).collect();
    let finished = journal.finished().map(|result| match result {
        Ok((pending, operation)) => key(&pending) + &operation.to_json(),
        Err(error) => error.to_string(),
    });
    let mut finished: Vec<String> = finished.collect();
    pending.sort();
    finished.sort();
    (pending, finished)
}

fn path() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let folder = folder.join(format!("longrunning-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for files");
        folder
    });
    folder.join("jobs.jsonl")
}
