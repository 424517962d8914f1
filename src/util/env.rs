//! The environment variables of the process, behind a trait: no test changes
//! the real ones.
//!
//! A client reads the environment when it is built, through the [`Env`] of its
//! builder. Credentials that are loaded without a client use [`SystemEnv`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Reads environment variables.
pub(crate) trait Env: fmt::Debug + Send + Sync {
    /// Returns the value of a variable. It is `None` if the variable is unset,
    /// empty or not Unicode: setting a variable to the empty text is how shells
    /// and container runtimes turn it off.
    fn var(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Default)]
pub(crate) struct SystemEnv;

impl Env for SystemEnv {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

/// An environment made up for one client, as
/// `OperationsClientBuilder::environment` sets it.
impl Env for BTreeMap<String, String> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

/// Returns the folder in which the gcloud CLI keeps its files; `None` without a
/// home.
///
/// ```text
/// CLOUDSDK_CONFIG set  its value
/// Windows              %APPDATA%\gcloud, else gcloud on %SystemDrive% or C:
/// elsewhere            $HOME/.config/gcloud
/// ```
///
/// `windows` is a parameter, so that tests cover both on any system. The order
/// is that of google-auth for Python.
pub(crate) fn gcloud_folder(env: &dyn Env, windows: bool) -> Option<PathBuf> {
    let folder = env.var("CLOUDSDK_CONFIG").map(PathBuf::from);
    folder.or_else(|| match windows {
        true => {
            // The backslash makes the path absolute: `C:gcloud` would be
            // relative to the current folder of that drive.
            let drive = || env.var("SystemDrive").unwrap_or_else(|| "C:".into()) + "\\";
            Some(PathBuf::from(env.var("APPDATA").unwrap_or_else(drive)).join("gcloud"))
        }
        false => Some(PathBuf::from(env.var("HOME")?).join(".config/gcloud")),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn gcloud_keeps_its_files_where_it_says() {
        let all = ["CLOUDSDK_CONFIG", "APPDATA", "HOME"].map(|name| (name.to_owned(), format!("/{name}")));
        let rows = [
            (&all[..], false, Some("/CLOUDSDK_CONFIG")),
            (&all[..], true, Some("/CLOUDSDK_CONFIG")),
            (&all[1..], false, Some("/HOME/.config/gcloud")),
            (&all[1..], true, Some("/APPDATA/gcloud")),
            (&all[2..], true, Some("C:\\/gcloud")),
            (&[], false, None),
        ];
        for (variables, windows, expected) in rows {
            let env: BTreeMap<_, _> = variables.iter().cloned().collect();
            assert_eq!(gcloud_folder(&env, windows).as_deref(), expected.map(Path::new), "{variables:?}");
        }
    }

    #[test]
    fn an_empty_variable_is_unset() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())]);
        assert_eq!((env.var("A").as_deref(), env.var("B"), env.var("C")), (Some("1"), None, None));
    }
}
