//! Measures how long `lro get` takes from start to end, against a program of four lines that sends the same
//! request by ureq.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/start/Cargo.toml -- [--quick] [--write]
//! ```
//!
//! Both programs ask the same server, `lro serve`, by turns, 500 times each; the table has the median.
//! Each is built as its user gets it: `lro` with link-time optimization, as its manifest says, the other as cargo
//! does it by itself. With the same it would be 3 % faster. `--write` puts the table into `docs/benchmarks.md` and the
//! ratio into `README.md`. `SSL_CERT_FILE` is not passed on: `lro` would read that file, and the other program does not.

#[path = "../../src/pages.rs"]
mod pages;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 3 } else { 500 };
    let programs = build();
    let server = Server::start(&programs.lro);
    let target = format!("{}/v1/{NAME}", server.url);
    let bare = || measure(Command::new(&programs.bare).arg(&target));
    let lro = || {
        let mut command = Command::new(&programs.lro);
        measure(command.args(["--endpoint", &server.url, "--anonymous", "--format", "json", "get", NAME]))
    };
    // The first runs read the programs from the disk.
    (bare(), lro());
    let (mut bares, mut lros) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Each goes first as often as the other.
        if round % 2 == 0 {
            bares.push(bare());
            lros.push(lro());
        } else {
            lros.push(lro());
            bares.push(bare());
        }
    }
    let (bare, lro) = (median(bares), median(lros));
    let table = [
        format!("| from start to end, {rounds} runs each | median |\n|---|---:|"),
        format!("| ureq, four lines | {bare:.2} ms |"),
        format!("| `lro get --format json` | {lro:.2} ms |"),
        format!("| ratio (goal: ≤ 1.15) | {:.2} |", lro / bare),
    ];
    let table = table.join("\n");
    println!("{table}");
    if std::env::args().any(|argument| argument == "--write") {
        pages::write(ROOT, "docs/benchmarks.md", "start", &table);
        let ratio = format!(
            "`lro get` takes {:.2} times as long from start to end as a program of four lines that sends the same request by ureq.",
            lro / bare
        );
        pages::write(ROOT, "README.md", "start", &ratio);
        // `benches/write` runs this program last, so that these are true when it ends.
        pages::write(ROOT, "docs/benchmarks.md", "runs", "The tables come from one run.");
        let place = "Over loopback, without TLS, on one machine ([tables and commands](docs/benchmarks.md)):";
        pages::write(ROOT, "README.md", "place", place);
    }
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

struct Programs {
    bare: PathBuf,
    lro: PathBuf,
}

/// Builds both, as a user gets them.
fn build() -> Programs {
    let own = std::env::current_exe().expect("a program knows its path");
    let folder = own.parent().expect("a program is in a folder");
    let target = folder.parent().expect("profiles have folders of their own");
    let bare = ["--bin", "bare-get", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")];
    let lro = ["--bin", "lro", "--package", "lro"];
    // The profile of `lro` is in its folder.
    for (what, from) in [(&bare[..], "."), (&lro[..], LRO)] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(from)
            .args(["build", "--quiet", "--release"])
            .args(what)
            .arg("--target-dir")
            .arg(target);
        // What `cargo run` tells of this package is not about the other.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_"))
        {
            cargo.env_remove(name);
        }
        assert!(cargo.status().expect("cargo runs").success(), "a program does not build");
    }
    let release = target.join("release");
    Programs { bare: release.join("bare-get"), lro: release.join("lro") }
}

/// Milliseconds that a program takes.
fn measure(command: &mut Command) -> f64 {
    command.env_remove("SSL_CERT_FILE");
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status().expect("the program starts");
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?}");
    elapsed.as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(lro: &Path) -> Self {
        let mut child = Command::new(lro)
            .arg("serve")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut url = String::new();
        let output = child.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut url).expect("it says where it is");
        Self { child, url: url.trim_end().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const NAME: &str = "projects/demo/locations/here/operations/forever";
const LRO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../lro");
