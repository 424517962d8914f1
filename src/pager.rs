//! Pages and items of a listing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::iter::FusedIterator;
use std::vec;

use crate::call::{Blocking, Call};
use crate::error::Error;
use crate::proto::google::longrunning::ListOperationsRequest;
use crate::types::{Operation, OperationPage};

/// The pages of a listing, each fetched when it is asked for.
///
/// Made by [`Call::pages`]. Every page is asked for with the options of the call. An empty page is not the end
/// (AIP-158), a missing page token is. A token that comes twice would go on forever: in place of asking for its
/// page again, the listing ends with an error ([`ErrorKind::Decode`](crate::ErrorKind::Decode)).
///
/// After an error the iterator ends; the error's [`page_token`](Error::page_token) is where to resume.
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
    /// Hashes of the tokens whose pages came: 8 bytes a page.
    seen: HashSet<u64>,
    hasher: RandomState,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Progress {
    More,
    Ended,
    Failed,
}

impl<M> Pages<M> {
    pub(crate) fn new(call: Call<ListOperationsRequest, M>) -> Self {
        Self { call, seen: HashSet::new(), hasher: RandomState::new(), progress: Progress::More }
    }

    /// The token of the page that comes next, to resume from in another listing; none at the end.
    ///
    /// Empty for the first page. After an error it is the token of the page that failed.
    pub fn page_token(&self) -> Option<&str> {
        (self.progress != Progress::Ended).then(|| self.call.token())
    }

    /// Whether there is another page to fetch, or an error in its place.
    pub(crate) fn due(&self) -> Option<Result<(), Error>> {
        let came_before = self.seen.contains(&self.token_hash());
        (self.progress == Progress::More).then(|| if came_before { Err(self.call.repeats()) } else { Ok(()) })
    }

    /// Takes what was fetched.
    pub(crate) fn fetched(&mut self, page: Result<OperationPage, Error>) -> Result<OperationPage, Error> {
        self.seen.insert(self.token_hash());
        match &page {
            Ok(page) if page.next_page_token.is_empty() => self.progress = Progress::Ended,
            Ok(page) => self.call.set_token(page.next_page_token.clone()),
            Err(_) => self.progress = Progress::Failed,
        }
        page.map_err(|error| error.with_page_token(self.call.token()))
    }

    fn token_hash(&self) -> u64 {
        self.hasher.hash_one(self.call.token())
    }
}

impl Iterator for Pages {
    type Item = Result<OperationPage, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let page = self.due()?.and_then(|()| self.call.run());
        Some(self.fetched(page))
    }
}

impl FusedIterator for Pages {}

/// The operations of a listing, over all its pages.
///
/// Made by iterating over [`OperationsClient::list`](crate::OperationsClient::list); see [`Pages`] for how
/// pages are fetched. One page is held at a time, so memory stays flat however long the listing is.
///
/// ```
/// # let server = longrunning::testing::FakeServer::start();
/// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
/// # let client = server.client();
/// let mut operations = client.list("projects/p").filter("done = false").into_iter();
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
    pub(crate) fn new(pages: Pages<M>) -> Self {
        Self { pages, items: Vec::new().into_iter(), unreachable: Vec::new() }
    }

    /// What the latest page could not reach; see [`Call::return_partial_success`].
    pub fn unreachable(&self) -> &[String] {
        &self.unreachable
    }

    /// The token of the page after the latest one; see [`Pages::page_token`].
    pub fn page_token(&self) -> Option<&str> {
        self.pages.page_token()
    }

    /// The next operation of the latest page.
    pub(crate) fn item(&mut self) -> Option<Operation> {
        self.items.next()
    }

    /// Takes the next page.
    pub(crate) fn turn_to(&mut self, page: OperationPage) {
        self.items = page.operations.into_iter();
        self.unreachable = page.unreachable;
    }
}

impl Iterator for Operations {
    type Item = Result<Operation, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(operation) = self.item() {
                return Some(Ok(operation));
            }
            match self.pages.next()? {
                Ok(page) => self.turn_to(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl FusedIterator for Operations {}
