//! Resource paths that all Google services share: functions that build and
//! parse them.
//!
//! A listing takes such a path as the parent of operations. Each path has a
//! function that builds it and one that parses it, and they are exact inverses.
//! A part that is empty, is `.` or `..`, or contains a `/` or
//! a control character is an error when building, and `None` when parsing.
//!
//! ```
//! use longrunning::resource;
//!
//! let parent = resource::location("my-project", "europe-west1")?;
//! assert_eq!(parent, "projects/my-project/locations/europe-west1");
//! assert_eq!(resource::parse_location(&parent), Some(("my-project", "europe-west1")));
//! assert_eq!(resource::parse_project(&parent), None);
//! # Ok::<(), longrunning::Error>(())
//! ```

use crate::error::Error;
use crate::name::check_segment;

/// Builds `billingAccounts/{billing_account}`.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::billing_account("0123AB")?, "billingAccounts/0123AB");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Binding`](crate::ErrorKind::Binding) if the part cannot be one
/// segment of a path.
pub fn billing_account(billing_account: &str) -> Result<String, Error> {
    build([("billingAccounts", billing_account)])
}

/// Builds `folders/{folder}`.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::folder("12345")?, "folders/12345");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Binding`](crate::ErrorKind::Binding) if the part cannot be one
/// segment of a path.
pub fn folder(folder: &str) -> Result<String, Error> {
    build([("folders", folder)])
}

/// Builds `organizations/{organization}`.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::organization("12345")?, "organizations/12345");
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Binding`](crate::ErrorKind::Binding) if the part cannot be one
/// segment of a path.
pub fn organization(organization: &str) -> Result<String, Error> {
    build([("organizations", organization)])
}

/// Builds `projects/{project}`.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::project("my-project")?, "projects/my-project");
/// assert!(resource::project("..").is_err());
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Binding`](crate::ErrorKind::Binding) if the part cannot be one
/// segment of a path.
pub fn project(project: &str) -> Result<String, Error> {
    build([("projects", project)])
}

/// Builds `projects/{project}/locations/{location}`, the usual parent of
/// operations.
///
/// ```
/// use longrunning::resource;
/// use longrunning::testing::FakeServer;
///
/// let server = FakeServer::start();
/// let page = server.client().list(resource::location("my-project", "europe-west1")?).send()?;
/// assert!(page.operations.is_empty());
/// # Ok::<(), longrunning::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Binding`](crate::ErrorKind::Binding) if a part cannot be one
/// segment of a path.
pub fn location(project: &str, location: &str) -> Result<String, Error> {
    build([("projects", project), ("locations", location)])
}

/// Returns the billing account in `billingAccounts/{billing_account}`, or
/// `None` for other paths.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::parse_billing_account("billingAccounts/0123AB"), Some("0123AB"));
/// ```
pub fn parse_billing_account(path: &str) -> Option<&str> {
    let [billing_account] = parse(["billingAccounts"], path)?;
    Some(billing_account)
}

/// Returns the folder in `folders/{folder}`, or `None` for other paths.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::parse_folder("folders/12345"), Some("12345"));
/// ```
pub fn parse_folder(path: &str) -> Option<&str> {
    let [folder] = parse(["folders"], path)?;
    Some(folder)
}

/// Returns the organization in `organizations/{organization}`, or `None` for
/// other paths.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::parse_organization("organizations/12345"), Some("12345"));
/// ```
pub fn parse_organization(path: &str) -> Option<&str> {
    let [organization] = parse(["organizations"], path)?;
    Some(organization)
}

/// Returns the project in `projects/{project}`, or `None` for other paths.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::parse_project("projects/my-project"), Some("my-project"));
/// assert_eq!(resource::parse_project("projects/my-project/locations/l"), None);
/// ```
pub fn parse_project(path: &str) -> Option<&str> {
    let [project] = parse(["projects"], path)?;
    Some(project)
}

