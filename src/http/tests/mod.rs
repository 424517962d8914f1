//! The default client over real sockets on loopback, against servers that
//! misbehave in every way we know of.

use std::time::{Duration, Instant};

use super::{HttpAgent, HttpClient, HttpError, HttpMethod, HttpOptions, HttpRequest, HttpResponse};
use super::{ProxySetting, Roots};

pub(crate) mod authority;
mod client_certificate;
mod faults;
mod limits;
mod names;
mod proxies;
pub(crate) mod relay;
mod reuse;
mod roots;
mod seam;
mod server;
mod tls;
mod waits;
pub(crate) mod x509;

/// A client that the environment of the test run has no part in.
fn agent() -> HttpAgent {
    HttpAgent::new(&options()).unwrap()
}

fn options() -> HttpOptions {
    HttpOptions::new().proxy(ProxySetting::None).roots(Roots::None)
}

fn get(agent: &HttpAgent, url: &str) -> Result<HttpResponse, HttpError> {
    agent.send(&HttpRequest::new(HttpMethod::Get, url))
}

/// Asks with a budget that runs out, and checks that it was kept.
fn get_in_short(agent: &HttpAgent, url: &str) -> Result<HttpResponse, HttpError> {
    let started = Instant::now();
    let answer = agent.send(&HttpRequest::new(HttpMethod::Get, url).timeout(SHORT));
    // Far above the budget, for busy machines, and far below what any of the
    // servers would take.
    assert!(started.elapsed() < SHORT * 20, "{:?}", started.elapsed());
    answer
}

/// Wine is slow.
const SHORT: Duration = Duration::from_millis(if cfg!(windows) { 1000 } else { 100 });
