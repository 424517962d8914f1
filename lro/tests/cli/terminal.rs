//! `lro wait` in a real terminal: bars, and Ctrl-C as it comes from a keyboard.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use longrunning::testing::FakeOperation;
use longrunning::{Any, Operation};
use serde_json::{Value, json};

use crate::default_signals;
use crate::kit::{PROGRAM, kept_variables, server};

/// Runs the program in a terminal of 80 columns until it ends; presses `keys` when `until`, a regular expression, has been seen.
///
/// `None` without Python, which has the terminal.
pub(crate) fn in_a_terminal(url: &str, line: &str, until: &str, keys: &str) -> Option<(Value, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/terminal.py");
    let mut child = default_signals::command("python3")
        .args(["-I", script])
        .env_clear()
        .envs(kept_variables())
        .env("LRO_ENDPOINT", url)
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok();
    if child.is_none() {
        let required = std::env::var("LONGRUNNING_WITNESS").is_ok_and(|value| value == "require");
        assert!(!required, "no python3");
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: no python3");
    }
    let mut child = child.take()?;
    let command: Vec<&str> = [PROGRAM, "--anonymous"].into_iter().chain(line.split_whitespace()).collect();
    let input = json!({ "command": command, "until": until, "keys": keys });
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let result: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let seen = result["seen"].as_str().unwrap().to_owned();
    Some((result, seen))
}

fn slow() -> FakeOperation {
    let progress = |percent: u32| {
        let json = format!(r#"{{"@type":"x/y","progressPercent":{percent},"statusMessage":"copying"}}"#);
        Any::from_json(&json).unwrap()
    };
    FakeOperation::new("operations/slow").done_after(Duration::from_millis(1500)).progress(progress)
}

#[test]
fn a_bar_grows_and_goes() {
    let server = server();
    server.insert(slow());
    let Some((ran, seen)) =
        in_a_terminal(&server.url(), "wait operations/slow --poll-interval 100ms", "", "")
    else {
        return;
    };
    assert_eq!(ran["code"], 0, "{seen}");
    assert!(seen.contains("slow [==") && seen.contains(" %  "), "{seen}");
    assert!(seen.contains("left  copying"), "an estimate and the status: {seen}");
    assert!(!seen.contains("\u{1b}[3"), "no colours with NO_COLOR: {seen}");
    assert!(
        ran["screen"].as_str().unwrap().starts_with("name      operations/slow\nstate     succeeded\n"),
        "{ran:#}"
    );
    assert!(ran["screen"].as_str().unwrap().contains("\nlro: succeeded in "), "{ran:#}");
}

#[test]
fn what_a_service_says_is_not_obeyed() {
    let server = server();
    let status = Any::from_json(r#"{"@type":"x/y","statusMessage":"\u001b[2J"}"#).unwrap();
    server.insert(FakeOperation::new("operations/1").metadata(status).done_at_poll(4));
    let line = "wait operations/1 --poll-interval 200ms";
    let Some((ran, seen)) = in_a_terminal(&server.url(), line, "", "") else { return };
    assert_eq!(ran["code"], 0, "{seen}");
    assert!(seen.contains(r"\u{1b}[2J") && !seen.contains("\u{1b}[2J"), "{seen:?}");
}

#[test]
fn several_bars_and_a_total() {
    let server = server();
    server.insert(slow());
    server.insert(Operation::running("operations/running"));
    server.insert(FakeOperation::new("operations/of-a-name-that-does-not-fit-its-column"));
    let line = "wait operations/slow operations/running --poll-interval 100ms \
                operations/of-a-name-that-does-not-fit-its-column";
    let until = r"1 of 3 done \[[^]]*\] \d+s";
    let Some((ran, seen)) = in_a_terminal(&server.url(), line, until, "\u{3}") else { return };
    assert_eq!(ran["code"], 130, "{seen}");
    assert!(seen.contains("0 of 3 done"), "{seen}");
    // The parent that all share is left out.
    let then: Vec<&str> = ran["then"].as_str().unwrap().lines().collect();
    let [.., running, long, total] = then[..] else { panic!("{ran:#}") };
    assert!(
        running.starts_with("running                                [") && running.contains("]        "),
        "{ran:#}"
    );
    assert!(
        long.starts_with("of-a-name-that-does-not-fit-its-column [") && long.contains("]   0 %  "),
        "{ran:#}"
    );
    assert!(total.starts_with("1 of 3 done [======"), "{ran:#}");
    let expected = format!(
        "operations/slow  succeeded\n\
         lro: interrupted; 2 of 3 operations are not done and continue to run\n\
         lro: continue with: LRO_ENDPOINT={} lro --anonymous wait --poll-interval 100ms \
         operations/running operations/of-a-name-that-does-not-fit-its-column",
        server.url(),
    );
    // A terminal echoes the key.
    let screen = ran["screen"].as_str().unwrap().replace("^C", "");
    assert_eq!(screen.replace('\n', ""), expected.replace('\n', ""), "{seen}");
}

#[test]
fn verbose_and_never_have_no_bars() {
    let server = server();
    for options in ["-v", "--progress never"] {
        server.insert(slow());
        let line = format!("wait operations/slow --poll-interval 100ms {options}");
        let Some((ran, seen)) = in_a_terminal(&server.url(), &line, "", "") else { return };
        assert_eq!(ran["code"], 0);
        assert!(!seen.contains("[=") && !seen.contains('\u{1b}'), "{seen}");
    }
}
