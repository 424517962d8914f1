//! The responses that a test has scripted.

use std::collections::VecDeque;
use std::fmt;

use super::reply::Reply;
use super::request::RecordedRequest;

/// Responses in the order in which they were added, each for the next request
/// that it matches.
#[derive(Debug, Default)]
pub(super) struct ReplyScript(VecDeque<ScriptEntry>);

struct ScriptEntry {
    is_for: RequestPredicate,
    reply: Reply,
}

type RequestPredicate = Box<dyn Fn(&RecordedRequest) -> bool + Send>;

impl ReplyScript {
    pub(super) fn push(&mut self, is_for: impl Fn(&RecordedRequest) -> bool + Send + 'static, reply: Reply) {
        if reply.times > 0 {
            self.0.push_back(ScriptEntry { is_for: Box::new(is_for), reply });
        }
    }

    /// Returns the response to a request, if there is one in line for it.
    pub(super) fn take(&mut self, request: &RecordedRequest) -> Option<Reply> {
        let index = self.0.iter().position(|line| (line.is_for)(request))?;
        let line = self.0.get_mut(index)?;
        if line.reply.times == 1 {
            return self.0.remove(index).map(|line| line.reply);
        }
        if line.reply.times != usize::MAX {
            line.reply.times -= 1;
        }
        Some(line.reply.clone())
    }

    /// Returns how many responses are left.
    pub(super) fn len(&self) -> usize {
        self.0.iter().fold(0, |sum, line| sum.saturating_add(line.reply.times))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Debug for ScriptEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reply.fmt(f)
    }
}
