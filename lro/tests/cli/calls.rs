//! `get`, `list`, `cancel`, `delete`: what they ask and what they print.

use std::io::{BufRead, BufReader};

use longrunning::testing::{FakeServer, Reply};
use longrunning::{Any, Code, Operation, Status};

use crate::kit::{Ran, full_server, lro, server};

/// Methods and targets of what arrived.
fn asked(server: &FakeServer) -> Vec<String> {
    server.requests().iter().map(|request| format!("{} {}", request.method(), request.target())).collect()
}

#[test]
fn get_for_people() {
    let server = full_server();
    let expected = "\
name      operations/done
state     succeeded
response  {
            \"@type\": \"type.googleapis.com/x.Index\",
            \"rows\": \"9\"
          }
";
    lro("get operations/done").asks(&server).runs().exits(0).prints(expected).says_nothing();
    let failed = lro("get operations/failed").asks(&server).runs().exits(0).says_nothing();
    assert!(failed.stdout.contains("state     failed RESOURCE_EXHAUSTED\n"), "{failed:#?}");
    assert_eq!(asked(&server), ["GET /v1/operations/done", "GET /v1/operations/failed"]);
}

#[test]
fn json_is_what_the_server_sent_on_one_line() {
    let server = server();
    let sent = "{\n  \"name\": \"operations/1\",\n  \"new\": [18446744073709551616, 1.50e-7],\n  \"s\": \" a  \\n\"\n}";
    server.reply(Reply::json(200, sent));
    lro("get operations/1 --format json")
        .asks(&server)
        .runs()
        .exits(0)
        .prints("{\"name\":\"operations/1\",\"new\":[18446744073709551616,1.50e-7],\"s\":\" a  \\n\"}\n")
        .says_nothing();
}

