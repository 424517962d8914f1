//! The figures as Markdown: absolute, as ratios, and against what they should be.

use std::collections::BTreeSet;
use std::process::Command;

use peers::report::Report;

use crate::harness::{CLIENTS, GRPC_CLIENTS, MANIFEST, Measured, Plan};

pub(crate) fn print(plan: &Plan, pinned: bool, measured: &[Measured], memory: &[f64; 2]) {
    let figures: Vec<Figures> = measured.iter().map(Figures::new).collect();
    let Plan { rounds, gets, operations, .. } = plan;
    let cores = if pinned { "server and client on one core" } else { "not pinned" };
    println!("{rounds} rounds of {gets} gets and {operations} operations listed, {cores}.\n");
    absolute(&CLIENTS, &figures);
    ratios(&figures);
    goals(&figures, plan, memory);
}

/// The same over gRPC.
pub(crate) fn print_grpc(rest: &[Measured], measured: &[Measured]) {
    let figures: Vec<Figures> = measured.iter().map(Figures::new).collect();
    println!("\nOver gRPC (h2c, a server of tonic's).\n");
    absolute(&GRPC_CLIENTS, &figures);
    let [tonic, ours] = &figures[..] else { return };
    row(&["goal", "wanted", "found", "met"]);
    rule(4);
    at_most("CPU/get ÷ tonic", 0.75, ours.get_cpu / tonic.get_cpu);
    at_most("get p50 ÷ tonic", 1.0, ours.get_p50 / tonic.get_p50);
    // In CPU, since the servers differ: that of REST has its pages ready.
    let Some(rest) = rest.last().map(Figures::new) else { return };
    let ratio = rest.page_cpu / ours.page_cpu;
    goal(
        "operations per CPU second ÷ those in JSON over REST",
        "≥ 1.50",
        &format!("{ratio:.2}"),
        ratio >= 1.5,
    );
}

/// The best round, since whatever else the machine does only adds; the median one for tails and memory.
struct Figures {
    get_p50: f64,
    get_p99: f64,
    get_cpu: f64,
    get_rss: f64,
    threads: f64,
    list_rate: f64,
    page_cpu: f64,
    list_rss: f64,
    start: f64,
}

impl Figures {
    fn new(measured: &Measured) -> Self {
        let get = |figure: fn(&Report) -> f64| sorted(measured.gets.iter().map(figure));
        let list = |figure: fn(&Report) -> f64| sorted(measured.lists.iter().map(figure));
        Self {
            get_p50: least(&get(|report| report.p50)),
            get_p99: median(&get(|report| report.p99)),
            get_cpu: least(&get(|report| report.cpu)),
            get_rss: median(&get(|report| report.rss)),
            threads: median(&get(|report| report.threads)),
            list_rate: most(&list(|report| report.rate)),
            page_cpu: least(&list(|report| report.cpu)),
            list_rss: median(&list(|report| report.rss)),
            start: least(&sorted(measured.starts.iter().copied())),
        }
    }
}

fn absolute(clients: &[(&str, &str)], figures: &[Figures]) {
    row(&[
        "client",
        "get p50 µs",
        "p99 µs",
        "CPU µs/get",
        "threads/get",
        "list ops/s",
        "CPU µs/page",
        "peak kB get",
        "peak kB list",
        "cold start ms",
    ]);
    rule(10);
    for ((_, label), of) in clients.iter().zip(figures) {
        row(&[
            label,
            &format!("{:.1}", of.get_p50),
            &format!("{:.1}", of.get_p99),
            &format!("{:.1}", of.get_cpu),
            &format!("{:.2}", of.threads),
            &format!("{:.0}", of.list_rate),
            &format!("{:.0}", of.page_cpu),
            &format!("{:.0}", of.get_rss),
            &format!("{:.0}", of.list_rss),
            &format!("{:.2}", of.start),
        ]);
    }
    println!();
}

fn ratios(figures: &[Figures]) {
    let [raw, ureq, _, google, _] = figures else { return };
    row(&[
        "ratio",
        "get p50 ÷ raw",
        "get p50 ÷ ureq",
        "CPU/get ÷ ureq",
        "ops/s ÷ google",
        "CPU/page ÷ google",
        "peak list ÷ google",
        "cold start ÷ google",
    ]);
    rule(8);
    for ((_, label), of) in CLIENTS.iter().zip(figures) {
        let ratios = [
            of.get_p50 / raw.get_p50,
            of.get_p50 / ureq.get_p50,
            of.get_cpu / ureq.get_cpu,
            of.list_rate / google.list_rate,
            of.page_cpu / google.page_cpu,
            of.list_rss / google.list_rss,
            of.start / google.start,
        ];
        let ratios = ratios.map(|ratio| format!("{ratio:.2}"));
        row(&[&[*label][..], &ratios.each_ref().map(String::as_str)[..]].concat());
    }
    println!();
}

fn goals(figures: &[Figures], plan: &Plan, memory: &[f64; 2]) {
    let [_, ureq, _, google, ours] = figures else { return };
    row(&["goal", "wanted", "found", "met"]);
    rule(4);
    at_most("get p50 ÷ ureq without timeouts", 1.5, ours.get_p50 / ureq.get_p50);
    at_most("get p50 ÷ google-cloud-longrunning", 1.0, ours.get_p50 / google.get_p50);
    at_most("CPU/get ÷ google-cloud-longrunning", 1.0, ours.get_cpu / google.get_cpu);
    let rate = ours.list_rate / google.list_rate;
    goal("list ops/s ÷ google-cloud-longrunning", "≥ 3.50", &format!("{rate:.2}"), rate >= 3.5);
    let [short, long] = plan.memory;
    let name = format!("peak of {long} listed ÷ peak of {short} ({:.0} and {:.0} kB)", memory[1], memory[0]);
    at_most(&name, 1.1, memory[1] / memory[0]);
    at_most("threads started per get", 0.0, ours.threads);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let own = crates(root, "longrunning");
    let shown = |crates: Option<usize>| crates.map_or("unknown".to_owned(), |crates| crates.to_string());
    let google = shown(crates(MANIFEST, "google-cloud-longrunning"));
    let name = format!("crates in the default tree (google-cloud-longrunning, here without TLS: {google})");
    goal(&name, "≤ 55", &shown(own), own.is_some_and(|crates| crates <= 55));
}

/// How many packages `package` needs, itself not counted.
fn crates(manifest: &str, package: &str) -> Option<usize> {
    let tree = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .args(["--manifest-path", manifest, "--package", package])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    // A package that was printed before is marked.
    let packages: BTreeSet<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    packages.len().checked_sub(1)
}

fn at_most(name: &str, limit: f64, found: f64) {
    goal(name, &format!("≤ {limit:.2}"), &format!("{found:.2}"), found <= limit);
}

fn goal(name: &str, wanted: &str, found: &str, met: bool) {
    row(&[name, wanted, found, if met { "yes" } else { "**no**" }]);
}

fn row(cells: &[&str]) {
    println!("| {} |", cells.join(" | "));
}

fn rule(columns: usize) {
    println!("|---|{}", "---:|".repeat(columns - 1));
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn least(sorted: &[f64]) -> f64 {
    sorted.first().copied().unwrap_or(f64::NAN)
}

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn most(sorted: &[f64]) -> f64 {
    sorted.last().copied().unwrap_or(f64::NAN)
}
