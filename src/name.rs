//! Names of operations, and the check that keeps them in their URL path.
//!
//! An [`OperationName`] is not empty and otherwise any text, because gRPC sends
//! any name. What a URL cannot have is checked where a URL is made
//! ([`OperationName::check_path`]).

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::types::Operation;
use crate::util::redact::Masked;

/// The `name` of an operation, as the service gave it; not empty.
///
/// Any shape that a service uses is a name: `operations/42`,
/// `projects/p/operations/42`, a bare `1234567890`, `transferOperations/42`
/// (Storage Transfer), `batches/42` (Gemini),
/// `projects/p/locations/l/warehouseOperations/42` (Vision AI), ids with
/// several segments, ids that end in `/`. gRPC sends every name as it is. REST
/// checks it when it builds the URL, because a name must not leave its path,
/// and refuses these with [`ErrorKind::Binding`](crate::ErrorKind::Binding)
/// before anything is sent:
///
/// - a leading `/`, an empty segment (`projects//operations/1`), no id after
///   `operations/`
/// - a segment `.` or `..`, also if it is spelled with `%2e` or split off by
///   `\`, `%2f` or `%5c`
/// - control characters
///
/// Everything else is percent-encoded, so `operations/42:cancel` is only ever
/// the operation with that odd id. An escaped slash, as names of IAM have it
/// (`policies/x%2Fprojects%2Fp/…`), is sent as `%252F`, like Google's own
/// clients do; a service reads that and `%2F` as the same name.
/// [`Bindings`](crate::Bindings) say which shapes a method takes.
///
/// ```
/// use longrunning::OperationName;
///
/// let name = OperationName::try_from("projects/p/locations/l/operations/42")?;
/// assert_eq!(name.parent(), Some("projects/p/locations/l"));
/// assert_eq!(name.id(), "42");
/// assert!(OperationName::try_from("").is_err());
/// # Ok::<(), longrunning::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationName(String);

impl OperationName {
    /// Returns the name as it was given.
    ///
    /// ```
    /// # use longrunning::OperationName;
    /// assert_eq!("operations/42".parse::<OperationName>()?.as_str(), "operations/42");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the resource of the operation: the part before the last
    /// `/operations/`, else before the last `/warehouseOperations/`.
    ///
    /// `None` if there is none, as in `operations/42`, `transferOperations/42`,
    /// `batches/42`, and in a bare id.
    ///
    /// ```
    /// # use longrunning::OperationName;
    /// assert_eq!("projects/p/operations/42".parse::<OperationName>()?.parent(), Some("projects/p"));
    /// assert_eq!("operations/42".parse::<OperationName>()?.parent(), None);
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn parent(&self) -> Option<&str> {
        self.split().0
    }

    /// Returns the part after the collection, which is the last `operations/`,
    /// or the whole name if there is none.
    ///
    /// Without `operations/`, the collection is a `transferOperations/` or
    /// `batches/` at the start of the name, or the
    /// last `warehouseOperations/`. An id may have several segments. The id of
    /// a collection (`projects/p/operations`) is empty.
    ///
    /// ```
    /// # use longrunning::OperationName;
    /// assert_eq!("operations/a/b=".parse::<OperationName>()?.id(), "a/b=");
    /// assert_eq!("1234567890".parse::<OperationName>()?.id(), "1234567890");
    /// assert_eq!("transferOperations/7".parse::<OperationName>()?.id(), "7");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn id(&self) -> &str {
        self.split().1
    }

    /// Returns the name of a list call that has none.
    pub(crate) fn unnamed() -> Self {
        Self(String::new())
    }

    /// Returns a name of a request message without any check. It may come from
    /// a program that uses the transport alone, and may be empty.
    pub(crate) fn sent(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Checks that the name cannot leave the path of a URL.
    ///
    /// # Errors
    ///
    /// `Binding`, with the reason.
    pub(crate) fn check_path(&self) -> Result<(), Error> {
        check(&self.0).map_err(|why| Error::bad_name(&self.0, why))
    }

    /// Returns whether this names the operations of a parent and not one of
    /// them.
    pub(crate) fn is_collection(&self) -> bool {
        is_collection(&self.0)
    }

    /// Returns the name by which a list call finds this operation and its
    /// siblings, if there is one.
    ///
    /// None for a bare id, which is in no collection. Vision AI has no list
    /// method for `warehouseOperations`, and that of Storage Transfer needs
    /// a filter with a project.
    pub(crate) fn listed_by(&self) -> Option<&str> {
        let name = &*self.0;
        match split_at(name, COLLECTION) {
            Some((parent, _)) => Some(parent.unwrap_or(COLLECTION)),
            None => split_at_start(name, BATCHES).map(|_| BATCHES),
        }
    }

    fn split(&self) -> (Option<&str>, &str) {
        split(&self.0)
    }
}

