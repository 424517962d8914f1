//! Which form an object has, and which objects are no operations.
//!
//! The rules, in this order:
//!
//! 1. A field of google.longrunning (`done`, `response`, `metadata`): not
//!    extended.
//! 2. A `kind` that ends in `#operation`, and a `status`: the form of that
//!    kind.
//! 3. No `kind`, but `operationType` and a `status` of GKE: GKE.
//! 4. A google.rpc.Status in `error`: not extended.
//! 5. A state, the `kind` of something else, or no name: an error, because the
//!    object would look like an operation that never ends.
//! 6. Only a name: a google.longrunning operation that has just been started.
//!
//! The host is not used: emulators and proxies have others.

use crate::json::{InvalidJson, RawJson};
use crate::util::excerpt::excerpt;

use super::OperationForm;
use super::fields::{ExtendedFields, text};
use super::link;

/// Returns the form of an extended operation, or `None` for a
/// google.longrunning one.
///
/// An object that is neither is refused: it would look like an operation that
/// never ends.
pub(super) fn form(fields: &ExtendedFields<'_>) -> Result<Option<OperationForm>, InvalidJson> {
    let kind = text(fields.kind);
    // Every API of that generation has kinds, `SERVICE#TYPE`.
    let is_operation = kind.as_deref().is_some_and(|kind| kind.ends_with(KIND));
    let form = match kind.as_deref() {
        _ if fields.is_longrunning => None,
        Some(kind) if is_operation && fields.status.is_some() => Some(of_kind(kind, fields)),
        None if is_kubernetes(fields) => Some(OperationForm::KubernetesEngine),
        _ => None,
    };
    if form.is_some() || fields.is_longrunning {
        return Ok(form);
    }
    // The error of a google.longrunning operation has no `errors`; other objects
    // have a state beside it.
    let has_status = fields.error.is_some_and(|error| !(fields.has_state && has_errors(error)));
    let is_other_kind = !is_operation && kind.is_some_and(|kind| kind.contains('#'));
    let is_unnamed = fields.name.is_none() && fields.count > 0;
    if !has_status && (fields.has_state || is_other_kind || is_unnamed) {
        return Err(neither(fields));
    }
    Ok(None)
}

/// Returns the form of a `kind`. Deployment Manager has the schema of Compute
/// Engine, and in some documents its kind; then the link decides.
fn of_kind(kind: &str, fields: &ExtendedFields<'_>) -> OperationForm {
    match OperationForm::of_kind(kind) {
        OperationForm::ComputeEngine if link::is_of_deployment_manager(fields.self_link) => {
            OperationForm::DeploymentManager
        }
        form => form,
    }
}

/// Returns whether the fields are those of an operation of GKE. Clusters and
/// node pools have `status` and `selfLink` too; only operations have
/// `operationType`.
fn is_kubernetes(fields: &ExtendedFields<'_>) -> bool {
    let Some(status) = fields.status.filter(|_| fields.operation_type.is_some()) else { return false };
    match status.string() {
        Ok(status) => KUBERNETES.contains(&&*status),
        Err(_) => status.integer::<usize>("a status").is_ok_and(|number| number < KUBERNETES.len()),
    }
}

/// Returns whether an error has the field `errors`.
fn has_errors(error: RawJson<'_>) -> bool {
    let mut found = false;
    let _ = error.reader().members(|name, reader| {
        found |= name == "errors";
        reader.skip()
    });
    found
}

/// Returns the error for an object that is no operation. It names the kind and
/// the first fields, by which a user recognises a wrong URL.
fn neither(fields: &ExtendedFields<'_>) -> InvalidJson {
    let kind = match text(fields.kind) {
        Some(kind) => format!("a `{}`", excerpt(&kind)),
        None => "an object".to_owned(),
    };
    InvalidJson::new(format!(
        "expected an operation, found {kind} {}",
        with_fields(&fields.names, fields.count)
    ))
}

/// Returns the first fields of an object for a message: ``with the fields `id`,
/// `items`, …``. `count` is the number of all.
pub(super) fn with_fields(names: &[String], count: usize) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{}`", excerpt(name))).collect();
    let more = if names.len() < count { ", …" } else { "" };
    let (noun, names) = (if count == 1 { "field" } else { "fields" }, names.join(", "));
    format!("with the {noun} {names}{more}")
}

/// The suffix of the kinds of operations.
const KIND: &str = "#operation";

/// The names of the enum `google.container.v1.Operation.Status`, in its order.
const KUBERNETES: [&str; 5] = ["STATUS_UNSPECIFIED", "PENDING", "RUNNING", "DONE", "ABORTING"];
