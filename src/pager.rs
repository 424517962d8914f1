//! Pages and operations of a list.
//!
//! [`Pages`] has the state of an iteration, [`Operations`] flattens it. Both
//! are generic over the mode: fetching a page is the only part that blocks or
//! is a future. One *step* is what a call of `next` does, however many empty
//! pages it skips.
//!
//! ```text
//! step ──► due ──► (fetch) ──► fetched ──► a page
//!           │                     └ a token: the state moves to its page
//!           └ an error in place of a request: a repeated token, a limit
//! ```

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::iter::FusedIterator;
use std::time::{Duration, Instant};
use std::vec;

use crate::call::{Blocking, Call};
use crate::error::{Error, ErrorKind};
use crate::proto::google::longrunning::ListOperationsRequest;
use crate::types::{Operation, OperationPage};

/// The pages of a list, each fetched when it is needed.
///
/// [`Call::pages`] creates it. Every page is fetched with the options of the
/// call. Each `next` takes at most the [total timeout](Call::total_timeout), and
/// all together at most the [iteration timeout](Call::iteration_timeout), if one
/// is set. An empty page is not the end (AIP-158), a missing page token is. A
/// list that repeats a token would never end: it ends with an error
/// ([`ErrorKind::Decode`]) in place of the page.
///
/// After an error the iterator ends; the error's
/// [`page_token`](Error::page_token) is where to continue.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
/// # let client = server.client();
/// for page in client.list("projects/p").page_size(10).pages() {
///     let page = page?;
///     println!("{} operations, unreachable: {:?}", page.operations.len(), page.unreachable);
/// }
/// # assert_eq!(server.requests().len(), 3);
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "pages are fetched by iteration"]
pub struct Pages<M = Blocking> {
    pub(crate) call: Call<ListOperationsRequest, M>,
    /// Hashes of the tokens of all pages that were fetched: 8 bytes a page.
    seen: HashSet<u64>,
    /// The random keys of the hashes, so that no server can construct two tokens
    /// with one hash.
    hasher: RandomState,
    /// The number of pages that were fetched.
    fetched: usize,
    /// The deadline of the whole iteration; `None` before the first step, or
    /// without a limit.
    end: Option<Instant>,
    state: ListState,
}

/// The position of an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ListState {
    NotStarted,
    More,
    Ended,
    Failed,
}

/// One step of an iteration: what a call of `next` does, however many pages it
/// takes.
pub(crate) struct ListStep {
    /// The time from which its timeout counts.
    start: Instant,
    /// The total timeout of the call.
    timeout: Duration,
    /// The number of pages it has fetched, all but the last without operations.
    pages: usize,
    /// Whether the iteration ends before the timeout of the step.
    is_last: bool,
}

impl ListStep {
    /// Adds to a timeout what the time was spent on.
    fn explain(&self, error: Error) -> Error {
        let empty = self.pages - 1;
        match error.kind() {
            ErrorKind::Timeout if self.is_last => error.note("the iteration timeout is over"),
            ErrorKind::Timeout if empty > 0 => error.note(format_args!("{empty} pages before it were empty")),
            _ => error,
        }
    }
}

impl<M> Pages<M> {
    /// Creates the iterator. It sends nothing.
    pub(crate) fn new(call: Call<ListOperationsRequest, M>) -> Self {
        let (seen, hasher) = (HashSet::new(), RandomState::new());
        Self { call, seen, hasher, fetched: 0, end: None, state: ListState::NotStarted }
    }

