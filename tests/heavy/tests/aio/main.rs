//! The async client on tokio, on smol and on a bare `block_on`.

mod calls;
mod dropping;
mod executor;
mod handle;
#[path = "../../../it/kit.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the blocking client")]
mod kit;
mod list;
mod runtimes;
mod seam;
mod wait;
