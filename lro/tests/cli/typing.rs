//! What saves typing: a parent for bare ids, operations by a filter, comments in files of names, completions.

use longrunning::testing::FakeOperation;
use longrunning::{Any, Operation};

use crate::kit::{full_server, lro, server};

#[test]
fn a_bare_id_is_a_name_under_the_parent() {
    let server = server();
    for id in ["1", "2"] {
        server.insert(Operation::succeeded(format!("projects/p/operations/{id}"), Any::pack(&())));
    }
    let by_option = lro("get 1 --parent projects/p --format name").asks(&server).runs().exits(0);
    assert_eq!(by_option.stdout, "projects/p/operations/1\n");
    let with = |line: &str| lro(line).variable("LRO_PARENT", "projects/p").asks(&server).runs();
    for line in ["get 2", "wait 2", "wait 1 2", "cancel 1", "delete 1", "get projects/p/operations/2"] {
        with(line).exits(0);
    }
    let listed = with("list --format name").exits(0);
    assert_eq!(listed.stdout, "projects/p/operations/2\n");
    let other = with("list projects/q").exits(0);
    assert_eq!(other.stderr, "lro: no operations under `projects/q`\n");
    with("get 2 --parent projects/q").exits(5);
    // Names from other programs are whole.
    let piped = lro("get 7").asks(&server).runs();
    assert!(piped.stderr.contains("`7`"), "{piped:#?}");
}

#[test]
fn all_that_run_are_waited_for() {
    let server = full_server();
    server.insert(FakeOperation::new("projects/p/operations/1").done_at_poll(3));
    server.insert(FakeOperation::new("projects/p/operations/2").done_at_poll(3));
    server.insert(Operation::succeeded("projects/p/operations/0", Any::pack(&())));
    let line = "wait --all projects/p --poll-interval 10ms --filter";
    let ran = lro(line).word("done = false").asks(&server).runs().exits(0);
    let mut lines: Vec<_> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["projects/p/operations/1  succeeded", "projects/p/operations/2  succeeded"]);
    assert_eq!(server.requests()[0].query("filter").as_deref(), Some("done = false"));
    ran.says("lro: 2 succeeded in ");
}

#[test]
fn nothing_to_wait_for_is_no_failure() {
    let server = full_server();
    let rows = [
        ("wait --all projects/q", "no running operations under `projects/q`"),
        (
            "wait --all projects/q --filter done=false",
            "no running operations under `projects/q` that the filter selects",
        ),
        ("wait --all --parent projects/r", "no running operations under `projects/r`"),
    ];
    for (line, message) in rows {
        let ran = lro(line).asks(&server).runs().exits(0).prints("");
        assert_eq!(ran.stderr, format!("lro: {message}\n"), "{line}");
    }
    lro("wait --filter a operations/1").asks(&server).runs().exits(2);
    let dry = lro("wait --all projects/q --filter a --dry-run").asks(&server).runs().exits(0);
    assert!(dry.stdout.contains("/v1/projects/q/operations?filter=a"), "{dry:#?}");
}

#[test]
fn files_of_names_have_comments() {
    let server = full_server();
    let names =
        "# those of today\n\noperations/done # the first\n  # and\n{\"name\": \"operations/third\"}\n";
    let ran = lro("wait - --poll-interval 10ms --format name").input(names).asks(&server).runs().exits(0);
    let mut lines: Vec<_> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["operations/done", "operations/third"]);
}

/// What bash itself makes of a line.
#[cfg(unix)]
fn completed(words: &[&str]) -> Vec<String> {
    let script = format!(
        "source /dev/stdin\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_lro lro '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let folder = std::env::temp_dir().join(format!("lro-completed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("pending.jsonl"), "").unwrap();
    let completions = lro("completions bash").runs().exits(0).stdout;
    let mut child = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(&folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), completions.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn other_shells_complete_files_too() {
    for (shell, part) in [("zsh", ":FILE:_files"), ("fish", "-l journal"), ("fish", "-r -F")] {
        let script = lro("completions").word(shell).runs().exits(0).stdout;
        assert!(script.contains(part), "{shell}: {script}");
    }
}

#[test]
#[cfg(unix)]
fn files_and_values_are_completed() {
    let rows: [(&[&str], &[&str]); 6] = [
        (&["lro", "wait", "--on-timeout", ""], &["leave", "cancel"]),
        (&["lro", "list", "--sort", ""], &["name", "age", "state"]),
        (&["lro", "get", "--format", "j"], &["json"]),
        (&["lro", "wait", "--journal", "pend"], &["pending.jsonl"]),
        (&["lro", "--credentials", "pend"], &["pending.jsonl"]),
        (&["lro", "serve", "--script", ""], &["pending.jsonl"]),
    ];
    for (words, expected) in rows {
        assert_eq!(completed(words), expected, "{words:?}");
    }
}
