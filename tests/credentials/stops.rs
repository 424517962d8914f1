//! A stop token ends the token requests of a call that is stopped, and those of no other.

#[cfg(unix)]
use std::fs::File;
use std::time::{Duration, Instant};

#[cfg(unix)]
use longrunning::testing::SubjectToken;
use longrunning::testing::{RecordedRequest, Reply};
use longrunning::{ErrorKind, RetryPolicy, StopToken};

use crate::kinds::expected;
use crate::kit::{Folder, NAME, asked, client, files, load, real_time_server, server};

#[test]
fn a_stop_ends_each_token_request() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names {
        // Each request of the chain can be the one that hangs, that for the service account included.
        for step in 0..=expected(name).len() {
            let (server, folder) = (real_time_server(), Folder::new());
            let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
            let client = client(&server, load(&server.auth().impersonated_file(&file)));
            let token = StopToken::new();
            let stopped = token.clone();
            let is_token = |request: &RecordedRequest| !request.target().contains(NAME);
            server.reply_when(is_token, Reply::usual().times(step));
            let stops = move |request: &RecordedRequest| {
                let hangs = is_token(request);
                if hangs {
                    stopped.stop();
                }
                hangs
            };
            server.reply_when(stops, Reply::hang());
            let start = Instant::now();
            let call = client.get(NAME).stop(&token).retry(RetryPolicy::never()).attempt_timeout(HANG);
            let error = call.send().unwrap_err();
            assert!(start.elapsed() < HANG / 2, "{name}, request {step}: not by its timeout");
            assert_eq!(error.kind(), ErrorKind::Stopped, "{name}, request {step}: {error:#}");
            assert_eq!(asked(&server).len(), step + 1, "{name}: {:?}", asked(&server));
            // The stop says nothing about the source, so the next call is not kept waiting.
            client
                .get(NAME)
                .retry(RetryPolicy::never())
                .send()
                .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        }
    }
}

/// A program and a pipe are no requests, and keep a call waiting as long.
#[cfg(unix)]
#[test]
fn a_stop_ends_the_program_and_the_pipe_of_a_source() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // The program tells the test through the pipe that it runs.
    let silent = format!("/bin/sh -c 'echo >\"{}\"; exec sleep 600'", pipe.display());
    let closed = silent.replace("600", "600 >&-");
    let sources = [
        ("silent program", SubjectToken::Executable(&silent)),
        ("program that closes its output", SubjectToken::Executable(&closed)),
        ("pipe", SubjectToken::File(&pipe)),
    ];
    for (name, source) in sources {
        let server = real_time_server();
        let client = client(&server, load(&server.auth().external_account_file(source)));
        let token = StopToken::new();
        let call = client.get(NAME).stop(&token).retry(RetryPolicy::never()).attempt_timeout(HANG);
        let start = Instant::now();
        let error = std::thread::scope(|scope| {
            let call = scope.spawn(|| call.send().unwrap_err());
            // Both block until the other end of the pipe is open. The writer keeps it open.
            let writer = match source {
                SubjectToken::File(_) => Some(File::options().write(true).open(&pipe).unwrap()),
                _ => std::fs::read(&pipe).map(|_| None).unwrap(),
            };
            token.stop();
            let error = call.join().unwrap();
            drop(writer);
            error
        });
        assert!(start.elapsed() < HANG / 2, "{name}: not by its timeout");
        assert_eq!(error.kind(), ErrorKind::Stopped, "{name}: {error:#}");
        assert_eq!(asked(&server), [""; 0], "{name}");
    }
}

/// Far more than a stop takes on a busy machine.
const HANG: Duration = Duration::from_secs(20);
