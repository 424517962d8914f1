use longrunning::{Code, Error, ErrorKind, Operation, Status};

use super::*;
use crate::output::Painter;
use crate::progress::WaitEnd;

const NAMES: [&str; 3] = ["copy", "index", "import"];

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A wait for operations of these names; every other one knows its percentage.
fn board(names: &[String]) -> WaitBoard {
    let names: Vec<String> = names.iter().map(|name| format!("projects/p/operations/{name}")).collect();
    let mut board = WaitBoard::new(&names);
    for number in (0..names.len()).step_by(2) {
        for (second, percent) in [(0, 10), (20, 10 + number % 80)] {
            let json = format!(
                r#"{{"name":"a","metadata":{{"@type":"x/y","percent":{percent},"statusMessage":"reading chapter {number}"}}}}"#
            );
            board.seen(number, &Operation::from_json(&json).unwrap(), number == 2, secs(second));
        }
    }
    board
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("export-{number}")).collect()
}

fn shown(width: usize, height: usize, board: &WaitBoard, seconds: u64) -> Vec<String> {
    let lines = frame(ScreenSize { width, height }, board, secs(seconds));
    lines.iter().map(|line| line.text(Painter::OFF)).collect()
}

#[test]
fn columns_are_dropped_by_priority() {
    let board = board(&NAMES.map(str::to_owned));
    let rows: [(usize, [&str; 4]); 8] = [
        (
            120,
            [
                "copy   [==>                 ]  10 %  30s                     reading chapter 0",
                "index  [         -          ]        30s                     no response yet",
                "import [==>                 ]  12 %  30s  about 14m30s left  long poll, reading chapter 2",
                "0 of 3 done [>                   ] 30s",
            ],
        ),
        (
            80,
            [
                "copy   [==>                 ]  10 %  30s                     reading chapter 0",
                "index  [         -          ]        30s                     no response yet",
                "import [==>                 ]  12 %  30s  about 14m30s left  long poll, readi…",
                "0 of 3 done [>                   ] 30s",
            ],
        ),
        (
            70,
            [
                "copy   [==>                 ]  10 %  30s",
                "index  [         -          ]        30s",
                "import [==>                 ]  12 %  30s  about 14m30s left",
                "0 of 3 done [>                   ] 30s",
            ],
        ),
        (
            60,
            [
                "copy   [==>                 ]  10 %  30s  reading chapter…",
                "index  [         -          ]        30s  no response yet",
                "import [==>                 ]  12 %  30s  long poll, read…",
                "0 of 3 done [>                   ] 30s",
            ],
        ),
        (
            40,
            [
                "copy   [=>                ]  10 %  30s",
                "index  [        -         ]        30s",
                "import [==>               ]  12 %  30s",
                "0 of 3 done [>                   ] 30s",
            ],
        ),
        (30, ["copy    10 %  30s", "index         30s", "import  12 %  30s", "0 of 3 done [>         ] 30s"]),
        (20, ["copy    10 %  30s", "index         30s", "import  12 %  30s", "0 of 3 done 30s"]),
        (9, ["copy", "index", "import", "0 of 3…"]),
    ];
    for (width, expected) in rows {
        assert_eq!(shown(width, 24, &board, 30), expected, "{width}");
    }
}

#[test]
fn names_are_cut_where_they_are_alike() {
    let names = ["export-of-the-whole-dataset-to-a-bucket-in-another-region-1".to_owned(), "b".to_owned()];
    let rows = [
        (100, "-to-a-bucket-in-another-region-1 [==>                 ]  10 %  30s  reading chap…"),
        (60, "a-bucket-in-another-region-1 [="),
        (40, "another-region-1  10 %  30s"),
        (12, "egion-1"),
    ];
    for (width, expected) in rows {
        let lines = shown(width, 24, &board(&names), 30);
        assert!(lines[0].starts_with("…") && lines[0].contains(expected), "{width}: {lines:#?}");
    }
}

