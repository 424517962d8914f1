//! `google.longrunning` over HTTP and JSON.

pub(crate) mod binding;
mod http_options;
pub(crate) mod route;
mod template;
#[cfg(test)]
mod vectors;
