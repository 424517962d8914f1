use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use super::*;
use crate::http::{HttpOptions, Unplugged};
use crate::net::machine_certificate::{CONFIG, CONFIG_OF_GCLOUD};

const SERVICE: &str = "run.googleapis.com";
const MTLS: &str = "https://run.mtls.googleapis.com";
const GIVEN: &str = "https://given.example.com";

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn certificate() -> ClientCertificate {
    ClientCertificate::from_pem("", "")
}

/// Endpoint and whether a certificate is shown, in the words of the tables
/// below.
fn outcome(choice: Result<EndpointChoice, Error>) -> String {
    match choice {
        Ok(EndpointChoice { endpoint, certificate }) => {
            let endpoint = match endpoint.to_string().as_str() {
                "https://run.googleapis.com" => "plain",
                MTLS => "mtls",
                GIVEN => "given",
                other => panic!("{other}"),
            };
            format!("{endpoint}{}", if certificate.is_some() { " + certificate" } else { "" })
        }
        Err(_) => "error".to_owned(),
    }
}

#[test]
fn every_row_of_the_truth_table() {
    const BOTH: &str = "mtls + certificate";
    const WITH: &str = "plain + certificate";
    const GIVEN_WITH: &str = "given + certificate";
    // Client certificate, mTLS endpoint; then: none found, found; the same with an
    // explicit endpoint.
    #[rustfmt::skip]
    let rows: [(&str, &str, [&str; 4]); 20] = [
        ("",      "",          ["plain", "plain", "given", "given"]),
        ("",      "never",     ["plain", "plain", "given", "given"]),
        ("",      "auto",      ["plain", "plain", "given", "given"]),
        ("",      "always",    ["mtls",  "mtls",  "given", "given"]),
        ("",      "sometimes", ["error", "error", "given", "given"]),
        ("false", "",          ["plain", "plain", "given", "given"]),
        ("false", "never",     ["plain", "plain", "given", "given"]),
        ("false", "auto",      ["plain", "plain", "given", "given"]),
        ("false", "always",    ["mtls",  "mtls",  "given", "given"]),
        ("false", "sometimes", ["error", "error", "given", "given"]),
        ("true",  "",          ["plain", BOTH,    "given", GIVEN_WITH]),
        ("true",  "never",     ["plain", WITH,    "given", GIVEN_WITH]),
        ("true",  "auto",      ["plain", BOTH,    "given", GIVEN_WITH]),
        ("true",  "always",    ["mtls",  BOTH,    "given", GIVEN_WITH]),
        ("true",  "sometimes", ["error", "error", "given", GIVEN_WITH]),
        ("1",     "",          ["plain", "plain", "given", "given"]),
        ("1",     "never",     ["plain", "plain", "given", "given"]),
        ("1",     "auto",      ["plain", "plain", "given", "given"]),
        ("1",     "always",    ["mtls",  "mtls",  "given", "given"]),
        ("1",     "sometimes", ["error", "error", "given", "given"]),
    ];
    for (use_certificate, use_endpoint, expected) in rows {
        let env = environment(&[(USE_CERTIFICATE, use_certificate), (USE_ENDPOINT, use_endpoint)]);
        let columns = [(false, false), (false, true), (true, false), (true, true)];
        for ((explicit, found), expected) in columns.into_iter().zip(expected) {
            let mut options = ServiceOptions::new(SERVICE.into());
            options.api_endpoint = explicit.then(|| GIVEN.into());
            options.client_cert_source = found.then(certificate);
            let name = format!("`{use_certificate}`, `{use_endpoint}`, explicit: {explicit}, found: {found}");
            assert_eq!(outcome(choose(&options, &env)), expected, "{name}");
        }
    }
}