#[test]
fn the_total_is_on_every_screen() {
    for count in [2, 5, 30, 1000] {
        let mut board = board(&numbered(count));
        board.ended(1, WaitEnd::NotFound);
        let trouble = Trouble::fault("run.example", &Error::new(ErrorKind::Transport, "refused"), secs(18));
        for is_troubled in [false, true] {
            board.troubles.set(0, Some(trouble.clone()).filter(|_| is_troubled));
            for height in 1..40 {
                for width in [1, 5, 20, 40, 60, 80, 200] {
                    let lines = frame(ScreenSize { width, height }, &board, secs(30));
                    assert!(lines.len() <= height, "{count} on {width}x{height}: {}", lines.len());
                    assert!(lines.len() <= 2 + height.saturating_sub(2).min(count - 1));
                    assert!(
                        lines.iter().all(|line| line.width() <= width.saturating_sub(2).max(1)),
                        "{width}"
                    );
                    let last = lines.last().unwrap().text(Painter::OFF);
                    assert!(width < 30 || last.starts_with(&format!("0 of {count} done, 1 not f")), "{last}");
                }
            }
        }
    }
}

#[test]
fn thirty_operations_on_twelve_rows() {
    let mut board = board(&numbered(30));
    (0..4).for_each(|number| board.ended(number, WaitEnd::Succeeded));
    let lines = shown(60, 12, &board, 30);
    let expected = [
        "export-4  [==>                 ]  14 %  30s  reading chap…",
        "export-5  [         -          ]        30s  no response…",
        "export-6  [===>                ]  16 %  30s  reading chap…",
        "export-7  [         -          ]        30s  no response…",
        "export-8  [===>                ]  18 %  30s  reading chap…",
        "export-9  [         -          ]        30s  no response…",
        "export-10 [====>               ]  20 %  30s  reading chap…",
        "export-11 [         -          ]        30s  no response…",
        "export-12 [====>               ]  22 %  30s  reading chap…",
        "export-13 [         -          ]        30s  no response…",
        "4 of 30 done [==>                 ] 30s, 16 more running",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_keeps_an_operation_from_news_is_in_its_row_and_below() {
    let mut board = board(&NAMES.map(str::to_owned));
    let refused = Error::new(ErrorKind::Transport, "connection refused");
    board.troubles.set(0, Some(Trouble::fault("run.example", &refused, secs(18))));
    let failing = Error::from(Status::new(Code::Unavailable, "draining"));
    let failing = Trouble::fault("b.example", &failing, secs(25)).until(Some(secs(70)));
    board.troubles.set(1, Some(failing));
    board.troubles.set(2, Some(Trouble::pause("c.example", secs(29)).until(Some(secs(60)))));
    let expected = [
        "copy   [==>                 ]  10 %  30s  unreachable for 12 s",
        "index  [         -          ]        30s  failing for 5 s, next poll in 40 s",
        "import [==>                 ]  12 %  30s  paused by the service, next poll in…",
        "cannot reach run.example for 12 s: connection refused; retrying (and 2 more)",
        "0 of 3 done [>                   ] 30s",
    ];
    assert_eq!(shown(80, 24, &board, 30), expected);
    let narrow = [
        "copy    10 %  30s  unreachable for 12…",
        "index         30s  failing for 5 s, n…",
        "import  12 %  30s  paused by the serv…",
        "cannot reach run.example for 12 s: co…",
        "0 of 3 done [>                   ] 30s",
    ];
    assert_eq!(shown(40, 24, &board, 30), narrow);
    let line = frame(ScreenSize { width: 80, height: 24 }, &board, secs(30)).swap_remove(0).text(Painter::ON);
    assert!(line.ends_with("\x1b[33munreachable for 12 s\x1b[0m"), "{line:?}");
}

#[test]
fn one_operation_has_a_row_and_no_total() {
    let mut board = board(&["copy".to_owned()]);
    assert_eq!(shown(60, 24, &board, 30), ["copy [==>                 ]  10 %  30s  reading chapter 0"]);
    let refused = Error::new(ErrorKind::Transport, "refused");
    board.troubles.set(0, Some(Trouble::fault("a", &refused, secs(18))));
    assert_eq!(shown(60, 24, &board, 30).len(), 2);
    assert_eq!(shown(60, 1, &board, 30).len(), 1);
    board.ended(0, WaitEnd::Succeeded);
    assert!(shown(60, 24, &board, 30).is_empty());
}

#[test]
fn bars() {
    let rows = [
        (Some(0.0), "[>         ]"),
        (Some(49.9), "[====>     ]"),
        (Some(99.9), "[=========>]"),
        (Some(100.0), "[==========]"),
        (Some(250.0), "[==========]"),
        (None, "[    |     ]"),
    ];
    for (percent, expected) in rows {
        assert_eq!(bar(percent, 0, 12), expected);
    }
}
