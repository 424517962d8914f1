//! The state of a journal: what the lines of its file add up to.
//!
//! The index has each operation, and for its lines only where they stand,
//! because results can be large and are seldom read twice. It is built when the
//! file is opened, line by line, and each appended line changes it in the same
//! way ([`JournalIndex::apply`]). So the state in memory is that of a process
//! that reads the file anew.
//!
//! ```text
//! line                        state of the operation
//! add                         pending, unless it is known
//! finish                      finished, if it is pending
//! forget                      removed
//! of an unknown kind          kept in the file, for a later version
//! ```

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};
use std::str;

use crate::journal::record::{self, JournalKey, JournalRecord};
use crate::pending::Pending;

/// The operations of a journal, and where in the file their lines stand.
///
/// `live` is the sum of the lengths of all lines in `entries` and `others`.
#[derive(Debug, Default)]
pub(super) struct JournalIndex {
    entries: HashMap<JournalKey, IndexEntry>,
    /// Lines of kinds that only later versions know. Compaction copies them.
    others: Vec<RecordPlace>,
    /// How many bytes of the file have an effect, the header not counted.
    live: u64,
}

/// One operation: pending without `finished`, and else finished.
#[derive(Debug)]
struct IndexEntry {
    pending: Pending,
    added: RecordPlace,
    finished: Option<RecordPlace>,
}

/// Where a line stands in the file, in bytes, its line feed included. The order
/// of places is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordPlace {
    pub(super) at: u64,
    pub(super) len: u64,
}

/// What a file contained when it was read.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) index: JournalIndex,
    /// The length of all complete lines; the rest was cut off while it was
    /// written.
    pub(super) len: u64,
}

/// Why a file is rejected as a journal.
#[derive(Debug)]
pub(super) enum Unusable {
    /// What is wrong with the contents; reads on after the name of the file.
    Contents(String),
    /// Reading failed.
    Io(io::Error),
}

impl Replayed {
    /// Reads a file, line by line. A last line that is cut off or no JSON is
    /// ignored.
    ///
    /// # Errors
    ///
    /// [`Unusable::Contents`] for any other line that cannot be read: a crash
    /// cannot cause one, and ignoring it could lose an operation.
    pub(super) fn read(mut file: impl BufRead) -> Result<Self, Unusable> {
        // Again, although the caller has checked it: the file was opened again
        // since.
        let length = read_header(&mut file)?;
        let mut line = Vec::new();
        let mut replayed = Self { len: length, ..Self::default() };
        for number in 2u64.. {
            let len = read_line(&mut file, &mut line, u64::MAX)?;
            let place = RecordPlace { at: replayed.len, len };
            match (parse(&line), line.ends_with(b"\n")) {
                // Cut off by a crash, and never reported as written: the next append replaces it.
                (_, false) => break,
                (Some(Ok(record)), true) => replayed.index.apply(record, place),
                // A power failure can keep the end of a line and lose its
                // middle, since disks write blocks in any order.
                (None, true) if file.fill_buf()?.is_empty() => break,
                (None, true) => return Err(invalid(number, "is not JSON")),
                (Some(Err(why)), true) => return Err(invalid(number, &why)),
            }
            replayed.len += len;
        }
        Ok(replayed)
    }
}

/// Reads the first line, which distinguishes a journal from any other file, and
/// returns its length.
///
/// An empty file is rejected too: it may be one that another program is about
/// to fill.
pub(super) fn read_header(file: &mut impl BufRead) -> Result<u64, Unusable> {
    let mut line = Vec::new();
    let length = read_line(file, &mut line, LONGEST_HEADER)?;
    match length {
        0 => Err(Unusable::Contents("is empty: remove the file, and a journal is created".to_owned())),
        _ => record::check_header(&line).map(|()| length).map_err(Unusable::Contents),
    }
}

/// Returns the error for a line that is damaged.
fn invalid(number: u64, why: &str) -> Unusable {
    Unusable::Contents(format!("is damaged: line {number} {why}; mend that line, or take another journal"))
}

