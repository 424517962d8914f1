//! The canonical codes of [`google.rpc.Code`] and their HTTP statuses.
//!
//! [`google.rpc.Code`]: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto

use std::fmt;
use std::str::FromStr;

/// A canonical error code, [`google.rpc.Code`].
///
/// A number that this version does not know is kept as [`Code::Other`].
///
/// ```
/// use longrunning::Code;
///
/// assert_eq!(Code::from(5), Code::NotFound);
/// assert_eq!(Code::NotFound.to_string(), "NOT_FOUND");
/// assert_eq!("NOT_FOUND".parse(), Ok(Code::NotFound));
/// assert_eq!(i32::from(Code::from(77)), 77);
/// ```
///
/// [`google.rpc.Code`]: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// 0: not an error.
    Ok,
    /// 1: the operation was cancelled, typically by the caller.
    Cancelled,
    /// 2: an error about which nothing more is known.
    Unknown,
    /// 3: the request is invalid, whatever the state of the system.
    InvalidArgument,
    /// 4: the deadline passed before the work was done.
    DeadlineExceeded,
    /// 5: the resource does not exist, or has expired.
    NotFound,
    /// 6: the resource to create exists already.
    AlreadyExists,
    /// 7: the caller is known, but not permitted to do this.
    PermissionDenied,
    /// 8: a quota or another resource is exhausted.
    ResourceExhausted,
    /// 9: the system is not in the state that the request needs.
    FailedPrecondition,
    /// 10: aborted, typically because of a conflict with another caller.
    Aborted,
    /// 11: past the valid range.
    OutOfRange,
    /// 12: the service does not have this method.
    Unimplemented,
    /// 13: the service has an internal error.
    Internal,
    /// 14: the service is not available now; the usual transient error.
    Unavailable,
    /// 15: data is lost or corrupted, and cannot be recovered.
    DataLoss,
    /// 16: the request has no valid credentials.
    Unauthenticated,
    /// Any other number.
    Other(i32),
}

/// The named codes; the index of each is its number.
const NAMED: [(Code, i32, &str); 17] = [
    (Code::Ok, 0, "OK"),
    (Code::Cancelled, 1, "CANCELLED"),
    (Code::Unknown, 2, "UNKNOWN"),
    (Code::InvalidArgument, 3, "INVALID_ARGUMENT"),
    (Code::DeadlineExceeded, 4, "DEADLINE_EXCEEDED"),
    (Code::NotFound, 5, "NOT_FOUND"),
    (Code::AlreadyExists, 6, "ALREADY_EXISTS"),
    (Code::PermissionDenied, 7, "PERMISSION_DENIED"),
    (Code::ResourceExhausted, 8, "RESOURCE_EXHAUSTED"),
    (Code::FailedPrecondition, 9, "FAILED_PRECONDITION"),
    (Code::Aborted, 10, "ABORTED"),
    (Code::OutOfRange, 11, "OUT_OF_RANGE"),
    (Code::Unimplemented, 12, "UNIMPLEMENTED"),
    (Code::Internal, 13, "INTERNAL"),
    (Code::Unavailable, 14, "UNAVAILABLE"),
    (Code::DataLoss, 15, "DATA_LOSS"),
    (Code::Unauthenticated, 16, "UNAUTHENTICATED"),
];

impl Code {
    /// Returns the code for an HTTP status, for responses whose body contains
    /// none.
    ///
    /// The mapping is that of `google.rpc.Code`; other 4xx are
    /// `FAILED_PRECONDITION`, other 5xx `INTERNAL`.
    ///
    /// ```
    /// use longrunning::Code;
    ///
    /// assert_eq!(Code::from_http(404), Code::NotFound);
    /// assert_eq!(Code::from_http(502), Code::Unavailable);
    /// ```
    pub fn from_http(status: u16) -> Self {
        match status {
            200..=299 => Self::Ok,
            400 => Self::InvalidArgument,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::NotFound,
            409 => Self::Aborted,
            412 => Self::FailedPrecondition,
            416 => Self::OutOfRange,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            501 => Self::Unimplemented,
            502 | 503 => Self::Unavailable,
            504 => Self::DeadlineExceeded,
            // Ranges come last: the statuses above are exceptions from them.
            402..=498 => Self::FailedPrecondition,
            500..=599 => Self::Internal,
            _ => Self::Unknown,
        }
    }

    /// Returns the HTTP status of responses with this code, as
    /// `google.rpc.Code` documents it.
    ///
    /// ```
    /// use longrunning::Code;
    ///
    /// assert_eq!(Code::ResourceExhausted.to_http(), 429);
    /// ```
    pub fn to_http(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::ResourceExhausted => 429,
            Self::Cancelled => 499,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
            Self::Unknown | Self::Internal | Self::DataLoss | Self::Other(_) => 500,
        }
    }
}

impl From<i32> for Code {
    fn from(number: i32) -> Self {
        NAMED.iter().find(|(_, known, _)| *known == number).map_or(Self::Other(number), |(code, ..)| *code)
    }
}

impl From<Code> for i32 {
    fn from(code: Code) -> Self {
        match code {
            Code::Other(number) => number,
            // The index is the number; a test checks that.
            named => NAMED.iter().position(|(known, ..)| *known == named).unwrap_or_default() as i32,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.iter().find(|(code, ..)| code == self) {
            // The name of the proto, not that of the variant.
            Some((_, _, name)) => f.write_str(name),
            None => write!(f, "code {}", i32::from(*self)),
        }
    }
}

/// The error for a text that is not the name of a code; from parsing a
/// [`Code`].
///
/// ```
/// use longrunning::Code;
///
/// let error = "not_found".parse::<Code>().unwrap_err(); // names are in upper case
/// assert_eq!(error.to_string(), "not the name of a google.rpc.Code, such as `NOT_FOUND`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode(());

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a google.rpc.Code, such as `NOT_FOUND`")
    }
}

impl std::error::Error for UnknownCode {}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        let named = NAMED.iter().find(|(_, _, known)| *known == name);
        named.map(|(code, ..)| *code).ok_or(UnknownCode(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_round_trip() {
        for (index, (code, number, name)) in NAMED.into_iter().enumerate() {
            assert_eq!((number, Code::from(number), i32::from(code)), (index as i32, code, number));
            assert_eq!((name.parse(), code.to_string().as_str()), (Ok(code), name));
        }
        assert_eq!((Code::from(77), Code::from(-1)), (Code::Other(77), Code::Other(-1)));
        assert_eq!(Code::from(77).to_string(), "code 77");
        assert!("not_found".parse::<Code>().is_err());
    }

    #[test]
    fn http_statuses() {
        let table = [
            (400, "INVALID_ARGUMENT"),
            (401, "UNAUTHENTICATED"),
            (403, "PERMISSION_DENIED"),
            (404, "NOT_FOUND"),
            (408, "FAILED_PRECONDITION"),
            (409, "ABORTED"),
            (412, "FAILED_PRECONDITION"),
            (416, "OUT_OF_RANGE"),
            (418, "FAILED_PRECONDITION"),
            (429, "RESOURCE_EXHAUSTED"),
            (499, "CANCELLED"),
            (500, "INTERNAL"),
            (501, "UNIMPLEMENTED"),
            (502, "UNAVAILABLE"),
            (503, "UNAVAILABLE"),
            (504, "DEADLINE_EXCEEDED"),
            (511, "INTERNAL"),
        ];
        for (status, name) in table {
            assert_eq!(Code::from_http(status).to_string(), name, "{status}");
        }
    }
}
