//! The outcome of an [`Operation`], and its response as a type of the program.
//!
//! All of them begin with [`outcome`](Operation::outcome), so a response is never
//! returned of an operation that failed or is malformed.

use std::any;

use prost::{Message, Name};
use serde::de::DeserializeOwned;

use super::Operation;
use crate::error::Error;
use crate::types::any::deserialize;
use crate::types::{Code, MalformedReason, Outcome};
use crate::util::excerpt::shown_name;

impl Operation {
    /// Returns whether the operation runs, succeeded, failed, or is malformed.
    ///
    /// An operation that is done with neither response nor error succeeded. An
    /// operation with both, or with an error of code 0, is
    /// [`Malformed`](Outcome::Malformed).
    ///
    /// ```
    /// use longrunning::{Operation, Outcome};
    ///
    /// let op = Operation::from_json(r#"{"name": "operations/42", "done": true, "error": {"code": 8}}"#)?;
    /// match op.outcome() {
    ///     Outcome::Failed(status) => println!("failed: {status}"),
    ///     other => println!("{other}"),
    /// }
    /// # assert!(matches!(op.outcome(), Outcome::Failed(_)));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn outcome(&self) -> Outcome<'_> {
        let malformed = |fields, error| Outcome::Malformed(MalformedReason::new(fields, error));
        match (self.done, self.error(), self.response()) {
            // `done` alone decides: some services fill in an error or a
            // response early.
            (false, ..) => Outcome::Running,
            (true, Some(error), Some(_)) => malformed("both `error` and `response` are set", error),
            (true, Some(error), None) if error.code() == Code::Ok => malformed("`error` has code 0", error),
            (true, Some(error), None) => Outcome::Failed(error),
            // Without a response too: `google.protobuf.Empty` is left out by
            // some servers.
            (true, None, response) => Outcome::Succeeded(response),
        }
    }

    /// Decodes the response of an operation that succeeded with serde.
    ///
    /// [`Any::decode`](crate::Any::decode) describes the input of `T`. A
    /// missing response is an empty message: it decodes to `()`, a struct
    /// without required fields, or an `Option`.
    ///
    /// An [extended operation](crate::OperationForm) has no response. It is decoded
    /// itself, so a `T` with the field `targetLink` gets the URL of the
    /// resource; `()` accepts it too.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Index {
    ///     rows: String,
    /// }
    ///
    /// let op = Operation::from_json(
    ///     r#"{"name": "operations/42", "done": true,
    ///         "response": {"@type": "type.googleapis.com/x.Index", "rows": "9"}}"#,
    /// )?;
    /// assert_eq!(op.into_response::<Index>()?.rows, "9");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed, with
    /// its status. [`Decode`](crate::ErrorKind::Decode) if the response
    /// does not fit `T`, or the operation is malformed or not done.
    pub fn into_response<T: DeserializeOwned>(self) -> Result<T, Error> {
        let name = shown_name(self.name());
        match self.outcome() {
            Outcome::Running => Err(Error::decode(format!("operation `{name}` is not done"))),
            Outcome::Succeeded(Some(response)) => {
                response.decode_as(&format!("response of operation `{name}`"))
            }
            Outcome::Succeeded(None) if self.form.is_extended() => {
                // An extended operation always has its text: only JSON has this
                // form, and `with_metadata` ends it.
                let text = self.text.map_or("", |span| self.source.text(span));
                deserialize(text, "null").map_err(|cause| {
                    let wants = any::type_name::<T>();
                    Error::decode(format!("operation `{name}` does not decode into `{wants}`"))
                        .with_source(cause)
                })
            }
            // `null` first, so that an `Option` becomes `None`; `{}` is for
            // structs.
            Outcome::Succeeded(None) => deserialize("null", "{}").map_err(|cause| {
                let wants = any::type_name::<T>();
                Error::decode(format!("operation `{name}` has no response, expected `{wants}`"))
                    .with_source(cause)
            }),
            Outcome::Failed(_) => Err(Error::operation_failed(self)),
            Outcome::Malformed(reason) => Err(Error::operation_malformed(self.name(), reason)),
        }
    }

    /// Returns the response of an operation that succeeded as a prost message.
    ///
    /// [`Any::unpack`](crate::Any::unpack) describes which responses can be
    /// decoded in this way: those in protobuf bytes
    /// ([`DataFormat::Proto`](crate::transport::DataFormat::Proto), gRPC). A
    /// missing response is an empty message.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    /// use longrunning::rpc::ErrorInfo;
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&ErrorInfo::new("STOCKOUT", "compute.googleapis.com")));
    /// assert_eq!(op.into_message::<ErrorInfo>()?.reason, "STOCKOUT");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Operation`](crate::ErrorKind::Operation) if the operation failed, with
    /// its status. [`Decode`](crate::ErrorKind::Decode) if the response is
    /// no `M`, or the operation is malformed or not done.
    pub fn into_message<M: Message + Name + Default>(self) -> Result<M, Error> {
        match self.outcome() {
            Outcome::Succeeded(Some(response)) => response.unpack(),
            // An empty message has no bytes, so a missing response is one.
            Outcome::Succeeded(None) => Ok(M::default()),
            // The errors of the other outcomes are the same; this never
            // succeeds.
            _ => self.into_response::<()>().map(|()| M::default()),
        }
    }

    /// Returns the operation unless it failed or is malformed; a running one is
    /// returned too.
    pub(crate) fn into_succeeded(self) -> Result<Self, Error> {
        match self.outcome() {
            Outcome::Failed(_) => Err(Error::operation_failed(self)),
            Outcome::Malformed(reason) => Err(Error::operation_malformed(self.name(), reason)),
            Outcome::Running | Outcome::Succeeded(_) => Ok(self),
        }
    }
}
