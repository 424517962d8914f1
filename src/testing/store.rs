//! The operations of the server: what they are at a moment, and pages of them.
//!
//! An operation is stored with the time of its insertion and the number of its
//! polls. Its state is computed from the two whenever it is read, so no thread
//! has to move it. Once it is done, or if it never changes, its state is
//! *settled* and is kept as it is sent.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::clock::{FakeTimes, ServerMoment};
use super::operation::{FakeOperation, cancelled};
use super::rpc_response::{OperationView, ResponsePage};
use crate::types::{Operation, OperationForm};

/// Operations in the order in which they were inserted.
///
/// Settled operations share their encoded form, so a page of a thousand costs a
/// thousand reference counts.
#[derive(Debug, Default)]
pub(super) struct OperationStore {
    /// By number; page tokens contain the number of the next operation.
    entries: BTreeMap<u64, StoredOperation>,
    /// The number of each name. Sorted, to find the operations of a collection.
    numbers: BTreeMap<String, u64>,
    /// The number of the next new operation. Numbers are not reused, so that
    /// page tokens stay valid after a delete.
    next: u64,
    /// The locations that list calls report as unreachable.
    unreachable: Vec<String>,
}

/// An operation with what its state depends on.
#[derive(Debug)]
struct StoredOperation {
    name: String,
    /// The time of its insertion.
    since: ServerMoment,
    /// How often clients have read it.
    polls: u64,
    state: StoredState,
}

/// An operation that stays the same from now on, or one that still changes.
#[derive(Debug)]
enum StoredState {
    Settled(Arc<OperationView>),
    Changing(Box<FakeOperation>),
}

/// The arguments of a list call.
#[derive(Debug)]
pub(super) struct ListQuery<'a> {
    /// Such as `projects/p/operations`; a segment `-` stands for any one
    /// (AIP-159).
    pub(super) collection: &'a str,
    /// The filter: only operations that are done, or only those that are not.
    pub(super) done: Option<bool>,
    /// At least 1.
    pub(super) page_size: usize,
    /// Empty for the first page.
    pub(super) page_token: &'a str,
    /// Whether a last page with the unreachable locations is wanted (AIP-217).
    pub(super) partial: bool,
}

/// The page token is not one that this server has made for this query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidPageToken;

impl OperationStore {
    /// Adds an operation. It replaces one of the same name and takes its place
    /// in lists; its polls start again from zero.
    pub(super) fn insert(&mut self, operation: FakeOperation, now: ServerMoment) {
        let name = operation.name().to_owned();
        // A name that is inserted again keeps its number, and so its place in
        // lists.
        let number = self.numbers.get(&name).copied().unwrap_or(self.next);
        self.next = self.next.max(number + 1);
        let state = match operation.is_settled() {
            true => StoredState::settled(operation.at(FakeTimes::at(now.wall), 0)),
            false => StoredState::Changing(Box::new(operation)),
        };
        self.numbers.insert(name.clone(), number);
        self.entries.insert(number, StoredOperation { name, since: now, polls: 0, state });
    }

    pub(super) fn set_unreachable(&mut self, names: Vec<String>) {
        self.unreachable = names;
    }

