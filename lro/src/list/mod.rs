//! `lro list`: pages of operations, in columns or one a line, once or over and
//! over.
//!
//! `listing` fetches pages, `order` sorts, `table` makes columns, `watch`
//! repeats. Without `--sort`, a page is printed when it arrives: a service may
//! have millions of operations, and a reader such as `head` may have seen
//! enough after ten.

mod listing;
mod order;
mod table;
mod watch;

use crate::args::{Globals, ListArgs};
use crate::connect::Clients;
use crate::exit::Exit;
use crate::failure::CommandFailure;
use crate::names;
use crate::output;

use listing::{Listing, PagePrinter};

pub(crate) use listing::list_call;

/// Lists the operations of a place. An empty listing is a success, and says so
/// on standard error.
///
/// # Errors
///
/// A place or an option that cannot be used, and a page that cannot be fetched.
/// The pages before it were printed, and a hint has the token to continue with.
pub(crate) fn run(globals: &Globals, args: &ListArgs) -> Result<Exit, CommandFailure> {
    let place = names::list_place(globals, args.name.as_deref())?;
    let client = Clients::new(globals).of(&place.service)?;
    let listing = Listing { globals, args, place: &place, client: &client };
    if args.watch {
        return watch::run(&listing, args.interval);
    }
    let mut printer = PagePrinter::new(globals);
    // Sorting needs all of it.
    let listed = match args.sort {
        Some(_) => {
            let operations = listing.all()?;
            printer.page(&operations);
            operations.len()
        }
        None => listing.pages(|page| printer.page(page))?,
    };
    if listed == 0 && args.limit != Some(0) {
        output::say(&listing.emptiness());
    }
    Ok(Exit::Success)
}
