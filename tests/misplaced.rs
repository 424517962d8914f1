//! A credential given where a path, a name or a URL is expected is in no message and in no `Debug`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::time::Duration;

use longrunning::auth::{AuthorizedUser, CredentialsPolicy, MetadataServer, ServiceAccount};
use longrunning::http::{ClientCertificate, HttpAgent, HttpMethod, HttpOptions, HttpRequest, ProxySetting};
use longrunning::testing::FakeServer;
use longrunning::{
    Any, Binding, Bindings, ClientConfig, Credentials, Error, Operation, OperationName, OperationsClient,
    OperationsClientBuilder, Pending, Status, resource,
};
use serde_json::Value;

/// What was printed for one value.
type Printed = Vec<String>;

/// A function of the library, by its name in the source, and what it prints for a value.
type Row = (&'static str, fn(&str) -> Printed);

const ROWS: &[Row] = &[
    ("AuthorizedUser::from_file", |value| result(AuthorizedUser::from_file(value))),
    ("AuthorizedUser::from_json", |value| result(AuthorizedUser::from_json(value))),
    ("AuthorizedUser::from_value", |value| result(AuthorizedUser::from_value(json(value)))),
    ("Credentials::from_file", |value| result(Credentials::from_file(value))),
    ("Credentials::from_file_with", |value| {
        result(Credentials::from_file_with(value, &CredentialsPolicy::trusting_the_file()))
    }),
    ("Credentials::from_json", |value| result(Credentials::from_json(value))),
    ("Credentials::from_json_with", |value| {
        result(Credentials::from_json_with(value, &CredentialsPolicy::trusting_the_file()))
    }),
    ("Credentials::from_value", |value| result(Credentials::from_value(json(value)))),
    ("Credentials::from_value_with", |value| {
        result(Credentials::from_value_with(json(value), &CredentialsPolicy::trusting_the_file()))
    }),
    ("Credentials::bearer", |value| result(Credentials::bearer(value))),
    ("Credentials::api_key", |value| result(Credentials::api_key(value))),
    ("Credentials::impersonate", |value| result(Credentials::anonymous().impersonate(value))),
    ("Credentials::token_file", |value| used(Credentials::token_file(value))),
    ("Credentials::with_token", |value| result(Credentials::anonymous().with_token(value))),
    ("MetadataServer::service_account", |value| used(MetadataServer::new().service_account(value))),
    ("CredentialsPolicy::types", |value| {
        let policy = CredentialsPolicy::default().types([value]);
        [debug(&policy), result(Credentials::from_json_with(r#"{"type": "x"}"#, &policy))].concat()
    }),
    ("CredentialsPolicy::host", |value| {
        let policy = CredentialsPolicy::default().host(value);
        let file = r#"{"type": "service_account", "client_email": "a@b", "private_key": "x", "token_uri": "https://e.x"}"#;
        [debug(&policy), result(Credentials::from_json_with(file, &policy))].concat()
    }),
    ("ServiceAccount::from_file", |value| result(ServiceAccount::from_file(value))),
    ("ServiceAccount::from_json", |value| result(ServiceAccount::from_json(value))),
    ("ServiceAccount::from_value", |value| result(ServiceAccount::from_value(json(value)))),
    ("ServiceAccount::scopes", |value| used(account().scopes([value]))),
    ("ServiceAccount::audience", |value| used(account().audience(value))),
    ("ServiceAccount::subject", |value| used(account().subject(value).scopes(["a"]))),
    ("ServiceAccount::token_uri", |value| used(account().token_uri(value).scopes(["a"]))),
    ("OperationsClient::new", |value| result(OperationsClient::new(value))),
    ("OperationsClient::builder", |value| built(OperationsClient::builder(value))),
    ("OperationsClient::poller", |value| {
        let (server, client) = client();
        let poller = client.poller(value).total_timeout(Duration::from_secs(2));
        [debug(&poller), result(poller.until_done()), debug(&server)].concat()
    }),
    ("OperationsClient::operation", |value| {
        let (_server, client) = client();
        let handle = client.operation(value);
        [debug(&handle), result(handle.refresh()), result(handle.cancel()), result(handle.to_pending())]
            .concat()
    }),
    ("OperationsClient::poll_many", |value| {
        let (_server, client) = client();
        let many = client.poll_many([value, "operations/x"]).total_timeout(Duration::from_secs(2));
        let mut printed = debug(&many);
        let mut named = many.named();
        printed.extend(debug(&named));
        printed.extend(named.by_ref().flat_map(|(_, finished)| result(finished)));
        printed
    }),
    ("OperationsClient::start", |value| started(|client| client.start(value))),
    ("StartCall::query", |value| started(|client| client.start("/v1/x").query(value, value))),
    ("StartCall::json_text", |value| {
        let quoted = serde_json::json!({ value: value }).to_string();
        [value.to_owned(), quoted]
            .iter()
            .flat_map(|text| started(|client| client.start("/v1/x").json_text(text)))
            .collect()
    }),
    ("StartCall::routing", |value| started(|client| client.start("/v1/x").routing(value, value))),
    ("StartCall::request_id", |value| started(|client| client.start("/v1/x").request_id(value))),
    ("StartRequest::new", |value| {
        let mut request = longrunning::transport::StartRequest::new(value);
        request.query.push((value.to_owned(), value.to_owned()));
        request.routing.push((value.to_owned(), value.to_owned()));
        request.body = longrunning::transport::StartBody::Json(value.to_owned());
        debug(&request)
    }),
    ("OperationsClientBuilder::api_version", |value| built(builder().api_version(value))),
    ("OperationsClientBuilder::scopes", |value| built(builder().scopes([value]))),
    ("OperationsClientBuilder::universe_domain", |value| built(builder().universe_domain(value))),
    ("OperationsClientBuilder::user_agent", |value| built(builder().user_agent(value))),
    ("OperationsClientBuilder::client_info", |value| built(builder().client_info(value))),
    ("OperationsClientBuilder::api_endpoint", |value| built(builder().api_endpoint(value))),
    ("OperationsClientBuilder::quota_project", |value| built(builder().quota_project(value))),
    ("OperationsClientBuilder::header", |value| {
        let pairs = [(value, "x"), ("x-a", value), (value, value)];
        pairs.into_iter().flat_map(|(name, value)| built(builder().header(name, value))).collect()
    }),
    ("Call::quota_project", |value| called(|client| client.get("operations/x").quota_project(value))),
    ("Call::header", |value| {
        let mut printed = called(|client| client.get("operations/x").header(value, "x"));
        printed.extend(called(|client| client.get("operations/x").header("x-a", value)));
        printed
    }),
    ("Call::filter", |value| {
        let (_server, client) = client();
        let call = client.list("projects/p").filter(value);
        [debug(&call), result(call.send())].concat()
    }),
    ("Call::page_token", |value| {
        let (_server, client) = client();
        let call = client.list("projects/p").page_token(value);
        [debug(&call), result(call.send())].concat()
    }),
    ("PollMany::quota_project", |value| {
        let (_server, client) = client();
        debug(&client.poll_many(["operations/x"]).quota_project(value))
    }),
    ("PollMany::header", |value| {
        let (_server, client) = client();
        debug(&client.poll_many(["operations/x"]).header(value, value))
    }),
    ("Poller::quota_project", |value| {
        let (_server, client) = client();
        let poller = client.poller("operations/x").quota_project(value);
        [debug(&poller), result(poller.until_done())].concat()
    }),
    ("Poller::header", |value| {
        let (_server, client) = client();
        let poller = client.poller("operations/x").header(value, value);
        [debug(&poller), result(poller.until_done())].concat()
    }),
    ("Sweep::filter", |value| {
        let (_server, client) = client();
        debug(&client.delete_done("projects/p").filter(value))
    }),
    ("Sweep::quota_project", |value| {
        let (_server, client) = client();
        debug(&client.delete_done("projects/p").quota_project(value))
    }),
    ("Sweep::header", |value| {
        let (_server, client) = client();
        debug(&client.delete_done("projects/p").header(value, value))
    }),
    ("ClientConfig::from_json", |value| {
        let nested = serde_json::json!({ "methodConfig": [{ value: value, "name": value }] }).to_string();
        let deeper = serde_json::json!({
            "interfaces": { "google.longrunning.Operations": { "methods": { value: { "retry_codes_name": value } } } }
        });
        [value, &nested, &deeper.to_string()]
            .into_iter()
            .flat_map(|json| result(ClientConfig::from_json(json)))
            .collect()
    }),
    ("HttpRequest::new", |value| {
        let request = HttpRequest::new(HttpMethod::Get, value);
        let agent = HttpAgent::new(&HttpOptions::new()).unwrap();
        use longrunning::http::HttpClient as _;
        [debug(&request), failed(agent.send(&request).err().map(Error::from))].concat()
    }),
    ("HttpOptions::extra_roots", |value| {
        let options = HttpOptions::new().extra_roots(value);
        [debug(&options), failed(HttpAgent::new(&options).err().map(Error::from))].concat()
    }),
    ("ClientCertificate::from_pem", |value| certified(ClientCertificate::from_pem(value, value))),
    ("ClientCertificate::from_files", |value| certified(ClientCertificate::from_files(value, value))),
    ("ClientCertificate::from_config_file", |value| certified(ClientCertificate::from_config_file(value))),
    ("Pending::with_endpoint", |value| pending(Pending::new("operations/x").unwrap().with_endpoint(value))),
    ("Pending::with_api_version", |value| {
        pending(Pending::new("operations/x").unwrap().with_api_version(value))
    }),
    ("Pending::with_label", |value| pending(Pending::new("operations/x").unwrap().with_label(value))),
    ("resource::billing_account", |value| failed(resource::billing_account(&bad(value)).err())),
    ("resource::folder", |value| failed(resource::folder(&bad(value)).err())),
    ("resource::organization", |value| failed(resource::organization(&bad(value)).err())),
    ("resource::project", |value| failed(resource::project(&bad(value)).err())),
    ("resource::location", |value| failed(resource::location("p", &bad(value)).err())),
    ("Bindings::version", |value| result(Bindings::version(value))),
    ("Bindings::http_options", |value| {
        let rule = |rule: Value| {
            serde_json::json!({ "google.longrunning.Operations.GetOperation": [rule] }).to_string()
        };
        let texts = [
            value.to_owned(),
            serde_json::json!({ value: [] }).to_string(),
            serde_json::json!([value]).to_string(),
            rule(value.into()),
            rule(serde_json::json!({ value: value })),
            rule(serde_json::json!({ "method": value, "uri": "/v1/x" })),
            rule(serde_json::json!({ "method": "get", "uri": value })),
            rule(serde_json::json!({ "method": "post", "uri": "/v1/x", "body": value })),
        ];
        texts.iter().flat_map(|text| result(Bindings::default().http_options(text))).collect()
    }),
    ("Binding::get", |value| templates(Binding::get, value)),
    ("Binding::delete", |value| templates(Binding::delete, value)),
    ("Binding::post", |value| templates(Binding::post, value)),
    ("Binding::put", |value| templates(Binding::put, value)),
    ("Binding::patch", |value| templates(Binding::patch, value)),
    ("Binding::name_field", |value| debug(&Binding::get("/v1/x").unwrap().name_field(value))),
    // Content, which `Debug` may show; errors may not.
    ("Any::from_json", |value| failed(Any::from_json(value).err())),
    ("Operation::from_json", |value| failed(Operation::from_json(value).err())),
    ("Status::from_json", |value| failed(Status::from_json(value).err())),
    // Not of a pattern `pub fn`.
    ("OperationName", |value| {
        [result(OperationName::try_from(value)), result(value.parse::<OperationName>())].concat()
    }),
    ("TransportKind", |value| result(value.parse::<longrunning::transport::TransportKind>())),
    ("Calls", |value| {
        let (_server, client) = client();
        [
            debug(&client.get(value)),
            result(client.get(value).send()),
            result(client.list(value).send()),
            result(client.cancel(value).send()),
            result(client.delete(value).send()),
            client.list(value).into_iter().take(2).flat_map(result).collect(),
            result(client.delete_done(value).run()),
        ]
        .concat()
    }),
    ("ProxySetting", |value| {
        let options = HttpOptions::new().proxy(ProxySetting::Url(value.into()));
        [debug(&options), failed(HttpAgent::new(&options).err().map(Error::from))].concat()
    }),
    #[cfg(feature = "journal")]
    ("Journal::open", |value| result(longrunning::Journal::open(value))),
    #[cfg(feature = "async")]
    ("OperationsAsyncClient::new", |value| result(longrunning::OperationsAsyncClient::new(value))),
    #[cfg(feature = "async")]
    ("OperationsAsyncClient::poller", |value| {
        let (_server, client) = client();
        debug(&longrunning::OperationsAsyncClient::from(client).poller(value))
    }),
    #[cfg(feature = "async")]
    ("OperationsAsyncClient::start", |value| {
        let (_server, client) = client();
        debug(&longrunning::OperationsAsyncClient::from(client).start(value))
    }),
    #[cfg(feature = "async")]
    ("OperationsAsyncClient::operation", |value| {
        let (_server, client) = client();
        debug(&longrunning::OperationsAsyncClient::from(client).operation(value))
    }),
];

/// Functions that take text of another kind: content of messages and operations, names that are looked up, and what the
/// program itself says in errors of its own.
const EXEMPT: &[&str] = &[
    "sensitive::is_sensitive",
    "AccessToken::new",
    "Code::from_str_name",
    "Error::new",
    "ErrorInfo::new",
    "Headers::get",
    "Headers::get_bin",
    "HttpError::new",
    "HttpRequest::body",
    "HttpRequest::headers",
    "HttpResponse::header",
    "HttpResponse::new",
    "HttpResponse::with_header",
    "Operation::failed",
    "Operation::running",
    "Operation::succeeded",
    "OperationPage::new",
    "Status::new",
    "Sweep::run_with",
    "TokenError::permanent",
    "TokenError::transient",
    "TokenError::with_source",
    "http::is_sensitive",
    "resource::parse_billing_account",
    "resource::parse_folder",
    "resource::parse_location",
    "resource::parse_organization",
    "resource::parse_project",
    "list::filter",
    "request::header",
    "request::quota_project",
];

#[test]
fn no_function_repeats_a_credential() {
    let mut leaks = BTreeMap::new();
    for (function, print) in ROWS {
        for secret in secrets() {
            for printed in print(&secret) {
                if printed.contains("CANARY") {
                    leaks.entry(function).or_insert_with(|| around(&printed));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn a_path_that_is_no_path_is_described() {
    let json = key();
    let rows = [
        (
            Credentials::from_file(&json).unwrap_err(),
            "path of a credentials file contains JSON; it must be the path of a file",
        ),
        (
            builder()
                .credentials(Credentials::application_default())
                .environment([("GOOGLE_APPLICATION_CREDENTIALS", &*json)])
                .build()
                .unwrap_err(),
            "GOOGLE_APPLICATION_CREDENTIALS contains JSON; it must be the path of a file",
        ),
    ];
    for (error, message) in rows {
        assert_eq!(error.to_string(), message);
    }
    let long = format!("{}CANARY", "a".repeat(255));
    let paths = [
        Credentials::from_file(&long).map(drop),
        HttpAgent::new(&HttpOptions::new().client_certificate(ClientCertificate::from_files(&long, &long)))
            .map(drop)
            .map_err(Error::from),
    ];
    for result in paths {
        let printed = failed(result.err());
        assert!(!printed.is_empty() && !printed.concat().contains("CANARY"), "{printed:?}");
    }
    let error = Credentials::from_file(r"C:\keys\robot.json").unwrap_err();
    assert_eq!(error.to_string(), r"credentials file `C:\keys\robot.json` does not exist");
}

#[test]
fn no_function_is_forgotten() {
    let known: BTreeSet<&str> =
        ROWS.iter().map(|(function, _)| *function).chain(EXEMPT.iter().copied()).collect();
    let mut new: Vec<String> =
        public_functions().into_iter().filter(|name| !known.contains(&**name)).collect();
    if !cfg!(all(feature = "async", feature = "journal")) {
        new.retain(|name| !name.contains("Async") && !name.starts_with("Journal"));
    }
    assert!(new.is_empty(), "add these to ROWS, or to EXEMPT:\n{}", new.join("\n"));
}

/// What stands around a secret.
fn around(printed: &str) -> String {
    let at = printed.find("CANARY").unwrap_or_default();
    String::from_utf8_lossy(&printed.as_bytes()[at.saturating_sub(200)..printed.len().min(at + 60)])
        .into_owned()
}

fn key() -> String {
    serde_json::json!({
        "type": "service_account",
        "private_key_id": "0",
        "private_key": "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n",
        "client_email": "robot@p.iam.gserviceaccount.com"
    })
    .to_string()
}

/// Credentials of all kinds, alone, quoted, and inside of longer values.
fn secrets() -> Vec<String> {
    let key = key();
    let tokens = [
        "ya29.a0CANARY",
        "AIzaSyCANARY",
        "eyJhbGci.eyJpc3Mi.CANARY",
        "1//0gCANARY",
        "GOCSPX-CANARY",
        "AKIACANARY0123456789",
    ];
    let mut secrets = vec![
        format!("\u{feff} {key}"),
        r#"{"type":"authorized_user","refresh_token":"1//CANARY","client_secret":"CANARY"}"#.to_owned(),
        "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n".to_owned(),
    ];
    secrets.push(key);
    secrets.extend(tokens.map(str::to_owned));
    for token in &tokens[..2] {
        secrets.extend([
            format!("Bearer {token}"),
            format!("\"{token}\"\n"),
            format!("https://host.invalid/?key={token}"),
            format!("https://host.invalid/v1/{token}/x"),
        ]);
    }
    secrets
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| serde_json::json!({ "type": text, "client_email": text }))
}

fn bad(value: &str) -> String {
    format!("{value}/")
}

fn debug(value: &impl Debug) -> Printed {
    vec![format!("{value:?}"), format!("{value:#?}")]
}

fn result<T: Debug>(result: Result<T, Error>) -> Printed {
    match result {
        Ok(value) => debug(&value),
        Err(error) => failed(Some(error)),
    }
}

fn failed(error: Option<Error>) -> Printed {
    let Some(error) = error else { return Vec::new() };
    let mut printed =
        vec![error.to_string(), format!("{error:#}"), format!("{error:?}"), format!("{error:#?}")];
    let mut cause = error.source();
    while let Some(error) = cause {
        printed.extend([error.to_string(), format!("{error:?}")]);
        cause = error.source();
    }
    printed
}

fn client() -> (FakeServer, OperationsClient) {
    let server = FakeServer::start();
    let client = server.client();
    (server, client)
}

fn builder() -> OperationsClientBuilder {
    OperationsClient::builder("run.googleapis.com").credentials(Credentials::anonymous())
}

fn account() -> ServiceAccount {
    ServiceAccount::from_json(include_str!("fixtures/keys/service_account.json")).unwrap()
}

fn built(builder: OperationsClientBuilder) -> Printed {
    let printed = debug(&builder);
    [printed, result(builder.build())].concat()
}

/// What a start prints, before and after it is sent.
fn started(start: impl Fn(&OperationsClient) -> longrunning::StartCall) -> Printed {
    let (_server, client) = client();
    let call = start(&client);
    [debug(&call), result(call.send().map(|handle| handle.name().to_owned()))].concat()
}

fn called<R>(call: impl Fn(&OperationsClient) -> longrunning::Call<R>) -> Printed
where
    longrunning::Call<R>: Debug,
{
    let (_server, client) = client();
    debug(&call(&client))
}

/// Credentials as they are used: printed, and asked for a token at a server that refuses.
fn used(credentials: impl Into<Credentials>) -> Printed {
    let credentials = credentials.into();
    let server = FakeServer::start();
    let built = server
        .client_builder()
        .credentials(credentials.clone())
        .attempt_timeout(Duration::from_secs(1))
        .build();
    let called = built.map(|client| (format!("{client:?}"), client.get("operations/x").send()));
    match called {
        Ok((client, answer)) => [debug(&credentials), vec![client], result(answer)].concat(),
        Err(error) => [debug(&credentials), failed(Some(error))].concat(),
    }
}

fn certified(certificate: ClientCertificate) -> Printed {
    let options = HttpOptions::new().client_certificate(certificate.clone());
    [debug(&certificate), debug(&options), failed(HttpAgent::new(&options).err().map(Error::from))].concat()
}

fn pending(pending: Pending) -> Printed {
    let (_server, client) = client();
    [debug(&pending), result(client.poller(&pending).total_timeout(Duration::ZERO).until_done())].concat()
}

fn templates(parse: fn(&str) -> Result<Binding, Error>, value: &str) -> Printed {
    let templates =
        [value.to_owned(), format!("/{value}"), format!("/v1/{{{value}}}"), format!("/v1/{{name={value}}}")];
    templates.iter().flat_map(|template| result(parse(template))).collect()
}

/// The public functions of the library that take text or a path, as `Type::name`.
fn public_functions() -> BTreeSet<String> {
    let mut functions = BTreeSet::new();
    for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let module = file.with_extension("");
        let module = if module.ends_with("mod") { module.parent().unwrap() } else { &module };
        let module = module.file_name().unwrap().to_string_lossy().into_owned();
        let mut owner = module.clone();
        for (at, line) in text
            .match_indices('\n')
            .map(|(at, _)| (at + 1, text[at + 1..].lines().next().unwrap_or_default()))
        {
            if line.starts_with("impl") {
                owner = self_type(line).unwrap_or(owner);
            } else if line == "}" {
                owner = module.clone();
            } else if let Some(name) = line.trim_start().strip_prefix("pub fn ") {
                let signature = text[at..].split(['{', ';']).next().unwrap_or_default();
                let arguments = signature.split("->").next().unwrap_or_default();
                let arguments = arguments.split_once('(').map_or(arguments, |(_, arguments)| arguments);
                if ["str", "String", "Path", "Into<Target>", "Vec<u8>", "Value"]
                    .iter()
                    .any(|kind| arguments.contains(kind))
                {
                    let name = name.split(['(', '<']).next().unwrap_or_default();
                    functions.insert(format!("{owner}::{name}"));
                }
            }
        }
    }
    functions
}

/// The type of `impl<T> Trait for Type<T> {`.
fn self_type(line: &str) -> Option<String> {
    let after = line.split(" for ").last()?.trim_start_matches("impl");
    let after = match after.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => after.trim_start(),
    };
    let name = after.split(|c: char| !c.is_alphanumeric()).next()?;
    Some(name.to_owned())
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["bin", "testing", "tests", "proto"].contains(&&*name) {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") && !["lib.rs", "printing.rs", "tests.rs"].contains(&&*name) {
            files.push(path);
        }
    }
    files
}
