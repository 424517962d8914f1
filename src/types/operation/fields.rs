//! The fields of an [`Operation`]: constructors and accessors.

use std::sync::{Arc, LazyLock};

use super::Operation;
use crate::types::extended::OperationForm;
use crate::types::lazy_any::LazyAny;
use crate::types::text::{SharedData, TextPart};
use crate::types::{Any, Status};

impl Operation {
    /// Creates an operation that is not done.
    ///
    /// ```
    /// use longrunning::{Operation, Outcome};
    ///
    /// let op = Operation::running("operations/42");
    /// assert!(matches!(op.outcome(), Outcome::Running));
    /// ```
    pub fn running(name: impl Into<String>) -> Self {
        Self::named(name.into().into())
    }

    /// Creates an operation that is not done. The others start from it.
    pub(in crate::types) fn named(name: TextPart) -> Self {
        Self {
            source: no_text(),
            name,
            done: false,
            metadata: LazyAny::default(),
            response: LazyAny::default(),
            error: None,
            form: OperationForm::Longrunning,
            target_link: None,
            text: None,
        }
    }

    /// Creates an operation that is done and has a response.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&()));
    /// assert_eq!(op.outcome().to_string(), "succeeded");
    /// ```
    pub fn succeeded(name: impl Into<String>, response: impl Into<Any>) -> Self {
        Self { done: true, response: Some(response.into()).into(), ..Self::running(name) }
    }

    /// Creates an operation that is done and failed.
    ///
    /// ```
    /// use longrunning::{Code, Operation, Status};
    ///
    /// let op = Operation::failed("operations/42", Status::new(Code::Aborted, "conflict"));
    /// assert_eq!(op.error().map(Status::code), Some(Code::Aborted));
    /// ```
    pub fn failed(name: impl Into<String>, error: Status) -> Self {
        Self { done: true, error: Some(Box::new(error)), ..Self::running(name) }
    }

    /// Sets the metadata.
    ///
    /// [`to_json`](Self::to_json) then writes the known fields, not the text of
    /// the server.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let metadata = Any::from_json(r#"{"@type": "type.googleapis.com/x.Metadata", "rows": 9}"#)?;
    /// let op = Operation::running("operations/42").with_metadata(metadata);
    /// assert_eq!(op.metadata().map(|any| any.type_name()), Some("x.Metadata"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    #[must_use]
    pub fn with_metadata(self, metadata: impl Into<Any>) -> Self {
        // The text of the server has other metadata, so it is dropped, and with
        // it the form, whose metadata is the whole text.
        let form = OperationForm::Longrunning;
        Self { metadata: Some(metadata.into()).into(), text: None, form, target_link: None, ..self }
    }

    /// Returns the name that the service gave the operation.
    ///
    /// It is not checked and may be empty: some services give no name to an
    /// operation that is done from the start.
    pub fn name(&self) -> &str {
        self.name.of(&self.source)
    }

    /// Returns whether the operation is done, whether it succeeded or failed.
    ///
    /// ```
    /// use longrunning::{Code, Operation, Status};
    ///
    /// assert!(!Operation::running("operations/42").is_done());
    /// assert!(Operation::failed("operations/42", Status::new(Code::Aborted, "conflict")).is_done());
    /// ```
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Returns the metadata: a message of the service about the progress of the
    /// work.
    ///
    /// For an [extended operation](OperationForm) it is the whole operation as
    /// JSON, without `@type`. [`Progress::of`](crate::Progress::of) reads
    /// percentages and times from any type.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let op = Operation::from_json(
    ///     r#"{"name": "operations/42", "metadata": {"@type": "type.googleapis.com/x.Metadata", "rows": 9}}"#,
    /// )?;
    /// assert_eq!(op.metadata().map(|any| any.type_name()), Some("x.Metadata"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn metadata(&self) -> Option<&Any> {
        self.metadata.get(&self.source)
    }

    /// Returns the response, the result of the work.
    ///
    /// [`outcome`](Self::outcome) says whether it is valid,
    /// [`into_response`](Self::into_response) decodes it.
    ///
    /// ```
    /// use longrunning::{Any, Operation};
    ///
    /// let op = Operation::succeeded("operations/42", Any::pack(&String::from("ready")));
    /// assert_eq!(op.response().map(|any| any.unpack::<String>()).transpose()?.as_deref(), Some("ready"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn response(&self) -> Option<&Any> {
        self.response.get(&self.source)
    }

    /// Returns the error with which the work failed.
    ///
    /// [`outcome`](Self::outcome) says whether it is valid.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let op = Operation::from_json(r#"{"done": true, "error": {"code": 8, "message": "out of disk"}}"#)?;
    /// assert_eq!(op.error().map(|error| error.to_string()).as_deref(), Some("RESOURCE_EXHAUSTED: out of disk"));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn error(&self) -> Option<&Status> {
        self.error.as_deref()
    }

    /// Returns the form in which the service sent the operation.
    ///
    /// ```
    /// use longrunning::{Operation, OperationForm};
    ///
    /// assert_eq!(Operation::running("operations/42").form(), OperationForm::Longrunning);
    /// ```
    pub fn form(&self) -> OperationForm {
        self.form
    }

    /// Returns the URL of the resource that an [extended](OperationForm)
    /// operation creates, changes or deletes.
    ///
    /// It is `None` for other operations, and for those of Cloud DNS. Such an
    /// operation has no response: the resource at this URL is the result.
    ///
    /// ```
    /// use longrunning::Operation;
    ///
    /// let operation = Operation::from_json(
    ///     r#"{"kind": "compute#operation", "name": "operation-1", "status": "DONE",
    ///         "targetLink": "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/vm"}"#,
    /// )?;
    /// assert!(operation.target_link().is_some_and(|link| link.ends_with("/instances/vm")));
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn target_link(&self) -> Option<&str> {
        self.target_link.as_ref().map(|link| link.of(&self.source))
    }

    /// Returns how long the text is of which this holds a part.
    #[cfg(test)]
    pub(in crate::types) fn shared_length(&self) -> usize {
        self.source.len()
    }

    /// Returns whether both operations are parts of one text.
    #[cfg(test)]
    pub(in crate::types) fn shares_text_of(&self, other: &Self) -> bool {
        match (&self.source, &other.source) {
            (SharedData::Text(one), SharedData::Text(other)) => Arc::ptr_eq(one, other),
            (SharedData::Bytes(one), SharedData::Bytes(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Returns whether a field shows that this is an operation. One that has
    /// just been started may have a name only, so `false` proves nothing.
    pub(in crate::types) fn is_recognised(&self) -> bool {
        self.form.is_extended() || self.done || self.metadata.is_some() || self.response.is_some()
    }

    /// Completes the bare name of an extended operation: `operation-1` becomes
    /// `projects/p/zones/z/operations/operation-1` in `projects/p/zones/z`.
    /// Names with a slash stay.
    pub(in crate::types) fn completed_in(self, collection: &str) -> Self {
        if !self.form.is_extended() || self.name().is_empty() || self.name().contains('/') {
            return self;
        }
        let name = format!("{collection}/operations/{}", self.name());
        self.renamed(name)
    }

    /// Sets the name. The text of the server does not change.
    pub(in crate::types) fn renamed(self, name: String) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// Returns the text of operations that a program creates: one empty text for
/// all.
fn no_text() -> SharedData {
    // Shared, because a list of thousands in a test or a cache would otherwise
    // allocate a text for each.
    static EMPTY: LazyLock<Arc<str>> = LazyLock::new(Arc::default);
    SharedData::Text(Arc::clone(&EMPTY))
}
