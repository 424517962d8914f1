//! Help, completions and man pages: documentation that stays complete.

use crate::kit::{Lro, lro};

const COMMANDS: [&str; 9] =
    ["start", "get", "list", "wait", "cancel", "delete", "serve", "completions", "man"];

#[test]
fn help_names_every_command_status_and_variable() {
    let help = Lro::new(&["--help"]).runs().exits(0).says_nothing().stdout;
    let words = [
        "--endpoint",
        "LRO_ENDPOINT",
        "Exit status:",
        "  129  ",
        "  130  ",
        "  143  ",
        "Examples:",
        "--dry-run",
        "the first in this order is the status",
    ];
    for word in COMMANDS.iter().chain(&words) {
        assert!(help.contains(word), "{word}\n{help}");
    }
}

#[test]
fn help_of_every_command_has_an_example() {
    for command in COMMANDS {
        for flag in ["--help", "-h"] {
            let help = Lro::new(&[command, flag]).runs().exits(0).says_nothing().stdout;
            let example = help.split("Examples:").nth(1).unwrap_or_else(|| panic!("{command}: {help}"));
            assert!(
                example.contains(&format!("lro {command}")) || example.contains(command),
                "{command}: {help}"
            );
        }
    }
}

/// The options for requests, credentials and output say nothing about a command that has none of these.
#[test]
fn commands_that_send_no_request_show_their_own_options_alone() {
    let rows = [
        ("serve", vec!["--port", "--script", "--print-script", "--help"]),
        ("completions", vec!["--help"]),
        ("man", vec!["--help"]),
    ];
    for (command, expected) in rows {
        let help = Lro::new(&[command, "-h"]).runs().exits(0).stdout;
        let options = help.split("Examples:").next().unwrap().lines().map(str::trim_start);
        let options: Vec<_> = options.filter(|line| line.starts_with('-')).collect();
        let named = |line: &&str| expected.iter().any(|option| line.contains(option));
        assert!(options.iter().all(named) && options.len() == expected.len(), "{command}: {help}");
        let page = lro("man").word(command).runs().exits(0).stdout;
        assert!(!page.contains("impersonate"), "{command}: {page}");
    }
    // They are taken all the same, as by an alias that sets them.
    Lro::new(&["--endpoint", "run.googleapis.com", "completions", "bash", "--anonymous"]).runs().exits(0);
}

#[test]
fn help_says_what_a_kill_does_to_the_output() {
    let help = Lro::new(&["wait", "--help"]).runs().exits(0).stdout.replace('\n', " ");
    let promise = "With --journal no result is lost if the wait is killed";
    assert!(help.contains(promise) && help.contains("may be printed twice"), "{help}");
}

/// As wide as a page, so that it can be read anywhere.
#[test]
fn lines_are_short() {
    for arguments in COMMANDS.iter().map(|command| vec![*command, "--help"]).chain([vec!["--help"]]) {
        let help = Lro::new(&arguments).runs().exits(0).stdout;
        for line in help.lines() {
            assert!(line.chars().count() <= 120, "{arguments:?}: {line}");
        }
    }
}

/// Every command line of every help is one that the program takes, up to what a shell would make of it.
#[test]
fn examples_are_valid_command_lines() {
    for command in [None].into_iter().chain(COMMANDS.map(Some)) {
        let help = Lro::new(&command.into_iter().chain(["--help"]).collect::<Vec<_>>()).runs().stdout;
        let lines: Vec<_> = examples(&help).flat_map(command_lines).collect();
        let own = |line: &Vec<String>| command.is_none_or(|command| line.iter().any(|word| word == command));
        assert!(lines.iter().any(own), "{command:?}: {lines:?}");
        for line in lines {
            let line: Vec<_> = line.into_iter().filter(|word| word != "--dry-run").collect();
            let ran = Lro::new(&line.iter().map(String::as_str).collect::<Vec<_>>()).and("--dry-run");
            let ran = ran.variable("LRO_ENDPOINT", "http://127.0.0.1:1").input("operations/1\n").runs();
            // What sends nothing says so, other than a command line that cannot be read.
            let sends_nothing = ran.code == 2 && ran.stderr.starts_with("lro: --dry-run ");
            assert!(ran.code == 0 || sends_nothing, "{line:?}: {ran:#?}");
        }
    }
}

