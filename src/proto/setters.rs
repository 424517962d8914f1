//! Setters for the generated messages.
//!
//! The structs are `#[non_exhaustive]`: a program cannot write them as struct
//! expressions, so a field that Google adds is no breaking change. A program
//! starts from `default()` and sets fields. Each setter replaces the value,
//! also that of a repeated field.

use std::collections::HashMap;

use super::google::longrunning::{
    CancelOperationRequest, DeleteOperationRequest, GetOperationRequest, ListOperationsRequest,
    ListOperationsResponse, Operation, OperationInfo, WaitOperationRequest, operation,
};
use super::google::rpc::{
    BadRequest, DebugInfo, ErrorInfo, Help, LocalizedMessage, PreconditionFailure, QuotaFailure, RequestInfo,
    ResourceInfo, RetryInfo, Status, bad_request, help, precondition_failure, quota_failure,
};

/// Implements a setter for each field of each message. The argument converts
/// into the type of the field, so `Some(…)` and `.to_owned()` are rarely
/// needed.
macro_rules! setters {
    ($($message:path { $($field:ident: $type:ty),* $(,)? })*) => {$(
        impl $message {$(
            #[doc = concat!("Sets the field `", stringify!($field), "`.")]
            #[must_use]
            pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                // Replaces the value: a repeated field is set as a whole.
                self.$field = $field.into();
                self
            }
        )*}
    )*};
}

// A new field needs an entry here: the compiler does not report a missing one.
setters! {
    Operation { name: String, metadata: Option<prost_types::Any>, done: bool, result: Option<operation::Result> }
    GetOperationRequest { name: String }
    ListOperationsRequest {
        name: String, filter: String, page_size: i32, page_token: String, return_partial_success: bool,
    }
    ListOperationsResponse { operations: Vec<Operation>, next_page_token: String, unreachable: Vec<String> }
    CancelOperationRequest { name: String }
    DeleteOperationRequest { name: String }
    WaitOperationRequest { name: String, timeout: Option<prost_types::Duration> }
    OperationInfo { response_type: String, metadata_type: String }
    Status { code: i32, message: String, details: Vec<prost_types::Any> }
    ErrorInfo { reason: String, domain: String, metadata: HashMap<String, String> }
    RetryInfo { retry_delay: Option<prost_types::Duration> }
    DebugInfo { stack_entries: Vec<String>, detail: String }
    QuotaFailure { violations: Vec<quota_failure::Violation> }
    quota_failure::Violation {
        subject: String, description: String, api_service: String, quota_metric: String, quota_id: String,
        quota_dimensions: HashMap<String, String>, quota_value: i64,
    }
    PreconditionFailure { violations: Vec<precondition_failure::Violation> }
    precondition_failure::Violation { r#type: String, subject: String, description: String }
    BadRequest { field_violations: Vec<bad_request::FieldViolation> }
    bad_request::FieldViolation {
        field: String, description: String, reason: String, localized_message: Option<LocalizedMessage>,
    }
    RequestInfo { request_id: String, serving_data: String }
    ResourceInfo { resource_type: String, resource_name: String, owner: String, description: String }
    Help { links: Vec<help::Link> }
    help::Link { description: String, url: String }
    LocalizedMessage { locale: String, message: String }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_made_of_their_fields() {
        let request = ListOperationsRequest::default().name("operations").page_size(5).filter("done = true");
        assert_eq!(
            (request.name.as_str(), request.page_size, request.filter.as_str()),
            ("operations", 5, "done = true")
        );
        let link = help::Link::default().url("https://example.com");
        assert_eq!(Help::default().links([link.clone()]).links, [link]);
    }
}
