//! What the README shows of the program is what it prints, but for times and percentages.

use serde_json::{Value, json};

use crate::kit::lro;
use crate::serve::{Served, scenario};
use crate::terminal::in_a_terminal;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_readme_shows_what_is_printed() {
    let [(list, listed), (wait, waited)] = shown();
    let file = scenario("readme", &demonstration());
    let served = Served::start(lro("serve --script").word(file.to_string_lossy()));
    std::fs::remove_file(file).unwrap();

    let ran = served.asked_by(&list).runs().exits(0);
    assert_eq!(determined(&ran.stdout), determined(&listed));

    // As it looked when one was done and the status of another had changed.
    let until = r"sorting[\s\S]*1 of 3 done \[[^]]*\] \d+s";
    let Some((ran, seen)) = in_a_terminal(&served.url, &format!("{wait} --poll-interval 50ms"), until, "")
    else {
        return;
    };
    let then = ran["then"].as_str().unwrap_or_else(|| panic!("{seen}"));
    assert_eq!(determined(then), determined(&waited));

    let (status, message) = between("The exit status is ", "``.\n").split_once(": ``").unwrap();
    assert_eq!(ran["code"].to_string(), status, "{seen}");
    assert!(ran["screen"].as_str().unwrap().replace('\n', "").contains(message), "{ran:#}");
}

/// The command lines of the README without `lro --anonymous`, each with what it prints.
fn shown() -> [(String, String); 2] {
    let parent = between("`P=", "`");
    let block = between("```text\n$ lro", "```");
    let parts = block.split("\n$ lro").map(|part| {
        let (line, output) = part.split_once('\n').unwrap();
        let line = line.strip_prefix(" --anonymous ").expect("the demonstration needs no credentials");
        (line.replace("$P", parent), output.to_owned())
    });
    parts.collect::<Vec<_>>().try_into().unwrap()
}

fn between(start: &str, end: &str) -> &'static str {
    let (_, rest) = README.split_once(start).unwrap_or_else(|| panic!("the README has no `{start}`"));
    rest.split_once(end).unwrap().0
}

/// The demonstration of `lro serve`, where time passes by the poll: as many of them as it has seconds.
fn demonstration() -> String {
    let printed = lro("serve --print-script").runs().exits(0).stdout;
    let mut scenario: Value = serde_json::from_str(&printed).unwrap();
    for operation in scenario["operations"].as_array_mut().unwrap() {
        let operation = operation.as_object_mut().unwrap();
        if let Some(after) = operation.remove("done_after") {
            let seconds: u32 = after.as_str().unwrap().trim_end_matches('s').parse().unwrap();
            operation.insert("done_at_poll".to_owned(), json!(seconds));
        }
    }
    for fault in scenario["faults"].as_array_mut().unwrap() {
        fault["retry_after"] = json!("0s");
    }
    scenario.to_string()
}

/// Lines without what differs from one time to the next: numbers and what a bar is filled with.
fn determined(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut shape = String::new();
        let mut in_bar = false;
        for c in line.trim_end().chars() {
            in_bar = (in_bar || c == '[') && c != ']';
            match c {
                '=' | '>' | ' ' if in_bar => shape.push('.'),
                '0'..='9' if shape.ends_with('N') => {}
                '0'..='9' => shape.push('N'),
                c => shape.push(c),
            }
        }
        // Numbers are aligned to the right.
        while let Some(at) = shape.find("]  ").or_else(|| shape.find("   ")) {
            shape.remove(at + 1);
        }
        shape
    };
    text.lines().map(line).collect()
}
