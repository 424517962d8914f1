//! The error details of `google.rpc`, typed.
//!
//! Services put them into [`Status::details`](crate::Status::details);
//! [`Status::detail`](crate::Status::detail) finds one by its type, whether it
//! came as JSON or as protobuf bytes. The structs are those of [`proto`](crate::proto). See [AIP-193](https://google.aip.dev/193) for
//! which to expect.
//!
//! ```
//! use longrunning::rpc::{BadRequest, bad_request::FieldViolation};
//! use longrunning::{Code, Status};
//!
//! let violation = FieldViolation::default().field("page_size");
//! let status = Status::new(Code::InvalidArgument, "page_size is negative")
//!     .with_detail(BadRequest::default().field_violations([violation]));
//! for violation in status.detail::<BadRequest>().unwrap_or_default().field_violations {
//!     assert_eq!(violation.field, "page_size");
//! }
//! ```

use std::time::Duration;

use crate::json::{InvalidJson, JsonReader, JsonWriter};
use crate::proto::google::rpc;
use crate::types::Any;
use crate::types::message::{JsonMessage, is_field, lower_camel, messages};

pub use crate::proto::google::rpc::{
    BadRequest, DebugInfo, ErrorInfo, Help, LocalizedMessage, PreconditionFailure, QuotaFailure, RequestInfo,
    ResourceInfo, RetryInfo, bad_request, help, precondition_failure, quota_failure,
};

impl ErrorInfo {
    /// Creates an `ErrorInfo` without metadata: a reason such as
    /// `RATE_LIMIT_EXCEEDED` and the domain that defines it.
    ///
    /// ```
    /// use longrunning::rpc::ErrorInfo;
    ///
    /// let info = ErrorInfo::new("RATE_LIMIT_EXCEEDED", "googleapis.com");
    /// assert!(info.metadata.is_empty());
    /// ```
    pub fn new(reason: impl Into<String>, domain: impl Into<String>) -> Self {
        Self { reason: reason.into(), domain: domain.into(), ..Self::default() }
    }
}

impl RetryInfo {
    /// Creates a `RetryInfo` that requests a delay before the next attempt; at
    /// most 10,000 years.
    ///
    /// ```
    /// use std::time::Duration;
    /// use longrunning::rpc::RetryInfo;
    ///
    /// let info = RetryInfo::after(Duration::from_secs(7));
    /// assert_eq!(info.delay(), Some(Duration::from_secs(7)));
    /// ```
    pub fn after(delay: Duration) -> Self {
        let delay = prost_types::Duration::try_from(delay.min(MAX_DELAY));
        Self { retry_delay: delay.ok() }
    }

    /// Returns the requested delay, or `None` if it is missing or negative.
    ///
    /// ```
    /// use longrunning::rpc::RetryInfo;
    ///
    /// assert_eq!(RetryInfo::default().delay(), None);
    /// ```
    pub fn delay(&self) -> Option<Duration> {
        self.retry_delay.and_then(|delay| delay.try_into().ok())
    }
}

/// The longest google.protobuf.Duration, 10,000 years.
const MAX_DELAY: Duration = Duration::from_secs(315_576_000_000);

// The fields of each message, for its JSON form. A field that is missing here
// would be lost: `fields_inline` in the tests of `known` has them all.
messages! {
    BadRequest { field_violations }
    DebugInfo { stack_entries detail }
    ErrorInfo { reason domain metadata }
    Help { links }
    LocalizedMessage { locale message }
    PreconditionFailure { violations }
    QuotaFailure { violations }
    RequestInfo { request_id serving_data }
    ResourceInfo { resource_type resource_name owner description }
    RetryInfo { retry_delay }
    bad_request::FieldViolation { field description reason localized_message }
    help::Link { description url }
    precondition_failure::Violation { r#type subject description }
    quota_failure::Violation {
        subject description api_service quota_metric quota_id quota_dimensions quota_value future_quota_value
    }
    rpc::Status { code message details }
}

macro_rules! into_any {
    ($($detail:ident)*) => {$(
        impl From<$detail> for Any {
            fn from(detail: $detail) -> Self {
                Self::pack(&detail)
            }
        }
    )*};
}

into_any! {
    BadRequest DebugInfo ErrorInfo Help LocalizedMessage
    PreconditionFailure QuotaFailure RequestInfo ResourceInfo RetryInfo
}
