//! Files of tokens and credentials that are missing, and pipes that a program writes late or never.

use std::time::Duration;

use longrunning::{Credentials, ErrorKind};

use crate::kit::{Folder, NAME, server};

/// A rename never leaves a file missing, so a file that is missing stays so.
#[test]
fn a_missing_token_file_ends_calls_and_waits_at_once() {
    let (api, folder) = (server(), Folder::new());
    let path = folder.path().join("token");
    let client = api.client_builder().credentials(Credentials::token_file(&path)).build().unwrap();
    let call = client.get(NAME).send().unwrap_err();
    let wait = client.poller(NAME).until_done().unwrap_err();
    for error in [&call, &wait] {
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert!(error.to_string().contains("token`: does not exist"), "{error}");
        assert!(!error.is_transient(), "{error}");
    }
    assert_eq!((api.request_count(), api.elapsed()), (0, Duration::ZERO), "no retry has slept");
    folder.file("token", "CANARY-access");
    api.require_token("CANARY-access");
    assert!(client.get(NAME).send().is_ok(), "as soon as it is there");
}

#[cfg(unix)]
mod pipes {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::thread;
    use std::time::Instant;

    use longrunning::{OperationsClient, StopToken};

    use super::*;
    use crate::kit::KEY_FILE;

    fn pipe(folder: &Folder) -> PathBuf {
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// Writes a second later, as a command does that has to fetch the text first.
    fn write_late(path: &Path, text: &'static str) -> thread::JoinHandle<()> {
        let path = path.to_owned();
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(1));
            OpenOptions::new().write(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
        })
    }

    /// On the clock of the machine, since that is what pipes are waited for by.
    fn client(endpoint: &str, path: &Path) -> OperationsClient {
        let builder = OperationsClient::builder(endpoint).credentials(Credentials::token_file(path));
        builder.attempt_timeout(Duration::from_secs(60)).build().unwrap()
    }

    #[test]
    fn a_token_is_read_from_a_pipe_once() {
        let (api, folder) = (server(), Folder::new());
        let path = pipe(&folder);
        let client = client(&api.url(), &path);
        api.require_token("CANARY-access");
        let writer = write_late(&path, "CANARY-access\n");
        assert_eq!(client.get(NAME).send().map(drop).map_err(|error| error.to_string()), Ok(()));
        writer.join().unwrap();
        assert!(client.get(NAME).send().is_ok());
        api.require_token("CANARY-other");
        let error = client.get(NAME).send().unwrap_err();
        assert_eq!(error.http_status(), Some(401), "the pipe is not waited for again: {error}");
    }

    #[test]
    fn a_pipe_without_a_writer_keeps_to_the_timeout() {
        let (api, folder) = (server(), Folder::new());
        let client = client(&api.url(), &pipe(&folder));
        let start = Instant::now();
        let error = client.get(NAME).total_timeout(Duration::from_millis(200)).send().unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(30), "not for the attempt timeout of a minute");
        let why = "is a pipe that no program has written to within the timeout";
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(api.request_count(), 0);
    }

    #[test]
    fn a_pipe_without_a_writer_keeps_to_the_stop_token() {
        let (api, folder) = (server(), Folder::new());
        let client = client(&api.url(), &pipe(&folder));
        let (stop, start) = (StopToken::new(), Instant::now());
        let other = stop.clone();
        let stopper = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            other.stop();
        });
        // One reads the pipe, the other waits for that.
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let error = client.get(NAME).stop(&stop).send().unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Stopped, "{error}");
                });
            }
        });
        stopper.join().unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "not for the attempt timeout of a minute");
    }

    /// That a caller was stopped is nothing that others have to do with.
    #[test]
    fn a_stopped_call_leaves_the_pipe_to_others() {
        let (api, folder) = (server(), Folder::new());
        let path = pipe(&folder);
        let client = client(&api.url(), &path);
        api.require_token("CANARY-access");
        let stop = StopToken::new();
        thread::scope(|scope| {
            let stopped = scope.spawn(|| client.get(NAME).stop(&stop).send().map(drop));
            thread::sleep(Duration::from_millis(100));
            let other = scope.spawn(|| client.get(NAME).send().map(drop));
            stop.stop();
            assert_eq!(stopped.join().unwrap().unwrap_err().kind(), ErrorKind::Stopped);
            write_late(&path, "CANARY-access").join().unwrap();
            assert_eq!(other.join().unwrap().map_err(|error| error.to_string()), Ok(()));
        });
    }

    #[test]
    fn a_credentials_file_may_be_a_pipe() {
        let folder = Folder::new();
        let path = pipe(&folder);
        let writer = write_late(&path, KEY_FILE);
        let credentials = Credentials::from_file(&path).unwrap();
        writer.join().unwrap();
        assert!(format!("{credentials:?}").contains("service account"), "{credentials:?}");
    }
}