/// Returns whether a name is that of a collection: `operations`,
/// `projects/p/operations`, `transferOperations`.
pub(crate) fn is_collection(name: &str) -> bool {
    let last = name.strip_suffix('/').unwrap_or(name).rsplit('/').next().unwrap_or_default();
    // The cheap comparison comes first: most names are not collections, and splitting
    // one takes longer.
    COLLECTIONS.contains(&last) && split(name).1.is_empty()
}

/// Returns parent and id.
///
/// ```text
/// projects/p/operations/42              Some(projects/p), 42
/// operations/a/b                        None, a/b
/// transferOperations/operations/1       Some(transferOperations), 1
/// batches/7                             None, 7
/// 1234567890                            None, 1234567890
/// ```
fn split(name: &str) -> (Option<&str>, &str) {
    let by_service = || match split_at_start(name, TRANSFERS).or_else(|| split_at_start(name, BATCHES)) {
        Some(id) => Some((None, id)),
        None => split_at(name, WAREHOUSE),
    };
    // Ids may contain any word, so the common collection is looked for first.
    split_at(name, COLLECTION).or_else(by_service).unwrap_or((None, name))
}

/// Returns the parts before and after the last segment `collection`.
fn split_at<'a>(name: &'a str, collection: &str) -> Option<(Option<&'a str>, &'a str)> {
    name.rmatch_indices(collection).find_map(|(at, _)| {
        // `rmatch_indices` also finds the word inside of another one, as in
        // `myoperations/1`: it must be a whole segment.
        let (head, tail) = name.split_at(at);
        let parent = head.strip_suffix('/');
        let id = split_at_start(tail, collection)?;
        (head.is_empty() || parent.is_some()).then_some((parent, id))
    })
}

/// Returns the part after the first segment, if that is `collection`.
fn split_at_start<'a>(name: &'a str, collection: &str) -> Option<&'a str> {
    let id = name.strip_prefix(collection)?;
    if id.is_empty() { Some(id) } else { id.strip_prefix('/') }
}

const COLLECTION: &str = "operations";

/// The collections of Storage Transfer, Gemini and Vision AI. The default
/// bindings match the same.
const TRANSFERS: &str = "transferOperations";
const BATCHES: &str = "batches";
const WAREHOUSE: &str = "warehouseOperations";

const COLLECTIONS: [&str; 4] = [COLLECTION, TRANSFERS, BATCHES, WAREHOUSE];

const IS_EMPTY: &str = "is empty";

/// Returns why a name could leave the path of a URL. A `/` at the end belongs
/// to an odd id and is allowed.
fn check(name: &str) -> Result<(), &'static str> {
    let (body, ends_in_slash) = name.strip_suffix('/').map_or((name, false), |body| (body, true));
    if name.is_empty() {
        return Err(IS_EMPTY);
    }
    if name.starts_with('/') {
        return Err("starts with `/`");
    }
    // A `/` behind a collection is an id that was lost, not an odd id.
    if ends_in_slash && is_collection(body) {
        return Err(no_id_after(body));
    }
    body.split('/').try_for_each(check_segment)
}

