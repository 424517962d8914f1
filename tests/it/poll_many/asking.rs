//! What is asked for, and what is given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::{Code, Error, Operation, Status};

use super::{ended, insert, methods, names};
use crate::kit::{lines, secs, slept, told};

#[test]
fn ten_thousand_are_asked_for_by_ten_pages() {
    let server = FakeServer::start();
    let names = names(10_000);
    for name in &names {
        server.insert(FakeOperation::new(name).done_after(secs(1.0)));
    }
    let done = server.client().poll_many(&names).join_all().unwrap();
    assert_eq!(done.len(), 10_000);
    assert!(done.iter().zip(&names).all(|(operation, name)| operation.name() == name && operation.is_done()));
    assert_eq!(slept(&server), [0.5; 2], "the rounds have the delays of one wait");
    assert_eq!(server.request_count(), 3 * 10);
    let first = &lines(&server)[0];
    assert_eq!(first, "GET /v1/projects/p/locations/l/operations?pageSize=1000");
}

#[test]
fn they_come_in_the_order_in_which_they_finish() {
    for (count, workers) in [(5, 1), (5, 4), (50, 1), (50, 4)] {
        let server = FakeServer::start();
        let names = names(count);
        for (index, name) in names.iter().enumerate() {
            let place = (index * 7 % count) as f64;
            server.insert(FakeOperation::new(name).done_after(secs(40.0 * place + 1.0)));
        }
        let client = server.client();
        let finished = client.poll_many(&names).concurrency(workers).into_iter();
        let found: Vec<_> = finished.map(|result| result.unwrap().name().to_owned()).collect();
        let mut expected: Vec<usize> = (0..count).collect();
        expected.sort_by_key(|index| index * 7 % count);
        let expected: Vec<_> = expected.into_iter().map(|index| names[index].clone()).collect();
        assert_eq!(found, expected, "{count} with {workers}");
    }
}

#[test]
fn few_are_got_one_by_one() {
    let server = FakeServer::start();
    let names = names(8);
    insert(&server, &names, 2);
    server.client().poll_many(&names).join_all().unwrap();
    assert!(methods(&server).iter().all(|method| *method == "get"));
    assert_eq!((server.request_count(), slept(&server)), (16, vec![0.5]));
}

#[test]
fn parents_are_asked_one_by_one() {
    let server = FakeServer::start();
    let mut names = Vec::new();
    for parent in ["projects/a", "projects/b/locations/l"] {
        names.extend((0..20).map(|number| format!("{parent}/operations/{number}")));
    }
    names.extend((0..20).map(|number| format!("operations/{number}")));
    names.push("projects/lone/operations/1".to_owned());
    names.push("1234567890".to_owned());
    for name in names.iter().take(61) {
        server.insert(FakeOperation::new(name).done_at_poll(2));
    }
    let client = server.client();
    server.reply_to("GET", "operations/1234567890", ended("1234567890"));
    let done = client.poll_many(&names).concurrency(1).join_all().unwrap();
    assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
    let lines = lines(&server);
    assert_eq!(lines.len(), 3 * 2 + 2 + 1, "{lines:#?}");
    assert_eq!(slept(&server), [0.5]);
}

#[test]
fn a_name_that_comes_twice_is_asked_for_once_and_given_twice() {
    let server = FakeServer::start();
    server.insert(FakeOperation::new("operations/1").done_at_poll(2));
    server.insert(FakeOperation::new("operations/2").done_at_poll(1));
    let names = ["operations/1", "operations/2", "operations/1", "operations/1"];
    let client = server.client();
    let mut finished = client.poll_many(names).into_iter();
    assert_eq!(finished.len(), 4);
    let found: Vec<_> = finished.by_ref().map(|result| result.unwrap().name().to_owned()).collect();
    assert_eq!(found, ["operations/2", "operations/1", "operations/1", "operations/1"]);
    assert_eq!((finished.len(), finished.next().is_none(), server.request_count()), (0, true, 3));
    let done = client.poll_many(names).join_all().unwrap();
    assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
}

