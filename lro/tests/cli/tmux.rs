//! `lro` as an operator sees it: in a real terminal emulator, on screens of several sizes, while they change, and with
//! the keys of job control.

use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use longrunning::testing::{FakeOperation, FakeServer, Reply, Rpc};
use longrunning::{Any, Code, Operation, Status};

use crate::kit::{PROGRAM, kept_variables, server};

/// A shell in a terminal of tmux, ended with the value.
struct TmuxTerminal {
    socket: String,
    folder: std::path::PathBuf,
}

impl TmuxTerminal {
    /// Starts a shell that asks this server; `None` without tmux, which is said loudly.
    fn start(columns: u32, rows: u32, server: &FakeServer) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let socket = format!("lro-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(&socket);
        std::fs::create_dir_all(&folder).unwrap();
        let configuration = folder.join("tmux.conf");
        std::fs::write(&configuration, "set -g status off\nset -g default-terminal screen\n").unwrap();
        let terminal = Self { socket, folder };
        let mut path = std::path::Path::new(PROGRAM).parent().unwrap().as_os_str().to_owned();
        path.push(format!(":{}", std::env::var("PATH").unwrap()));
        let mut tmux = terminal.tmux();
        tmux.arg("-f").arg(configuration);
        tmux.args(["new-session", "-d", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        tmux.arg("exec sh").current_dir(&terminal.folder).env_clear().envs(kept_variables());
        tmux.env("PATH", path).env("PS1", "$ ").env("LRO_ENDPOINT", server.url()).env("LC_ALL", "C.UTF-8");
        if !tmux.status().is_ok_and(|status| status.success()) {
            let required = std::env::var("LONGRUNNING_WITNESS").is_ok_and(|value| value == "require");
            assert!(!required, "no tmux");
            let _ = writeln!(std::io::stderr(), "\nSKIPPED: no tmux (apt-get install tmux)");
            return None;
        }
        // Shells have another prompt for root.
        terminal.until(|screen| screen.starts_with(['$', '#']));
        terminal.types("PS1='$ '; clear");
        terminal.until(|screen| screen == "$");
        Some(terminal)
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.args(["-u", "-L", &self.socket]);
        tmux
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.tmux().args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn types(&self, line: &str) {
        self.run(&["send-keys", "-l", line]);
        self.run(&["send-keys", "Enter"]);
    }

    fn presses(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    fn resizes(&self, columns: u32, rows: u32) {
        self.run(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"]).trim_end().to_owned()
    }

    /// The screen and what has scrolled out of it.
    fn everything(&self) -> String {
        self.run(&["capture-pane", "-p", "-S", "-"]).trim_end().to_owned()
    }

    /// The screen with the escape codes for its colours.
    fn colours(&self) -> String {
        self.run(&["capture-pane", "-p", "-e"]).trim_end().to_owned()
    }

    /// Looks at the screen until it is as expected, and returns it.
    #[track_caller]
    fn until(&self, expected: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if expected(&screen) {
                return screen;
            }
            assert!(start.elapsed() < LIMIT, "{screen}\n\n{}", self.everything());
            std::thread::park_timeout(LOOKS);
        }
    }

    /// Looks at the screen until these are its last lines, but for times and markers that turn.
    #[track_caller]
    fn shows(&self, expected: &str) {
        let start = Instant::now();
        while !shape(&self.screen()).ends_with(&shape(expected)) {
            if start.elapsed() > LIMIT {
                assert_eq!(shape(&self.screen()), shape(expected), "{}", self.screen());
            }
            std::thread::park_timeout(LOOKS);
        }
    }
}

impl Drop for TmuxTerminal {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How long a screen may take to be as expected, on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(40);

/// Between two looks at a screen, each of which starts a process.
const LOOKS: Duration = Duration::from_millis(50);

/// A screen without what differs from one time to the next.
fn shape(screen: &str) -> String {
    let mut lines = Vec::new();
    for line in screen.trim_end().lines() {
        let words = line.split(' ').filter(|word| !word.is_empty());
        let words = words.map(|word| {
            let bare = word.trim_end_matches(',');
            let is_time = bare.ends_with('s') && bare[..bare.len() - 1].chars().all(|c| c.is_ascii_digit());
            match word {
                "|" | "/" | "-" | "\\" => "*".to_owned(),
                _ if is_time && bare.len() > 1 => word.replace(bare, "TIME"),
                word => word.to_owned(),
            }
        });
        lines.push(words.collect::<Vec<_>>().join(" "));
    }
    lines.join("\n")
}

fn running(name: &str, percent: u32) -> Operation {
    let json =
        format!(r#"{{"@type":"x/y","progressPercent":{percent},"statusMessage":"copying the files"}}"#);
    Operation::running(name).with_metadata(Any::from_json(&json).unwrap())
}

/// Thirty operations: one that is done, one that is not known, 28 that run.
fn thirty() -> FakeServer {
    let server = server();
    server.insert(Operation::succeeded("operations/export-0", Any::pack(&())));
    for number in 2..30 {
        server.insert(running(&format!("operations/export-{number}"), number * 3));
    }
    server
}

const WAIT_FOR_THIRTY: &str = "lro --anonymous wait --long-poll never $(seq -f operations/export-%g 0 29)";

/// How often a text is on the screen.
fn count(screen: &str, text: &str) -> usize {
    screen.matches(text).count()
}

/// Nothing is there twice, and no line is longer than the screen or without its end.
#[track_caller]
fn is_tidy(screen: &str, columns: usize) {
    assert_eq!(count(screen, "of 30 done"), 1, "{screen}");
    for number in 2..30 {
        assert!(count(screen, &format!("export-{number} ")) <= 1, "{number}: {screen}");
    }
    for line in screen.lines() {
        assert!(line.chars().count() <= columns, "{line}");
    }
}

#[test]
fn screens_of_80_by_24_and_60_by_20() {
    let server = server();
    server.insert(running("projects/p/operations/copy", 40));
    server.insert(Operation::running("projects/p/operations/index-of-a-long-name"));
    server.insert(Operation::succeeded("projects/p/operations/done", Any::pack(&())));
    let line = "clear; lro --anonymous wait --long-poll never projects/p/operations/copy \
                projects/p/operations/index-of-a-long-name projects/p/operations/done";
    let wide = "\
projects/p/operations/done  succeeded
copy                 [========>           ]  40 %  1s  copying the files
index-of-a-long-name [         |          ]        1s
1 of 3 done [======>             ] 1s";
    let narrow = "\
projects/p/operations/done  succeeded
copy                 [========>           ]  40 %  1s
index-of-a-long-name [         |          ]        1s
1 of 3 done [======>             ] 1s";
    for (columns, rows, expected) in [(80, 24, wide), (60, 20, narrow)] {
        let Some(terminal) = TmuxTerminal::start(columns, rows, &server) else { return };
        terminal.types(line);
        terminal.shows(expected);
    }
}

#[test]
fn thirty_operations_on_twelve_rows() {
    let server = thirty();
    let Some(terminal) = TmuxTerminal::start(60, 12, &server) else { return };
    terminal.types(&format!("clear; {WAIT_FOR_THIRTY}"));
    terminal.shows(
        "\
export-2  [=>                  ]   6 %  1s  copying the…
export-3  [=>                  ]   9 %  1s  copying the…
export-4  [==>                 ]  12 %  1s  copying the…
export-5  [===>                ]  15 %  1s  copying the…
export-6  [===>                ]  18 %  1s  copying the…
export-7  [====>               ]  21 %  1s  copying the…
export-8  [====>               ]  24 %  1s  copying the…
export-9  [=====>              ]  27 %  1s  copying the…
export-10 [======>             ]  30 %  1s  copying the…
export-11 [======>             ]  33 %  1s  copying the…
1 of 30 done, 1 not found 1s, 18 more running",
    );
}

#[test]
fn a_resize_leaves_no_ghosts() {
    let server = thirty();
    let Some(terminal) = TmuxTerminal::start(80, 24, &server) else { return };
    terminal.types(&format!("clear; {WAIT_FOR_THIRTY}"));
    terminal.until(|screen| screen.contains(", 6 more running"));
    let sizes = [(50, 24, 6), (50, 12, 18), (100, 12, 18), (100, 30, 0), (30, 8, 22), (80, 24, 6)];
    for (columns, rows, hidden) in sizes {
        terminal.resizes(columns, rows);
        let last =
            if hidden > 0 && columns > 45 { format!(", {hidden} more running") } else { "done".to_owned() };
        let is_drawn = |screen: &str| {
            let lines = screen.lines().count();
            lines <= rows as usize
                && screen.contains(&last)
                && screen.contains(&format!("export-{} ", 29 - hidden))
                && !screen.contains(&format!("export-{} ", 30 - hidden))
        };
        let screen = terminal.until(is_drawn);
        is_tidy(&screen, columns as usize);
    }
    // What was drawn over is nowhere to be scrolled back to, but for what a smaller screen has pushed out of sight.
    assert!(count(&terminal.everything(), "of 30 done") <= 2, "{}", terminal.everything());
}

#[test]
fn ctrl_c_leaves_a_tidy_screen() {
    let server = thirty();
    let Some(terminal) = TmuxTerminal::start(80, 24, &server) else { return };
    terminal.types(&format!("clear; {WAIT_FOR_THIRTY}; echo status $?"));
    terminal.until(|screen| screen.contains("more running"));
    terminal.presses("C-c");
    let screen = terminal.until(|screen| screen.contains("status 130"));
    assert!(
        screen.contains("lro: interrupted; 28 of 30 operations are not done and continue to run"),
        "{screen}"
    );
    assert!(
        screen.contains("lro: continue with: LRO_ENDPOINT=") && !screen.contains("of 30 done"),
        "{screen}"
    );
}

#[test]
fn ctrl_z_leaves_the_screen_to_the_shell() {
    let server = thirty();
    let Some(terminal) = TmuxTerminal::start(80, 24, &server) else { return };
    terminal.types(&format!("clear; {WAIT_FOR_THIRTY}"));
    terminal.until(|screen| screen.contains("more running"));
    terminal.presses("C-z");
    let stopped = terminal.until(|screen| screen.ends_with("\n$"));
    assert!(stopped.contains("Stopped") && !stopped.contains("of 30 done"), "{stopped}");
    terminal.types("fg");
    let screen = terminal.until(|screen| screen.contains("more running"));
    is_tidy(&screen, 80);
    // In the background the screen belongs to the shell, and results are printed all the same.
    terminal.presses("C-z");
    terminal.until(|screen| screen.ends_with("\n$"));
    terminal.types("clear; bg");
    terminal.until(|screen| screen.ends_with("\n$"));
    server.insert(Operation::succeeded("operations/export-9", Any::pack(&())));
    let screen = terminal.until(|screen| screen.contains("operations/export-9  succeeded"));
    assert!(!screen.contains("of 30 done"), "{screen}");
    terminal.types("fg");
    let screen = terminal.until(|screen| screen.contains("more running"));
    is_tidy(&screen, 80);
}

#[test]
fn nohup_a_pipe_and_a_build_server_get_lines() {
    let rows = [
        ("nohup", "nohup lro --anonymous wait LONG operations/1; cat nohup.out"),
        ("a pipe", "lro --anonymous wait LONG operations/1 2>&1 | cat"),
        ("CI", "CI=true lro --anonymous wait LONG operations/1"),
        ("TERM=dumb", "TERM=dumb lro --anonymous wait LONG operations/1"),
    ];
    for (row, line) in rows {
        let server = server();
        server.insert(FakeOperation::new("operations/1").done_at_poll(2));
        let Some(terminal) = TmuxTerminal::start(80, 24, &server) else { return };
        terminal.types(&format!("clear; {}; echo over", line.replace("LONG", "--long-poll never")));
        let screen = terminal.until(|screen| screen.contains("\nover"));
        let is_line = |line: &&str| line.starts_with("lro: 1: running 50 % [");
        assert_eq!(screen.lines().filter(is_line).count(), 1, "{row}: {screen}");
        assert!(
            screen.contains("state     succeeded") && screen.contains("lro: succeeded in"),
            "{row}: {screen}"
        );
        assert!(!screen.contains("[="), "{row}: {screen}");
    }
}

#[test]
fn a_failure_is_shown_once() {
    let server = server();
    server.insert(Operation::failed("operations/1", Status::new(Code::ResourceExhausted, "out of disk")));
    server.insert(Operation::succeeded("operations/2", Any::pack(&())));
    let Some(terminal) = TmuxTerminal::start(80, 24, &server) else { return };
    terminal.types("clear; lro --anonymous wait operations/1 operations/2; echo status $?");
    let screen = terminal.until(|screen| screen.contains("status 3"));
    assert_eq!(count(&screen, "out of disk"), 1, "{screen}");
    assert!(screen.contains("lro: 1 succeeded, 1 failed in "), "{screen}");
    terminal.types("clear; lro --anonymous wait operations/1 operations/2 >/dev/null; echo status $?");
    let screen = terminal.until(|screen| screen.contains("status 3"));
    assert_eq!(count(&screen, "out of disk"), 1, "{screen}");
}

#[test]
fn faults_pauses_and_long_polls_are_visible() {
    let server = FakeServer::builder().real_time().with(Rpc::Wait).start().unwrap();
    server.insert(running("operations/held", 40));
    server.insert(running("operations/failing", 40));
    server.insert(running("operations/paused", 40));
    let unavailable = || Status::new(Code::Unavailable, "draining");
    server.reply_to("GET", "operations/failing", Reply::from(unavailable()).times(usize::MAX));
    let paused = Reply::from(unavailable()).header("retry-after", "86400");
    server.reply_to("GET", "operations/paused", paused);
    let Some(terminal) = TmuxTerminal::start(100, 24, &server) else { return };
    terminal.types("clear; lro --anonymous wait operations/held operations/failing operations/paused");
    let screen = terminal.until(|screen| {
        [" long poll, copying the files", " failing for ", ", next poll in ", " has failed for "]
            .iter()
            .all(|part| screen.contains(part))
    });
    let row = screen.lines().find(|line| line.starts_with("paused")).unwrap();
    assert!(row.contains("  failing for ") && row.contains(", next poll in "), "{screen}");
    let colours = terminal.colours();
    assert!(colours.contains("\u{1b}[33mfailing for"), "{colours}");
}

#[test]
fn a_watched_listing_stays_in_its_place() {
    let server = server();
    for number in 0..12 {
        server.insert(running(&format!("projects/p/operations/export-{number}"), number * 8));
    }
    let Some(terminal) = TmuxTerminal::start(80, 24, &server) else { return };
    terminal.types("clear; lro --anonymous list projects/p --watch --interval 1s; echo status $?");
    let about = "12 operations, every 1s; stop with Ctrl-C";
    let screen = terminal.until(|screen| screen.contains(about));
    assert!(screen.starts_with("NAME       STATE         VERB\nexport-0   running 0 %   y\n"), "{screen}");
    server.insert(Operation::succeeded("projects/p/operations/export-3", Any::pack(&())));
    let screen = terminal.until(|screen| screen.contains("export-3   succeeded"));
    assert_eq!(count(&screen, "NAME"), 1, "{screen}");
    terminal.resizes(30, 8);
    let screen =
        terminal.until(|screen| screen.contains("12 operations (7 below)") && screen.lines().count() < 8);
    assert!(count(&screen, "NAME") == 1 && screen.contains("…"), "{screen}");
    terminal.resizes(80, 24);
    let screen = terminal.until(|screen| screen.contains(about));
    assert_eq!(count(&screen, "NAME"), 1, "{screen}");
    terminal.presses("C-z");
    terminal.until(|screen| screen.ends_with("\n$"));
    terminal.types("clear; fg");
    let screen = terminal.until(|screen| screen.contains(about));
    assert_eq!(count(&screen, "NAME"), 1, "{screen}");
    terminal.presses("C-c");
    let screen = terminal.until(|screen| screen.ends_with("\n$"));
    assert!(screen.contains(about), "{screen}");
}

#[test]
fn a_listing_fits_its_screen() {
    let server = server();
    let metadata = r#"{"@type":"x/y.CopyMetadata","createTime":"2999-01-02T03:04:05Z","verb":"copy","target":"projects/p/files/a"}"#;
    let json = format!(
        r#"{{"name":"projects/p/operations/operation-1700000000-of-a-long-name","metadata":{metadata}}}"#
    );
    server.insert(Operation::from_json(&json).unwrap());
    let wide = "\
NAME                                 STATE    AGE  VERB  TARGET
operation-1700000000-of-a-long-name  running  0s   copy  files/a
$";
    let narrow = "\
NAME                            STATE    AGE  VERB
…ion-1700000000-of-a-long-name  running  0s   copy
$";
    for (columns, expected) in [(80, wide), (50, narrow)] {
        let Some(terminal) = TmuxTerminal::start(columns, 20, &server) else { return };
        terminal.types("clear; lro --anonymous list projects/p");
        let screen = terminal.until(|screen| screen.ends_with("\n$"));
        assert_eq!(screen, expected);
        let colours = terminal.colours();
        assert!(colours.contains("\u{1b}[36mrunning"), "{colours}");
    }
}

#[test]
fn shapes_leave_times_out() {
    let rows = [("a [ | ] 12s", "a [ * ] TIME"), ("  is  3s, b", "is TIME, b"), ("as s 1x", "as s 1x")];
    for (screen, expected) in rows {
        assert_eq!(shape(screen), expected);
    }
}
