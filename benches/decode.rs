//! What a response costs once its bytes are there: this crate, and serde_json in the two usual ways.
//!
//! ```text
//! cargo bench --bench decode [-- --quick]
//! ```
//!
//! The binary page (`alt=proto`) has the operations of the JSON page; how many a second each gives is printed last.
//!
//! No sockets: the client responds from memory, so its figures hold everything but HTTP (options, binding,
//! headers, retry loop, paging). Every contestant starts from a copy of the body. Rounds are interleaved, a
//! figure is that of the best round.

#[path = "decode/binary.rs"]
mod binary;
#[path = "peers/src/payload.rs"]
#[expect(unreachable_pub, reason = "the other user is a library")]
mod payload;

use std::hint::black_box;
use std::time::Instant;

use longrunning::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use longrunning::{Credentials, OperationsClient};
use serde::Deserialize;
use serde_json::{Map, Value};

fn main() {
    // Without `--bench` it is a test run of cargo that got here.
    let arguments: Vec<String> = std::env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let rounds = if has("--quick") || !has("--bench") { 1 } else { 30 };
    let page = payload::page();
    let pretty = pretty(&page);
    println!("Best of {rounds} rounds; ratios to longrunning.\n");
    println!("| response | bytes | longrunning µs | typed, Map µs | Value µs | typed ÷ | Value ÷ |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    report("operation", &payload::operation(), rounds, 1000, get, |body| drop(typed::<Operation>(body)));
    report("page of 1000", &page, rounds, 10, list, |body| drop(typed::<Page>(body)));
    report("the same, indented", &pretty, rounds, 10, list, |body| drop(typed::<Page>(body)));
    report_binary(&page, rounds);
}

/// Prints operations a second of a page in either form, all fields read into types of the caller or not.
fn report_binary(page: &str, rounds: usize) {
    let json = client("application/json; charset=UTF-8", page.as_bytes().to_vec());
    let bytes = binary::page(page);
    let size = bytes.len();
    let binary = client("application/x-protobuf", bytes);
    let mut found = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        found[0].push(time(10, || list(&json)));
        found[1].push(time(10, || list(&binary)));
        found[2].push(time(10, || binary::read_json(&json)));
        found[3].push(time(10, || binary::read_binary(&binary)));
    }
    let [json, binary, json_read, binary_read] = found.map(least);
    println!("\nPage of 1000 operations, {size} bytes in binary; millions of operations a second.\n");
    println!("| | JSON | binary | binary ÷ JSON |\n|---|---:|---:|---:|");
    for (name, json, binary) in
        [("as a page", json, binary), ("and all messages into own types", json_read, binary_read)]
    {
        let rate = |micros: f64| payload::PAGE_SIZE as f64 / micros;
        println!("| {name} | {:.2} | {:.2} | {:.2} |", rate(json), rate(binary), json / binary);
    }
}

fn client(content_type: &'static str, body: Vec<u8>) -> OperationsClient {
    OperationsClient::builder("http://127.0.0.1:1")
        .credentials(Credentials::anonymous())
        .http_client(Canned { content_type, body })
        .build()
        .expect("the options are right")
}

/// Prints a row: microseconds of each contestant, calls made `repeats` times in each of the rounds.
fn report(
    name: &str,
    body: &str,
    rounds: usize,
    repeats: u32,
    ours: impl Fn(&OperationsClient),
    typed: impl Fn(&[u8]),
) {
    let bytes = body.as_bytes();
    let client = client("application/json; charset=UTF-8", bytes.to_vec());
    // Ours copies the response out of the canned client; so do the others.
    let copy = || black_box(bytes).to_vec();
    let mut found = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        found[0].push(time(repeats, || ours(&client)));
        found[1].push(time(repeats, || typed(&copy())));
        found[2].push(time(repeats, || drop(serde_json::from_slice::<Value>(&copy()))));
    }
    let [ours, typed, value] = found.map(least);
    let size = body.len();
    let (typed_ratio, value_ratio) = (typed / ours, value / ours);
    println!(
        "| {name} | {size} | {ours:.2} | {typed:.2} | {value:.2} | {typed_ratio:.2} | {value_ratio:.2} |"
    );
}

fn get(client: &OperationsClient) {
    let operation = client.get("operations/42").send().expect("the response is an operation");
    assert!(black_box(operation).is_done());
}

fn list(client: &OperationsClient) {
    let page = client.list("operations").page_size(1000).send().expect("the response is a page");
    assert_eq!(black_box(page).operations.len(), payload::PAGE_SIZE);
}

/// Responds to every request with the same bytes.
#[derive(Debug)]
struct Canned {
    content_type: &'static str,
    body: Vec<u8>,
}

impl HttpClient for Canned {
    fn send(&self, _: &HttpRequest<'_>) -> Result<HttpResponse, HttpError> {
        let response = HttpResponse::new(200, self.body.clone());
        Ok(response.with_header("content-type", self.content_type))
    }
}

fn typed<T: for<'de> Deserialize<'de>>(body: &[u8]) -> T {
    black_box(serde_json::from_slice(body).expect("the response is JSON"))
}

/// What one writes without this crate.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoding them is the measured work")]
struct Page {
    operations: Vec<Operation>,
    next_page_token: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Operation {
    name: String,
    #[serde(default)]
    done: bool,
    metadata: Option<Map<String, Value>>,
    error: Option<Map<String, Value>>,
    response: Option<Map<String, Value>>,
}

/// As Google's servers print by default.
fn pretty(json: &str) -> String {
    let value: Value = serde_json::from_str(json).expect("the page is JSON");
    serde_json::to_string_pretty(&value).expect("a value prints")
}

/// Microseconds a call.
fn time(repeats: u32, call: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        call();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(repeats)
}

/// Whatever else the machine does only adds.
fn least(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}
