//! The fake server plays each service of the table: its names, its methods, its metadata and its result.

use longrunning::http::HttpMethod;
use longrunning::testing::{FakeOperation, FakeServer, Rpc};
use longrunning::{Bindings, Code, Error, LongPoll, Operation, OperationsClient, Progress, WaitBinding};
use prost_types::Timestamp;
use serde_json::{Value, json};

use super::table::ServiceRow;
use super::types;
use crate::kit::{any, secs};

#[test]
fn there_are_at_least_sixty_services() {
    let mut hosts: Vec<_> = ServiceRow::all().iter().map(|row| row.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    assert!(hosts.len() >= 60, "{}", hosts.len());
}

#[test]
fn every_service_is_polled_to_its_result() -> Result<(), Error> {
    let mut misread = Vec::new();
    for row in ServiceRow::all() {
        let (server, client) = service(&row);
        let operation = client.get(row.name).send()?;
        assert_eq!(line(&server), format!("GET {}", row.get), "{}", row.service);
        let metadata = operation.metadata().expect("the server sends metadata");
        assert_eq!(*metadata, any(row.metadata), "{}", row.service);
        let read = read(&Progress::of(&operation));
        misread.extend((read != row.progress).then(|| format!("{}\t{}\t{read}", row.service, row.version)));
        let done = client.poller(row.name).until_done()?;
        let response = done.response().expect("the operation succeeds");
        assert_eq!(response.type_name(), row.response_type.rsplit('/').next().unwrap(), "{}", row.service);
        assert_eq!(
            result(&done.into_response::<Value>()?),
            result(&payload(row.response)),
            "{}",
            row.service
        );
    }
    assert!(misread.is_empty(), "{}", misread.join("\n"));
    Ok(())
}

/// The samples are of operations that run. Of one that is done, most services say when that was.
#[test]
fn the_end_of_an_operation_is_read() {
    let end = "2026-01-01T10:30:00Z";
    let mut read = 0;
    for row in ServiceRow::all() {
        let Some(field) = types::end_field(row.metadata_type) else { continue };
        let Value::Object(mut metadata) = serde_json::from_str(row.metadata).unwrap() else { panic!() };
        metadata.insert(field.to_owned(), end.into());
        let done = Operation::succeeded(row.name, any(row.response));
        let done = done.with_metadata(any(&Value::Object(metadata).to_string()));
        let server = FakeServer::start();
        server.insert(done);
        let operation = server.client().poller(row.name).until_done().unwrap();
        let ended = Progress::of(&operation).end_time().map(|time| Timestamp::from(time).to_string());
        assert_eq!(ended.as_deref(), Some(end), "{}: {field}", row.service);
        read += 1;
    }
    assert!(read >= 80, "{read}");
}

/// The version comes from the path of the start, whatever that of the client is.
#[test]
fn every_service_is_started_and_waited_for() -> Result<(), Error> {
    for row in ServiceRow::all() {
        let (verb, template) = row.start.split_once(' ').expect("a verb and a path");
        let server = FakeServer::start();
        server.on_start(verb, template, operation(&row).done_at_poll(2));
        let methods = [HttpMethod::Post, HttpMethod::Delete, HttpMethod::Patch];
        let method = methods.into_iter().find(|method| method.as_str() == verb);
        let path = filled(template);
        let mut call = server.client().start(&path).method(method.expect("a method of HTTP"));
        if row.body != "-" {
            call = call.json(&json!({}));
        }
        let handle = call.send()?;
        assert_eq!((handle.name(), line(&server)), (row.name, format!("{verb} {path}")), "{}", row.service);
        let done = handle.until_done()?;
        assert_eq!(line(&server), format!("GET {}", row.get), "{}", row.service);
        assert_eq!(
            result(&done.into_response::<Value>()?),
            result(&payload(row.response)),
            "{}",
            row.service
        );
    }
    Ok(())
}

#[test]
fn every_service_that_lists_is_listed() -> Result<(), Error> {
    for row in ServiceRow::all().iter().filter(|row| row.has("list")) {
        let (server, client) = service(row);
        let names: Result<Vec<_>, _> = client.list(row.parent).into_iter().collect();
        let names: Vec<_> = names?.iter().map(|operation| operation.name().to_owned()).collect();
        assert_eq!((line(&server), names), (format!("GET {}", row.list), vec![row.name.to_owned()]));
    }
    Ok(())
}

#[test]
fn every_service_that_waits_is_waited_for() -> Result<(), Error> {
    for row in ServiceRow::all() {
        let Some(form) = row.wait() else { continue };
        let (server, client) = service(&row);
        assert!(!client.wait(row.name).timeout(secs(3.5)).send()?.is_done());
        let expected = match form {
            "query" => format!("POST {}:wait?timeout=3.5s", row.get),
            _ => format!("POST {}:wait", row.get),
        };
        assert_eq!(line(&server), expected, "{}", row.service);
        assert!(client.poller(row.name).long_poll(LongPoll::Auto).until_done()?.is_done());
    }
    Ok(())
}

/// What a service has not is an error of it, not of the client: a service may get a method that the table does not have.
#[test]
fn every_service_cancels_and_deletes_what_it_can() {
    for row in ServiceRow::all() {
        let (server, client) = service(&row);
        let unimplemented = |result: Result<(), Error>| match result {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.code(), Some(Code::Unimplemented), "{}", row.service);
                true
            }
        };
        assert_eq!(unimplemented(client.cancel(row.name).send()), !row.has("cancel"), "{}", row.service);
        assert_eq!(line(&server), format!("POST {}:cancel", row.get));
        assert_eq!(unimplemented(client.delete(row.name).send()), !row.has("delete"), "{}", row.service);
        assert_eq!(line(&server), format!("DELETE {}", row.get));
    }
}