#[test]
fn certificate_of_the_http_options_is_always_in_use() {
    #[rustfmt::skip]
    let rows = [
        ("",      "",       "mtls",  "given"),
        ("false", "auto",   "mtls",  "given"),
        ("true",  "auto",   "mtls",  "given"),
        ("true",  "never",  "plain", "given"),
        ("",      "always", "mtls",  "given"),
        ("",      "x",      "error", "given"),
    ];
    for (use_certificate, use_endpoint, service, explicit) in rows {
        let env = environment(&[(USE_CERTIFICATE, use_certificate), (USE_ENDPOINT, use_endpoint)]);
        for (api_endpoint, expected) in [(None, service), (Some(GIVEN.to_owned()), explicit)] {
            let mut options = ServiceOptions::new(SERVICE.into());
            options.http_options = HttpOptions::new().client_certificate(certificate());
            options.client_cert_source = Some(certificate());
            options.api_endpoint = api_endpoint;
            // The one of the HTTP options is there already, and is not replaced.
            let name = format!("`{use_certificate}`, `{use_endpoint}`");
            assert_eq!(outcome(choose(&options, &env)), expected, "{name}");
        }
    }
}

#[test]
fn variables_are_read_as_documented() {
    let rows: [(&str, &[(&str, &str)], bool); 6] = [
        ("case", &[(USE_CERTIFICATE, "True"), (USE_ENDPOINT, "AUTO")], true),
        ("gcloud's", &[(USE_CERTIFICATE_OF_GCLOUD, "true")], true),
        ("gcloud's, first is empty", &[(USE_CERTIFICATE, ""), (USE_CERTIFICATE_OF_GCLOUD, "true")], true),
        ("first says no", &[(USE_CERTIFICATE, "false"), (USE_CERTIFICATE_OF_GCLOUD, "true")], false),
        ("first is neither", &[(USE_CERTIFICATE, "yes"), (USE_CERTIFICATE_OF_GCLOUD, "true")], false),
        ("neither", &[], false),
    ];
    for (name, variables, used) in rows {
        let mut options = ServiceOptions::new(SERVICE.into());
        options.client_cert_source = Some(certificate());
        let choice = choose(&options, &environment(variables)).unwrap();
        assert_eq!(
            (choice.certificate.is_some(), choice.endpoint.to_string() == MTLS),
            (used, used),
            "{name}"
        );
    }
    let env = environment(&[(USE_ENDPOINT, "some\ntimes")]);
    let error = choose(&ServiceOptions::new(SERVICE.into()), &env).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GOOGLE_API_USE_MTLS_ENDPOINT is `some\\ntimes`: expected `never`, `auto` or `always`"
    );
}

#[test]
fn only_default_hosts_of_google_change() {
    let rows = [
        ("run.googleapis.com", "https://run.mtls.googleapis.com"),
        ("https://run.googleapis.com", "https://run.mtls.googleapis.com"),
        ("https://run.googleapis.com/", "https://run.mtls.googleapis.com"),
        ("Run.GoogleAPIs.com", "https://run.mtls.googleapis.com"),
        ("us-central1-aiplatform.googleapis.com", "https://us-central1-aiplatform.mtls.googleapis.com"),
        ("run.sandbox.googleapis.com", "https://run.mtls.sandbox.googleapis.com"),
        ("run.mtls.googleapis.com", "https://run.mtls.googleapis.com"),
        ("run.mtls.sandbox.googleapis.com", "https://run.mtls.sandbox.googleapis.com"),
        ("run.us-central1.rep.googleapis.com", "https://run.us-central1.rep.googleapis.com"),
        ("sandbox.googleapis.com", "https://sandbox.mtls.googleapis.com"),
        ("googleapis.com", "https://googleapis.com"),
        ("run.googleapis.com.example.com", "https://run.googleapis.com.example.com"),
        ("run.example.com", "https://run.example.com"),
        ("run.notgoogleapis.com", "https://run.notgoogleapis.com"),
        ("127.0.0.1", "https://127.0.0.1"),
        ("run.googleapis.com:443", "https://run.googleapis.com:443"),
        ("https://run.googleapis.com/base", "https://run.googleapis.com/base"),
    ];
    let env = environment(&[(USE_ENDPOINT, "always")]);
    for (service, expected) in rows {
        let choice = choose(&ServiceOptions::new(service.into()), &env).unwrap();
        assert_eq!(choice.endpoint.to_string(), expected, "{service}");
    }
}

