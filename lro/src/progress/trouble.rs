//! Why a wait has no news: a service that cannot be reached, one that fails,
//! one that requests a pause.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use longrunning::{Error, ErrorKind};

use crate::output::short;

/// Why there is no news of an operation; times count from the start of the
/// wait.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    host: String,
    cause: Option<TroubleCause>,
    since: Duration,
    /// The end of a pause that the service requested.
    pause_until: Option<Duration>,
}

#[derive(Clone, Debug)]
struct TroubleCause {
    reason: String,
    /// The service has sent a response, though not a useful one.
    is_response: bool,
}

impl Trouble {
    /// Polls of a service at `host` fail, the last one with `error`.
    pub(crate) fn fault(host: &str, error: &Error, since: Duration) -> Self {
        let is_response =
            error.status().is_some() || error.http_status().is_some() || error.kind() == ErrorKind::Decode;
        let cause = Some(TroubleCause { reason: reason(error), is_response });
        Self { host: host.to_owned(), cause, since, pause_until: None }
    }

    /// Nothing fails, but the service requested a pause.
    pub(crate) fn pause(host: &str, since: Duration) -> Self {
        Self { host: host.to_owned(), cause: None, since, pause_until: None }
    }

    pub(crate) fn until(self, pause_until: Option<Duration>) -> Self {
        Self { pause_until, ..self }
    }

    /// The whole on one line: `cannot reach HOST for 12 s: connection refused;
    /// retrying`.
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

    /// The same in a few words, for a row of a display: `unreachable for 12 s`.
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

    fn reason(&self) -> &str {
        self.cause.as_ref().map_or("", |cause| &cause.reason)
    }
}

/// The cause of all causes, or else the message.
fn reason(error: &Error) -> String {
    if let Some(status) = error.status() {
        return status.to_string();
    }
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
    by_number: BTreeMap<usize, Trouble>,
    reported: BTreeMap<String, ReportedTrouble>,
}

#[derive(Debug)]
struct ReportedTrouble {
    at: Duration,
    reason: String,
    since: Duration,
}

impl Troubles {
    pub(super) fn set(&mut self, number: usize, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => drop(self.by_number.insert(number, trouble)),
            None => drop(self.by_number.remove(&number)),
        }
    }

    pub(super) fn get(&self, number: usize) -> Option<&Trouble> {
        self.by_number.get(&number)
    }

    /// All of it on one line, for a display that is brought up to date all the
    /// time: the longest one.
    pub(super) fn summary(&self, elapsed: Duration) -> Option<String> {
        let worst = self.worst();
        let longest = worst.values().min_by_key(|trouble| trouble.since)?;
        let text = longest.text(elapsed);
        Some(match worst.len() - 1 {
            0 => text,
            others => format!("{text} (and {others} more)"),
        })
    }

    /// The longest one of each host.
    fn worst(&self) -> BTreeMap<String, Trouble> {
        let mut worst: BTreeMap<String, Trouble> = BTreeMap::new();
        for trouble in self.by_number.values() {
            let known = worst.entry(trouble.host.clone()).or_insert_with(|| trouble.clone());
            if trouble.since < known.since {
                *known = trouble.clone();
            }
        }
        worst
    }

    /// The lines that are due, few of them and never none for long.
    pub(super) fn due(&mut self, elapsed: Duration) -> Vec<String> {
        let worst = self.worst();
        let mut lines = Vec::new();
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
                let since = reported.map_or(trouble.since, |reported| reported.since);
                let reported = ReportedTrouble { at: elapsed, reason: trouble.reason().to_owned(), since };
                self.reported.insert(host, reported);
            }
        }
        lines
    }
}

/// What is over by then is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two lines about one host with different reasons.
const SPACING: Duration = Duration::from_secs(10);

/// Between two lines with the same reason.
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
