//! The state of a journal as the sum of its lines.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead};
use std::str;

use crate::journal::record::{self, JournalKey, JournalRecord};
use crate::pending::Pending;

/// The operations of a journal, and where in the file their lines stand.
#[derive(Debug, Default)]
pub(super) struct JournalIndex {
    entries: HashMap<JournalKey, IndexEntry>,
    /// Lines that are kept without being understood.
    others: Vec<RecordPlace>,
    /// Bytes of the lines that count.
    live: u64,
}

#[derive(Debug)]
struct IndexEntry {
    pending: Pending,
    added: RecordPlace,
    finished: Option<RecordPlace>,
}

/// Where a line stands, its end included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordPlace {
    pub(super) at: u64,
    pub(super) len: u64,
}

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    pub(super) index: JournalIndex,
    /// The length of all complete lines; the rest was cut off while it was
    /// written.
    pub(super) len: u64,
}

/// Why a file is rejected as a journal; the text continues after the name of
/// the file.
#[derive(Debug)]
pub(super) enum Unusable {
    Contents(String),
    Io(io::Error),
}

impl Replayed {
    /// Reads a file, line by line; the last line counts if it is complete.
    pub(super) fn read(mut file: impl BufRead) -> Result<Self, Unusable> {
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
                // A line that was not written to its end before the power went may still have its end.
                (None, true) if file.fill_buf()?.is_empty() => break,
                (None, true) => return Err(invalid(number, "is not JSON")),
                (Some(Err(why)), true) => return Err(invalid(number, &why)),
            }
            replayed.len += len;
        }
        Ok(replayed)
    }
}

/// Reads the first line, which distinguishes a journal from any other file;
/// returns its length.
pub(super) fn read_header(file: &mut impl BufRead) -> Result<u64, Unusable> {
    let mut line = Vec::new();
    let length = read_line(file, &mut line, LONGEST_HEADER)?;
    match length {
        0 => Err(Unusable::Contents("is empty: remove the file, and a journal is created".to_owned())),
        _ => record::check_header(&line).map(|()| length).map_err(Unusable::Contents),
    }
}

fn invalid(number: u64, why: &str) -> Unusable {
    Unusable::Contents(format!("is damaged: line {number} {why}; mend that line, or take another journal"))
}

/// Returns the record of a line, or the error in it; nothing if it is not even
/// JSON.
fn parse(line: &[u8]) -> Option<Result<JournalRecord, String>> {
    match JournalRecord::read(str::from_utf8(line).ok()?) {
        Ok(record) => Some(Ok(record)),
        Err(invalid) if invalid.is_json() => Some(Err(format!("is not valid: {invalid}"))),
        Err(_) => None,
    }
}

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
    pub(super) fn apply(&mut self, record: JournalRecord, place: RecordPlace) {
        match record {
            JournalRecord::Add(pending) => {
                let entry = IndexEntry { pending, added: place, finished: None };
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

    pub(super) fn live(&self) -> u64 {
        self.live
    }

    pub(super) fn contains(&self, key: &JournalKey) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn is_pending(&self, key: &JournalKey) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.finished.is_none())
    }

    /// Operations without a result, in the order in which they were added.
    pub(super) fn pending(&self) -> Vec<Pending> {
        let pending = self.entries.values().filter(|entry| entry.finished.is_none());
        let pending: BTreeMap<_, _> = pending.map(|entry| (entry.added, &entry.pending)).collect();
        pending.into_values().cloned().collect()
    }

    /// Operations with a result, in the order in which those came.
    pub(super) fn finished(&self) -> Vec<Pending> {
        let finished = self.entries.values().filter_map(|entry| Some((entry.finished?, &entry.pending)));
        finished.collect::<BTreeMap<_, _>>().into_values().cloned().collect()
    }

    pub(super) fn result(&self, key: &JournalKey) -> Option<RecordPlace> {
        self.entries.get(key)?.finished
    }

    /// Returns the lines that count, in the order in which they stand.
    pub(super) fn lines(&self) -> Vec<RecordPlace> {
        let entries = self.entries.values().flat_map(|entry| [Some(entry.added), entry.finished]);
        let mut lines: Vec<_> = entries.flatten().chain(self.others.iter().copied()).collect();
        lines.sort_unstable();
        lines
    }

    /// Follows the lines to where they stand in another file.
    pub(super) fn relocate(&mut self, moved: &HashMap<u64, u64>) {
        let relocate = |place: &mut RecordPlace| place.at = moved.get(&place.at).copied().unwrap_or(place.at);
        for entry in self.entries.values_mut() {
            relocate(&mut entry.added);
            entry.finished.as_mut().map(relocate);
        }
        self.others.iter_mut().for_each(relocate);
    }
}

/// Longer than any header of ours, short enough for a file of another kind
/// without lines.
const LONGEST_HEADER: u64 = 4096;
