//! One attempt: token, request, response, and one replay with a fresh token
//! after a 401.
//!
//! The deadline is an instant, made where the attempt begins and passed to
//! everything below: token, permit, DNS, connection, TLS, reads and writes. So
//! a slow token leaves less time for the request, and the sum never exceeds the
//! timeout.

use std::borrow::Cow;
use std::time::Instant;

use crate::error::Error;
use crate::http::{HttpRequest, HttpResponse};
use crate::net::peer::ServerAddress;
use crate::transport::{Attempt, ServiceParts};
use crate::util::clock::deadline;
use crate::util::excerpt::shown_name;
use crate::util::redact::suspicion_of_name;
use crate::util::stop::StopToken;

use super::RestTransport;
use super::decode::RestResponse;
use super::request::RestRequest;

impl RestTransport {
    /// Sends a request and returns a successful response.
    ///
    /// A 401 is replayed once, also for a request that must be sent only once:
    /// it says that the request was rejected, so nothing was processed. The
    /// replay is part of the same attempt and within its deadline.
    ///
    /// # Errors
    ///
    /// `Config` for headers that must not be sent, `Auth` for the token, and
    /// whatever the response says. An error of the response has the URL,
    /// without its query.
    pub(super) fn exchange(
        &self,
        request: &RestRequest<'_>,
        attempt: &Attempt<'_>,
    ) -> Result<RestResponse, Error> {
        let ServiceParts { endpoint, authorizer, clock, .. } = &self.service;
        self.service.check(attempt)?;
        let url = endpoint.url(request.target);
        let deadline = deadline(clock.now(), attempt.timeout());
        let mut replayed = false;
        loop {
            // Inside of the loop: after a 401 this is another token.
            let authorization = authorizer.authorization(deadline, attempt.stop())?;
            let mut headers = self.headers(request, attempt);
            if let Some(authorization) = &authorization {
                headers.push((authorization.header().into(), authorization.value().into()));
            }
            let response = self.send(request, &url, &headers, attempt.stop(), deadline)?;
            // Before the response is judged, so that the observer sees the
            // headers of errors too, that of a 401 that is replayed included.
            attempt.observe_response(|| response.headers.iter().map(|(name, value)| (name, value)).collect());
            // `invalidate` returns false if the next token would be the same: the
            // credentials are fixed, or another token was rejected seconds ago.
            let rejected = authorization.filter(|_| response.status == 401 && !replayed);
            if rejected.is_some_and(|rejected| authorizer.invalidate(rejected.generation())) {
                log::debug!("`{}`: 401, trying once more with a fresh token", shown_name(request.name));
                replayed = true;
                continue;
            }
            return RestResponse::read(response, endpoint.authority(), clock.wall())
                .map_err(|error| authorizer.explain(error.with_url(&url)));
        }
    }

    /// Returns the headers of a request, without the authorization.
    ///
    /// Those of the call come last. They never repeat one of the others, which
    /// `Header::new` refuses.
    fn headers<'a>(
        &'a self,
        request: &'a RestRequest<'_>,
        attempt: &Attempt<'a>,
    ) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        // Room for six headers, one of the call, and the authorization.
        let mut headers: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(8);
        headers.extend([
            ("user-agent".into(), self.service.user_agent.as_str().into()),
            ("x-goog-api-client".into(), self.api_client.as_str().into()),
            ("accept".into(), self.options.data_format.accept().into()),
        ]);
        if let Some(routing) = &request.routing {
            headers.push(("x-goog-request-params".into(), routing.as_str().into()));
        }
        if let Some(content) = &request.content {
            headers.push(("content-type".into(), content.media_type.into()));
        }
        if let Some(project) = attempt.quota_project().or(self.service.quota_project.as_deref()) {
            headers.push(("x-goog-user-project".into(), project.into()));
        }
        headers.extend(attempt.headers().map(|(name, value)| (name.into(), value.into())));
        headers
    }

    /// Sends the request once and returns the response, whatever its status.
    ///
    /// # Errors
    ///
    /// `Timeout` if the deadline has passed, before or during the exchange;
    /// `Transport`, `Decode`, `Stopped` and `Config` of the HTTP client.
    fn send(
        &self,
        rest: &RestRequest<'_>,
        url: &str,
        headers: &[(Cow<'_, str>, Cow<'_, str>)],
        stop: Option<&StopToken>,
        deadline: Instant,
    ) -> Result<HttpResponse, Error> {
        let ServiceParts { endpoint, clock, http, .. } = &self.service;
        // The token may have taken all the time. Nothing was sent, so a start
        // may be repeated.
        if clock.now() >= deadline {
            return Err(Error::attempt_timed_out(endpoint.authority(), false));
        }
        // Sockets keep real time, while the clock may be virtual.
        let mut request = HttpRequest::new(rest.verb, url)
            .headers(headers)
            .deadline(clock.socket_deadline(deadline))
            .limit(rest.limit)
            .once(rest.once);
        request.stop = stop;
        request.server = self.server.as_ref().map(ServerAddress::peer);
        request.body = rest.content.as_ref().map(|content| content.bytes);
        let start = clock.now();
        let result = http.send(&request).map_err(|error| {
            // An exchange that fails after the deadline is a timeout, whatever
            // ended it: sockets notice a deadline in several ways.
            if clock.now() >= deadline {
                Error::ended_late(endpoint.authority(), error)
            } else {
                Error::from(error)
            }
        });
        log::debug!(
            "REST: {} {}: {} after {} ms",
            rest.verb.as_str(),
            logged(url, rest.name),
            result.as_ref().map_or_else(Error::to_string, |response| format!("status {}", response.status)),
            clock.now().saturating_duration_since(start).as_millis()
        );
        result
    }
}

/// Returns a URL as the log has it: without a query, which may have an API key.
///
/// If the name in it may be a secret that was given in the wrong place, returns
/// a description of the name in place of the URL.
///
/// ```text
/// https://h/v1/operations/42?key=k     https://h/v1/operations/42
/// https://h/v1/operations/ya29.a0…     [redacted: an access token]
/// ```
fn logged<'a>(url: &'a str, name: &str) -> Cow<'a, str> {
    match suspicion_of_name(name) {
        Some(_) => shown_name(name).into(),
        None => url.split(['?', '#']).next().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misplaced_secret_and_a_query_are_not_logged() {
        let rows = [
            ("operations/42", "https://h/v1/operations/42?key=k#f", "https://h/v1/operations/42"),
            (
                "ya29.a0AfB_byC1234567890",
                "https://h/v1/operations/ya29.a0AfB_byC1234567890",
                "[redacted: an access token]",
            ),
        ];
        for (name, url, expected) in rows {
            assert_eq!(logged(url, name), expected);
        }
    }
}
