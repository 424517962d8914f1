use std::collections::BTreeMap;
#[cfg(unix)]
use std::error::Error as _;
#[cfg(unix)]
use std::fs;
use std::path::MAIN_SEPARATOR;

use super::*;
use crate::folder::Folder;

#[test]
fn the_well_known_file_is_where_gcloud_puts_it() {
    let rows: [(&str, bool, &[(&str, &str)], Option<(&str, &str)>); 8] = [
        ("home", false, &[("HOME", "/h")], Some(("/h/.config/gcloud", "~/.config/gcloud"))),
        ("gcloud's folder", false, &[("HOME", "/h"), ("CLOUDSDK_CONFIG", "/c")], Some(("/c", "/c"))),
        (
            "an empty variable",
            false,
            &[("HOME", "/h"), ("CLOUDSDK_CONFIG", "")],
            Some(("/h/.config/gcloud", "~/.config/gcloud")),
        ),
        ("no home", false, &[("APPDATA", "/a")], None),
        ("an empty home", false, &[("HOME", "")], None),
        ("Windows", true, &[("HOME", "/h"), ("APPDATA", "/a")], Some(("/a/gcloud", "/a/gcloud"))),
        (
            "gcloud's folder on Windows",
            true,
            &[("APPDATA", "/a"), ("CLOUDSDK_CONFIG", "/c")],
            Some(("/c", "/c")),
        ),
        ("Windows without", true, &[("SystemDrive", "D:")], Some((DRIVE, DRIVE))),
    ];
    for (name, windows, variables, expected) in rows {
        let found = well_known(&env(variables), windows);
        // Paths of Windows have both separators.
        let slashes = |shown: &str| shown.replace(MAIN_SEPARATOR, "/");
        let found = found.map(|place| (place.path, slashes(&place.shown)));
        let file = |(path, shown): (&str, &str)| {
            (PathBuf::from(path).join(FILE), slashes(&format!("{shown}/{FILE}")))
        };
        assert_eq!(found, expected.map(file), "{name}");
    }
}

#[test]
fn the_first_place_that_has_something_counts() {
    let folder = Folder::new();
    let home = text(folder.path());
    let user = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
        "account": "NAME", "token_uri": "http://127.0.0.1:9/token"}"#;
    let named = folder.file("named.json", &user.replace("NAME", "named"));
    let config = folder.file(&format!("config/{FILE}"), &user.replace("NAME", "config"));
    let config = Path::new(&config).parent().unwrap().to_str().unwrap();
    folder.file(&format!("{GCLOUD}/{FILE}"), &user.replace("NAME", "home"));
    let rows: [(&str, &[(&str, &str)], &str); 5] = [
        ("the variable", &[(VARIABLE, &named), (HOME, &home)], "user `named`"),
        ("an empty variable is unset", &[(VARIABLE, ""), (HOME, &home)], "user `home`"),
        ("gcloud's folder", &[("CLOUDSDK_CONFIG", config), (HOME, &home)], "user `config`"),
        ("the home folder", &[(HOME, &home), ("NO_GCE_CHECK", "true")], "user `home`"),
        ("the metadata server", &[(HOME, "/nowhere")], "the metadata server"),
    ];
    for (name, variables, expected) in rows {
        let found = Credentials::application_default().resolve(&env(variables)).expect(name);
        assert_eq!(format!("{found:?}"), format!("Credentials({expected})"), "{name}");
    }
}