/// A server that has the methods of the service and one operation, and a client as the page says.
fn service(row: &ServiceRow) -> (FakeServer, OperationsClient) {
    let methods = [("list", Rpc::List), ("cancel", Rpc::Cancel), ("delete", Rpc::Delete)];
    let mut builder = FakeServer::builder().with(Rpc::Wait);
    for (method, rpc) in methods {
        builder = if row.has(method) { builder } else { builder.without(rpc) };
    }
    let server = builder.start().unwrap();
    server.insert(operation(row).done_after(secs(60.0)));
    let client = server.client_builder().bindings(bindings(row)).build().unwrap();
    (server, client)
}

fn operation(row: &ServiceRow) -> FakeOperation {
    let metadata = any(row.metadata);
    FakeOperation::new(row.name).responds(any(row.response)).progress(move |_| metadata.clone())
}

/// A path that fits the template of a start.
fn filled(template: &str) -> String {
    let mut path = String::new();
    for part in template.split('{') {
        match part.split_once('}') {
            Some((variable, rest)) => {
                let pattern = variable.split_once('=').map_or("*", |(_, pattern)| pattern);
                path.push_str(&pattern.replace("**", "x").replace('*', "x"));
                path.push_str(rest);
            }
            None => path.push_str(part),
        }
    }
    path
}

fn bindings(row: &ServiceRow) -> Bindings {
    let bindings = Bindings::version(version(row)).unwrap();
    match row.wait() {
        Some("query") => bindings.wait_by(WaitBinding::Query),
        Some(_) => bindings.wait_by(WaitBinding::Body),
        None => bindings,
    }
}

/// The path prefix: Pub/Sub Lite has a segment behind its version.
fn version(row: &ServiceRow) -> &'static str {
    if row.get.starts_with("/v1/admin/") { "v1/admin" } else { row.version }
}

/// The start line of the latest request.
pub(super) fn line(server: &FakeServer) -> String {
    let requests = server.take_requests();
    let request = requests.last().expect("a request was sent");
    format!("{} {}", request.method(), request.target())
}

/// What is read, in the form of the table: values of numbers and texts, and the names of times.
pub(super) fn read(progress: &Progress) -> String {
    let times = [
        ("created", progress.create_time()),
        ("started", progress.start_time()),
        ("updated", progress.update_time()),
    ];
    let mut words: Vec<_> = progress.percent().map(|percent| format!("{percent}%")).into_iter().collect();
    if let (Some(completed), Some(total)) = (progress.completed_units(), progress.total_units()) {
        words.push(format!("{completed}/{total}"));
    }
    words.extend(times.iter().filter(|(_, time)| time.is_some()).map(|(name, _)| (*name).to_owned()));
    let texts = [
        ("state", progress.state()),
        ("verb", progress.verb()),
        ("target", progress.target()),
        ("message", progress.message()),
    ];
    words.extend(texts.iter().filter_map(|(name, text)| Some(format!("{name}={}", (*text)?))));
    words.extend(progress.failure_count().map(|count| format!("failures={count}")));
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

/// A response without its type, as a program decodes it.
fn payload(response: &str) -> Value {
    let mut value: Value = serde_json::from_str(response).unwrap();
    value.as_object_mut().unwrap().remove("@type");
    value
}

/// An `Empty` decodes into null.
fn result(value: &Value) -> Value {
    if value.is_null() { Value::Object(serde_json::Map::new()) } else { value.clone() }
}
