use super::*;
use crate::folder::Folder;

fn soon() -> ReadLimits<'static> {
    ReadLimits::within(Duration::from_millis(50), None)
}

#[test]
fn files_are_read_within_limits() {
    let folder = Folder::new();
    let max = usize::try_from(MAX_LEN).unwrap();
    let rows = [("empty", 0, None), ("full", max, None), ("large", max + 1, Some("is larger than 1 MiB"))];
    for (name, len, why) in rows {
        let path = PathBuf::from(folder.file(name, &"x".repeat(len)));
        for text in [read(&path, &soon()), read_regular(&path), FileSource::new(path.clone()).read(&soon())] {
            assert_eq!(text.as_ref().err().map(|error| error.why), why, "{name}");
            assert!(text.map_or(why.is_some(), |text| text.len() == len), "{name}");
        }
    }
    let error = read(folder.path(), &soon()).unwrap_err();
    assert!(error.why == "is a folder, expected the path of a file" || cfg!(windows), "{error:?}");
    let missing = read(&folder.path().join("missing"), &soon()).unwrap_err();
    assert_eq!((missing.why, missing.is(io::ErrorKind::NotFound)), ("does not exist", true));
}

#[test]
fn a_file_is_read_anew() {
    let folder = Folder::new();
    let source = FileSource::new(folder.file("token", "first").into());
    assert_eq!(*source.read(&soon()).unwrap(), b"first");
    folder.file("token", "second");
    assert_eq!(*source.read(&soon()).unwrap(), b"second");
}

#[cfg(unix)]
mod pipes {
    use std::io::Write;
    use std::process::Command;
    use std::sync::mpsc;

    use super::*;

    fn pipe(folder: &Folder) -> PathBuf {
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// Opened to write, which blocks until there is a reader.
    fn writer(path: &Path) -> File {
        OpenOptions::new().write(true).open(path).unwrap()
    }

    /// In the tests that wait for a writer, which comes as soon as the machine
    /// lets it.
    fn later() -> ReadLimits<'static> {
        ReadLimits::within(Duration::from_secs(60), None)
    }

    #[test]
    fn devices_and_sockets_are_refused() {
        let folder = Folder::new();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [Path::new("/dev/zero"), &socket] {
            assert!(read(path, &later()).is_err(), "{}", path.display());
        }
        assert_eq!(read(Path::new("/dev/null"), &later()).unwrap_err().why, NOT_REGULAR);
        assert_eq!(read_regular(&pipe(&folder)).unwrap_err().why, NOT_REGULAR);
    }

    #[test]
    fn a_pipe_without_a_writer_ends_at_the_deadline() {
        let folder = Folder::new();
        let path = pipe(&folder);
        let error = read(&path, &soon()).unwrap_err();
        assert_eq!((error.why, error.is_unfinished()), (NO_WRITER, true));
        let (stop, limits) = (StopToken::new(), later());
        stop.stop();
        let error = read(&path, &ReadLimits { stop: Some(&stop), ..limits }).unwrap_err();
        assert_eq!((error.why, error.is_unfinished()), ("was not read: the call was stopped", true));
    }

    /// Until then every read gives 0 bytes at once, which is not the end of the
    /// file.
    #[test]
    fn a_writer_may_come_late() {
        let folder = Folder::new();
        let path = pipe(&folder);
        let thread = thread::spawn({
            let path = path.clone();
            move || {
                thread::sleep(Duration::from_secs(1));
                let mut pipe = writer(&path);
                pipe.write_all(b"to").unwrap();
                thread::sleep(Duration::from_millis(100));
                pipe.write_all(b"ken").unwrap();
            }
        });
        assert_eq!(*read(&path, &later()).unwrap(), b"token");
        thread.join().unwrap();
    }

    #[test]
    fn a_writer_that_does_not_end_is_left_at_the_deadline() {
        let folder = Folder::new();
        let source = FileSource::new(pipe(&folder));
        let (sender, receiver) = mpsc::channel::<()>();
        let thread = thread::spawn({
            let path = source.path().to_owned();
            move || {
                let mut pipe = writer(&path);
                pipe.write_all(b"to").unwrap();
                receiver.recv().unwrap();
                pipe.write_all(b"ken").unwrap();
            }
        });
        // It may not have come yet at the first ones.
        while source.read(&soon()).unwrap_err().why != NOT_ENDED {}
        assert_eq!(source.read(&soon()).unwrap_err().why, NOT_ENDED);
        sender.send(()).unwrap();
        assert_eq!(*source.read(&later()).unwrap(), b"token", "with what was read before");
        thread.join().unwrap();
        assert_eq!(*source.read(&soon()).unwrap(), b"token", "kept, since a pipe is read once");
    }

    #[test]
    fn an_empty_or_endless_pipe_is_refused() {
        let folder = Folder::new();
        let path = pipe(&folder);
        let rows = [(0, NOTHING_WRITTEN), (2 << 20, "is larger than 1 MiB")];
        for (len, why) in rows {
            let mut reader = FileReader::open(&path).unwrap();
            let thread = thread::spawn({
                let mut pipe = writer(&path);
                move || drop(pipe.write_all(&vec![b'x'; len]))
            });
            // The writer is there already, and may be gone again before the first read.
            reader.writer_seen = true;
            assert_eq!(reader.read_to_end(&later()).unwrap_err().why, why);
            drop(reader);
            thread.join().unwrap();
        }
    }
}