/// Returns the reason for the name of a collection with a `/` at its end.
fn no_id_after(collection: &str) -> &'static str {
    match collection.rsplit('/').next() {
        Some(TRANSFERS) => "has no id after `transferOperations/`",
        Some(BATCHES) => "has no id after `batches/`",
        Some(WAREHOUSE) => "has no id after `warehouseOperations/`",
        _ => "has no id after `operations/`",
    }
}

/// Returns why `segment`, which has no `/`, cannot be a segment of a path.
pub(crate) fn check_segment(segment: &str) -> Result<(), &'static str> {
    if segment.is_empty() {
        return Err("has an empty segment");
    }
    // Nearly every segment is plain, and needs none of the checks below.
    if segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Ok(());
    }
    if segment.contains(char::is_control) {
        return Err("has a control character");
    }
    // Some servers and proxies decode twice, or take `\` for `/`, so a name must not
    // have a `..` in any of these readings.
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    if decoded.split(['/', '\\']).any(|part| part == "." || part == "..") {
        return Err("has a `.` or `..` segment");
    }
    Ok(())
}

impl TryFrom<String> for OperationName {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        if name.is_empty() {
            return Err(Error::bad_name(&name, IS_EMPTY));
        }
        Ok(Self(name))
    }
}

impl TryFrom<&str> for OperationName {
    type Error = Error;

    fn try_from(name: &str) -> Result<Self, Error> {
        name.to_owned().try_into()
    }
}

impl TryFrom<&String> for OperationName {
    type Error = Error;

    fn try_from(name: &String) -> Result<Self, Error> {
        name.as_str().try_into()
    }
}

impl TryFrom<&Operation> for OperationName {
    type Error = Error;

    fn try_from(operation: &Operation) -> Result<Self, Error> {
        operation.name().try_into()
    }
}

impl FromStr for OperationName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        name.try_into()
    }
}

impl From<&OperationName> for OperationName {
    fn from(name: &OperationName) -> Self {
        name.clone()
    }
}

impl From<OperationName> for String {
    fn from(name: OperationName) -> Self {
        name.0
    }
}

