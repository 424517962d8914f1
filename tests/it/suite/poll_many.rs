//! Waits for many at once: by pages, one by one, until all, any, or the first that fails.

use longrunning::testing::{FakeOperation, Reply, Rpc};
use longrunning::{Code, ErrorKind, Operation, Status};

use super::kit::{FakeServer, secs, slept, told, unavailable};

const PARENT: &str = "projects/p/locations/l";

#[test]
fn all_are_given_in_the_order_of_their_names() {
    for (count, pages) in [(5, false), (2500, true)] {
        let (server, names) = filled(count, 3);
        let done = server.client().poll_many(&names).join_all().unwrap();
        assert_eq!(done.iter().map(Operation::name).collect::<Vec<_>>(), names);
        assert!(done.iter().all(|operation| operation.is_done() && operation.response().is_some()));
        assert_eq!(slept(&server), [0.5, 0.5]);
        let expected = if pages { [9, 0] } else { [0, 15] };
        assert_eq!([asked(&server, Rpc::List), asked(&server, Rpc::Get)], expected, "{count}");
    }
}

#[test]
fn where_no_list_is_to_be_had_each_is_got() {
    for code in [Code::PermissionDenied, Code::Unimplemented] {
        let (server, names) = filled(20, 3);
        server.reply_when(|request| request.rpc() == Some(Rpc::List), Status::new(code, "no"));
        server.client().poll_many(&names).join_all().unwrap();
        assert_eq!([asked(&server, Rpc::List), asked(&server, Rpc::Get)], [1, 60], "{code}: remembered");
        assert_eq!(slept(&server), [0.5; 2], "{code}: no round is lost");
    }
}

#[test]
fn any_is_the_first_that_is_done() {
    let server = FakeServer::start();
    let names = names(3);
    for (name, seconds) in names.iter().zip([90.0, 30.0, 60.0]) {
        server.insert(FakeOperation::new(name).done_after(secs(seconds)));
    }
    assert_eq!(server.client().poll_many(&names).race().unwrap().name(), names[1]);
    let gone = server.client().poll_many(["operations/x", "operations/y"]).race();
    assert_eq!(told(&gone), "Service NOT_FOUND");
}

#[test]
fn first_error_ends_at_the_first_that_failed() {
    let (server, names) = filled(20, 3);
    let failing = FakeOperation::new(&names[7]).done_at_poll(2);
    server.insert(failing.fails(Status::new(Code::ResourceExhausted, "out of disk")));
    let error = server.client().poll_many(&names).try_join_all().unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.operation().map(Operation::name)),
        (ErrorKind::Operation, Some(Code::ResourceExhausted), Some(&*names[7]))
    );
    assert!(error.to_string().ends_with("19 other operations continue to run; they are no longer polled"));
}

#[test]
fn faults_are_borne_and_what_is_gone_is_told() {
    for count in [4, 40] {
        let (server, mut names) = filled(count, 2);
        names.push(format!("{PARENT}/operations/gone"));
        for fault in [unavailable(), Reply::reset(), Reply::hang()] {
            server.reply(fault);
        }
        let results: Vec<_> = server.client().poll_many(&names).into_iter().collect();
        let errors: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!((results.len(), errors.len()), (count + 1, 1));
        assert_eq!((errors[0].code(), errors[0].name()), (Some(Code::NotFound), Some(&*names[count])));
    }
}

fn filled(count: usize, poll: u64) -> (FakeServer, Vec<String>) {
    let (server, names) = (FakeServer::start(), names(count));
    for name in &names {
        server.insert(FakeOperation::new(name).done_at_poll(poll));
    }
    (server, names)
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{PARENT}/operations/{number}")).collect()
}

fn asked(server: &FakeServer, rpc: Rpc) -> usize {
    server.requests().iter().filter(|request| request.rpc() == Some(rpc)).count()
}
