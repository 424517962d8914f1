//! Services with operations of their own: started, polled, listed, waited for and read, with bodies as they send them.

use longrunning::http::HttpMethod;
use longrunning::testing::{FakeServer, Reply};
use longrunning::{Bindings, Code, Error, OperationsClient, Progress};

use super::page;
use super::play;
use super::table::ExtendedRow;

#[test]
fn every_service_is_started_and_waited_for() -> Result<(), Error> {
    let mut misread = Vec::new();
    for row in ExtendedRow::all() {
        let (server, client) = service(&row);
        let (verb, template) = row.start.split_once(' ').expect("a verb and a path");
        let method = if verb == "PATCH" { HttpMethod::Patch } else { HttpMethod::Post };
        // The ids of the start are those of the operation's name.
        let path = start_path(template);
        for (verb, path, body) in
            [(verb, path.as_str(), row.running), ("GET", row.get, row.running), ("GET", row.get, row.done)]
        {
            server.reply_to(verb, path, Reply::json(200, body));
        }
        let handle = client.start(&path).method(method).json_text("{}").send()?;
        assert_eq!(handle.name(), row.name, "{}", row.service);
        let operation = handle.refresh()?;
        assert!(!operation.is_done(), "{}", row.service);
        let read = play::read(&Progress::of(&operation));
        misread.extend((read != row.progress).then(|| format!("{}\t{read}", row.service)));
        let done = handle.until_done()?;
        assert_eq!(server.pending_replies(), 0, "{}: {:#?}", row.service, server.requests());
        let link = done.target_link().unwrap_or("-").to_owned();
        assert_eq!((done.error(), link.as_str()), (None, row.target_link), "{}", row.service);
    }
    assert!(misread.is_empty(), "{}", misread.join("\n"));
    Ok(())
}

#[test]
fn every_service_is_listed() -> Result<(), Error> {
    for row in ExtendedRow::all() {
        let (server, client) = service(&row);
        server.reply_to("GET", row.list, Reply::json(200, row.listing));
        let names: Result<Vec<_>, _> = client.list(row.parent).into_iter().collect();
        let names: Vec<_> = names?.iter().map(|operation| operation.name().to_owned()).collect();
        assert_eq!((play::line(&server), names), (format!("GET {}", row.list), vec![row.name.to_owned()]));
    }
    Ok(())
}

/// A method that the service does not have fails without a request.
#[test]
fn every_service_waits_cancels_and_deletes_what_it_can() {
    for row in ExtendedRow::all() {
        let calls: [(&str, fn(&OperationsClient, &str) -> Result<(), Error>); 3] = [
            ("cancel", |client, name| client.cancel(name).send()),
            ("delete", |client, name| client.delete(name).send()),
            ("wait", |client, name| client.wait(name).send().map(drop)),
        ];
        for (method, call) in calls {
            let (server, client) = service(&row);
            server.reply(Reply::json(200, if method == "wait" { row.done } else { "{}" }));
            let code = call(&client, row.name).err().and_then(|error| error.code());
            let has = row.methods.split(' ').any(|bound| bound == method);
            let expected = if has { (None, 1) } else { (Some(Code::Unimplemented), 0) };
            assert_eq!((code, server.request_count()), expected, "{}: {method}", row.service);
        }
    }
}

#[test]
fn the_page_has_the_rows_of_the_table() {
    let written: Vec<String> = ExtendedRow::all().iter().map(page_row).collect();
    page::compare(HEADER, &written);
}

const HEADER: &str =
    "| service | endpoint | version | operation names | started by | result | fields | methods | source |";

fn page_row(row: &ExtendedRow) -> String {
    let document = row.message.split('/').next().unwrap_or_default();
    let result = if row.target_link == "-" { "in the operation" } else { "`target_link()`" };
    let cells = [
        row.service.to_owned(),
        page::endpoints(row.host, row.regional_hosts),
        page::code(row.version),
        page::names(row.names),
        page::code(row.start),
        result.to_owned(),
        page::fields(row.running),
        row.methods.replace(' ', ", "),
        page::code(document),
    ];
    format!("| {} |", cells.join(" | "))
}

/// The real ids in place of the variables.
fn start_path(template: &str) -> String {
    let ids = [
        ("{parent=projects/*/locations/*}", "projects/demo/locations/europe-west1"),
        ("{project}", "demo"),
        ("{zone}", "europe-west1-b"),
        ("{managed_zone}", "z"),
        ("{bucket}", "bucket"),
    ];
    ids.iter().fold(template.to_owned(), |path, (variable, id)| path.replace(variable, id))
}

fn service(row: &ExtendedRow) -> (FakeServer, OperationsClient) {
    let server = FakeServer::start();
    let bindings = match row.service {
        "Cloud SQL" => Bindings::cloud_sql(),
        "Google Kubernetes Engine" => Bindings::kubernetes_engine(),
        "Cloud DNS, zones" => Bindings::cloud_dns(),
        "Deployment Manager" => Bindings::deployment_manager(),
        "Cloud Storage, JSON" => Bindings::cloud_storage(),
        _ => Bindings::compute_engine(),
    };
    let client = server.client_builder().bindings(bindings).build().unwrap();
    (server, client)
}
