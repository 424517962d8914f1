//! Where a journal is, and the names of the files that belong to it.
//!
//! All files of a journal are in its folder, because renaming works only within
//! a file system, and so that they are found with the journal.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::util::file::{FileError, shown};

/// Returns the absolute path of a journal, without links.
///
/// The links are followed once, when the journal is opened, so that compaction
/// replaces the file and not a link to it. A file that does not exist yet needs
/// a folder that does.
///
/// # Errors
///
/// `ErrorKind::Config` if the folder does not exist, or the path leads nowhere.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, Error> {
    match canonical(path) {
        Ok(path) => Ok(path),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => resolve_new(path),
        Err(cause) => Err(unusable(path, FileError::failed(cause))),
    }
}

/// Resolves the path of a file that does not exist.
fn resolve_new(path: &Path) -> Result<PathBuf, Error> {
    if let Ok(target) = fs::read_link(path) {
        let why = format!("is a symbolic link to `{}`, which does not exist", shown(&target));
        return Err(invalid(path, &why));
    }
    // `new/` would be a folder, although `file_name` returns `new`.
    let name = path.file_name().filter(|_| !ends_in_separator(path));
    let name = name.ok_or_else(|| invalid(path, "has no file name"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = canonical(folder)
        .map_err(|cause| invalid(path, "is in a folder that cannot be used").with_source(cause))?;
    Ok(folder.join(name))
}

/// Returns the absolute path without links, in the form that people know:
/// without the prefix `\\?\` on Windows.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path).map(|path| without_prefix(path, fs::canonicalize))
}

/// Returns the path without its prefix, if that leads to the same file. Some
/// names have a meaning of their own without the prefix, such as `nul`.
fn without_prefix(path: PathBuf, canonicalize: impl Fn(PathBuf) -> io::Result<PathBuf>) -> PathBuf {
    let plain = path.to_str().and_then(plain).map(PathBuf::from);
    let is_same = |plain: &PathBuf| canonicalize(plain.clone()).is_ok_and(|same| same == path);
    plain.filter(is_same).unwrap_or(path)
}

/// Returns a path of Windows without its prefix; `None` if it has none.
///
/// ```text
/// \\?\C:\folder\file        C:\folder\file
/// \\?\UNC\server\share      \\server\share
/// /folder/file              None
/// ```
fn plain(path: &str) -> Option<String> {
    let path = path.strip_prefix(r"\\?\")?;
    let share = path.strip_prefix(r"UNC\").map(|share| format!(r"\\{share}"));
    let is_drive = || path.get(1..3) == Some(r":\");
    share.or_else(|| is_drive().then(|| path.to_owned()))
}

/// Returns whether the path ends in `/`, or in `\` on Windows.
fn ends_in_separator(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|byte| std::path::is_separator((*byte).into()))
}

/// Returns the path of a file that belongs to the journal: hidden, and with a
/// name that no other program uses.
///
/// A long name is replaced by its hash, since file systems limit names to 255
/// bytes, and some to 143.
///
/// ```text
/// /var/jobs.jsonl, lock     /var/.jobs.jsonl.longrunning-lock
/// a name of 200 bytes       /var/.0123456789abcdef.longrunning-lock
/// ```
pub(super) fn companion(journal: &Path, suffix: &str) -> PathBuf {
    let name = journal.file_name().unwrap_or_default();
    let mut companion = OsString::from(".");
    if name.len() <= LONGEST_NAME {
        companion.push(name)
    } else {
        companion.push(hash(name))
    }
    companion.push(".longrunning-");
    companion.push(suffix);
    // In the same folder: renaming works only within a file system.
    journal.with_file_name(companion)
}

/// Returns the FNV-1a hash of a name in hexadecimal. Every version has to find
/// the same name, which the hashes of the standard library do not promise.
fn hash(name: &OsStr) -> String {
    let bytes = name.as_encoded_bytes().iter();
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Returns the error of a journal that cannot be used; `why` reads on after its
/// name.
pub(super) fn invalid(journal: &Path, why: &str) -> Error {
    Error::config(format!("journal `{}` {why}", shown(journal)))
}

/// Returns the error of a journal whose file cannot be opened.
pub(super) fn unusable(journal: &Path, FileError { why, cause, .. }: FileError) -> Error {
    let error = invalid(journal, why);
    match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }
}

/// The longest name, in bytes, that companions contain as it is. With what
/// [`companion`] adds, they have at most 134.
const LONGEST_NAME: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_the_prefix_of_windows() {
        let rows = [
            (r"\\?\C:\folder\a.jsonl", Some(r"C:\folder\a.jsonl")),
            (r"\\?\UNC\server\share\a.jsonl", Some(r"\\server\share\a.jsonl")),
            (r"\\?\Volume{b75e2c83}\a.jsonl", None),
            (r"C:\folder", None),
            ("/folder", None),
        ];
        for (path, expected) in rows {
            assert_eq!(plain(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_prefix_of_windows_stays_if_the_path_leads_elsewhere_without_it() {
        let rows = [
            (r"\\?\C:\a.jsonl", Some(r"\\?\C:\a.jsonl"), r"C:\a.jsonl"),
            (r"\\?\C:\nul", Some(r"\\.\nul"), r"\\?\C:\nul"),
            (r"\\?\C:\a.", None, r"\\?\C:\a."),
            ("/a.jsonl", Some("/a.jsonl"), "/a.jsonl"),
        ];
        for (path, without, expected) in rows {
            let canonicalize = |_| without.map(PathBuf::from).ok_or(io::ErrorKind::NotFound.into());
            assert_eq!(without_prefix(path.into(), canonicalize), Path::new(expected), "{path}");
        }
    }
}