#[test]
fn what_is_there_and_of_no_use_is_not_passed_over() {
    let folder = Folder::new();
    let home = text(folder.path());
    let bad = folder.file("bad.json", "{\"private_key\": \"CANARY");
    let other = folder.file("other.json", r#"{"type": "gdch_service_account"}"#);
    folder.file(&format!("{GCLOUD}/{FILE}"), "[]");
    let at_home = text(&folder.path().join(GCLOUD).join(FILE));
    let missing = text(&folder.path().join("missing.json"));
    let rows: [(&str, &[(&str, &str)], String); 6] = [
        (
            "a missing file",
            &[(VARIABLE, &missing), (HOME, &home)],
            format!("credentials file `{missing}` does not exist; {VARIABLE} names it"),
        ),
        (
            "not JSON",
            &[(VARIABLE, &bad), (HOME, "/nowhere")],
            format!(
                "credentials file `{bad}` cannot be parsed as JSON: line 1, column 23; {VARIABLE} names it"
            ),
        ),
        (
            "an unsupported type",
            &[(VARIABLE, &other)],
            format!(
                "credentials file `{other}` is of type `gdch_service_account` (Google Distributed Cloud), which is not supported: \
                 give its tokens by a `TokenProvider` of your own; \
                 {VARIABLE} names it"
            ),
        ),
        (
            "the well-known file",
            &[(HOME, &home)],
            format!("credentials file `{at_home}` is an array: expected a JSON object"),
        ),
        (
            "a metadata server that must use mTLS",
            &[(HOME, "/nowhere"), ("GCE_METADATA_MTLS_MODE", "strict")],
            "GCE_METADATA_MTLS_MODE is `strict`, which is not supported: expected `none` or `default`".into(),
        ),
        (
            "a folder in place of a file",
            &[(VARIABLE, &home)],
            format!(
                "credentials file `{home}` is a folder, expected the path of a file; {VARIABLE} names it"
            ),
        ),
    ];
    for (name, variables, message) in rows {
        let error = Credentials::application_default().resolve(&env(variables)).expect_err(name);
        assert_eq!(error.to_string(), message, "{name}");
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        assert!(!format!("{error:#?}").contains("CANARY"), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_opened_is_not_passed_over() {
    let folder = Folder::new();
    let home = text(folder.path());
    let gcloud = folder.path().join(".config/gcloud");
    fs::create_dir_all(&gcloud).unwrap();
    // Root may read everything, but nobody can follow a link to itself.
    std::os::unix::fs::symlink(gcloud.join(FILE), gcloud.join(FILE)).unwrap();
    let error = Credentials::application_default().resolve(&env(&[("HOME", &home)])).unwrap_err();
    let path = text(&folder.path().join(format!(".config/gcloud/{FILE}")));
    assert_eq!(
        error.to_string(),
        format!("credentials file `{path}` is a symbolic link that leads back to itself")
    );
    assert!(error.source().is_some());
}

#[test]
fn without_any_every_place_is_listed() {
    let advice = "`gcloud auth application-default login` would make some";
    let nowhere = if cfg!(windows) { "/nowhere\\gcloud\\" } else { "~/.config/gcloud/" };
    let rows: [(&str, &[(&str, &str)], String); 3] = [
        (
            "no metadata server wanted",
            &[(HOME, "/nowhere"), ("NO_GCE_CHECK", "True")],
            format!("`{nowhere}{FILE}` does not exist, NO_GCE_CHECK is `true`"),
        ),
        (
            "gcloud's folder",
            &[("CLOUDSDK_CONFIG", "nowhere"), ("NO_GCE_CHECK", "true")],
            format!("`{}` does not exist, NO_GCE_CHECK is `true`", Path::new("nowhere").join(FILE).display()),
        ),
        ("no home", &[("NO_GCE_CHECK", "true")], "HOME is unset, NO_GCE_CHECK is `true`".into()),
    ];
    for (name, variables, places) in rows {
        if name == "no home" && cfg!(windows) {
            continue;
        }
        let error = Credentials::application_default().resolve(&env(variables)).expect_err(name);
        let message = format!("no application default credentials: {VARIABLE} is unset, {places}; {advice}");
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Auth, message), "{name}");
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn env(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The variable that gcloud finds its folder by, and that folder.
const HOME: &str = if cfg!(windows) { "APPDATA" } else { "HOME" };
const GCLOUD: &str = if cfg!(windows) { "gcloud" } else { ".config/gcloud" };

/// gcloud's folder on a drive.
const DRIVE: &str = if cfg!(windows) { r"D:\gcloud" } else { r"D:\/gcloud" };
