//! The pages of a listing, and how they are printed.
//!
//! A page that was printed is not printed again: every message about the rest
//! names the token of the next page.

use std::time::Duration;

use longrunning::printing::{redacted, shown_name};
use longrunning::proto::google::longrunning::ListOperationsRequest;
use longrunning::{Call, Operation, OperationsClient};

use crate::args::{Globals, ListArgs, OutputFormat};
use crate::failure::CommandFailure;
use crate::output::{self, Painter, StandardOutput};
use crate::place::{OperationPlace, is_operation};
use crate::redact::page_token_line;

use super::order;
use super::table::OperationTable;

/// What is listed, and where. It can be fetched more than once.
pub(super) struct Listing<'a> {
    /// The options that every command takes.
    pub(super) globals: &'a Globals,
    /// The options of the listing.
    pub(super) args: &'a ListArgs,
    /// The parent, at its service.
    pub(super) place: &'a OperationPlace,
    /// The client of that service.
    pub(super) client: &'a OperationsClient,
}

impl Listing<'_> {
    /// Passes pages to `take` until it returns false, and returns how many
    /// operations there were.
    ///
    /// Places that the service could not reach are named on standard error. The
    /// limits are `--limit` operations and the total timeout, an hour by
    /// default.
    ///
    /// # Errors
    ///
    /// The first page that cannot be fetched ends the listing, with a hint that
    /// has its token.
    pub(super) fn pages(&self, mut take: impl FnMut(&[Operation]) -> bool) -> Result<usize, CommandFailure> {
        let (mut listed, limit) = (0, self.args.limit.unwrap_or(usize::MAX));
        let mut pages = list_call(self.client, self.place, self.args)
            // Services have been seen that return empty pages for ever.
            .iteration_timeout(self.globals.total_timeout.unwrap_or(LISTING))
            .pages();
        while listed < limit {
            let Some(page) = pages.next() else { break };
            let page =
                page.map_err(|error| go_on_from(&error, CommandFailure::of(&error, self.place), self.args))?;
            for place in &page.unreachable {
                output::say(&format!("not reached: {}", redacted(place)));
            }
            // A page may be larger than requested: services may ignore
            // `page_size`.
            let shown = page.operations.len().min(limit - listed);
            listed += shown;
            if !take(page.operations.get(..shown).unwrap_or_default()) {
                // As with --limit: the listing ends where its reader stops, and no page is
                // fetched for nothing.
                break;
            }
            // In the middle of a page there is no token to go on from.
            if listed == limit && shown == page.operations.len() && !page.next_page_token.is_empty() {
                let line = page_token_line(&page.next_page_token, self.args.page_token.as_deref());
                output::say(&format!("there are more: {line}"));
            }
        }
        Ok(listed)
    }

    /// Fetches all of it, in the order that the user wants.
    pub(super) fn all(&self) -> Result<Vec<Operation>, CommandFailure> {
        let mut operations = Vec::new();
        self.pages(|page| {
            operations.extend_from_slice(page);
            true
        })?;
        if let Some(order) = self.args.sort {
            order::sort(&mut operations, order);
        }
        Ok(operations)
    }

    /// Returns what to say about a listing with nothing in it. The name of an
    /// operation as a parent is a likely mistake, so it is named.
    ///
    /// ```text
    /// no operations under `projects/p`
    /// no operations under `projects/p` that the filter selects
    /// no operations under `operations/42`: that is the name of an operation, which `lro get` shows
    /// ```
    pub(super) fn emptiness(&self) -> String {
        let name = shown_name(&self.place.name);
        let filter = if self.args.filter.is_some() { " that the filter selects" } else { "" };
        match is_operation(&self.place.name) {
            true => format!(
                "no operations under `{name}`: that is the name of an operation, which `lro get` shows"
            ),
            false => format!("no operations under `{name}`{filter}"),
        }
    }
}

/// Prints pages on standard output. Text has columns, which keep their places
/// from page to page; the other formats have a line for each operation.
pub(super) struct PagePrinter {
    pub(super) output: StandardOutput,
    table: OperationTable,
    painter: Painter,
    /// The columns of the terminal; none if nothing needs to fit.
    width: Option<usize>,
}

impl PagePrinter {
    /// Begins with the header still to be printed.
    pub(super) fn new(globals: &Globals) -> Self {
        Self {
            output: StandardOutput::new(globals),
            table: OperationTable::default(),
            painter: Painter::of_stdout(globals.color.unwrap_or_default()),
            width: output::stdout_width(),
        }
    }

    /// Prints a page, and returns whether all was written.
    pub(super) fn page(&mut self, operations: &[Operation]) -> bool {
        match self.output.format() {
            OutputFormat::Text => {
                let lines = self.table.page(operations, self.width);
                let lines = lines.iter().map(|line| line.text(self.painter) + "\n");
                self.output.text(&lines.collect::<String>())
            }
            _ => operations.iter().all(|operation| self.output.operation(operation)),
        }
    }
}

/// Returns the call behind `list`, with its options. `--dry-run` shows it.
pub(crate) fn list_call(
    client: &OperationsClient,
    place: &OperationPlace,
    args: &ListArgs,
) -> Call<ListOperationsRequest> {
    let mut call = client.list(&*place.name).return_partial_success(args.partial_success);
    if let Some(filter) = &args.filter {
        call = call.filter(filter);
    }
    // No page needs to be larger than the limit.
    let limit = args.limit.and_then(|limit| i32::try_from(limit).ok()).filter(|limit| *limit > 0);
    if let Some(size) = [args.page_size, limit].into_iter().flatten().min() {
        call = call.page_size(size);
    }
    if let Some(token) = &args.page_token {
        call = call.page_token(token);
    }
    call
}

/// Adds how to continue with the page that failed, unless it was the first:
///
/// ```text
/// lro: hint: continue with --page-token Cg9vcGVyYXRpb25z
/// ```
fn go_on_from(error: &longrunning::Error, failure: CommandFailure, args: &ListArgs) -> CommandFailure {
    match error.page_token() {
        Some(token) if !token.is_empty() => failure.hint(page_token_line(token, args.page_token.as_deref())),
        _ => failure,
    }
}

/// How long a listing may take in all; there are services with millions of
/// operations.
const LISTING: Duration = Duration::from_secs(3600);
