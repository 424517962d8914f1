//! The commands in the guides: those of `lro` are accepted, and of the others it is known why no test runs them.

use std::collections::BTreeMap;

use crate::kit::{Lro, Ran};

const PAGES: &[(&str, &str)] = &[
    ("README", include_str!("../../../README.md")),
    ("command-line", include_str!("../../../docs/command-line.md")),
    ("credentials", include_str!("../../../docs/credentials.md")),
    ("getting-started", include_str!("../../../docs/getting-started.md")),
    ("services", include_str!("../../../docs/services.md")),
    ("testing", include_str!("../../../docs/testing.md")),
    ("troubleshooting", include_str!("../../../docs/troubleshooting.md")),
    ("typed-results", include_str!("../../../docs/typed-results.md")),
    ("waiting", include_str!("../../../docs/waiting.md")),
];

/// The beginnings of commands that no test of this file runs, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo add longrunning", "the package is not published yet"),
    ("cargo add serde", "changes a manifest"),
    ("cd nightly", "is the folder of the package"),
    ("cargo new nightly", "makes a package"),
    ("cargo install --path lro", "the part `install` of .ci/run does it"),
    ("cargo run --example ", "the part `examples` of .ci/run does it"),
    ("cargo run", "runs the program of the page, which needs a project"),
    ("cargo test --workspace", "runs this test, too"),
    ("gcloud ", "needs gcloud and an account"),
    ("lro --api-version v2 wait --journal", "a dry run opens no journal; tests/cli/wait.rs continues one"),
    ("lro serve --port ", "serves until it is stopped; tests/cli/serve.rs does it"),
    ("lro serve --script ", "serves until it is stopped; tests/cli/serve.rs does it"),
];

/// Commands that need a service are run with `--dry-run`, which sends nothing; they have to be complete and right.
#[test]
fn every_command_of_lro_is_accepted() {
    let mut ran = 0;
    for (page, command) in commands() {
        if NOT_RUN.iter().any(|(start, _)| command.line.starts_with(start)) {
            continue;
        }
        let Some(arguments) = command.line.strip_prefix("lro ") else {
            panic!("{page}: `{}` is neither run nor in NOT_RUN", command.line);
        };
        let result = command.run(arguments);
        assert_eq!(result.code, 0, "{page}: {}: {result:#?}", command.line);
        assert!(!result.stdout.is_empty(), "{page}: {}: {result:#?}", command.line);
        ran += 1;
    }
    assert!(ran > 15, "{ran} commands");
}

#[test]
fn every_reason_is_needed() {
    for (start, reason) in NOT_RUN {
        let used = commands().any(|(_, command)| command.line.starts_with(start));
        assert!(used && !reason.is_empty(), "no guide has `{start}`");
    }
}

/// A line of a block, with what was exported above it.
struct GuideCommand {
    line: String,
    variables: BTreeMap<String, String>,
}

impl GuideCommand {
    fn run(&self, arguments: &str) -> Ran {
        let offline = ["completions", "man", "serve"].contains(&arguments.split(' ').next().unwrap());
        let mut lro = Lro::new(&[]);
        for option in ["--dry-run", "--anonymous"].into_iter().filter(|_| !offline) {
            lro = if arguments.contains(option) { lro } else { lro.word(option) };
        }
        for word in words(arguments) {
            lro = lro.word(word);
        }
        for (name, value) in &self.variables {
            lro = lro.variable(name, value);
        }
        lro.input("operations/1\n").runs()
    }
}

fn commands() -> impl Iterator<Item = (&'static str, GuideCommand)> {
    PAGES.iter().flat_map(|(page, text)| {
        let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
        blocks.flat_map(commands_of).map(|command| (*page, command))
    })
}

fn commands_of(block: &str) -> Vec<GuideCommand> {
    let mut variables = BTreeMap::new();
    let mut commands = Vec::new();
    for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(exported) = line.strip_prefix("export ") {
            let pairs = exported.split(' ').filter_map(|pair| pair.split_once('='));
            variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            continue;
        }
        let line = variables.iter().fold(line.to_owned(), |line, (name, value): (&String, &String)| {
            line.replace(&format!("${name}"), value)
        });
        commands.push(GuideCommand { line, variables: variables.clone() });
    }
    commands
}

/// The arguments as a shell splits them, up to a redirection, a pipe or another command.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split(['"', '\'']).enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
            continue;
        }
        for word in part.split_whitespace() {
            if ["&&", "|", ">", "<"].contains(&word) {
                return words;
            }
            words.push(word.to_owned());
        }
    }
    words
}
