//! Why a wait has no news: a service that cannot be reached, one that fails,
//! one that requests a pause.
//!
//! Transient errors do not end a wait, so an operator has to see them while
//! they last. They are reported by host, since a hundred operations of a
//! service fail together: on a screen in the rows and one line, in a log when
//! they begin, when their reason changes, and when they end.
//!
//! ```text
//! lro: cannot reach run.googleapis.com for 12 s: connection refused; retrying
//! lro: run.googleapis.com responds again after 41 s
//! ```

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use longrunning::{Error, ErrorKind};

use crate::output::short;

/// Why there is no news of an operation. Times count from the start of the
/// wait.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// Host and port of the service, as messages name it.
    host: String,
    /// The failure; none for a pause without one.
    cause: Option<TroubleCause>,
    /// When the first poll of the row failed, or the pause was requested.
    since: Duration,
    /// The end of a pause that the service requested.
    pause_until: Option<Duration>,
}

/// The failure of the last poll.
#[derive(Clone, Debug)]
struct TroubleCause {
    /// What failed, in a few words: `connection refused`.
    reason: String,
    /// The service has sent a response, though not a useful one.
    is_response: bool,
}

impl Trouble {
    /// Polls of a service at `host` have failed since `since`, the last one
    /// with `error`.
    pub(crate) fn fault(host: &str, error: &Error, since: Duration) -> Self {
        // An error page is a response too: something is there, and it is not
        // the network.
        let is_response =
            error.status().is_some() || error.http_status().is_some() || error.kind() == ErrorKind::Decode;
        let cause = Some(TroubleCause { reason: reason(error), is_response });
        Self { host: host.to_owned(), cause, since, pause_until: None }
    }

    /// Nothing fails, but the service requested a pause.
    pub(crate) fn pause(host: &str, since: Duration) -> Self {
        Self { host: host.to_owned(), cause: None, since, pause_until: None }
    }

    /// Sets the end of a pause that the service requested.
    pub(crate) fn until(self, pause_until: Option<Duration>) -> Self {
        Self { pause_until, ..self }
    }

    /// Returns the whole on one line: `cannot reach HOST for 12 s: connection
    /// refused; retrying`.
    ///
    /// A service that sends errors "has failed"; only one without any response
    /// "cannot be reached".
    pub(super) fn text(&self, elapsed: Duration) -> String {
        let pause = self.pause_until.map(|end| seconds(end.saturating_sub(elapsed)));
        let Some(TroubleCause { reason, is_response }) = &self.cause else {
            return format!("{} requests a pause, next poll in {}", self.host, pause.unwrap_or_default());
        };
        let lasts = seconds(elapsed.saturating_sub(self.since));
        let what = match is_response {
            true => format!("{} has failed for {lasts}", self.host),
            false => format!("cannot reach {} for {lasts}", self.host),
        };
        match pause {
            Some(pause) => format!("{what}: {reason}; retrying in {pause}, as the service requests"),
            None => format!("{what}: {reason}; retrying"),
        }
    }

    /// Returns the same in a few words, for a row of a display: `unreachable
    /// for 12 s, next poll in 3 s`.
    pub(super) fn label(&self, elapsed: Duration) -> String {
        let pause =
            self.pause_until.map(|end| format!("next poll in {}", seconds(end.saturating_sub(elapsed))));
        let lasts = seconds(elapsed.saturating_sub(self.since));
        let what = match &self.cause {
            None => "paused by the service".to_owned(),
            Some(TroubleCause { is_response: true, .. }) => format!("failing for {lasts}"),
            Some(TroubleCause { is_response: false, .. }) => format!("unreachable for {lasts}"),
        };
        [Some(what), pause].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The text of the cause; empty for a pause.
    fn reason(&self) -> &str {
        self.cause.as_ref().map_or("", |cause| &cause.reason)
    }
}

/// Returns the deepest cause, or else the message, as a part of a sentence:
/// without the number of the operating system, the call and the name, and in
/// lower case.
fn reason(error: &Error) -> String {
    if let Some(status) = error.status() {
        return status.to_string();
    }
    // The first causes repeat the message in the words of each layer. The last
    // one is what the system or TLS said.
    let mut deepest = error.source();
    while let Some(deeper) = deepest.and_then(std::error::Error::source) {
        deepest = Some(deeper);
    }
    let text = deepest.map_or_else(|| error.to_string(), ToString::to_string);
    // Messages of Windows are sentences.
    let text = text.split(" (os error ").next().unwrap_or_default().trim_end_matches('.');
    // The call and the name are known to the reader.
    let text = text.split_once("`: ").map_or(text, |(_, text)| text);
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// `12 s`, and from a minute on `1m20s`.
fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(60) { format!("{} s", duration.as_secs()) } else { short(duration) }
}

/// The troubles of all operations as lines: one for each host, since they are
/// the same for all its operations.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// The troubles of now, by the numbers of the operations.
    by_number: BTreeMap<usize, Trouble>,
    /// What was printed and not yet taken back, by host.
    reported: BTreeMap<String, ReportedTrouble>,
}

/// What was last printed about a host, and when, so that the next line is not
/// due too soon.
#[derive(Debug)]
struct ReportedTrouble {
    at: Duration,
    reason: String,
    since: Duration,
}

