//! The figures as Markdown: absolute, and against what they should be.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::process::Command;

use peers::report::Report;

use crate::harness::{CLIENTS, GRPC_CLIENTS, MANIFEST, Measured, Plan};

/// All tables, over REST and over gRPC.
pub(crate) struct Tables {
    text: String,
    /// What the README says.
    pub(crate) summary: String,
}

impl Tables {
    pub(crate) fn new(plan: &Plan, pinned: bool, [rest, grpc]: [&[Measured]; 2], memory: &[f64; 2]) -> Self {
        let mut tables = Self { text: String::new(), summary: String::new() };
        let Plan { rounds, gets, operations, .. } = plan;
        let cores = if pinned { "server and client on one core" } else { "not pinned" };
        tables
            .line(&format!("{rounds} rounds of {gets} gets and {operations} listed operations, {cores}.\n"));
        let figures: Vec<Figures> = rest.iter().map(Figures::new).collect();
        tables.absolute(&CLIENTS, &figures);
        tables.goals(&figures, plan, memory);
        let binary: Vec<Figures> = grpc.iter().map(Figures::new).collect();
        tables.line("\nOver gRPC (h2c, a server of tonic's):\n");
        tables.absolute(&GRPC_CLIENTS, &binary);
        tables.grpc_goals(&binary);
        tables.summary = summary(&figures, &binary);
        tables
    }

    fn grpc_goals(&mut self, figures: &[Figures]) {
        let [tonic, ours] = figures else { return };
        self.goal_head();
        self.at_most("CPU/get ÷ tonic", 0.65, ours.get_cpu / tonic.get_cpu);
        self.at_most("get p50 ÷ tonic", 0.72, ours.get_p50 / tonic.get_p50);
        self.at_least("list ops/s ÷ tonic + prost", 1.5, ours.list_rate / tonic.list_rate);
    }
}

/// The ratios in one sentence.
fn summary(rest: &[Figures], grpc: &[Figures]) -> String {
    let ([_, ureq, _, google, ours], [tonic, grpc]) = (rest, grpc) else { return String::new() };
    format!(
        "A get takes {:.2} times as long as bare ureq with serde_json, and {:.2} times its CPU. A listing yields {:.1} times as \
         many operations a second as google-cloud-longrunning.\nOver gRPC, a get takes {:.2} times as long as a channel of \
         tonic's and {:.2} times its CPU, and a listing yields {:.1} times as many operations a second.",
        ours.get_p50 / ureq.get_p50,
        ours.get_cpu / ureq.get_cpu,
        ours.list_rate / google.list_rate,
        grpc.get_p50 / tonic.get_p50,
        grpc.get_cpu / tonic.get_cpu,
        grpc.list_rate / tonic.list_rate,
    )
}

/// The best round, since whatever else the machine does only adds; the median one for memory.
struct Figures {
    get_p50: f64,
    get_cpu: f64,
    get_anonymous: f64,
    file: f64,
    threads: f64,
    list_rate: f64,
    page_cpu: f64,
    list_anonymous: f64,
}

impl Figures {
    fn new(measured: &Measured) -> Self {
        let get = |figure: fn(&Report) -> f64| sorted(measured.gets.iter().map(figure));
        let list = |figure: fn(&Report) -> f64| sorted(measured.lists.iter().map(figure));
        Self {
            get_p50: least(&get(|report| report.p50)),
            get_cpu: least(&get(|report| report.cpu)),
            get_anonymous: median(&get(|report| report.memory.anonymous)),
            file: median(&get(|report| report.memory.file)),
            threads: median(&get(|report| report.threads)),
            list_rate: most(&list(|report| report.rate)),
            page_cpu: least(&list(|report| report.cpu)),
            list_anonymous: median(&list(|report| report.memory.anonymous)),
        }
    }
}

impl Tables {
    fn absolute(&mut self, clients: &[(&str, &str)], figures: &[Figures]) {
        self.row(&[
            "client",
            "get p50 µs",
            "CPU µs/get",
            "list ops/s",
            "CPU µs/page",
            "allocated kB, get",
            "allocated kB, list",
            "program kB",
        ]);
        self.rule(8);
        for ((_, label), of) in clients.iter().zip(figures) {
            self.row(&[
                label,
                &format!("{:.1}", of.get_p50),
                &format!("{:.1}", of.get_cpu),
                &format!("{:.0}", of.list_rate),
                &format!("{:.0}", of.page_cpu),
                &format!("{:.0}", of.get_anonymous),
                &format!("{:.0}", of.list_anonymous),
                &format!("{:.0}", of.file),
            ]);
        }
        self.line("");
    }

    fn goals(&mut self, figures: &[Figures], plan: &Plan, memory: &[f64; 2]) {
        let [_, ureq, _, google, ours] = figures else { return };
        self.goal_head();
        self.at_most("get p50 ÷ ureq + serde_json", 1.1, ours.get_p50 / ureq.get_p50);
        self.at_most("CPU/get ÷ ureq + serde_json", 1.1, ours.get_cpu / ureq.get_cpu);
        self.at_least("list ops/s ÷ google-cloud-longrunning", 4.5, ours.list_rate / google.list_rate);
        self.at_most("CPU µs/page of 1000", 450.0, ours.page_cpu);
        let [short, long] = plan.memory;
        let name =
            format!("allocated for {long} listed ÷ for {short} ({:.0} and {:.0} kB)", memory[1], memory[0]);
        self.at_most(&name, 1.1, memory[1] / memory[0]);
        self.at_most("threads started per get", 0.0, ours.threads);
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        let own = crates(root, "longrunning");
        let shown = |crates: Option<usize>| crates.map_or("unknown".to_owned(), |crates| crates.to_string());
        let google = shown(crates(MANIFEST, "google-cloud-longrunning"));
        let name =
            format!("crates in the default tree (google-cloud-longrunning, here without TLS: {google})");
        self.goal(&name, "≤ 52", &shown(own), own.is_some_and(|crates| crates <= 52));
    }

    fn goal_head(&mut self) {
        self.row(&["goal", "wanted", "found", "met"]);
        self.rule(4);
    }

    fn at_most(&mut self, name: &str, limit: f64, found: f64) {
        self.goal(name, &format!("≤ {limit:.2}"), &format!("{found:.2}"), found <= limit);
    }

    fn at_least(&mut self, name: &str, limit: f64, found: f64) {
        self.goal(name, &format!("≥ {limit:.2}"), &format!("{found:.2}"), found >= limit);
    }

    fn goal(&mut self, name: &str, wanted: &str, found: &str, met: bool) {
        self.row(&[name, wanted, found, if met { "yes" } else { "**no**" }]);
    }

    fn row(&mut self, cells: &[&str]) {
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    fn rule(&mut self, columns: usize) {
        self.line(&format!("|---|{}", "---:|".repeat(columns - 1)));
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a String takes everything");
    }
}

impl fmt::Display for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
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