#[test]
fn foreign_clients_are_not_told_in_vain() {
    let use_it = environment(&[(USE_CERTIFICATE, "true")]);
    let always = environment(&[(USE_ENDPOINT, "always")]);
    let rows = [
        ("nothing is asked", &BTreeMap::new(), SERVICE, false, Some("https://run.googleapis.com")),
        ("endpoint alone", &always, SERVICE, false, Some(MTLS)),
        ("certificate", &use_it, SERVICE, false, None),
        (
            "certificate, explicit endpoint",
            &use_it,
            "http://127.0.0.1:80",
            false,
            Some("http://127.0.0.1:80"),
        ),
        ("source", &BTreeMap::new(), "http://127.0.0.1:80", true, None),
    ];
    for (name, env, service, source, expected) in rows {
        let mut options = ServiceOptions::new(service.into());
        options.http_client = Some(Arc::new(Unplugged));
        options.http_options = HttpOptions::new().client_certificate(certificate());
        options.client_cert_source = source.then(certificate);
        let choice = choose(&options, env).ok();
        assert!(choice.as_ref().is_none_or(|choice| choice.certificate.is_none()), "{name}");
        assert_eq!(choice.map(|choice| choice.endpoint.to_string()).as_deref(), expected, "{name}");
    }
}

#[test]
fn certificate_of_the_machine_is_found() {
    let folder = std::env::temp_dir().join(format!("longrunning-mtls-{}", process::id()));
    let gcloud = folder.join("gcloud");
    fs::create_dir_all(&gcloud).unwrap();
    let (bundle, absent) = (folder.join("bundle.pem"), folder.join("absent"));
    fs::write(&bundle, "").unwrap();
    let with_config = folder.to_str().unwrap();
    let config = gcloud.join("certificate_config.json");
    let shown = |path: &PathBuf| crate::util::file::shown(path);
    let files = format!("files `{0}` and `{0}`", shown(&bundle));
    let found = format!("certificate configuration `{}`", shown(&config));
    let named = "certificate configuration `/named` (of GOOGLE_API_CERTIFICATE_CONFIG)".to_owned();
    let by_gcloud =
        "certificate configuration `/by-gcloud` (of CLOUDSDK_CONTEXT_AWARE_CERTIFICATE_CONFIG_FILE_PATH)";
    let folder_of_gcloud = ("CLOUDSDK_CONFIG", gcloud.to_str().unwrap());
    let rows: [(&str, &[(&str, &str)], &Path, Option<String>); 7] = [
        ("nowhere", &[], &absent, None),
        ("no file in gcloud's folder", &[("CLOUDSDK_CONFIG", with_config)], &absent, None),
        ("bundle", &[("CLOUDSDK_CONFIG", with_config)], &bundle, Some(files)),
        ("gcloud's folder", &[folder_of_gcloud], &bundle, Some(found)),
        ("named", &[folder_of_gcloud, (CONFIG, "/named"), (CONFIG_OF_GCLOUD, "/x")], &bundle, Some(named)),
        (
            "gcloud's variable",
            &[folder_of_gcloud, (CONFIG_OF_GCLOUD, "/by-gcloud")],
            &bundle,
            Some(by_gcloud.into()),
        ),
        ("empty variables", &[(CONFIG, ""), (CONFIG_OF_GCLOUD, "")], &absent, None),
    ];
    fs::write(&config, "{}").unwrap();
    for (name, variables, bundle, expected) in rows {
        let certificate = machine_certificate(&environment(variables), bundle);
        let expected = expected.map(|origin| format!("ClientCertificate({origin:?})"));
        assert_eq!(certificate.map(|certificate| format!("{certificate:?}")), expected, "{name}");
    }
    fs::remove_dir_all(&folder).unwrap();
}
