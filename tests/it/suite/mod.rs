//! What every face of the client does alike: each test here runs once per face.

mod calls;
#[cfg(all(feature = "grpc", feature = "gzip"))]
mod compression;
mod ending;
mod faults;
mod kit;
mod list;
mod options;
mod poll_many;
mod presets;
mod retry;
mod start;
mod timing;
mod updates;
mod wait;
