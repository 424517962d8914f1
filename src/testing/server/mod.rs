//! The fake server, as a test uses it.
//!
//! [`FakeServer`] has one `impl` block for each thing that a test does with it,
//! in a file of its own. The methods lock a part of the [`ServerBackend`],
//! which the threads of the connections share, for as long as they read or
//! change it.

use std::sync::Arc;

use super::backend::ServerBackend;
use super::listener::ServerListener;

// rustdoc lists the methods of a type in the order of the modules: those of the
// server itself come first.
mod start;

mod operations;
mod replies;
mod requests;
mod time;
mod tokens;

/// A service on a loopback port that lives as long as this value.
///
/// The first of these that applies determines the response to a request:
///
/// 1. the [token check](Self::require_token), which responds with 401,
/// 2. the [script](Self::reply), and
/// 3. the [operations](Self::insert), [starts](Self::on_start) and [token
///    endpoints](Self::auth).
///
/// All methods take `&self`, so tests can change the server while a client
/// waits. Dropping the server closes its connections and ends its threads.
///
/// ```
/// use std::time::Duration;
/// use longrunning::testing::{FakeOperation, FakeServer};
///
/// let server = FakeServer::start();
/// server.insert(FakeOperation::new("operations/42").done_after(Duration::from_secs(600)));
/// server.advance(Duration::from_secs(600));
/// assert!(server.operation("operations/42").unwrap().is_done());
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// ```
#[derive(Debug)]
pub struct FakeServer {
    /// Shared with the threads of the connections.
    pub(super) backend: Arc<ServerBackend>,
    /// Ends those threads when it is dropped.
    listener: ServerListener,
}