#[test]
fn nothing_of_a_server_commands_the_terminal() {
    let server = server();
    let sent = "{\"name\":\"a\\u001b[31m\",\"metadata\":{\"x\":\"\u{9b}31m\u{202e}\"}}";
    server.reply(Reply::json(200, sent));
    let shown = lro("get a").asks(&server).runs().exits(0);
    assert!(!shown.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{shown:#?}");
    server.reply(Status::new(Code::Internal, "\u{1b}[2J\nlro: all is well"));
    let refused = lro("get a").asks(&server).runs().exits(1);
    assert!(!refused.stderr.contains('\u{1b}') && refused.stderr.lines().count() == 1, "{refused:#?}");
}

#[test]
fn list_for_people() {
    let server = full_server();
    let expected = "\
NAME     STATE
running  running
done     succeeded
failed   failed RESOURCE_EXHAUSTED
third    running 33 %
";
    lro("list").asks(&server).runs().exits(0).prints(expected).says_nothing();
    let empty = lro("list projects/p").asks(&server).runs().exits(0).prints("");
    assert_eq!(empty.stderr, "lro: no operations under `projects/p`\n");
    assert_eq!(asked(&server), ["GET /v1/operations", "GET /v1/projects/p/operations"]);
}

#[test]
fn list_options_reach_the_server() {
    let server = full_server();
    let listed =
        lro("list --page-size 2 --format json --filter").word("done = true").asks(&server).runs().exits(0);
    assert_eq!(listed.stdout.lines().count(), 2, "{listed:#?}");
    let request = &server.take_requests()[0];
    assert_eq!(request.query("filter").as_deref(), Some("done = true"));
    assert_eq!(request.query("pageSize").as_deref(), Some("2"));

    let first = lro("list --page-size 3 --limit 3").asks(&server).runs().exits(0);
    let token = first
        .stderr
        .strip_prefix("lro: there are more: continue with --page-token ")
        .unwrap()
        .trim()
        .to_owned();
    assert_eq!(first.stdout.lines().count(), 4);
    let rest =
        lro("list --page-size 3 --page-token").word(token).asks(&server).runs().exits(0).says_nothing();
    assert!(rest.stdout.ends_with("third  running 33 %\n"), "{rest:#?}");

    let cut = lro("list --limit 1").asks(&server).runs().exits(0);
    assert_eq!(cut.stdout.lines().count(), 2);
    lro("list --limit 0").asks(&server).runs().exits(0).prints("");
}

#[test]
fn places_that_cannot_be_reached_are_named() {
    let server = full_server();
    server.set_unreachable(["projects/p/locations/mars"]);
    lro("list --retries 0")
        .asks(&server)
        .runs()
        .exits(1)
        .says("lro: ListOperations `operations`: UNAVAILABLE");
    let listed = lro("list --partial-success").asks(&server).runs().exits(0);
    listed.says("lro: not reached: projects/p/locations/mars");
}

#[test]
fn a_listing_that_breaks_off_says_where_to_go_on() {
    let server = full_server();
    server.reply_to("GET", "pageToken", Status::new(Code::Internal, "broken"));
    let listed = lro("list --page-size 2").asks(&server).runs().exits(1);
    assert_eq!(listed.stdout.lines().count(), 3);
    listed.says("lro: hint: continue with --page-token ");
}

#[test]
fn cancel_and_delete_take_many_names() {
    let server = full_server();
    lro("cancel operations/running operations/third")
        .asks(&server)
        .runs()
        .exits(0)
        .prints("")
        .says("lro: requested cancellation of `operations/third`");
    assert_eq!(server.operation("operations/running").unwrap().error().unwrap().code(), Code::Cancelled);
    let deleted =
        lro("delete operations/nowhere operations/done --format json").asks(&server).runs().exits(5);
    deleted
        .prints("")
        .says("lro: deleted `operations/done`")
        .says("lro: DeleteOperation `operations/nowhere`: NOT_FOUND: ");
    assert!(server.operation("operations/done").is_none());
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let server = server();
    let metadata = Any::from_json(&format!(r#"{{"text":"{}"}}"#, "x".repeat(1000))).unwrap();
    for number in 0..2000 {
        server.insert(Operation::running(format!("operations/{number}")).with_metadata(metadata.clone()));
    }
    let mut child = lro("list --format json").asks(&server).starts();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with(r#"{"name":"operations/0""#));
    // The pipe is closed now.
    Ran::of(child).exits(0).says_nothing();
}

/// A token of the service may look like a JWT and is of use; a credential in its place is not repeated.
#[test]
fn a_page_token_is_repeated_if_it_is_the_services() {
    let page = |token: &str| {
        Reply::json(200, format!(r#"{{"operations":[{{"name":"operations/1"}}],"nextPageToken":"{token}"}}"#))
    };
    let given = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.CANARY";
    let broken = || Status::new(Code::Internal, "broken");
    let server = server();
    server.reply(page("eyJvZmZzZXQiOjJ9"));
    let listed = lro("list --limit 1").asks(&server).runs().exits(0);
    listed.says("lro: there are more: continue with --page-token eyJvZmZzZXQiOjJ9");

    server.reply(page("eyJv.ZmZz.ZXQi"));
    server.reply(broken());
    let listed = lro("list --page-token").word(given).asks(&server).runs().exits(1);
    listed.says("lro: hint: continue with --page-token eyJv.ZmZz.ZXQi");

    for token in [given, "eyJCANARY", "ya29.CANARY", "AIzaSyCANARY"] {
        server.reply(broken());
        let listed = lro("list --page-token").word(token).asks(&server).runs().exits(1);
        assert!(!listed.stderr.contains("CANARY"), "{listed:#?}");
        listed.says(
            "lro: hint: continue with the same --page-token, which is not repeated here: it looks like ",
        );
    }
    server.reply(page(given));
    let listed = lro("list --limit 1 --page-token").word(given).asks(&server).runs().exits(0);
    assert!(!listed.stderr.contains("CANARY"), "{listed:#?}");
}
