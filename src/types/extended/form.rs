//! The forms in which services send operations.

/// The form in which a service sent an operation;
/// [`Operation::form`](crate::Operation::form) returns it.
///
/// Most services send `google.longrunning.Operation`. A few have a type of
/// their own, an *extended operation*. It is recognised by its fields, whatever
/// host sent it. [`CloudStorage`](Self::CloudStorage) is in between.
///
/// ```
/// use longrunning::{Operation, OperationForm};
///
/// let operation = Operation::from_json(
///     r#"{"kind": "sql#operation", "name": "0d1e", "status": "RUNNING", "targetProject": "p"}"#,
/// )?;
/// assert_eq!(operation.form(), OperationForm::CloudSql);
/// assert!(operation.form().is_extended());
/// assert_eq!(operation.name(), "projects/p/operations/0d1e");
/// # Ok::<(), longrunning::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OperationForm {
    /// `google.longrunning.Operation`, with `done`.
    #[default]
    Longrunning,
    /// Compute Engine: `kind` is `compute#operation`.
    ComputeEngine,
    /// Cloud SQL Admin: `kind` is `sql#operation`.
    CloudSql,
    /// Google Kubernetes Engine: no `kind`, but `status` and `operationType`.
    KubernetesEngine,
    /// Cloud DNS, for changes of managed zones: `kind` is `dns#operation`.
    CloudDns,
    /// Deployment Manager: `kind` is `deploymentmanager#operation`, or
    /// `compute#operation` with its path.
    DeploymentManager,
    /// The JSON API of Cloud Storage: a `google.longrunning.Operation` whose
    /// `kind` is `storage#operation`, under URLs of its own. It is no extended
    /// operation.
    CloudStorage,
    /// Another service: `kind` ends in `#operation`, with `status` and without
    /// `done`.
    OtherExtended,
}

impl OperationForm {
    /// Returns whether the form is a type of its own, and not
    /// `google.longrunning.Operation`.
    ///
    /// ```
    /// use longrunning::{Operation, OperationForm};
    ///
    /// assert!(!Operation::running("operations/42").form().is_extended());
    /// assert!(OperationForm::CloudDns.is_extended());
    /// assert!(!OperationForm::CloudStorage.is_extended());
    /// ```
    pub fn is_extended(self) -> bool {
        !matches!(self, Self::Longrunning | Self::CloudStorage)
    }

    /// Returns the form for a `kind` that ends in `#operation`.
    pub(super) fn of_kind(kind: &str) -> Self {
        match kind {
            "compute#operation" => Self::ComputeEngine,
            "sql#operation" => Self::CloudSql,
            "dns#operation" => Self::CloudDns,
            "deploymentmanager#operation" => Self::DeploymentManager,
            _ => Self::OtherExtended,
        }
    }

    /// Returns the domain of the reasons in its errors.
    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::ComputeEngine => "compute.googleapis.com",
            Self::CloudSql => "sqladmin.googleapis.com",
            Self::KubernetesEngine => "container.googleapis.com",
            Self::CloudDns => "dns.googleapis.com",
            Self::DeploymentManager => "deploymentmanager.googleapis.com",
            // Their errors name a domain themselves, or none is known.
            Self::Longrunning | Self::CloudStorage | Self::OtherExtended => "",
        }
    }
}
