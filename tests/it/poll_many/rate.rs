//! How often it may ask.

use longrunning::testing::FakeServer;
use longrunning::{Backoff, ErrorKind, OnTimeout};

use super::{insert, names};
use crate::kit::{secs, told};

#[test]
fn polls_are_spread_by_the_rate_and_in_turn() {
    let server = FakeServer::start();
    let names = names(6);
    insert(&server, &names, 3);
    let client = server.client();
    let many = client.poll_many(&names).max_rate(2.0).backoff(Backoff::from_fn(|_| Some(secs(0.1))));
    many.join_all().unwrap();
    assert_eq!((server.request_count(), server.elapsed()), (18, secs(17.0 * 0.5)));
    let asked: Vec<_> = server.requests().iter().map(|request| request.path().to_owned()).collect();
    for round in asked.chunks(6) {
        assert_eq!(round, &asked[..6], "nobody is asked twice before everybody was asked");
    }
}

#[test]
fn the_rate_of_a_client_is_shared_by_its_clones() {
    let server = FakeServer::start();
    let names = names(3);
    insert(&server, &names, 4);
    let client = server.client_builder().max_rate(0.5).build().unwrap();
    let clone = client.clone();
    clone.poller(&names[0]).until_done().unwrap();
    assert_eq!(server.elapsed(), secs(6.0));
    client.poll_many(&names[1..]).max_rate(100.0).join_all().unwrap();
    assert_eq!((server.request_count(), server.elapsed()), (12, secs(22.0)));
    client.get(&names[0]).send().unwrap();
    assert_eq!(server.elapsed(), secs(22.0), "a call is no poll");
    let refused = server.client_builder().max_rate(f64::NAN).build().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
}

#[test]
fn no_turn_is_waited_for_beyond_the_time_limit() {
    let server = FakeServer::start();
    let names = names(4);
    insert(&server, &names, u64::MAX);
    let client = server.client_builder().max_rate(0.1).build().unwrap();
    let error = client.poller(&names[0]).total_timeout(secs(25.0)).until_done().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 3));
    assert!(server.elapsed() <= secs(25.0), "{:?}", server.elapsed());
    let before = server.elapsed();
    let results: Vec<_> = client.poll_many(&names).total_timeout(secs(25.0)).into_iter().collect();
    assert_eq!(results.iter().map(told).collect::<Vec<_>>(), ["Timeout"; 4]);
    assert_eq!(server.elapsed() - before, secs(25.0));
    assert_eq!(server.request_count(), 3 + 2);
}

#[test]
fn a_wait_without_a_turn_ends_when_its_time_is_up() {
    let server = FakeServer::start();
    let names = names(2);
    insert(&server, &names, u64::MAX);
    let client = server.client_builder().max_rate(0.01).build().unwrap();
    let poller = client.poller(&names[0]).total_timeout(secs(90.0)).on_timeout(OnTimeout::Cancel);
    let error = poller.until_done().unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, secs(90.0)), "no sooner: {error}");

    let mut late = client.poller(&names[1]).total_timeout(secs(50.0)).into_iter();
    late.next().unwrap().unwrap();
    server.advance(secs(60.0));
    client.poller(&names[0]).total_timeout(secs(90.0)).into_iter().next().unwrap().unwrap();
    let before = server.elapsed();
    assert_eq!(late.next().unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(server.elapsed(), before, "no later");
}