impl Troubles {
    /// Sets or removes the trouble of an operation.
    pub(super) fn set(&mut self, number: usize, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => drop(self.by_number.insert(number, trouble)),
            None => drop(self.by_number.remove(&number)),
        }
    }

    /// Returns the trouble of an operation.
    pub(super) fn get(&self, number: usize) -> Option<&Trouble> {
        self.by_number.get(&number)
    }

    /// Returns all of it on one line, for a display that is brought up to date
    /// all the time: the longest trouble, and how many other hosts have one.
    pub(super) fn summary(&self, elapsed: Duration) -> Option<String> {
        let worst = self.worst();
        let longest = worst.values().min_by_key(|trouble| trouble.since)?;
        let text = longest.text(elapsed);
        Some(match worst.len() - 1 {
            0 => text,
            others => format!("{text} (and {others} more)"),
        })
    }

    /// Returns the longest trouble of each host.
    fn worst(&self) -> BTreeMap<String, Trouble> {
        let mut worst: BTreeMap<String, Trouble> = BTreeMap::new();
        for trouble in self.by_number.values() {
            // The oldest trouble of a host stands for all of its operations.
            let known = worst.entry(trouble.host.clone()).or_insert_with(|| trouble.clone());
            if trouble.since < known.since {
                *known = trouble.clone();
            }
        }
        worst
    }

    /// Returns the lines that are due, few of them and never none for long.
    ///
    /// A trouble is reported if it lasts a second, again after 10 s if its
    /// reason has changed, after 60 s if it has not, and when it ends, if it
    /// was reported.
    pub(super) fn due(&mut self, elapsed: Duration) -> Vec<String> {
        let worst = self.worst();
        let mut lines = Vec::new();
        // A host without trouble: only what was reported is taken back, so a
        // short one never shows up at all.
        let gone: Vec<_> = self.reported.keys().filter(|host| !worst.contains_key(*host)).cloned().collect();
        for host in gone {
            if let Some(reported) = self.reported.remove(&host) {
                let lasted = seconds(elapsed.saturating_sub(reported.since));
                lines.push(format!("{host} responds again after {lasted}"));
            }
        }
        for (host, trouble) in worst {
            let reported = self.reported.get(&host);
            let due = match reported {
                None => elapsed >= trouble.since + PATIENCE,
                Some(reported) if reported.reason != trouble.reason() => elapsed >= reported.at + SPACING,
                Some(reported) => elapsed >= reported.at + SILENCE,
            };
            if due {
                lines.push(trouble.text(elapsed));
                // A new reason does not make the trouble younger.
                let since = reported.map_or(trouble.since, |reported| reported.since);
                let reported = ReportedTrouble { at: elapsed, reason: trouble.reason().to_owned(), since };
                self.reported.insert(host, reported);
            }
        }
        lines
    }
}

/// A trouble that ends sooner is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// The least time between two lines about one host with different reasons.
const SPACING: Duration = Duration::from_secs(10);

/// The time between two lines with the same reason.
const SILENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(host: &str, reason: &str, since: u64) -> Trouble {
        let cause = Some(TroubleCause { reason: reason.to_owned(), is_response: false });
        Trouble { host: host.to_owned(), cause, since: Duration::from_secs(since), pause_until: None }
    }

    #[test]
    fn texts() {
        let secs = Duration::from_secs;
        let refused = trouble("a.example:443", "connection refused", 3);
        assert_eq!(
            refused.text(secs(15)),
            "cannot reach a.example:443 for 12 s: connection refused; retrying"
        );
        assert_eq!(
            refused.text(secs(90)),
            "cannot reach a.example:443 for 1m27s: connection refused; retrying"
        );
        let asked = refused.until(Some(secs(55)));
        let expected = "cannot reach a.example:443 for 12 s: connection refused; retrying in 40 s, as the service requests";
        assert_eq!(asked.text(secs(15)), expected);
        let pause = Trouble::pause("a.example", secs(3)).until(Some(secs(43)));
        assert_eq!(pause.text(secs(13)), "a.example requests a pause, next poll in 30 s");
    }

    #[test]
    fn a_response_that_cannot_be_read_comes_from_a_host_that_is_reached() {
        for (kind, text) in
            [(ErrorKind::Decode, "a has failed for 0 s: x"), (ErrorKind::Transport, "cannot reach a")]
        {
            let trouble = Trouble::fault("a", &Error::new(kind, "x"), Duration::ZERO);
            assert!(trouble.text(Duration::ZERO).starts_with(text), "{kind:?}");
        }
    }

    #[test]
    fn a_line_for_each_host_and_not_too_many() {
        let mut troubles = Troubles::default();
        let due = |troubles: &mut Troubles, at| troubles.due(Duration::from_secs(at)).join("|");
        for number in 0..9 {
            troubles.set(number, Some(trouble("a", "refused", 1)));
        }
        troubles.set(9, Some(trouble("b", "reset", 1)));
        assert_eq!(due(&mut troubles, 1), "", "too early");
        let both = "cannot reach a for 2 s: refused; retrying|cannot reach b for 2 s: reset; retrying";
        assert_eq!(due(&mut troubles, 3), both);
        assert_eq!(due(&mut troubles, 62), "");
        troubles.set(9, None);
        assert_eq!(
            due(&mut troubles, 63),
            "b responds again after 1m02s|cannot reach a for 1m02s: refused; retrying"
        );
        (0..9).for_each(|number| troubles.set(number, Some(trouble("a", "reset", 1))));
        assert_eq!(due(&mut troubles, 64), "", "too soon");
        assert_eq!(due(&mut troubles, 74), "cannot reach a for 1m13s: reset; retrying");
        (0..9).for_each(|number| troubles.set(number, None));
        assert_eq!(due(&mut troubles, 75), "a responds again after 1m14s");
        assert_eq!(due(&mut troubles, 999), "");
    }
}
