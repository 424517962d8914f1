//! The operations of one parent, and whether they are polled one by one or by
//! listing the parent.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use crate::error::{Error, ErrorKind};
use crate::fault_class::FaultClass;
use crate::proto::google::longrunning::ListOperationsRequest;
use crate::types::{Code, Operation};

/// Operations with one parent that are polled together, as long as that costs
/// less.
pub(super) struct ParentGroup {
    parent: String,
    /// Of the API, if it is not that of the client.
    pub(super) version: Option<Arc<str>>,
    /// Indices of tracks; finished ones are dropped at the start of a round.
    pub(super) members: Vec<usize>,
    way: PollMethod,
    /// The cost of the last whole round, in gets.
    cost: Option<usize>,
    /// Failed passes in a row that suggest that listing does not work here.
    faults: u32,
    /// Passes in a row that failed, for whatever reason.
    failures: u32,
    /// A get has worked since, so the next failure is that of the pages.
    gets_work: bool,
    /// When the next round is due.
    pub(super) next: Option<Instant>,
    /// The server requested a pause until then.
    pub(super) pause: Option<Instant>,
    pub(super) pass: Option<ListPass>,
}

/// How the operations of a group are polled. It only ever moves down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PollMethod {
    /// All operations of the parent are listed.
    All,
    /// Running operations are listed. One that is missing is most likely done,
    /// and is fetched.
    Running,
    /// Each is fetched.
    One,
}

/// One way through the pages.
pub(super) struct ListPass {
    /// The requested operations, and those of them that no page contained so
    /// far.
    pub(super) asked: usize,
    pub(super) missing: usize,
    pub(super) found: Vec<(usize, Operation)>,
    /// The deadline for the last page.
    pub(super) end: Option<Instant>,
    /// Whether the deadline had passed before it began.
    pub(super) is_last: bool,
    pages: usize,
    token: String,
    tokens: HashSet<String>,
    restarted: bool,
}

/// The consequence for a pass whose page failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageFailure {
    /// It starts again, because its page token has expired.
    Restart,
    /// Those not seen are fetched: listing does not work here.
    GetRest,
    /// The credentials are rejected: operations that were not listed have
    /// failed.
    Refused,
    /// The error is transient: for the operations not listed, this was a poll
    /// that failed.
    Fault,
}

impl ParentGroup {
    pub(super) fn new(parent: &str, version: Option<Arc<str>>) -> Self {
        Self {
            parent: parent.to_owned(),
            version,
            members: Vec::new(),
            way: PollMethod::All,
            cost: None,
            faults: 0,
            failures: 0,
            gets_work: false,
            next: None,
            pause: None,
            pass: None,
        }
    }

    /// Returns whether its operations are polled together.
    pub(super) fn lists(&self) -> bool {
        self.way != PollMethod::One
    }

    /// Changes to the next method as long as fetching `count` operations one by
    /// one costs less.
    pub(super) fn choose(&mut self, count: usize) {
        // Operations finish, but a listing seldom becomes shorter. So a method that
        // costs too much now will not pay off later, and the way only moves
        // down.
        while self.lists() && self.expected_cost(count) >= count {
            self.way = if self.way == PollMethod::All { PollMethod::Running } else { PollMethod::One };
            // The cost of one method says nothing about the next: that one starts from the
            // estimate.
            self.cost = None;
        }
    }

    fn expected_cost(&self, count: usize) -> usize {
        // Before the first pass the length of the listing is unknown. The estimate is
        // the best case: only these operations are listed.
        self.cost.unwrap_or_else(|| count.div_ceil(PAGE_SIZE as usize) * PAGE_COST)
    }

    pub(super) fn request(&self) -> ListOperationsRequest {
        let filter = if self.way == PollMethod::Running { RUNNING } else { "" };
        let token = self.pass.as_ref().map_or("", |pass| &pass.token);
        ListOperationsRequest {
            name: self.parent.clone(),
            filter: filter.to_owned(),
            page_size: PAGE_SIZE,
            page_token: token.to_owned(),
            return_partial_success: false,
        }
    }

