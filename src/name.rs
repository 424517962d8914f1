//! Names of operations, and the check that keeps them in their URL path.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::types::Operation;
use crate::util::redact::Masked;

/// The `name` of an operation, as the service gave it; not empty.
///
/// Any shape that a service uses is a name: `operations/42`, `projects/p/operations/42`, a bare `1234567890`, ids with
/// several segments, ids that end in `/`. gRPC sends every name as it is. REST checks it when it builds the URL, because a
/// name must not leave its path, and refuses these with [`ErrorKind::Binding`](crate::ErrorKind::Binding) before anything is
/// sent:
///
/// - a leading `/`, an empty segment (`projects//operations/1`), no id after `operations/`
/// - a segment `.` or `..`, also if it is spelled with `%2e` or split off by `\`, `%2f` or `%5c`
/// - control characters
///
/// Everything else is percent-encoded, so `operations/42:cancel` is only ever the operation with that odd id.
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
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the resource of the operation: the part before the last `/operations/`.
    ///
    /// `None` where nothing does, as in `operations/42` and in a bare id.
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

    /// Returns the part after the last `operations/`, or the whole name if there is none.
    ///
    /// An id may have several segments. The id of a collection (`projects/p/operations`) is empty.
    ///
    /// ```
    /// # use longrunning::OperationName;
    /// assert_eq!("operations/a/b=".parse::<OperationName>()?.id(), "a/b=");
    /// assert_eq!("1234567890".parse::<OperationName>()?.id(), "1234567890");
    /// # Ok::<(), longrunning::Error>(())
    /// ```
    pub fn id(&self) -> &str {
        self.split().1
    }

    /// The name of a list call that has none.
    pub(crate) fn unnamed() -> Self {
        Self(String::new())
    }

    /// A name in a request message, which may come from a program that uses the transport alone.
    pub(crate) fn sent(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Says why the name could leave the path of a URL.
    pub(crate) fn check_path(&self) -> Result<(), Error> {
        check(&self.0).map_err(|why| Error::bad_name(&self.0, why))
    }

    /// Whether this names the operations of a parent and not one of them.
    pub(crate) fn is_collection(&self) -> bool {
        let name = self.0.strip_suffix('/').unwrap_or(&self.0);
        let before = name.strip_suffix(COLLECTION);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }

    fn split(&self) -> (Option<&str>, &str) {
        let name = &*self.0;
        for (at, _) in name.rmatch_indices(COLLECTION) {
            let (head, tail) = name.split_at(at);
            let parent = head.strip_suffix('/');
            let id = tail.strip_prefix(COLLECTION).unwrap_or_default();
            if (head.is_empty() || parent.is_some()) && (id.is_empty() || id.starts_with('/')) {
                return (parent, id.strip_prefix('/').unwrap_or(id));
            }
        }
        (None, name)
    }
}

const COLLECTION: &str = "operations";

const IS_EMPTY: &str = "is empty";

fn check(name: &str) -> Result<(), &'static str> {
    let (body, ends_in_slash) = name.strip_suffix('/').map_or((name, false), |body| (body, true));
    if name.is_empty() {
        return Err(IS_EMPTY);
    }
    if name.starts_with('/') {
        return Err("starts with `/`");
    }
    if ends_in_slash && body.rsplit('/').next() == Some(COLLECTION) {
        return Err("has no id after `operations/`");
    }
    body.split('/').try_for_each(check_segment)
}

/// Says why `segment`, which has no `/`, may not stand between two of them.
pub(crate) fn check_segment(segment: &str) -> Result<(), &'static str> {
    if segment.is_empty() {
        return Err("has an empty segment");
    }
    if segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Ok(());
    }
    if segment.contains(char::is_control) {
        return Err("has a control character");
    }
    // Some servers and proxies decode twice, or take `\` for `/`.
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

/// Without what may be a secret given in place of a name.
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
