//! Small files that hold credentials: read within limits, wiped from memory, warned about when others can read them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::excerpt::shown_path;
use crate::redact::suspicion_of_path;

/// Why a file was not read; reads on after the name of the file.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) why: &'static str,
    pub(crate) cause: Option<io::Error>,
}

impl Unreadable {
    pub(crate) fn because(why: &'static str) -> Self {
        Self { why, cause: None }
    }

    /// The file could not be opened, for a reason of the operating system.
    pub(crate) fn failed(cause: io::Error) -> Self {
        let why = match cause.raw_os_error() {
            Some(TOO_MANY_LINKS) => "is a symbolic link that leads back to itself",
            _ => "cannot be opened",
        };
        Self { why, cause: Some(cause) }
    }

    pub(crate) fn is(&self, kind: io::ErrorKind) -> bool {
        self.cause.as_ref().is_some_and(|cause| cause.kind() == kind)
    }
}

impl From<Unreadable> for io::Error {
    fn from(error: Unreadable) -> Self {
        error.cause.unwrap_or_else(|| Self::other(error.why))
    }
}

/// Opens an existing regular file that belongs to this crate. Nothing blocks, and a symbolic link is not followed.
#[cfg(feature = "journal")]
pub(crate) fn open_owned(path: &Path, options: &OpenOptions) -> Result<File, Unreadable> {
    // Before opening, since that alone has effects on some devices and on the process at the other end of a pipe;
    // and again on what was opened, since another file may have taken its place in between.
    check_regular(&fs::symlink_metadata(path).map_err(Unreadable::failed)?)?;
    let mut options = options.clone();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, FILE_FLAG_OPEN_REPARSE_POINT);
    let file = options.open(path).map_err(Unreadable::failed)?;
    check_regular(&file.metadata().map_err(Unreadable::failed)?)?;
    Ok(file)
}

fn check_regular(metadata: &Metadata) -> Result<(), Unreadable> {
    match metadata.file_type() {
        file_type if file_type.is_file() => Ok(()),
        file_type if file_type.is_dir() => {
            Err(Unreadable::because("is a folder, expected the path of a file"))
        }
        file_type if file_type.is_symlink() => Err(Unreadable::because("is a symbolic link")),
        _ => Err(Unreadable::because("is not a regular file")),
    }
}

/// Reads a regular file of at most 1 MiB; symbolic links are followed.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let refused = |why| Err(Unreadable { why, cause: None });
    let failed = |cause| Unreadable { why: "cannot be read", cause: Some(cause) };
    let metadata = fs::metadata(path).map_err(failed)?;
    // Before opening: a pipe would block.
    if !metadata.is_file() {
        return refused("is not a regular file");
    }
    // Room for all of it, so that the text never moves and leaves a copy behind.
    let capacity = metadata.len().min(MAX_LEN) + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(capacity).unwrap_or_default()));
    File::open(path).and_then(|file| file.take(MAX_LEN + 1).read_to_end(&mut text)).map_err(failed)?;
    if text.len() as u64 > MAX_LEN {
        return refused("is larger than 1 MiB");
    }
    Ok(text)
}

/// Warns when users other than the owner can read or write a file with a secret in it.
#[cfg(unix)]
pub(crate) fn warn_if_exposed(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = shown(path);
        log::warn!("file `{path}` is open to other users (mode {mode:o}): `chmod 600` keeps it private");
    }
}

#[cfg(not(unix))]
pub(crate) fn warn_if_exposed(_path: &Path) {}

/// What is given in place of the path of a file, if that is no plausible path and there is no such file: most often
/// the text of the file.
pub(crate) fn misplaced(path: &Path) -> Option<&'static str> {
    suspicion_of_path(&path.to_string_lossy()).filter(|_| fs::symlink_metadata(path).is_err())
}

/// A path as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    shown_path(path)
}

const MAX_LEN: u64 = 1 << 20;

#[cfg(unix)]
const TOO_MANY_LINKS: i32 = libc::ELOOP;

/// `ERROR_CANT_RESOLVE_FILENAME` of Windows.
#[cfg(not(unix))]
const TOO_MANY_LINKS: i32 = 1921;

/// Opens a symbolic link itself.
#[cfg(windows)]
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn files_are_read_within_limits() {
        let folder = std::env::temp_dir().join(format!("longrunning-file-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let max = usize::try_from(MAX_LEN).unwrap();
        let rows =
            [("empty", 0, None), ("full", max, None), ("large", max + 1, Some("is larger than 1 MiB"))];
        for (name, len, why) in rows {
            fs::write(folder.join(name), vec![b'x'; len]).unwrap();
            let text = read(&folder.join(name));
            assert_eq!(text.as_ref().err().map(|error| error.why), why, "{name}");
            assert!(text.map_or(why.is_some(), |text| text.len() == len), "{name}");
        }
        assert_eq!(read(&folder).unwrap_err().why, "is not a regular file");
        let missing = read(&folder.join("missing")).unwrap_err();
        assert_eq!((missing.why, missing.cause.unwrap().kind()), ("cannot be read", io::ErrorKind::NotFound));
        fs::remove_dir_all(&folder).unwrap();
    }
}