    /// Records the cost of a whole pass, to which [`missed`](Self::missed) adds
    /// gets.
    pub(super) fn passed(&mut self, pass: &ListPass) {
        (self.faults, self.failures, self.gets_work) = (0, 0, false);
        self.cost = Some(pass.pages * PAGE_COST);
    }

    /// Records a get that a page could not replace.
    pub(super) fn missed(&mut self) {
        self.cost = self.cost.map(|cost| cost.saturating_add(1));
    }

    /// Returns whether pages have failed so often that one operation is
    /// fetched, to see whether that works.
    pub(super) fn doubts(&self) -> bool {
        self.lists() && self.failures > MOST_FAILURES
    }

    /// Records a get that was successful.
    pub(super) fn got(&mut self) {
        // A get that works is evidence against the pages only while those fail.
        self.gets_work = self.doubts();
    }

    /// Records a page that failed, and returns what follows.
    pub(super) fn failed(&mut self, error: &Error, max_failures: u32) -> PageFailure {
        let code = error.code();
        // On the first page INVALID_ARGUMENT rejects the request itself. On a later one
        // the page token has most likely expired; a second time in one pass, it
        // would expire again and again.
        let resumed = self.pass.as_mut().filter(|pass| !pass.token.is_empty() && !pass.restarted);
        if let (Some(Code::InvalidArgument), Some(pass)) = (code, resumed) {
            pass.restart();
            return PageFailure::Restart;
        }
        // Gets would present the same credentials, so none is sent in place of the
        // page.
        if error.kind() == ErrorKind::Auth && !error.passes_by_itself() || code == Some(Code::Unauthenticated)
        {
            return PageFailure::Refused;
        }
        let (passing, doubtful) = match error.class() {
            FaultClass::Transient | FaultClass::Tolerable => (true, false),
            FaultClass::Doubtful | FaultClass::StatusPage | FaultClass::UnknownHost => (false, true),
            FaultClass::NotFound | FaultClass::Permanent => (false, false),
        };
        // A listing may be too slow, or too large, where a get is not.
        let slow = error.kind() == ErrorKind::Timeout;
        self.faults += u32::from(doubtful || slow);
        if !(passing || doubtful) || self.faults > max_failures || self.gets_work {
            self.way = PollMethod::One;
        }
        self.failures = self.failures.saturating_add(1);
        if passing || doubtful { PageFailure::Fault } else { PageFailure::GetRest }
    }
}

impl ListPass {
    pub(super) fn new(asked: usize, end: Option<Instant>) -> Self {
        Self {
            asked,
            missing: asked,
            found: Vec::new(),
            end,
            is_last: false,
            pages: 0,
            token: String::new(),
            tokens: HashSet::new(),
            restarted: false,
        }
    }

    /// Moves to the next page; returns false at the end, or if fetching the
    /// rest costs less.
    pub(super) fn turn_page(&mut self, next: String) -> bool {
        self.pages += 1;
        // When the pages read so far cost as much as all gets, the remaining operations
        // are fetched one by one.
        let worth_it = self.missing > 0 && self.pages * PAGE_COST < self.asked;
        self.token.clone_from(&next);
        // A token that comes again would make the pass go round in circles.
        worth_it && !next.is_empty() && self.tokens.insert(next)
    }

    fn restart(&mut self) {
        self.restarted = true;
        self.token.clear();
        self.tokens.clear();
    }
}

/// At least as many as services return; they reduce a larger size to their own
/// maximum (AIP-158).
const PAGE_SIZE: i32 = 1000;

/// The cost of a page in gets: it takes longer, and contains up to a thousand
/// operations.
const PAGE_COST: usize = 8;

/// After this many failed passes in a row the listing may be broken, and not
/// the service.
const MOST_FAILURES: u32 = 7;

