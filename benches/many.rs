//! What it costs to wait for 10,000 operations of one parent: by pages, and with one get each.
//!
//! ```text
//! cargo bench --all-features --bench many [-- --quick]
//! ```
//!
//! The server is the embedded one, in a process of its own. Every operation is done when it is looked at for the
//! fifth time, and there are no delays between the rounds, so that all time is work. Processor time is the client's
//! alone (Linux only). The first line is what 10,000 waiting operations take in memory, over a transport that responds
//! from memory. The second table is about a wait that is too short: how long after its limit the first and the last of
//! 10,000 errors come.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use longrunning::proto::google::longrunning as pb;
use longrunning::testing::{FakeOperation, FakeServer};
use longrunning::transport::{Attempt, Transport};
use longrunning::{Backoff, Credentials, Error, Operation, OperationPage, OperationsClient};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    // Without `--bench` it is a test run of cargo that got here.
    let quick = has("--quick") || !has("--bench");
    let (count, rounds) = if quick { (500, 1) } else { (10_000, 3) };
    if has("serve") {
        return serve(count, rounds);
    }
    // First, while there is no freed memory that could be used again.
    let each = bytes_each(count);
    println!("{each} bytes a waiting operation, the text of its state ({STATE} bytes) included\n");
    let mut server = Server::start(quick);
    let mut table: Vec<(&str, Cost)> = Vec::new();
    for (contestant, way) in WAYS {
        let best = (0..rounds)
            .map(|round| server.measure(way, contestant, round, count))
            .min_by(|a, b| a.wall.total_cmp(&b.wall));
        table.extend(best.map(|cost| (contestant, cost)));
    }
    println!("{count} operations, {POLLS} polls of each; best of {rounds}.\n");
    println!("| | requests | CPU ms | wall ms | requests ÷ | CPU ÷ | wall ÷ |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let Some((_, first)) = table.first() else { return };
    for (contestant, cost) in &table {
        let Cost { requests, cpu, wall } = cost;
        let (of_requests, of_cpu, of_wall) = (requests / first.requests, cpu / first.cpu, wall / first.wall);
        println!(
            "| {contestant} | {requests} | {cpu:.0} | {wall:.0} | {of_requests:.0} | {of_cpu:.1} | {of_wall:.1} |"
        );
    }
    limits(&server, count, rounds);
}

/// The second table.
fn limits(server: &Server, count: usize, rounds: usize) {
    println!(
        "\n{count} operations that outlast a limit of {} s; of {rounds}, best and worst.\n",
        LIMIT.as_secs()
    );
    println!("| | first error, ms after the limit | last error, ms after it |");
    println!("|---|---:|---:|");
    for (contestant, header) in [("`poll_many`", "x-list"), ("`poll_many`, one get each", "x-no-list")] {
        let runs: Vec<_> = (0..rounds).map(|_| server.outlast(header, count)).collect();
        let range = |of: fn(&(f64, f64)) -> f64| {
            let sorted = || runs.iter().map(of);
            format!("{:.1} to {:.1}", sorted().fold(f64::MAX, f64::min), sorted().fold(f64::MIN, f64::max))
        };
        println!("| {contestant} | {} | {} |", range(|run| run.0), range(|run| run.1));
    }
}

/// Waits for all names; gives how many requests that took, as far as it is known here.
type Way = fn(&OperationsClient, &[String]) -> Option<usize>;

const WAYS: [(&str, Way); 4] = [
    ("`poll_many`", |client, names| {
        client.poll_many(names).backoff(at_once()).join_all().expect("all end");
        None
    }),
    ("`poll_many`, one get each, 4 workers", |client, names| {
        // A header that the server's script takes for a listing that is denied.
        let all = client.poll_many(names).backoff(at_once()).header("x-no-list", "1").join_all();
        all.expect("all end");
        Some(names.len() * POLLS + 1)
    }),
    ("`poll_many`, one get each, 1 worker", |client, names| {
        let all =
            client.poll_many(names).backoff(at_once()).header("x-no-list", "1").concurrency(1).join_all();
        all.expect("all end");
        Some(names.len() * POLLS + 1)
    }),
    ("a loop over `get`", |client, names| {
        let mut waiting: Vec<&String> = names.iter().collect();
        while !waiting.is_empty() {
            waiting.retain(|name| !client.get(*name).send().expect("it is there").is_done());
        }
        Some(names.len() * POLLS)
    }),
];

fn at_once() -> Backoff {
    Backoff::from_fn(|_| Some(Duration::ZERO))
}

struct Cost {
    requests: f64,
    cpu: f64,
    wall: f64,
}

struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(quick: bool) -> Self {
        let own = std::env::current_exe().expect("a program knows its path");
        let mut command = Command::new(own);
        command.arg("serve").args(if quick { &["--quick"][..] } else { &["--bench"] });
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = started.expect("the server starts");
        let mut url = String::new();
        let output = process.stdout.as_mut().expect("the output is piped");
        BufReader::new(output).read_line(&mut url).expect("the output is text");
        Self { process, url: url.trim_end().to_owned() }
    }

    fn measure(&mut self, way: Way, contestant: &str, round: usize, count: usize) -> Cost {
        let number = WAYS.iter().position(|(name, _)| *name == contestant).unwrap_or_default();
        let names: Vec<String> = (0..count).map(|operation| name(number, round, operation)).collect();
        let builder = OperationsClient::builder(&self.url).credentials(Credentials::anonymous());
        let client = builder.build().expect("the options are right");
        let (cpu, start) = (cpu_ms(), Instant::now());
        let requests = way(&client, &names).unwrap_or_else(|| count.div_ceil(1000) * POLLS);
        let wall = start.elapsed().as_secs_f64() * 1e3;
        Cost { requests: requests as f64, cpu: cpu_ms() - cpu, wall }
    }
}

impl Server {
    /// Waits for operations that never end; gives the milliseconds by which the first and the last error are late.
    fn outlast(&self, header: &str, count: usize) -> (f64, f64) {
        let names: Vec<String> = (0..count).map(|operation| name(WAYS.len(), 0, operation)).collect();
        let builder = OperationsClient::builder(&self.url).credentials(Credentials::anonymous());
        let client = builder.build().expect("the options are right");
        let many = client.poll_many(&names).total_timeout(LIMIT).header(header, "1");
        let start = Instant::now();
        let late = || (start.elapsed().as_secs_f64() - LIMIT.as_secs_f64()) * 1e3;
        let ends: Vec<f64> = many.into_iter().map(|result| (late(), result).0).collect();
        (ends.first().copied().unwrap_or_default(), ends.last().copied().unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends with its input.
        drop(self.process.wait());
    }
}

fn serve(count: usize, rounds: usize) {
    let server = FakeServer::builder().real_time().keep_requests(0).start().expect("a free port");
    let denied = longrunning::Status::new(longrunning::Code::PermissionDenied, "no");
    let denied = longrunning::testing::Reply::from(denied).times(usize::MAX);
    server.reply_when(
        |request| request.header("x-no-list").is_some() && request.query("pageSize").is_some(),
        denied,
    );
    for way in 0..WAYS.len() {
        for round in 0..rounds {
            for operation in 0..count {
                server.insert(FakeOperation::new(name(way, round, operation)).done_at_poll(POLLS as u64));
            }
        }
    }
    for operation in 0..count {
        server.insert(FakeOperation::new(name(WAYS.len(), 0, operation)).done_at_poll(u64::MAX));
    }
    println!("{}", server.url());
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
}

fn name(way: usize, round: usize, operation: usize) -> String {
    format!("projects/benchmark/locations/w{way}r{round}/operations/{operation:010}")
}

/// Processor time of this process.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks * 10.0
}

/// What a waiting operation takes, by the memory of this process before and after the first round.
fn bytes_each(count: usize) -> usize {
    let client = OperationsClient::over(Memory::default()).build().expect("there are no options");
    let mut names: Vec<String> = (0..count).map(|operation| name(0, 0, operation)).collect();
    names.push("operations/done".to_owned());
    let before = resident();
    let mut finished = client.poll_many(names).concurrency(1).into_iter();
    // The lone one is done at its second poll, when all others have been asked.
    drop(finished.next());
    resident().saturating_sub(before) / count
}

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).unwrap_or_default() * 1024
}

/// Has operations that run for ever, and one that is done at the second request.
#[derive(Debug, Default)]
struct Memory(AtomicUsize);

impl Transport for Memory {
    fn get_operation(&self, request: &pb::GetOperationRequest, _: &Attempt<'_>) -> Result<Operation, Error> {
        let is_first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        let done = || Operation::succeeded(&request.name, longrunning::Any::pack(&()));
        Ok(if is_first { Operation::running(&request.name) } else { done() })
    }
    fn list_operations(
        &self,
        request: &pb::ListOperationsRequest,
        _: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        let page: usize = request.page_token.parse().unwrap_or_default();
        let running = (page * 1000..(page + 1) * 1000).map(|operation| {
            let text = format!(
                "{{\"name\":\"{}\",\"metadata\":{{\"@type\":\"type.googleapis.com/x.Y\"",
                name(0, 0, operation)
            );
            let padding = "x".repeat(STATE - text.len() - 9);
            Operation::from_json(&format!("{text},\"p\":\"{padding}\"}}}}")).expect("it is an operation")
        });
        Ok(OperationPage::new(running.collect(), (page + 1).to_string()))
    }
    fn cancel_operation(&self, _: &pb::CancelOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        Ok(())
    }
    fn delete_operation(&self, _: &pb::DeleteOperationRequest, _: &Attempt<'_>) -> Result<(), Error> {
        Ok(())
    }
    fn wait_operation(
        &self,
        request: &pb::WaitOperationRequest,
        _: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        Ok(Operation::running(&request.name))
    }
}

const POLLS: usize = 5;

/// Long enough for several rounds.
const LIMIT: Duration = Duration::from_secs(4);

/// Bytes of an operation in JSON.
const STATE: usize = 400;