/// The lines of a help that are to be typed: those that begin so, and all below its title.
fn examples(help: &str) -> impl Iterator<Item = &str> {
    let title = help.find("\nExamples:\n").expect("every help has examples");
    let (before, below) = help.split_at(title);
    before
        .lines()
        .filter(|line| line.starts_with("  lro "))
        .chain(below.lines().filter(|line| line.starts_with("  ")))
}

/// The words after each `lro` of a line for a shell, also of one in a comment, and with `--anonymous`.
fn command_lines(line: &str) -> Vec<Vec<String>> {
    // Quoted words have their spaces in these examples, and nothing else that a shell splits at.
    let quoted = |(number, part): (usize, &str)| match number % 2 {
        0 => part.replace(['|', '&', ';', '>', '#'], " \n "),
        _ => part.replace(' ', "\u{a0}"),
    };
    let line: String = line.split('\'').enumerate().map(quoted).collect();
    let words = |part: &str| {
        let words = part.split(' ').filter(|word| !word.is_empty());
        let words = words.map(|word| word.replace('\u{a0}', " ").replace("$LRO", "projects/p/locations/l"));
        // The file of the example does not exist here.
        let mut words = words.map(|word| word.replace("@service.json", "{}"));
        words.find(|word| word == "lro")?;
        let words: Vec<String> = words.collect();
        let anonymous = words.iter().any(|word| word == "--anonymous");
        Some(words.into_iter().chain((!anonymous).then(|| "--anonymous".to_owned())).collect())
    };
    line.split('\n').filter_map(words).collect()
}

#[test]
fn lines_for_a_shell_are_taken_apart() {
    let rows = [
        (
            "lro list --filter 'done = true' | lro wait -  # or: lro wait a",
            "list,--filter,done = true,--anonymous;wait,-,--anonymous;wait,a,--anonymous",
        ),
        ("lro serve & lro --anonymous list", "serve,--anonymous;--anonymous,list"),
        ("lro list $LRO/operations > a && b", "list,projects/p/locations/l/operations,--anonymous"),
        ("export LRO_ENDPOINT=a", ""),
    ];
    for (line, expected) in rows {
        let lines: Vec<_> = command_lines(line).iter().map(|words| words.join(",")).collect();
        assert_eq!(lines.join(";"), expected);
    }
}

#[test]
fn without_anything_there_is_help() {
    let ran = Lro::new(&[]).runs().exits(2);
    assert!(ran.stderr.contains("Usage: lro"), "{ran:#?}");
}

#[test]
fn version() {
    Lro::new(&["--version"]).runs().exits(0).prints(concat!("lro ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = lro("completions").word(shell).runs().exits(0).says_nothing().stdout;
        assert!(script.contains("on-timeout") && script.contains("cancel"), "{shell}");
    }
    lro("completions tcsh").runs().exits(2);
}

/// bash itself takes the script and completes by it.
#[test]
#[cfg(unix)]
fn bash_completes() {
    let script = "source /dev/stdin\nCOMP_WORDS=(lro wait --on)\nCOMP_CWORD=2\n_lro lro --on wait\necho ${COMPREPLY[@]}";
    let completions = lro("completions bash").runs().exits(0).stdout;
    let mut child = std::process::Command::new("bash")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), completions.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "--on-timeout");
}

#[test]
fn man_pages() {
    let page = lro("man").runs().exits(0).says_nothing().stdout;
    assert!(page.contains("Exit status"), "{page}");
    assert_eq!(
        headline(&page, "LRO"),
        "lro \\- Command line for the long\\-running operations of any Google service: get, list, wait, cancel and delete"
    );
    let page = lro("man wait").runs().exits(0).stdout;
    assert!(page.contains(".SH OPTIONS") && page.contains("on\\-timeout"), "{page}");
    assert_eq!(
        headline(&page, "LRO-WAIT"),
        "lro\\-wait \\- Wait until operations are done, with progress on standard error"
    );
}

/// The line by which `apropos` finds a page.
fn headline<'a>(page: &'a str, title: &str) -> &'a str {
    let first = page.lines().find(|line| line.starts_with(".TH ")).unwrap();
    assert!(first.replace('\\', "").starts_with(&format!(".TH {title} 1 ")), "{first}");
    page.lines().skip_while(|line| *line != ".SH NAME").nth(1).unwrap()
}