    /// Returns the token of the next page, to continue from in another list;
    /// `None` at the end.
    ///
    /// It is empty for the first page. After an error it is the token of the
    /// page that failed.
    ///
    /// ```
    /// # let server = longrunning::testing::FakeServer::start();
    /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
    /// # let client = server.client();
    /// let mut pages = client.list("projects/p").page_size(20).pages();
    /// assert_eq!(pages.page_token(), Some(""));
    /// pages.next().transpose()?;
    /// let token = pages.page_token().unwrap_or_default().to_owned();
    /// assert_eq!(client.list("projects/p").page_token(token).operations().count(), 5);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn page_token(&self) -> Option<&str> {
        (self.state != ListState::Ended).then(|| self.call.token())
    }

    /// Starts a step. The first one starts the time of the iteration.
    pub(crate) fn step(&mut self) -> ListStep {
        let start = self.call.core.clock.now();
        if self.state == ListState::NotStarted {
            self.end = self.call.limits.iteration_timeout.and_then(|timeout| start.checked_add(timeout));
            self.state = ListState::More;
        }
        ListStep { start, timeout: self.call.step_timeout(), pages: 0, is_last: false }
    }

    /// Returns how long the next page may take, or an error in its place; `None`
    /// at the end, and after an error.
    pub(crate) fn due(&mut self, step: &mut ListStep) -> Option<Result<Duration, Error>> {
        (self.state == ListState::More).then(|| self.room(step))
    }

    /// Returns the remaining time of the step and of the iteration, whichever
    /// is less.
    ///
    /// # Errors
    ///
    /// An error in place of a request: a token that repeats, `max_pages`, the
    /// iteration timeout.
    fn room(&mut self, step: &mut ListStep) -> Result<Duration, Error> {
        // Before the limits: a list that goes round in circles is the server's fault.
        if self.seen.contains(&self.token_hash()) {
            return Err(self.call.fails(Error::repeated_page_token()));
        }
        if let Some(most) = self.call.limits.max_pages.filter(|most| *most <= self.fetched) {
            return Err(self.call.fails(Error::too_many_pages(most)));
        }
        let now = self.call.core.clock.now();
        let left = step.timeout.saturating_sub(now.saturating_duration_since(step.start));
        // The time of the caller between two steps counts for the iteration, and not for
        // the step.
        let of_all = self.end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
        if of_all.is_zero() {
            return Err(self.call.fails(Error::iteration_timeout(self.fetched)));
        }
        step.is_last = of_all < left;
        Ok(left.min(of_all))
    }

    /// Records the page that was fetched, or the error in its place, and
    /// returns it with what the step knows.
    pub(crate) fn fetched(
        &mut self,
        page: Result<OperationPage, Error>,
        step: &mut ListStep,
    ) -> Result<OperationPage, Error> {
        // After the fetch, so that a dropped future may fetch the same page
        // again.
        self.seen.insert(self.token_hash());
        match &page {
            Ok(page) => {
                self.fetched += 1;
                // Only a missing token is the end (AIP-158); a page may be
                // empty.
                match page.next_page_token.is_empty() {
                    true => self.state = ListState::Ended,
                    false => self.call.set_token(page.next_page_token.clone()),
                }
            }
            // The token stays, so that the error and `page_token` name the page
            // that failed.
            Err(_) => self.state = ListState::Failed,
        }
        step.pages += 1;
        page.map_err(|error| step.explain(error).with_page_token(self.call.token()))
    }

    /// Returns the hash of the token of the next page. Two different tokens
    /// have the same hash once in 2^64 pairs.
    fn token_hash(&self) -> u64 {
        self.hasher.hash_one(self.call.token())
    }
}

impl Pages {
    /// Fetches the next page.
    fn fetch(&mut self, step: &mut ListStep) -> Option<Result<OperationPage, Error>> {
        let page = self.due(step)?.and_then(|left| self.call.run_within(left));
        Some(self.fetched(page, step))
    }
}

impl Iterator for Pages {
    type Item = Result<OperationPage, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut step = self.step();
        self.fetch(&mut step)
    }
}

impl FusedIterator for Pages {}

/// The operations of a list, over all its pages.
///
/// [`Call::operations`] creates it, and so does a loop over
/// [`OperationsClient::list`](crate::OperationsClient::list). [`Pages`] says how
/// pages are fetched. Each `next` takes at most the [total
/// timeout](Call::total_timeout), however many empty pages it skips. Only one
/// page is in memory, so memory does not grow with the list.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
/// # let client = server.client();
/// let mut operations = client.list("projects/p").filter("done = false").operations();
/// for operation in operations.by_ref() {
///     println!("{}", operation?.name());
/// }
/// assert!(operations.unreachable().is_empty());
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "operations are fetched by iteration"]
pub struct Operations<M = Blocking> {
    pub(crate) pages: Pages<M>,
    items: vec::IntoIter<Operation>,
    unreachable: Vec<String>,
}

impl<M> Operations<M> {
    /// Creates the iterator. It sends nothing.
    pub(crate) fn new(pages: Pages<M>) -> Self {
        Self { pages, items: Vec::new().into_iter(), unreachable: Vec::new() }
    }

    /// Returns the locations that the latest page could not reach; see
    /// [`Call::return_partial_success`].
    pub fn unreachable(&self) -> &[String] {
        &self.unreachable
    }

    /// Returns the token of the page after the latest one; see
    /// [`Pages::page_token`].
    pub fn page_token(&self) -> Option<&str> {
        self.pages.page_token()
    }

    /// Returns the next operation of the latest page.
    pub(crate) fn item(&mut self) -> Option<Operation> {
        self.items.next()
    }

    /// Replaces the latest page.
    pub(crate) fn turn_to(&mut self, page: OperationPage) {
        self.items = page.operations.into_iter();
        self.unreachable = page.unreachable;
    }
}

impl Iterator for Operations {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(operation) = self.item() {
            return Some(Ok(operation));
        }
        // One step for all empty pages, so that they share one timeout.
        let mut step = self.pages.step();
        loop {
            if let Some(operation) = self.item() {
                return Some(Ok(operation));
            }
            match self.pages.fetch(&mut step)? {
                Ok(page) => self.turn_to(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl FusedIterator for Operations {}
