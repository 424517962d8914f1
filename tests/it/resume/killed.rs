//! Processes that wait with a journal, and are killed anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;
use std::thread;
use std::time::Duration;

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Backoff, Credentials, Journal, OperationsClient, PollMany};

use super::{open, path};
use crate::kit::Folder;
use crate::victim::{Victim, chance, kills};

/// Enough work for longer than a process lives.
const BATCHES: u32 = 25;

/// Every operation is given; again only if the process was killed before it came back for the next one.
#[test]
fn waits_survive_being_killed() {
    let (server, folder) = (FakeServer::builder().real_time().start().unwrap(), Folder::new());
    let mut tale = Tale::default();
    let kills = kills(100);
    for round in 0..kills {
        for name in (0..BATCHES).flat_map(|batch| names(round, batch)) {
            server.insert(FakeOperation::new(name).done_at_poll(1 + chance(4)));
        }
        let mut victim = start(&server, &folder, round);
        let mut lines = victim.lines();
        for line in lines
            .by_ref()
            .map(Result::unwrap)
            .filter(|line| line.contains(" operations/"))
            .take(1 + chance(40) as usize)
        {
            tale.hear(&line);
        }
        thread::sleep(Duration::from_micros(chance(4000)));
        victim.kill();
        lines.map_while(Result::ok).for_each(|line| tale.hear(&line));
        tale.check(&open(&folder), &server);
    }
    let journal = open(&folder);
    let client = server.client();
    for finished in hasty(client.resume(&journal)) {
        let operation = finished.unwrap();
        assert_eq!(Some(&operation), server.operation(operation.name()).as_ref());
        tale.hear(&format!("given {}", operation.name()));
        tale.hear(&format!("dealt {}", operation.name()));
    }
    tale.check(&journal, &server);
    assert!(tale.states.values().all(|state| *state == State::Dealt), "{tale:?}");
    assert!(tale.states.len() > kills as usize && tale.again > 0, "{tale:?}");
    println!("{kills} kills: {} operations given, {} of them again", tale.states.len(), tale.again);
}

/// Runs in a process of its own: goes on with what the journal has, then waits for operations of its own.
#[test]
#[ignore = "the process that `waits_survive_being_killed` kills"]
fn waits_until_killed() {
    let [path, url, round] =
        ["JOURNAL", "SERVER", "ROUND"].map(|name| env::var(format!("LONGRUNNING_TEST_{name}")).unwrap());
    let journal = Journal::open(path).unwrap();
    let client = OperationsClient::builder(url).credentials(Credentials::anonymous()).build().unwrap();
    tell(client.resume(&journal));
    for batch in 0..BATCHES {
        let names = names(round.parse().unwrap(), batch);
        names.iter().for_each(|name| say("beginning", name));
        if batch % 2 == 0 {
            tell(client.poll_many(&names).journal(&journal));
            continue;
        }
        for name in &names {
            assert!(journal.add(&client.operation(name).to_pending().unwrap()).unwrap());
            say("added", name);
        }
        tell(client.resume(&journal));
    }
}

fn tell(many: PollMany) {
    let mut dealt = None;
    let mut finished = hasty(many).into_iter();
    loop {
        let next = finished.next().map(Result::unwrap);
        if let Some(name) = dealt.take() {
            say("dealt", name);
        }
        let Some(operation) = next else { return };
        say("given", operation.name());
        // What a program does with a result takes its time, too.
        thread::sleep(Duration::from_micros(chance(6000)));
        dealt = Some(operation.name().to_owned());
    }
}

fn say(verb: &str, name: impl std::fmt::Display) {
    println!("\n{verb} {name}");
}

fn hasty(many: PollMany) -> PollMany {
    many.backoff(Backoff::from_fn(|_| Some(Duration::from_millis(2))))
}

fn names(round: u32, batch: u32) -> Vec<String> {
    (0..1 + batch % 4).map(|number| format!("operations/{round}-{batch}-{number}")).collect()
}

fn start(server: &FakeServer, folder: &Folder, round: u32) -> Victim {
    let (path, url, round) = (path(folder), server.url(), round.to_string());
    let variables = [
        ("LONGRUNNING_TEST_JOURNAL", path.as_os_str()),
        ("LONGRUNNING_TEST_SERVER", OsStr::new(&url)),
        ("LONGRUNNING_TEST_ROUND", OsStr::new(&round)),
    ];
    Victim::start("resume::killed::waits_until_killed", variables)
}

/// What the killed processes told, and what the journal says of it.
#[derive(Debug, Default)]
struct Tale {
    states: BTreeMap<String, State>,
    again: u32,
    again_since_the_kill: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// The journal may have it.
    Begun,
    /// The journal has it.
    Recorded,
    /// Given, and the caller has not come back.
    Given,
    /// The caller has come back: never to be given again.
    Dealt,
}

impl Tale {
    fn hear(&mut self, line: &str) {
        let Some((verb, name)) = line.split_once(' ') else { return };
        if !name.starts_with("operations/") {
            return;
        }
        let before = self.states.get(name).copied();
        let after = match (verb, before) {
            ("beginning", None) => State::Begun,
            ("added", Some(State::Begun)) => State::Recorded,
            ("given", Some(State::Begun | State::Recorded)) => State::Given,
            ("given", Some(State::Given)) => {
                self.again += 1;
                self.again_since_the_kill += 1;
                State::Given
            }
            ("dealt", Some(State::Given)) => State::Dealt,
            _ => panic!("{line} after {before:?}"),
        };
        assert!(
            self.again_since_the_kill <= 1,
            "{line}: at most the one that the killed process was given last"
        );
        self.states.insert(name.to_owned(), after);
    }

    /// Compares with the journal, and learns what came of the steps in doubt.
    fn check(&mut self, journal: &Journal, server: &FakeServer) {
        self.again_since_the_kill = 0;
        let pending: BTreeSet<_> =
            journal.pending().iter().map(|pending| pending.name().to_string()).collect();
        let finished: BTreeSet<_> =
            journal.finished().map(|result| result.unwrap().0.name().to_string()).collect();
        let requests = server.requests();
        let asked: BTreeSet<_> = requests.iter().filter_map(|request| request.name()).collect();
        self.states.retain(|name, state| {
            let (is_pending, is_finished) = (pending.contains(name), finished.contains(name));
            match state {
                State::Begun => {
                    assert!(
                        is_pending || is_finished || !asked.contains(name.as_str()),
                        "{name} is asked for first"
                    );
                    *state = State::Recorded;
                    is_pending || is_finished
                }
                State::Recorded => {
                    assert!(is_pending || is_finished, "{name} is lost");
                    true
                }
                State::Given => {
                    assert!(!is_pending, "{name} is given before it is recorded");
                    if !is_finished {
                        *state = State::Dealt;
                    }
                    true
                }
                State::Dealt => {
                    assert!(!is_pending && !is_finished, "{name} comes back");
                    true
                }
            }
        });
        let known = |name: &&String| self.states.contains_key(*name);
        assert!(pending.iter().all(|name| known(&name)) && finished.iter().all(|name| known(&name)));
    }
}