    pub(super) fn unreachable(&self) -> &[String] {
        &self.unreachable
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    /// Returns whether the collection has an operation.
    pub(super) fn has_any(&self, collection: &str) -> bool {
        // The slash belongs to it: `projects/p` must not find `projects/pq`.
        let prefix = format!("{collection}/");
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        self.numbers.range::<str, _>(from).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// Returns the current state for a client, and counts a poll.
    pub(super) fn look(&mut self, name: &str, now: ServerMoment) -> Option<Arc<OperationView>> {
        self.entry(name).map(|entry| entry.look(now))
    }

    /// Returns the current state without counting a poll.
    pub(super) fn peek(&self, name: &str, now: ServerMoment) -> Option<Operation> {
        let entry = self.entries.get(self.numbers.get(name)?)?;
        Some(match &entry.state {
            StoredState::Settled(view) => view.get().clone(),
            StoredState::Changing(operation) => operation.at(entry.times(now), entry.polls),
        })
    }

    /// Returns the form of an operation that the server has.
    pub(super) fn form(&self, name: &str) -> Option<OperationForm> {
        Some(match &self.entries.get(self.numbers.get(name)?)?.state {
            StoredState::Settled(view) => view.get().form(),
            StoredState::Changing(operation) => operation.sent_form(),
        })
    }

    /// Returns how long it takes until the operation is done, if it ends after
    /// some time.
    pub(super) fn time_left(&self, name: &str, now: ServerMoment) -> Option<Duration> {
        let entry = self.entries.get(self.numbers.get(name)?)?;
        match &entry.state {
            StoredState::Settled(_) => None,
            StoredState::Changing(operation) => Some(operation.ends_at()?.saturating_sub(entry.age(now))),
        }
    }

    /// Cancels an operation unless it is done or ignores cancellation. Returns
    /// `false` if there is none of that name.
    pub(super) fn cancel(&mut self, name: &str, now: ServerMoment) -> bool {
        let current = self.peek(name, now);
        let Some(entry) = self.entry(name) else { return false };
        let cancellable = match &entry.state {
            StoredState::Settled(view) => !view.is_done(),
            StoredState::Changing(operation) => operation.is_cancellable(),
        };
        // A cancel of an operation that is done has no effect, and is no error
        // (AIP-151).
        if let Some(operation) = current.filter(|operation| cancellable && !operation.is_done()) {
            entry.state = StoredState::settled(cancelled(&operation, entry.times(now)));
        }
        true
    }

    /// Deletes an operation, running or done. Returns `false` if there is none
    /// of that name.
    pub(super) fn delete(&mut self, name: &str) -> bool {
        self.numbers.remove(name).is_some_and(|number| self.entries.remove(&number).is_some())
    }

    /// Returns one page. It counts a poll of each operation that it passes,
    /// even of those that the filter leaves out.
    pub(super) fn list(
        &mut self,
        query: &ListQuery<'_>,
        now: ServerMoment,
    ) -> Result<ResponsePage, InvalidPageToken> {
        let mut page = ResponsePage { collection: query.collection.to_owned(), ..ResponsePage::default() };
        let form = self.form_in(query);
        // GKE has no pages.
        let page_size = if form == OperationForm::KubernetesEngine { usize::MAX } else { query.page_size };
        let start = query.position()?;
        let mut last = start;
        let mut rest = self.entries.range_mut(start..).filter(|(_, entry)| query.covers(&entry.name));
        for (number, entry) in rest.by_ref() {
            let view = entry.look(now);
            if query.wants(view.is_done()) {
                page.operations.push(view);
                // The next page starts behind the last operation that is on
                // this one, so that an operation that is inserted or deleted
                // meanwhile shifts nothing.
                last = number + 1;
            }
            if page.operations.len() >= page_size {
                break;
            }
        }
        let unreachable = query.partial && !self.unreachable.is_empty();
        // Peeks at the rest, without counting polls: a page has a token only if
        // another page with operations follows.
        if rest.any(|(_, entry)| query.wants(entry.is_done(now))) {
            page.next_page_token = query.token(last);
        } else if form.is_extended() {
            page.unreachable.clone_from(&self.unreachable);
        } else if unreachable && !page.operations.is_empty() {
            // AIP-217: what was unreachable comes on a page of its own, behind the last
            // resource.
            page.next_page_token = query.token(END);
        } else if unreachable {
            page.unreachable.clone_from(&self.unreachable);
        }
        Ok(page)
    }

    /// Returns the form of the operations in a list: that of the first one,
    /// google.longrunning for an empty list. A collection belongs to one
    /// service.
    pub(super) fn form_in(&self, query: &ListQuery<'_>) -> OperationForm {
        let mut covered = self.entries.values().filter(|entry| query.covers(&entry.name));
        covered.next().and_then(|entry| self.form(&entry.name)).unwrap_or_default()
    }

    fn entry(&mut self, name: &str) -> Option<&mut StoredOperation> {
        self.entries.get_mut(self.numbers.get(name)?)
    }
}

impl StoredOperation {
    fn age(&self, now: ServerMoment) -> Duration {
        now.elapsed.saturating_sub(self.since.elapsed)
    }

    /// Returns the times that the operation contains.
    fn times(&self, now: ServerMoment) -> FakeTimes {
        FakeTimes { inserted: self.since.wall, age: self.age(now) }
    }

    /// Counts a poll, and settles the operation if it is done at this poll.
    fn look(&mut self, now: ServerMoment) -> Arc<OperationView> {
        self.polls = self.polls.saturating_add(1);
        let current = match &self.state {
            StoredState::Settled(view) => return view.clone(),
            StoredState::Changing(operation) => OperationView::new(operation.at(self.times(now), self.polls)),
        };
        // From now on it is encoded once, and polls no longer change it.
        if current.is_done() {
            self.state = StoredState::Settled(current.clone());
        }
        current
    }

    fn is_done(&self, now: ServerMoment) -> bool {
        match &self.state {
            StoredState::Settled(view) => view.is_done(),
            StoredState::Changing(operation) => operation.at(self.times(now), self.polls).is_done(),
        }
    }
}

impl StoredState {
    fn settled(operation: Operation) -> Self {
        Self::Settled(OperationView::new(operation))
    }
}

impl ListQuery<'_> {
    /// Returns whether an operation belongs to the collection.
    ///
    /// | collection | operations |
    /// |---|---|
    /// | `projects/p/operations` | `projects/p/operations/1` |
    /// | `projects/-/operations` | `projects/p/operations/1`, `projects/q/operations/1` |
    /// | `operations` | `operations/1`, and names without a slash |
    /// | `projects/p/aggregated/operations` | all of the project, as Compute Engine lists them |
    fn covers(&self, name: &str) -> bool {
        let mut segments = name.split('/');
        if self.collection == "operations" && !name.contains('/') {
            return true;
        }
        if let Some(project) = self.collection.strip_suffix("/aggregated/operations") {
            return name.strip_prefix(project).is_some_and(|rest| rest.starts_with('/'));
        }
        // By segments, because `-` stands for one of them.
        let mut wanted = self.collection.split('/');
        wanted.all(|want| segments.next().is_some_and(|segment| want == "-" || want == segment))
    }

    /// Returns whether the filter accepts an operation.
    fn wants(&self, done: bool) -> bool {
        self.done.is_none_or(|wanted| wanted == done)
    }

    /// Returns the token of the page that starts at a position.
    ///
    /// Tokens are bound to their query, as
    /// [AIP-158](https://google.aip.dev/158) has it: with another filter or
    /// collection they are invalid. The page size may change.
    fn token(&self, position: u64) -> String {
        URL_SAFE_NO_PAD.encode(format!("{position:x}.{:x}", self.fingerprint()))
    }

    /// Returns the number of the first operation on the page.
    fn position(&self) -> Result<u64, InvalidPageToken> {
        if self.page_token.is_empty() {
            return Ok(0);
        }
        let bytes = URL_SAFE_NO_PAD.decode(self.page_token).map_err(|_| InvalidPageToken)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidPageToken)?;
        let (position, _) = text.split_once('.').ok_or(InvalidPageToken)?;
        let position = u64::from_str_radix(position, 16).map_err(|_| InvalidPageToken)?;
        // Compares the whole token, which includes the fingerprint of the
        // query.
        if self.token(position) == self.page_token { Ok(position) } else { Err(InvalidPageToken) }
    }

    /// Returns a hash of what must not change between pages.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.collection, self.done, self.partial).hash(&mut hasher);
        hasher.finish()
    }
}

/// The position after all operations.
const END: u64 = u64::MAX;
