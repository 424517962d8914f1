//! Help, completions and man pages: documentation that stays complete.

use crate::kit::{Lro, lro};

const COMMANDS: [&str; 8] = ["get", "list", "wait", "cancel", "delete", "serve", "completions", "man"];

#[test]
fn help_names_every_command_status_and_variable() {
    let help = Lro::new(&["--help"]).runs().exits(0).says_nothing().stdout;
    let words =
        ["--endpoint", "LRO_ENDPOINT", "Exit status:", "  130  ", "Examples:", "--dry-run", "gravest"];
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

/// The examples of the help are taken as they stand there, up to what a shell would make of them.
#[test]
fn examples_are_valid_command_lines() {
    for command in COMMANDS {
        let help = Lro::new(&[command, "--help"]).runs().stdout;
        let examples = help.split("Examples:\n").nth(1).unwrap();
        for line in examples.lines().filter(|line| line.starts_with("  lro ")) {
            let first = line.trim().split([';', '|', '&', '>', '#']).next().unwrap();
            let first = first.replace("'done = false'", "done=false").replace("'done = true'", "done=true");
            let line: Vec<&str> = first.split_whitespace().skip(1).collect();
            if ["serve", "completions", "man"].contains(&command) {
                continue;
            }
            let ran =
                Lro::new(&line).and("--dry-run --anonymous").variable("LRO_ENDPOINT", "http://127.0.0.1:1");
            ran.runs().exits(0);
        }
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
    assert!(page.contains(".TH lro 1") && page.contains("Exit status"), "{page}");
    let page = lro("man wait").runs().exits(0).stdout;
    assert!(page.contains(".SH OPTIONS") && page.contains("on\\-timeout"), "{page}");
}
