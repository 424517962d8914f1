//! The operations of one parent, and whether they are polled one by one or by
//! listing the parent.
//!
//! The unit of cost is a get. A page counts as eight, so listing 10,000
//! operations by ten pages costs 80, and listing 8 operations does not pay.
//!
//! ```text
//! All ──► Running ──► One        never back: the number of waiting operations only falls
//!
//! expected cost ≥ members        the next method
//! permanent error of a page      One, and this round is finished by gets
//! too many doubtful failures     One
//! ```
//!
//! This file has no I/O. The scheduler sends requests and reports results.

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
    /// The version of the API, if it is not that of the client.
    pub(super) version: Option<Arc<str>>,
    /// Indices of tracks; finished ones are dropped at the start of a round.
    pub(super) members: Vec<usize>,
    /// How they are polled at present.
    method: PollMethod,
    /// The cost of the last complete round, in gets.
    cost: Option<usize>,
    /// Passes in a row that failed in a way that suggests that listing does not
    /// work here.
    faults: u32,
    /// Passes in a row that failed, for any reason.
    failures: u32,
    /// Whether a get has worked while pages failed, so that the next failure is
    /// that of the pages.
    gets_work: bool,
    /// The instant for which the next round is scheduled.
    pub(super) next: Option<Instant>,
    /// The end of a pause after a failed page.
    pub(super) pause: Option<Instant>,
    /// The pass of the current round.
    pub(super) pass: Option<ListPass>,
}

/// How the operations of a group are polled, in the order in which the methods
/// are tried.
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

/// One pass over the pages of a listing.
pub(super) struct ListPass {
    /// The number of operations that it polls.
    pub(super) requested: usize,
    /// The number of them that no page has contained so far.
    pub(super) missing: usize,
    /// Running operations that were found, with their tracks.
    pub(super) found: Vec<(usize, Operation)>,
    /// The deadline for the last page.
    pub(super) end: Option<Instant>,
    /// Whether the deadline had passed before it began.
    pub(super) is_last: bool,
    /// Pages that were read.
    pages: usize,
    /// The token of the next page; empty for the first.
    token: String,
    /// All tokens of this pass, to notice one that repeats.
    tokens: HashSet<String>,
    /// Whether it has started again after an expired token.
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
    /// Creates a group without members. It begins by listing everything.
    pub(super) fn new(parent: &str, version: Option<Arc<str>>) -> Self {
        Self {
            parent: parent.to_owned(),
            version,
            members: Vec::new(),
            method: PollMethod::All,
            cost: None,
            faults: 0,
            failures: 0,
            gets_work: false,
            next: None,
            pause: None,
            pass: None,
        }
    }

    /// Returns whether its operations are polled by pages.
    pub(super) fn lists(&self) -> bool {
        self.method != PollMethod::One
    }

    /// Changes to the next method as long as fetching `count` operations one by
    /// one costs no more.
    ///
    /// ```text
    /// members    last cost      method
    /// 10,000     80             stays
    /// 8          8 (estimate)   One
    /// 100        160            Running, whose estimate is 8
    /// ```
    pub(super) fn choose(&mut self, count: usize) {
        // Operations finish, but a listing seldom becomes shorter. So a method that
        // costs too much now will not pay off later, and the method only moves
        // down.
        while self.lists() && self.expected_cost(count) >= count {
            self.method = if self.method == PollMethod::All { PollMethod::Running } else { PollMethod::One };
            // The cost of one method says nothing about the next: that one starts from the
            // estimate.
            self.cost = None;
        }
    }

    /// Returns the cost of the next round, in gets.
    ///
    /// ```text
    /// last round         members    cost
    /// none               8          8       one page
    /// none               10,000     80      ten pages
    /// 3 pages, 2 gets    10,000     26      as measured
    /// ```
    fn expected_cost(&self, count: usize) -> usize {
        // Before the first pass the length of the listing is unknown. The estimate is
        // the best case: only these operations are listed.
        self.cost.unwrap_or_else(|| count.div_ceil(PAGE_SIZE as usize) * PAGE_COST)
    }