/// Returns the record of a line, or the error in it; `None` if it is not even
/// JSON, as after a crash.
fn parse(line: &[u8]) -> Option<Result<JournalRecord, String>> {
    match JournalRecord::read(str::from_utf8(line).ok()?) {
        // A valid line, of whatever kind.
        Ok(record) => Some(Ok(record)),
        Err(invalid) if invalid.is_json() => Some(Err(format!("is not valid: {invalid}"))),
        Err(_) => None,
    }
}

/// Reads a line of at most `most` bytes, with its line feed, and returns its
/// length; zero at the end of the file.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>, most: u64) -> io::Result<u64> {
    line.clear();
    io::Read::take(file, most).read_until(b'\n', line).map(|length| length as u64)
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl JournalIndex {
    /// Changes the state by one line. Lines that change nothing count as dead:
    /// compaction drops them.
    pub(super) fn apply(&mut self, record: JournalRecord, place: RecordPlace) {
        match record {
            JournalRecord::Add(pending) => {
                let entry = IndexEntry { pending, added: place, finished: None };
                // The first `add` counts. A second one comes from a program
                // that has edited the file.
                self.entries.entry(record::key(&entry.pending)).or_insert_with(|| {
                    self.live += place.len;
                    entry
                });
            }
            JournalRecord::Finish(key) => {
                let entry = self.entries.get_mut(&key).filter(|entry| entry.finished.is_none());
                if let Some(entry) = entry {
                    entry.finished = Some(place);
                    self.live += place.len;
                }
            }
            JournalRecord::Forget(key) => {
                if let Some(entry) = self.entries.remove(&key) {
                    self.live -= entry.added.len + entry.finished.map_or(0, |place| place.len);
                }
            }
            JournalRecord::Other => {
                self.others.push(place);
                self.live += place.len;
            }
        }
    }

    /// Returns how many bytes of the file have an effect.
    pub(super) fn live(&self) -> u64 {
        self.live
    }

    /// Returns whether the operation is pending or finished.
    pub(super) fn contains(&self, key: &JournalKey) -> bool {
        self.entries.contains_key(key)
    }

    /// Returns whether the operation is there and has no result.
    pub(super) fn is_pending(&self, key: &JournalKey) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.finished.is_none())
    }

    /// Returns operations without a result, in the order in which they were
    /// added.
    pub(super) fn pending(&self) -> Vec<Pending> {
        let pending = self.entries.values().filter(|entry| entry.finished.is_none());
        let pending: BTreeMap<_, _> = pending.map(|entry| (entry.added, &entry.pending)).collect();
        pending.into_values().cloned().collect()
    }

    /// Returns operations with a result, in the order of the results.
    pub(super) fn finished(&self) -> Vec<Pending> {
        let finished = self.entries.values().filter_map(|entry| Some((entry.finished?, &entry.pending)));
        finished.collect::<BTreeMap<_, _>>().into_values().cloned().collect()
    }

    /// Returns where the result of an operation stands, if it has one.
    pub(super) fn result(&self, key: &JournalKey) -> Option<RecordPlace> {
        self.entries.get(key)?.finished
    }

    /// Returns the lines that have an effect, in the order in which they stand.
    pub(super) fn lines(&self) -> Vec<RecordPlace> {
        let entries = self.entries.values().flat_map(|entry| [Some(entry.added), entry.finished]);
        let mut lines: Vec<_> = entries.flatten().chain(self.others.iter().copied()).collect();
        lines.sort_unstable();
        lines
    }

    /// Moves all places, after the lines were copied to another file: `moved`
    /// has the new position by the old one.
    pub(super) fn relocate(&mut self, moved: &HashMap<u64, u64>) {
        let relocate = |place: &mut RecordPlace| place.at = moved.get(&place.at).copied().unwrap_or(place.at);
        for entry in self.entries.values_mut() {
            relocate(&mut entry.added);
            entry.finished.as_mut().map(relocate);
        }
        self.others.iter_mut().for_each(relocate);
    }
}

/// How many bytes may be read to find the first line: more than any header of
/// ours, and few enough for a large file without lines.
const LONGEST_HEADER: u64 = 4096;
