//! The default bindings, against every HTTP rule of google.longrunning.Operations that Google publishes.

use std::collections::BTreeMap;

use longrunning::testing::{FakeServer, RecordedRequest};
use longrunning::{Bindings, ErrorKind, OperationsClient, WaitBinding};

/// All rules: a line with method and verb, then the templates.
const RULES: &str = include_str!("../fixtures/http-rules.txt");

/// Its table lists the rules that the default bindings do not follow.
const PAGE: &str = include_str!("../../docs/bindings.md");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HttpRule<'a> {
    method: &'a str,
    verb: &'a str,
    template: &'a str,
}

/// Parts of `/v1/{name=projects/*/operations/*}:cancel`: version, pattern, and what is around the name.
struct RuleParts<'a> {
    version: &'a str,
    head: &'a str,
    pattern: &'a str,
    tail: &'a str,
}

#[test]
fn every_published_rule_is_followed_or_an_exception_with_a_reason() {
    let rules = rules();
    assert_eq!(rules.len(), 979);
    let server = FakeServer::start();
    let mut clients = BTreeMap::new();
    let mut not_followed = Vec::new();
    for rule in &rules {
        let parts = parts(rule.template);
        let client = clients.entry(parts.version).or_insert_with(|| client(&server, parts.version));
        if !samples(parts.pattern).iter().all(|name| follows(&server, client, rule, &parts, name)) {
            not_followed.push(*rule);
        }
    }
    let exceptions = exceptions();
    let unlisted: Vec<_> = not_followed.iter().filter(|rule| !exceptions.contains(rule)).collect();
    assert!(unlisted.is_empty(), "no exceptions in docs/bindings.md: {unlisted:#?}");
    let followed: Vec<_> = exceptions.iter().filter(|rule| !not_followed.contains(rule)).collect();
    assert!(followed.is_empty(), "exceptions in docs/bindings.md that are none: {followed:#?}");
}

fn rules() -> Vec<HttpRule<'static>> {
    let mut rules = Vec::new();
    let (mut method, mut verb) = ("", "");
    for line in RULES.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')?.split_once(' ')) {
            Some(pair) => (method, verb) = pair,
            None => rules.push(HttpRule { method, verb, template: line }),
        }
    }
    rules
}

/// The rows `| GetOperation | get | template | reason |` of the page.
fn exceptions() -> Vec<HttpRule<'static>> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ") && line.contains("Operation"));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    cells
        .filter_map(|cells| match cells[..] {
            [rule, reason] if !reason.is_empty() => rule.trim_matches('`').split_once(' '),
            _ => None,
        })
        .map(|(method, rule)| {
            let (verb, template) = rule.split_once(' ').expect("method, verb and template");
            HttpRule { method, verb, template }
        })
        .collect()
}

fn parts(template: &str) -> RuleParts<'_> {
    let Some((head, rest)) = template.split_once("{name=") else {
        // Without a variable, as in `/v1/operations`.
        let (head, name) = template.split_at(template.rfind('/').map_or(0, |at| at + 1));
        return RuleParts { version: head.trim_matches('/'), head, pattern: name, tail: "" };
    };
    let (pattern, tail) = rest.split_once('}').expect("a closing brace");
    let version = head.trim_matches('/');
    // The collection may be in front of the name.
    let version = version.strip_suffix("/operations").unwrap_or(version);
    RuleParts { version, head, pattern, tail }
}

/// Names that the pattern takes: `*` is one segment, `**` one or more.
fn samples(pattern: &str) -> Vec<String> {
    let fill = |many: &str| {
        let one = |(at, segment): (usize, &str)| match segment {
            "*" => format!("id-{at}"),
            "**" => many.to_owned(),
            literal => literal.to_owned(),
        };
        pattern.split('/').enumerate().map(one).collect::<Vec<_>>().join("/")
    };
    if pattern.contains("**") { vec![fill("a"), fill("a/b")] } else { vec![fill("a")] }
}

fn client(server: &FakeServer, version: &str) -> OperationsClient {
    let bindings = Bindings::version(version).expect(version).wait_by(WaitBinding::Body);
    server.client_builder().bindings(bindings).build().expect(version)
}

/// Whether the client sends the request of the rule for `name`.
fn follows(
    server: &FakeServer,
    client: &OperationsClient,
    rule: &HttpRule<'_>,
    parts: &RuleParts<'_>,
    name: &str,
) -> bool {
    let result = match rule.method {
        "GetOperation" => client.get(name).send().map(drop),
        "ListOperations" => client.list(name).send().map(drop),
        "CancelOperation" => client.cancel(name).send(),
        "DeleteOperation" => client.delete(name).send(),
        "WaitOperation" => client.wait(name).send().map(drop),
        other => panic!("unknown method {other}"),
    };
    if result.is_err_and(|error| error.kind() == ErrorKind::Binding) {
        return false;
    }
    let sent = server.take_requests();
    let path = format!("{}{name}{}", parts.head, parts.tail);
    let is_sent =
        |sent: &RecordedRequest| sent.method().eq_ignore_ascii_case(rule.verb) && sent.path() == path;
    matches!(&sent[..], [sent] if is_sent(sent))
}