    /// Returns the request for the next page of its pass.
    pub(super) fn request(&self) -> ListOperationsRequest {
        let filter = if self.method == PollMethod::Running { RUNNING } else { "" };
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
    ///
    /// One success ends all doubts about the listing.
    pub(super) fn passed(&mut self, pass: &ListPass) {
        (self.faults, self.failures, self.gets_work) = (0, 0, false);
        self.cost = Some(pass.pages * PAGE_COST);
    }

    /// Records a get that a page could not replace.
    ///
    /// Without a measured cost, which a failed pass does not have, nothing
    /// changes.
    pub(super) fn missed(&mut self) {
        self.cost = self.cost.map(|cost| cost.saturating_add(1));
    }

    /// Returns whether pages have failed so often that one operation is
    /// fetched, to see whether that works.
    ///
    /// That get distinguishes a service that is down from a listing that is
    /// broken.
    pub(super) fn doubts(&self) -> bool {
        self.lists() && self.failures > MOST_FAILURES
    }

    /// Records a get that was successful.
    pub(super) fn got(&mut self) {
        // A get that works is evidence against the pages only while those fail.
        self.gets_work = self.doubts();
    }

    /// Records a page that failed, and returns what follows.
    ///
    /// | error | consequence |
    /// |---|---|
    /// | `INVALID_ARGUMENT` for a later page, once in a pass | `Restart` |
    /// | rejected credentials | `Refused` |
    /// | transient or doubtful | `Fault`; after too many of these, gets from the next round on |
    /// | any other | `GetRest`, and gets from now on |
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
            self.method = PollMethod::One;
        }
        self.failures = self.failures.saturating_add(1);
        if passing || doubtful { PageFailure::Fault } else { PageFailure::GetRest }
    }
}

impl ListPass {
    /// Creates a pass that has read no page.
    pub(super) fn new(requested: usize, end: Option<Instant>) -> Self {
        Self {
            requested,
            missing: requested,
            found: Vec::new(),
            end,
            is_last: false,
            pages: 0,
            token: String::new(),
            tokens: HashSet::new(),
            restarted: false,
        }
    }

    /// Moves to the next page, whose token is `next`. Returns false at the end,
    /// or if fetching the missing operations costs less.
    ///
    /// ```text
    /// polled    missing    pages read    next
    /// 10,000    4,000      6             true
    /// 20        5          2             true     16 < 20
    /// 20        5          3             false    24 ≥ 20: 5 gets cost less than another page
    /// 20        0          1             false    all were found
    /// ```
    pub(super) fn turn_page(&mut self, next: String) -> bool {
        self.pages += 1;
        // When the pages read so far cost as much as all gets, the remaining operations
        // are fetched one by one.
        let worth_it = self.missing > 0 && self.pages * PAGE_COST < self.requested;
        self.token.clone_from(&next);
        // A token that comes again would make the pass go round in circles.
        worth_it && !next.is_empty() && self.tokens.insert(next)
    }

    /// Goes back to the first page. What was found is kept.
    fn restart(&mut self) {
        self.restarted = true;
        self.token.clear();
        self.tokens.clear();
    }
}

/// The requested size of a page: at least as many as services return, which
/// reduce a larger size to their own maximum (AIP-158).
const PAGE_SIZE: i32 = 1000;

/// The cost of a page in gets: it takes longer, and contains up to a thousand
/// operations.
const PAGE_COST: usize = 8;

/// Failed passes in a row after which the listing may be broken, and not the
/// service.
const MOST_FAILURES: u32 = 7;

/// The filter for running operations (AIP-160). Services with another syntax
/// reject it, and then each operation is fetched.
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
        assert_eq!(group.method, PollMethod::All);
        let mut pass = ListPass::new(100, None);
        let pages = (0..).take_while(|page| pass.turn_page(format!("t{page}"))).count();
        assert_eq!(pages, 12, "more pages than that cost more than a hundred gets");
        group.passed(&pass);
        group.choose(100);
        assert_eq!(group.method, PollMethod::Running);
        assert_eq!(group.request().filter, "done = false");
        group.passed(&ListPass { pages: 2, ..ListPass::new(100, None) });
        group.choose(100);
        assert_eq!(group.method, PollMethod::Running);
        (0..84).for_each(|_| group.missed());
        group.choose(100);
        assert_eq!(group.method, PollMethod::One);
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