/// Returns the project and the location in
/// `projects/{project}/locations/{location}`, or `None` for other paths.
///
/// ```
/// use longrunning::resource;
///
/// assert_eq!(resource::parse_location("projects/p/locations/l"), Some(("p", "l")));
/// assert_eq!(resource::parse_location("projects/p"), None);
/// ```
pub fn parse_location(path: &str) -> Option<(&str, &str)> {
    let [project, location] = parse(["projects", "locations"], path)?;
    Some((project, location))
}

/// Joins collections and ids: `projects/p/locations/l`.
fn build<const N: usize>(parts: [(&str, &str); N]) -> Result<String, Error> {
    // Checked here, because a part may be text of a user: `p/locations/l` as a
    // project would name another resource.
    let mut path = Vec::new();
    for (collection, id) in parts {
        // `check_segment` expects text without a `/`.
        let fits = if id.contains('/') { Err("has a `/`") } else { check_segment(id) };
        fits.map_err(|why| Error::bad_name(id, &format!("{why}: it cannot follow `{collection}/`")))?;
        path.extend([collection, id]);
    }
    Ok(path.join("/"))
}

/// Returns the ids of a path that has exactly these collections.
fn parse<'p, const N: usize>(collections: [&str; N], path: &'p str) -> Option<[&'p str; N]> {
    let mut segments = path.split('/');
    // The number of ids is known to the compiler, so callers take them apart
    // without a check.
    let mut ids = [""; N];
    for (id, collection) in ids.iter_mut().zip(collections) {
        segments.next().filter(|segment| *segment == collection)?;
        *id = segments.next().filter(|segment| check_segment(segment).is_ok())?;
    }
    // A longer path is another resource, so it is no match.
    segments.next().is_none().then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Build = fn(&str) -> Result<String, Error>;
    type Parse = fn(&str) -> Option<&str>;

    const SINGLE: [(&str, Build, Parse); 4] = [
        ("billingAccounts", billing_account, parse_billing_account),
        ("folders", folder, parse_folder),
        ("organizations", organization, parse_organization),
        ("projects", project, parse_project),
    ];

    #[test]
    fn parsers_undo_builders() -> Result<(), Error> {
        for (collection, build, parse) in SINGLE {
            let path = build("a b:é")?;
            assert_eq!(path, format!("{collection}/a b:é"));
            assert_eq!(parse(&path), Some("a b:é"));
        }
        let path = location("p", "l")?;
        assert_eq!(path, "projects/p/locations/l");
        assert_eq!(parse_location(&path), Some(("p", "l")));
        Ok(())
    }

    #[test]
    fn refuse_the_same_parts() {
        for part in ["", "a/b", "a\n", "\n", "..", ".", "%2e%2E", "a/", "/a"] {
            for (collection, build, parse) in SINGLE {
                assert!(build(part).is_err(), "{collection} {part:?}");
                assert_eq!(parse(&format!("{collection}/{part}")), None, "{collection} {part:?}");
            }
            assert!(location(part, "l").is_err() && location("p", part).is_err(), "{part:?}");
            assert_eq!(parse_location(&format!("projects/{part}/locations/l")), None, "{part:?}");
            assert_eq!(parse_location(&format!("projects/p/locations/{part}")), None, "{part:?}");
        }
    }

    #[test]
    fn parsers_do_not_take_too_much() {
        assert_eq!(parse_project("projects/x/locations/y"), None);
        assert_eq!(parse_project("folders/x"), None);
        assert_eq!(parse_project("projects"), None);
        assert_eq!(parse_project("xprojects/x"), None);
        assert_eq!(parse_project(""), None);
        assert_eq!(parse_location("projects/p"), None);
        assert_eq!(parse_location("projects/p/locations/l/operations/o"), None);
    }

    #[test]
    fn says_what_is_wrong_with_a_part() {
        let error = location("p", "a/b").unwrap_err();
        assert_eq!(error.to_string(), "name `a/b` has a `/`: it cannot follow `locations/`");
    }
}
