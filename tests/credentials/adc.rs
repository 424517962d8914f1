//! Default credentials: found in the environment, used without a word about them in the program.

use longrunning::ErrorKind;
use longrunning::testing::FakeServer;

use crate::kit::{Folder, NAME, asked, files, server};

#[test]
fn every_file_is_found_by_variable_and_by_place() {
    let names = files(&server(), &Folder::new()).into_iter().map(|(name, _)| name);
    for name in names.filter(|name| *name != "aws") {
        for place in ["variable", "CLOUDSDK_CONFIG", "home"] {
            let (server, folder) = (server(), Folder::new());
            let file = files(&server, &folder).into_iter().find(|(found, _)| *found == name).unwrap().1;
            let result = get(&server, &put(&file, place, &folder));
            result.unwrap_or_else(|error| panic!("{name} in {place}: {error:#}"));
            assert!(asked(&server).iter().all(|line| !line.contains("computeMetadata")), "{name}");
        }
    }
}

/// Google's rules allow AWS's own metadata server and no other, even for a trusted file.
#[test]
fn a_file_for_aws_does_not_lead_elsewhere() {
    let (server, folder) = (server(), Folder::new());
    let file = files(&server, &folder).into_iter().find(|(name, _)| *name == "aws").unwrap().1;
    let error = get(&server, &put(&file, "variable", &folder)).unwrap_err();
    assert!(error.to_string().contains("is not the metadata server of AWS"), "{error}");
    assert_eq!((error.kind(), server.request_count()), (ErrorKind::Config, 0));
}

#[test]
fn without_a_file_the_metadata_server_is_asked() {
    let server = server();
    get(&server, &[]).unwrap();
    let token = "GET /computeMetadata/v1/instance/service-accounts/default/token";
    assert_eq!(asked(&server), ["GET /computeMetadata/v1/universe/universe-domain", token]);
}

#[test]
fn the_variable_goes_before_the_place_and_is_never_passed_over() {
    let (server, folder) = (server(), Folder::new());
    let files = files(&server, &folder);
    let file = |name: &str| &files.iter().find(|(found, _)| *found == name).unwrap().1;
    let mut environment = put(file("user"), "variable", &folder);
    environment.extend(put(file("workforce user"), "CLOUDSDK_CONFIG", &folder));
    get(&server, &environment).unwrap();
    assert_eq!(asked(&server), ["POST /token"]);

    let missing = folder.path().join("missing.json");
    environment[0].1 = missing.to_str().unwrap().to_owned();
    let error = get(&server, &environment).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let message = error.to_string();
    assert!(
        message.contains("missing.json") && message.contains("GOOGLE_APPLICATION_CREDENTIALS"),
        "{message}"
    );
}

#[test]
fn nothing_found_names_every_place() {
    let server = server();
    let environment = [
        ("NO_GCE_CHECK".to_owned(), "true".to_owned()),
        ("CLOUDSDK_CONFIG".to_owned(), "/nowhere".to_owned()),
    ];
    let error = get(&server, &environment).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let message = error.to_string();
    for place in ["GOOGLE_APPLICATION_CREDENTIALS is unset", "/nowhere", "NO_GCE_CHECK is `true`"] {
        assert!(message.contains(place), "{message}");
    }
}

/// A client that says nothing about credentials, in the server's environment with these variables on top.
fn get(
    server: &FakeServer,
    variables: &[(String, String)],
) -> Result<longrunning::Operation, longrunning::Error> {
    let mut environment = server.environment();
    environment.insert("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES".into(), "1".into());
    environment.extend(variables.iter().cloned());
    let builder = server.client_builder().environment(environment);
    builder.credentials(longrunning::Credentials::application_default()).build()?.get(NAME).send()
}

/// Puts a file where it will be found, and gives the variables for that.
fn put(file: &str, place: &str, folder: &Folder) -> Vec<(String, String)> {
    const FILE: &str = "application_default_credentials.json";
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let variable = |name: &str, value: String| (name.to_owned(), value);
    match place {
        "variable" => {
            vec![variable("GOOGLE_APPLICATION_CREDENTIALS", folder.file("key.json", file))]
        }
        "CLOUDSDK_CONFIG" => {
            folder.file(&format!("config/{FILE}"), file);
            vec![variable("CLOUDSDK_CONFIG", text(&folder.path().join("config")))]
        }
        _ => {
            folder.file(&format!(".config/gcloud/{FILE}"), file);
            folder.file(&format!("gcloud/{FILE}"), file);
            let home = text(folder.path());
            vec![
                variable("CLOUDSDK_CONFIG", String::new()),
                variable("HOME", home.clone()),
                variable("APPDATA", home),
            ]
        }
    }
}