impl AsRef<str> for OperationName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Prints the name, unless it may be a secret given in the wrong place.
impl fmt::Debug for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OperationName").field(&Masked(&self.0)).finish()
    }
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::excerpt::excerpt;

    #[test]
    fn accepts_and_splits_what_services_hand_out() {
        let rows = [
            ("plain", "operations/42", None, "42"),
            ("base64 pieces", "operations/a/b=+/c", None, "a/b=+/c"),
            ("trailing slash", "operations/a/b/", None, "a/b/"),
            ("location", "projects/p/locations/l/operations/42", Some("projects/p/locations/l"), "42"),
            ("nested", "projects/p/operations/x/operations/y", Some("projects/p/operations/x"), "y"),
            ("bare", "1234567890", None, "1234567890"),
            ("collection", "projects/p/operations", Some("projects/p"), ""),
            ("root collection", "operations", None, ""),
            ("parent", "projects/p", None, "projects/p"),
            ("report", "networks/7/operations/reports/runs/42", Some("networks/7"), "reports/runs/42"),
            ("Storage Transfer", "transferOperations/transferJobs-7-42", None, "transferJobs-7-42"),
            ("several segments", "transferOperations/a/b", None, "a/b"),
            ("Gemini", "batches/42", None, "42"),
            ("Vision AI", "projects/p/warehouseOperations/42", Some("projects/p"), "42"),
            ("its collection", "projects/p/warehouseOperations", Some("projects/p"), ""),
            ("collection of transfers", "transferOperations", None, ""),
            ("batch as an id", "operations/batches", None, "batches"),
            (
                "transfers in an id",
                "projects/p/operations/transferOperations/1",
                Some("projects/p"),
                "transferOperations/1",
            ),
            ("batch of another service", "projects/p/batches/42", None, "projects/p/batches/42"),
            (
                "transfers of another service",
                "projects/p/transferOperations",
                None,
                "projects/p/transferOperations",
            ),
            ("look-alikes", "myoperations/operationsx/7", None, "myoperations/operationsx/7"),
            ("look-alike id", "operations/my-operations", None, "my-operations"),
            ("dots inside", "operations/a..b", None, "a..b"),
            ("three dots", "operations/...", None, "..."),
            ("escaped slash", "operations/a%2Fb", None, "a%2Fb"),
            ("backslash", r"operations/a\b", None, r"a\b"),
            ("blank", " /operations/ ", Some(" "), " "),
            ("any script", "operations/é✓", None, "é✓"),
        ];
        for (row, text, parent, id) in rows {
            let name = OperationName::try_from(text).expect(row);
            name.check_path().expect(row);
            assert_eq!((name.parent(), name.id()), (parent, id), "{row}");
            assert_eq!(name.is_collection(), id.is_empty(), "{row}");
        }
    }

    #[test]
    fn knows_which_listing_contains_it() {
        let rows = [
            ("operations/42", Some("operations")),
            ("projects/p/operations/42", Some("projects/p")),
            ("batches/42", Some("batches")),
            ("transferOperations/42", None),
            ("projects/p/warehouseOperations/42", None),
            ("42", None),
        ];
        for (name, listed_by) in rows {
            assert_eq!(OperationName::sent(name).listed_by(), listed_by, "{name}");
        }
    }

    #[test]
    fn refuses_what_could_leave_its_path() {
        let dots = "has a `.` or `..` segment";
        let rows = [
            ("", "is empty"),
            ("/", "starts with `/`"),
            ("/operations/1", "starts with `/`"),
            ("projects//operations/1", "has an empty segment"),
            ("operations/1//", "has an empty segment"),
            ("http://evil/operations/1", "has an empty segment"),
            ("operations/", "has no id after `operations/`"),
            ("projects/p/operations/", "has no id after `operations/`"),
            ("transferOperations/", "has no id after `transferOperations/`"),
            ("batches/", "has no id after `batches/`"),
            ("projects/p/warehouseOperations/", "has no id after `warehouseOperations/`"),
            (".", dots),
            ("..", dots),
            ("../", dots),
            ("operations/../../v2/x:delete", dots),
            ("operations/./x", dots),
            ("operations/%2e%2e/x", dots),
            ("operations/%2E./x", dots),
            ("operations/.%2e", dots),
            (r"operations/a\..\b", dots),
            (r"operations/..\b", dots),
            ("operations/a%5C..", dots),
            ("operations/..%2fx", dots),
            ("operations/a\nb", "has a control character"),
            ("operations/a\r", "has a control character"),
            ("operations/\0", "has a control character"),
            ("operations/\u{7f}", "has a control character"),
            ("operations/\u{85}", "has a control character"),
        ];
        for (name, why) in rows {
            let error = OperationName(name.to_owned()).check_path().expect_err(name);
            assert_eq!(error.kind(), crate::ErrorKind::Binding, "{name:?}");
            assert_eq!(error.to_string(), format!("name `{}` {why}", excerpt(name)));
        }
    }

    #[test]
    fn converts_from_what_users_hold() -> Result<(), Error> {
        fn convert<N: TryInto<OperationName>>(name: N) -> Result<OperationName, Error>
        where
            Error: From<N::Error>,
        {
            Ok(name.try_into()?)
        }
        let name: OperationName = "operations/42".parse()?;
        let text = String::from(name.clone());
        assert_eq!(convert("operations/42")?, name);
        assert_eq!(convert(&text)?, name);
        assert_eq!(convert(text)?, name);
        assert_eq!(convert(&Operation::running("operations/42"))?, name);
        assert_eq!(convert(&name)?, name);
        assert_eq!(convert(name.clone())?, name);
        assert_eq!((name.to_string().as_str(), name.as_str()), (name.as_ref(), "operations/42"));
        assert!(convert(&Operation::running("")).is_err());
        Ok(())
    }
}
