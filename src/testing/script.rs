//! The responses that a test has scripted, and which request gets which.

use std::collections::VecDeque;
use std::fmt;

use super::reply::Reply;
use super::request::RecordedRequest;

/// Scripted replies in the order in which they were added.
///
/// A request gets the first reply that matches it. Replies for other requests
/// keep their place, so a script for `DELETE` does not hold up those for `GET`.
#[derive(Debug, Default)]
pub(super) struct ReplyScript(VecDeque<ScriptEntry>);

/// A reply and the requests that it is for. Its `times` is how often it remains
/// to be sent, at least 1.
struct ScriptEntry {
    is_for: RequestPredicate,
    reply: Reply,
}

type RequestPredicate = Box<dyn Fn(&RecordedRequest) -> bool + Send>;

impl ReplyScript {
    /// Appends a reply; one for zero times is dropped.
    pub(super) fn push(&mut self, is_for: impl Fn(&RecordedRequest) -> bool + Send + 'static, reply: Reply) {
        if reply.times > 0 {
            self.0.push_back(ScriptEntry { is_for: Box::new(is_for), reply });
        }
    }

    /// Returns the reply to a request, if one matches, and counts it as sent.
    pub(super) fn take(&mut self, request: &RecordedRequest) -> Option<Reply> {
        // The first that matches, not the first in line: scripts for different
        // requests are independent.
        let index = self.0.iter().position(|line| (line.is_for)(request))?;
        let line = self.0.get_mut(index)?;
        if line.reply.times == 1 {
            return self.0.remove(index).map(|line| line.reply);
        }
        // `usize::MAX` means every request that follows, so it is not counted
        // down.
        if line.reply.times != usize::MAX {
            line.reply.times -= 1;
        }
        Some(line.reply.clone())
    }

    /// Returns how many replies remain; `usize::MAX` if one of them has no end.
    pub(super) fn len(&self) -> usize {
        self.0.iter().fold(0, |sum, line| sum.saturating_add(line.reply.times))
    }

    /// Drops all replies.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Without the closure, which has no `Debug`.
impl fmt::Debug for ScriptEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reply.fmt(f)
    }
}
