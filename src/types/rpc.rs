//! The error details of `google.rpc`, typed.
//!
//! One struct serves protobuf bytes and JSON: see [`Status::detail`](crate::Status::detail) and
//! [`Any::unpack`](crate::Any::unpack).

use std::time::Duration;

use crate::types::Any;

pub use crate::proto::google::rpc::{
    BadRequest, DebugInfo, ErrorInfo, Help, LocalizedMessage, PreconditionFailure, QuotaFailure, RequestInfo,
    ResourceInfo, RetryInfo, bad_request, help, precondition_failure, quota_failure,
};

impl RetryInfo {
    /// Asks to wait for `delay` before the next attempt.
    pub fn after(delay: Duration) -> Self {
        Self { retry_delay: prost_types::Duration::try_from(delay).ok() }
    }

    /// How long to wait before the next attempt; nothing when the server gave no delay, or a negative one.
    pub fn delay(&self) -> Option<Duration> {
        self.retry_delay.and_then(|delay| delay.try_into().ok())
    }
}

macro_rules! details {
    ($($detail:ident)*) => {$(
        impl From<$detail> for Any {
            fn from(detail: $detail) -> Self {
                Self::pack(&detail)
            }
        }
    )*};
}

details! {
    BadRequest DebugInfo ErrorInfo Help LocalizedMessage PreconditionFailure QuotaFailure RequestInfo ResourceInfo
    RetryInfo
}
