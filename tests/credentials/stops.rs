//! A stop token ends the token requests of a call that is stopped, and those of no other.

use std::time::{Duration, Instant};

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

/// Far more than a stop takes on a busy machine.
const HANG: Duration = Duration::from_secs(20);
