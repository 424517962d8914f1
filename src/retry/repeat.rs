//! Whether a request may be sent again after an attempt that failed.
//!
//! | after the attempt | `Idempotent` | `OnlyUnsent` |
//! |---|---|---|
//! | no connection, nothing written | yes | yes |
//! | `REFUSED_STREAM`, a `GOAWAY` below the stream | yes | yes |
//! | no access token | yes | yes |
//! | a connection that broke, a timeout after the request | yes | no |
//! | any status, also 429 and 503 | yes | no |

use crate::error::{Error, ErrorKind};

/// Limits when a request may be sent a second time.
///
/// This is the one place that decides it: the HTTP client and the gRPC
/// transport send a request of [`OnlyUnsent`](Self::OnlyUnsent) once, whatever
/// happens to its connection, and report what became of it. The one
/// exception is a response of 401: it rejects the request, which the transports
/// then send again with a fresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RepeatRule {
    /// It may be sent any number of times.
    Idempotent,
    /// It is sent again only if the server has certainly not processed it.
    OnlyUnsent,
}

impl RepeatRule {
    /// Returns whether another attempt may follow this error, if the policy
    /// allows one.
    ///
    /// A status is a response, so the request was sent, even if a quota was
    /// exhausted and nothing was done. Only the status of an
    /// [`Auth`](ErrorKind::Auth) error is that of another server, before the
    /// request. Errors without a status know whether bytes were written;
    /// `REFUSED_STREAM` and a `GOAWAY` below the stream count as unsent.
    pub(super) fn allows(self, error: &Error) -> bool {
        let is_unsent = error.kind() == ErrorKind::Auth
            || !error.was_sent() && error.status().is_none() && error.http_status().is_none();
        self == Self::Idempotent || is_unsent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Code, Status};

    #[test]
    fn only_what_was_not_sent_is_sent_again() {
        let service = |code| Error::from(Status::new(code, "x"));
        let network = |sent| Error::new(ErrorKind::Transport, "x").transient(true).sent(sent);
        let rows = [
            ("no connection", network(false), true),
            ("a broken connection", network(true), false),
            ("no time for a connection", Error::attempt_timed_out("h", false), true),
            ("no response in time", Error::attempt_timed_out("h", true), false),
            ("503", service(Code::Unavailable), false),
            ("429", service(Code::ResourceExhausted), false),
            ("a page in place of a response", Error::status_page("x"), false),
            ("a redirect", network(false).with_http_status(302), false),
            ("half a response", Error::response_cut("x"), false),
            ("no token", Error::no_token("c", "x", true), true),
            ("no token, with a status", service(Code::Unavailable).with_kind(ErrorKind::Auth), true),
        ];
        for (row, error, allowed) in rows {
            assert_eq!(RepeatRule::OnlyUnsent.allows(&error), allowed, "{row}");
            assert!(RepeatRule::Idempotent.allows(&error), "{row}");
        }
    }
}
