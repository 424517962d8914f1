//! Which of the names an item belongs to, whatever the service calls it.

use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::{Code, Error, Operation, Status};

use super::{ended, insert, names};
use crate::kit::{secs, told};

#[test]
fn a_service_may_answer_with_another_name() {
    let server = FakeServer::start();
    let asked = ["projects/a/operations/1", "projects/a/operations/2", "projects/a/operations/1"];
    let failed = |name: &str| Operation::failed(name, Status::new(Code::Internal, "out of disk"));
    let script = || {
        server.reply_to("GET", "operations/1", ended("projects/7/operations/1"));
        server.reply_to("GET", "operations/2", failed("projects/7/operations/2"));
    };
    let client = server.client();
    script();
    let mut given = client.poll_many(asked).concurrency(1).named();
    assert_eq!(given.len(), 3);
    let found: Vec<_> = given
        .by_ref()
        .map(|(name, result)| [name, result.map(|operation| operation.name().to_owned()).unwrap()])
        .collect();
    let of = |id: &str| [format!("projects/a/{id}"), format!("projects/7/{id}")];
    assert_eq!(found, [of("operations/1"), of("operations/1"), of("operations/2")]);
    assert_eq!((given.len(), given.next().is_none()), (0, true));

    script();
    let error = client.poll_many(asked).concurrency(1).try_join_all().unwrap_err();
    let answered = error.operation().map(Operation::name);
    assert_eq!((error.name(), answered), (Some(asked[1]), Some("projects/7/operations/2")));
    assert_eq!(told(&Err::<(), _>(error)), "Operation INTERNAL");
    let error = failed("projects/7/operations/2").into_response::<()>().unwrap_err();
    assert_eq!(error.name(), Some("projects/7/operations/2"), "nothing else is known");
}

#[test]
fn an_item_has_its_name_however_it_ended() {
    for count in [3, 30] {
        let server = FakeServer::start();
        let mut names = names(count);
        insert(&server, &names[2..], 2);
        server.insert(FakeOperation::new(&names[0]).done_after(secs(500.0)));
        names.extend(["a//b".to_owned(), "operations/7".to_owned()]);
        server.insert(ended("operations/7"));
        let client = server.client();
        let mut found = Vec::new();
        for (name, result) in client.poll_many(&names).total_timeout(secs(60.0)).named() {
            match &result {
                Ok(operation) => assert_eq!(operation.name(), name),
                Err(error) => assert_eq!(error.name(), Some(&*name), "{error}"),
            }
            found.push((name, told(&result)));
        }
        let outcome = |number| match number {
            0 => "Timeout",
            1 => "Service NOT_FOUND",
            _ if number == count => "Binding",
            _ => "ok",
        };
        let mut expected: Vec<_> =
            names.into_iter().enumerate().map(|(number, name)| (name, outcome(number).to_owned())).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_has_no_name_has_an_empty_one() {
    let client = FakeServer::start().client();
    let given: Vec<_> = client.poll_many([ended("")]).named().collect();
    assert_eq!(given[0].0, "");
    let wrong = client.poll_many(["operations/1", "operations/2"]).max_rate(0.0).named();
    let given: Vec<_> = wrong.map(|(name, result)| (name, result.unwrap_err())).collect();
    assert_eq!(given.iter().map(|(name, error)| (&**name, error.name())).collect::<Vec<_>>(), [("", None)]);
    let unasked: Error = client.poller("a//b").until_done().unwrap_err();
    assert_eq!(unasked.name(), Some("a//b"));
}