#[test]
fn what_needs_no_poll_or_cannot_be_polled_is_given_at_once() {
    let server = FakeServer::start();
    let done = ended("");
    let client = server.client();
    let targets = [done.clone(), Operation::running("a//b")];
    let results: Vec<_> = client.poll_many(targets).into_iter().collect();
    assert_eq!(results[0].as_ref().unwrap(), &done);
    assert_eq!(told(&results[1]), "Binding");
    let wrong = client.poll_many(["operations/1", "operations/2"]).max_rate(0.0).header("host", "x");
    let results: Vec<_> = wrong.into_iter().map(|result| result.unwrap_err().to_string()).collect();
    assert_eq!(results, ["rate `0` is no positive number of polls a second"]);
    assert!(client.poll_many([""; 0]).join_all().unwrap().is_empty());
    assert_eq!(told(&client.poll_many([""; 0]).race()), "Config");
    assert_eq!(server.request_count(), 0);
}

#[test]
fn one_that_is_not_there_does_not_end_the_others() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], 2);
        let results: Vec<_> = server.client().poll_many(&names).into_iter().collect();
        assert_eq!(results.len(), count);
        let errors: Vec<&Error> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].code(), errors[0].name()), (Some(Code::NotFound), Some(&*names[0])));
        assert_eq!((errors[0].attempts(), errors[0].operation()), (1, None));
        let client = server.client();
        let grace = client.poll_many(&names).not_found_grace(secs(5.0)).join_all().unwrap_err();
        assert_eq!((grace.code(), grace.elapsed() >= secs(5.0)), (Some(Code::NotFound), true), "44");
    }
}

#[test]
fn news_are_told_and_nothing_else() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names[1..], 4);
        server.insert(Operation::running(&names[0]));
        let told = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
        let shown = Arc::clone(&told);
        let client = server.client();
        let many = client.poll_many(&names).total_timeout(secs(30.0)).on_update(move |update| {
            *shown.lock().unwrap().entry(update.name().to_owned()).or_default() += 1;
        });
        assert_eq!(many.into_iter().filter(Result::is_ok).count(), count - 1);
        let told = told.lock().unwrap();
        assert_eq!(told[&names[0]], 1, "it never changed");
        assert!(names[1..].iter().all(|name| told[name] == 4), "{told:?}");
    }
}

#[cfg(feature = "grpc")]
#[test]
fn requests_are_compressed_where_that_is_asked_for() {
    use longrunning::transport::{Compression, TransportKind};

    for count in [2, 20] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names, 2);
        let client = server.client_builder().transport(TransportKind::Grpc).build().unwrap();
        client.poll_many(&names).compression(Compression::Gzip).join_all().unwrap();
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.header("grpc-encoding") == Some("gzip")), "{count}");
        client.poll_many(&names).join_all().unwrap();
        assert_eq!(server.requests().last().unwrap().header("grpc-encoding"), None, "{count}");
    }
}

#[test]
fn faults_are_told_for_each_operation() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let names = names(count);
        insert(&server, &names, 9);
        let told = Arc::new(Mutex::new(BTreeMap::<String, Vec<bool>>::new()));
        let shown = Arc::clone(&told);
        let (client, outages) = (server.client(), if count < 9 { count } else { 1 });
        for _ in 0..outages {
            server.reply(Reply::usual());
        }
        server.reply(Reply::from(Status::new(Code::Unavailable, "draining")).times(2 * outages));
        let many = client.poll_many(&names).concurrency(1).on_update(move |update| {
            let mut told = shown.lock().unwrap();
            told.entry(update.name().to_owned()).or_default().push(update.fault().is_some());
        });
        many.join_all().unwrap();
        let told = told.lock().unwrap();
        for name in &names {
            assert_eq!(told[name][..3], [false, true, false], "{count}: {name}");
            assert!(!told[name][3..].contains(&true), "{count}: {name}");
        }
    }
}
