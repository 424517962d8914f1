//! Operations of services that have a type of their own: Compute Engine, Cloud
//! SQL, GKE, Cloud DNS, Deployment Manager.
//!
//! They are recognised by their fields and read into the parts of an
//! [`Operation`](crate::Operation). A google.longrunning operation takes no
//! second pass, unless it has an unknown field and neither `done`, nor
//! metadata, nor a response.

mod completion;
mod failure;
mod fields;
mod form;
pub(crate) mod link;
mod list;
mod recognize;

use crate::json::{InvalidJson, RawJson};
use crate::types::Status;
use crate::types::text::{SharedSource, SharedText};
use crate::util::percent::decode_path;

use fields::{ExtendedFields, text};

pub use form::OperationForm;
pub(super) use list::{ListShape, missing_place};

/// The parts of an extended operation, as an [`Operation`](crate::Operation)
/// stores them.
pub(super) struct ExtendedOperation {
    pub(super) form: OperationForm,
    /// The path by which it can be polled, or a bare name that the request
    /// completes.
    pub(super) name: SharedText,
    pub(super) done: bool,
    /// Only of an operation that is done.
    pub(super) error: Option<Box<Status>>,
    /// The URL of the resource on which it works.
    pub(super) target_link: Option<SharedText>,
}

/// Reads the object `raw`, or returns `None` if it is a google.longrunning
/// operation.
///
/// ```text
/// {"kind":"compute#operation","name":"operation-1","status":"RUNNING",
///  "selfLink":"https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/operation-1"}
/// ExtendedOperation { form: ComputeEngine, name: "projects/p/zones/z/operations/operation-1", done: false, … }
/// ```
///
/// # Errors
///
/// For an object that is neither, and for a status or an error that cannot be
/// read.
pub(super) fn read<'a>(
    source: &SharedSource,
    raw: RawJson<'a>,
) -> Result<Option<ExtendedOperation>, InvalidJson> {
    let fields = ExtendedFields::read(raw)?;
    let Some(form) = recognize::form(&fields)? else { return Ok(None) };
    let done = match fields.status {
        Some(status) => is_done(form, status).map_err(|invalid| invalid.at("status"))?,
        None => false,
    };
    // AIP-151 has an error only at the end. Before that, `status` alone counts.
    let error = if done { failure::read(form, &fields, source)? } else { None };
    Ok(Some(ExtendedOperation {
        form,
        name: name(form, &fields, source)?,
        done,
        error: error.map(Box::new),
        target_link: fields.target_link.and_then(|link| source.string(link).ok()),
    }))
}

/// Returns whether a `kind` is that of an operation of Cloud Storage.
pub(super) fn is_of_storage(kind: RawJson<'_>) -> bool {
    kind.string().is_ok_and(|kind| kind == "storage#operation")
}

/// Returns the name in the URL of an operation of Cloud Storage, whose `name`
/// does not lead to it.
pub(super) fn name_by_link<'a>(
    source: &SharedSource,
    raw: RawJson<'a>,
) -> Result<Option<SharedText>, InvalidJson> {
    Ok(ExtendedFields::read(raw)?.self_link.and_then(|link| linked(link, source)))
}

/// Returns whether the status is `DONE`. Any other is not: `PENDING`,
/// `RUNNING`, GKE's `ABORTING`, and those that services add later.
///
/// A value that cannot be a status is an error: the operation would look like
/// one that never ends.
fn is_done(form: OperationForm, status: RawJson<'_>) -> Result<bool, InvalidJson> {
    match status.text().starts_with('"') {
        true => status.string().map(|status| status.eq_ignore_ascii_case("done")),
        // A request with `enum-encoding=int` gets the number of the enum.
        false => status.integer::<i32>("a status").map(|number| number == done_number(form)),
    }
}

/// Returns the number of `DONE` in the enum of the service.
fn done_number(form: OperationForm) -> i32 {
    match form {
        OperationForm::ComputeEngine | OperationForm::DeploymentManager => 2_104_194,
        _ => 3,
    }
}

/// Returns the name of the operation: the path in its `selfLink`, else its bare
/// name below the scope or the project of other fields, else its bare name.
///
/// ```text
/// "selfLink":"https://sqladmin.googleapis.com/v1/projects/p/operations/o"      projects/p/operations/o
/// "name":"o","zone":"https://…/compute/v1/projects/p/zones/z"                  projects/p/zones/z/operations/o
/// "name":"o","targetProject":"p"                                               projects/p/operations/o
/// "name":"o"                                                                   o
/// ```
fn name<'a>(
    form: OperationForm,
    fields: &ExtendedFields<'a>,
    source: &SharedSource,
) -> Result<SharedText, InvalidJson> {
    if let Some(path) = fields.self_link.and_then(|link| linked(link, source)) {
        return Ok(path);
    }
    let (name, field) = match (fields.name, fields.id) {
        (Some(name), _) => (name, "name"),
        (None, Some(id)) if form == OperationForm::CloudDns => (id, "id"),
        _ => return Ok(String::new().into()),
    };
    let bare = source.string(name).map_err(|invalid| invalid.at(field))?;
    // The zone of GKE is a word, not a URL, so it does not say the project; then
    // the bare name remains.
    let whole = link::by_scope(text(fields.scope), text(fields.target_project), bare.as_str());
    Ok(whole.map_or(bare, SharedText::from))
}

/// Returns the resource path in a link, if it is that of an operation.
fn linked<'a>(link: RawJson<'a>, source: &SharedSource) -> Option<SharedText> {
    let url = source.string(link).ok()?;
    let path = link::path_of(url.as_str())?;
    let name = &url.as_str()[path.clone()];
    if name.rsplit('/').nth(1) != Some("operations") {
        return None;
    }
    // Without escapes the path is a part of the text that the operation keeps.
    Some(if name.contains('%') { decode_path(name).into() } else { url.slice(path) })
}

#[cfg(test)]
mod tests;