/// AIP-160; services with another syntax reject it, and then each operation is
/// fetched.
const RUNNING: &str = "done = false";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Status;

    #[test]
    fn few_are_got_and_many_are_listed() {
        for (count, lists) in [(1, false), (8, false), (9, true), (1000, true), (10_000, true)] {
            let mut group = ParentGroup::new("operations", None);
            group.choose(count);
            assert_eq!(group.lists(), lists, "{count}");
        }
    }

    #[test]
    fn the_way_moves_down_as_pages_turn_out_to_be_dear() {
        let mut group = ParentGroup::new("operations", None);
        group.choose(100);
        assert_eq!(group.way, PollMethod::All);
        let mut pass = ListPass::new(100, None);
        let pages = (0..).take_while(|page| pass.turn_page(format!("t{page}"))).count();
        assert_eq!(pages, 12, "more pages than that cost more than a hundred gets");
        group.passed(&pass);
        group.choose(100);
        assert_eq!(group.way, PollMethod::Running);
        assert_eq!(group.request().filter, "done = false");
        group.passed(&ListPass { pages: 2, ..ListPass::new(100, None) });
        group.choose(100);
        assert_eq!(group.way, PollMethod::Running);
        (0..84).for_each(|_| group.missed());
        group.choose(100);
        assert_eq!(group.way, PollMethod::One);
    }

    #[test]
    fn a_pass_ends_when_all_are_seen_and_at_a_token_that_comes_again() {
        let mut pass = ListPass::new(1000, None);
        assert!(pass.turn_page("a".into()) && pass.turn_page("b".into()));
        assert!(!pass.turn_page("a".into()));
        pass.missing = 0;
        assert!(!pass.turn_page("c".into()));
        assert!(!ListPass::new(1000, None).turn_page(String::new()));
    }

    #[test]
    fn what_a_page_that_failed_means() {
        let of = |code| Error::from(Status::new(code, "no"));
        for (error, failed, lists) in [
            (of(Code::Unavailable), PageFailure::Fault, true),
            (of(Code::ResourceExhausted), PageFailure::Fault, true),
            (of(Code::Internal), PageFailure::Fault, true),
            (Error::no_time(), PageFailure::Fault, true),
            (of(Code::Unimplemented), PageFailure::GetRest, false),
            (of(Code::PermissionDenied), PageFailure::GetRest, false),
            (of(Code::NotFound), PageFailure::GetRest, false),
            (of(Code::InvalidArgument), PageFailure::GetRest, false),
            (Error::decode("no page"), PageFailure::GetRest, false),
            (of(Code::Unauthenticated), PageFailure::Refused, true),
            (Error::no_token("me", "no", false), PageFailure::Refused, true),
            (Error::no_token("me", "no", true), PageFailure::Fault, true),
        ] {
            let mut group = ParentGroup::new("operations", None);
            assert_eq!((group.failed(&error, 5), group.lists()), (failed, lists), "{error}");
        }
        let mut group = ParentGroup::new("operations", None);
        for _ in 0..5 {
            group.failed(&Error::no_time(), 5);
            assert!(group.lists());
        }
        group.failed(&Error::no_time(), 5);
        assert!(!group.lists(), "a listing that never comes in time is given up");
    }

    #[test]
    fn a_pass_whose_token_has_expired_starts_again_once() {
        let expired = Error::from(Status::new(Code::InvalidArgument, "page token expired"));
        let mut group = ParentGroup::new("operations", None);
        let mut pass = ListPass::new(1000, None);
        pass.turn_page("a".into());
        group.pass = Some(pass);
        assert_eq!(group.failed(&expired, 5), PageFailure::Restart);
        assert_eq!(group.request().page_token, "");
        assert!(group.pass.as_mut().is_some_and(|pass| pass.turn_page("a".into())));
        assert_eq!((group.failed(&expired, 5), group.lists()), (PageFailure::GetRest, false));
    }
}
