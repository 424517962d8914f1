//! The log of requests, which tests read with
//! [`FakeServer::requests`](super::FakeServer::requests).

use std::collections::VecDeque;

use super::request::RecordedRequest;

/// The latest requests, and the number of all. When the log is full, each new
/// request replaces the oldest.
#[derive(Debug)]
pub(super) struct RequestLog {
    kept: VecDeque<RecordedRequest>,
    capacity: usize,
    count: u64,
}

impl RequestLog {
    /// Creates a log of at most `capacity` requests; with zero it only counts.
    pub(super) fn new(capacity: usize) -> Self {
        Self { kept: VecDeque::new(), capacity, count: 0 }
    }

    pub(super) fn push(&mut self, request: RecordedRequest) {
        self.count += 1;
        self.kept.push_back(request);
        // With a capacity of zero this removes the request that was just added.
        if self.kept.len() > self.capacity {
            self.kept.pop_front();
        }
    }

    /// Returns the number of all requests, including those that were replaced
    /// or taken.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the requests in the order of their arrival, and keeps them.
    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.kept.iter().cloned().collect()
    }

    /// Returns the requests and empties the log. The count does not change.
    pub(super) fn take(&mut self) -> Vec<RecordedRequest> {
        std::mem::take(&mut self.kept).into()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::request::RequestParts;

    #[test]
    fn the_log_keeps_the_latest() {
        let mut log = RequestLog::new(2);
        for target in ["/a", "/b", "/c"] {
            log.push(RecordedRequest::new(RequestParts {
                method: "GET".into(),
                target: target.into(),
                headers: Vec::new(),
                body: Vec::new(),
                connection: 1,
                at: Duration::ZERO,
                call: None,
            }));
        }
        let targets =
            |all: Vec<RecordedRequest>| all.iter().map(|r| r.target().to_owned()).collect::<Vec<_>>();
        assert_eq!(targets(log.all()), ["/b", "/c"]);
        assert_eq!(targets(log.take()), ["/b", "/c"]);
        assert_eq!((log.all().len(), log.count()), (0, 3));
    }
}
