use super::*;

/// What `google.api_core.operations_v1.operations_client_config` holds.
const PYTHON: &str = r#"{"interfaces": {"google.longrunning.Operations": {
    "retry_codes": {"idempotent": ["DEADLINE_EXCEEDED", "UNAVAILABLE"], "non_idempotent": []},
    "retry_params": {"default": {
        "initial_retry_delay_millis": 100, "retry_delay_multiplier": 1.3, "max_retry_delay_millis": 60000,
        "initial_rpc_timeout_millis": 20000, "rpc_timeout_multiplier": 1.0, "max_rpc_timeout_millis": 600000,
        "total_timeout_millis": 600000}},
    "methods": {
        "GetOperation": {"timeout_millis": 60000, "retry_codes_name": "idempotent", "retry_params_name": "default"},
        "ListOperations": {"timeout_millis": 60000, "retry_codes_name": "idempotent", "retry_params_name": "default"},
        "CancelOperation": {"timeout_millis": 60000, "retry_codes_name": "idempotent", "retry_params_name": "default"},
        "DeleteOperation": {"timeout_millis": 60000, "retry_codes_name": "idempotent", "retry_params_name": "default"}
    }}}}"#;

/// The entry of Google's longrunning_grpc_service_config.json.
const GOOGLE: &str = r#"{"methodConfig": [{
    "name": [
        {"service": "google.longrunning.Operations", "method": "ListOperations"},
        {"service": "google.longrunning.Operations", "method": "GetOperation"},
        {"service": "google.longrunning.Operations", "method": "DeleteOperation"},
        {"service": "google.longrunning.Operations", "method": "CancelOperation"}],
    "timeout": "10s",
    "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.500s", "maxBackoff": "10s", "backoffMultiplier": 2.0,
                    "retryableStatusCodes": ["UNAVAILABLE"]}}]}"#;

fn read(text: &str) -> ClientConfig {
    ClientConfig::from_json(text).unwrap()
}

fn shown(config: &ClientConfig, rpc: Rpc) -> String {
    let method = config.methods.get(rpc);
    let retry = method.retry.as_ref().map(|retry| format!("{retry:?}")).unwrap_or_default();
    let retry =
        retry.replace("RetryPolicy ", "").replace(", observer: false", "").replace(", budget: None", "");
    format!("{:?} {:?} {retry}", method.attempt_timeout, method.total_timeout)
}

#[test]
fn pythons_defaults_are_what_python_has() {
    assert_eq!(format!("{:?}", read(PYTHON)), format!("{:?}", ClientConfig::python_grpc()));
    assert_eq!(
        shown(&ClientConfig::python_grpc(), Rpc::Get),
        "Some(20s) Some(600s) { max_attempts: 4294967295, codes: [DeadlineExceeded, Unavailable], \
         backoff: exponential(100ms, 60s).factor(1.3).full_jitter() }"
    );
    assert_eq!(shown(&ClientConfig::python_grpc(), Rpc::Wait), "None None ");
}

#[test]
fn googles_own_retries_are_the_defaults_here() {
    let config = read(GOOGLE);
    for rpc in [Rpc::Get, Rpc::List, Rpc::Cancel, Rpc::Delete] {
        let method = config.methods.get(rpc);
        assert_eq!(format!("{:?}", method.retry), format!("{:?}", Some(RetryPolicy::default())), "{rpc:?}");
        assert_eq!(method.total_timeout, Some(Duration::from_secs(10)));
    }
    assert_eq!(shown(&config, Rpc::Wait), "None None ");
}

#[test]
fn the_closest_entry_counts() {
    let config = read(
        r#"{"methodConfig": [
            {"name": [{}], "timeout": "1s"},
            {"name": [{"service": "google.longrunning.Operations"}], "timeout": "2.5s"},
            {"name": [{"service": "google.longrunning.Operations", "method": "WaitOperation"},
                      {"service": "google.other", "method": "Anything"}], "waitForReady": true}],
            "retryThrottling": {"maxTokens": -1}}"#,
    );
    assert_eq!(shown(&config, Rpc::Get), "Some(2.5s) Some(2.5s) ");
    assert_eq!(shown(&config, Rpc::Wait), "None None ", "an entry that says nothing is one too");
    let all =
        read(r#"{"methodConfig": [{"name": [{"service": null}], "timeout": "1s"}], "interfaces": null}"#);
    assert_eq!(shown(&all, Rpc::Delete), "Some(1s) Some(1s) ");
}

#[test]
fn values_in_every_spelling() {
    let policy = |with: &str| {
        let retry = format!(r#""retryPolicy": {{"initialBackoff": "1s", "maxBackoff": "2s", {with}}}"#);
        let config = format!(r#"{{"methodConfig": [{{"name": [{{}}], {retry}}}]}}"#);
        shown(&read(&config), Rpc::Get)
    };
    let more = policy(r#""maxAttempts": 9, "backoffMultiplier": 1, "retryableStatusCodes": ["aborted", 14]"#);
    let expected =
        "{ max_attempts: 5, codes: [Aborted, Unavailable], backoff: exponential(1s, 2s).factor(1) }";
    assert_eq!(more, format!("None None {expected}"));
    let grown = PYTHON.replace("multiplier\": 1.0", "multiplier\": 1.5");
    assert!(shown(&read(&grown), Rpc::Get).starts_with("Some(600s) Some(600s) "));
    let without_codes = PYTHON.replace("\"idempotent\", \"retry", "\"non_idempotent\", \"retry");
    assert!(shown(&read(&without_codes), Rpc::Get).contains("max_attempts: 1, "));
    let names = ", \"retry_codes_name\": \"idempotent\", \"retry_params_name\": \"default\"";
    let without_retry = PYTHON.replace(names, "");
    assert!(shown(&read(&without_retry), Rpc::Get).starts_with("Some(60s) Some(60s) { max_attempts: 1, "));
    let few = r#"{"interfaces": {"google.longrunning.Operations": {"methods": {"GetOperation": {"timeout_millis": 0.5}}}}}"#;
    assert!(shown(&read(few), Rpc::Get).starts_with("Some(500µs) Some(500µs) "));
    assert_eq!(shown(&read(few), Rpc::List), "None None ");
}

#[test]
fn errors_name_the_key() {
    let params =
        |key: &str| format!("interfaces.\"google.longrunning.Operations\".retry_params.default.{key}");
    let get = |key: &str| format!("interfaces.\"google.longrunning.Operations\".methods.GetOperation{key}");
    let first_method = |key: &str| get(key).replace("GetOperation", "CancelOperation");
    let interface = |key: &str| format!("interfaces.\"google.longrunning.Operations\".{key}");
    let first = |key: &str| format!("methodConfig[0]{key}");
    let millis = "expected a number of milliseconds greater than 0, and less than 2^64 seconds, found";
    let code = "expected a code of google.rpc.Code that stands for an error, found";
    let duration = "expected a duration greater than 0, such as `1.5s`, found";
    let methods = "google.longrunning.Operations has no such method, only GetOperation, ListOperations, \
                   CancelOperation, DeleteOperation, WaitOperation";
    let rows: Vec<(&str, &str, &str, String, String)> = vec![
        (
            PYTHON,
            "millis\": 100",
            "millis\": -100",
            params("initial_retry_delay_millis"),
            "expected a number of at least 0, found -100".into(),
        ),
        (
            PYTHON,
            "millis\": 100",
            "millis\": \"100\"",
            params("initial_retry_delay_millis"),
            "expected a number of at least 0, found `100`".into(),
        ),
        (
            PYTHON,
            "millis\": 100",
            "millis\": null",
            params("initial_retry_delay_millis"),
            "is missing".into(),
        ),
        (
            PYTHON,
            "\"initial_retry",
            "\"initial-retry",
            params("initial_retry_delay_millis"),
            "is missing".into(),
        ),
        (
            PYTHON,
            "\": 1.3",
            "\": 0.5",
            params("retry_delay_multiplier"),
            "expected a number of at least 1, found 0.5".into(),
        ),
        (
            PYTHON,
            "total_timeout_millis\": 600000",
            "total_timeout_millis\": 0",
            params("total_timeout_millis"),
            format!("{millis} 0"),
        ),
        (
            PYTHON,
            "millis\": 20000",
            "millis\": 1e300",
            params("initial_rpc_timeout_millis"),
            format!("{millis} 1e+300"),
        ),
        (
            PYTHON,
            "\"UNAVAILABLE\"",
            "\"UNAVAILABEL\"",
            interface("retry_codes.idempotent[1]"),
            format!("{code} `UNAVAILABEL`"),
        ),
        (PYTHON, "\"UNAVAILABLE\"", "0", interface("retry_codes.idempotent[1]"), format!("{code} 0")),
        (PYTHON, "\"UNAVAILABLE\"", "99", interface("retry_codes.idempotent[1]"), format!("{code} 99")),
        (
            PYTHON,
            "[]",
            "{}",
            interface("retry_codes.non_idempotent"),
            "expected an array, found an object".into(),
        ),
        (
            PYTHON,
            "name\": \"idempotent\"",
            "name\": \"safe\"",
            get(".retry_codes_name"),
            "`safe` is not defined in `retry_codes`".into(),
        ),
        (
            PYTHON,
            "name\": \"default\"",
            "name\": \"other\"",
            get(".retry_params_name"),
            "`other` is not defined in `retry_params`".into(),
        ),
        (
            PYTHON,
            "name\": \"default\"",
            "name\": \"ya29.a0\\u001b[2J\"",
            get(".retry_params_name"),
            "`[redacted: an access token]` is not defined in `retry_params`".into(),
        ),
        (
            PYTHON,
            "\"retry_codes_name\": \"idempotent\", ",
            "",
            get(".retry_codes_name"),
            "is missing: `retry_params_name` needs it".into(),
        ),
        (
            PYTHON,
            "retry_codes_name",
            "retry_code_name",
            get(".retry_codes_name"),
            "is missing: `retry_params_name` needs it".into(),
        ),
        (
            PYTHON,
            "retry_params_name",
            "retry_parms_name",
            get(".retry_params_name"),
            "is missing: `retry_codes_name` needs it".into(),
        ),
        (
            PYTHON,
            "\"timeout_millis\": 60000, \"retry_codes_name\": \"idempotent\", \"retry_params_name\": \"default\"",
            "\"timout_millis\": 60000",
            get(".timeout_millis"),
            "is missing".into(),
        ),
        (
            PYTHON,
            "\"retry_params\"",
            "\"retry_parms\"",
            first_method(".retry_params_name"),
            "`default` is not defined in `retry_params`".into(),
        ),
        (
            PYTHON,
            "\"retry_codes\"",
            "\"retry_code\"",
            first_method(".retry_codes_name"),
            "`idempotent` is not defined in `retry_codes`".into(),
        ),
        (
            PYTHON,
            "timeout_millis\": 60000,",
            "timeout_millis\": [],",
            get(".timeout_millis"),
            "expected a number of at least 0, found an array".into(),
        ),
        (PYTHON, "\"GetOperation\"", "\"GetOperations\"", get("s"), methods.into()),
        (
            PYTHON,
            "\"google.longrunning.Operations\"",
            "\"google.cloud.X\"",
            interface("").trim_end_matches('.').into(),
            "is missing".into(),
        ),
        (PYTHON, "\"methods\"", "\"Methods\"", interface("methods"), "is missing".into()),
        (GOOGLE, "\"GetOperation\"", "\"Get\\nOperation\"", first(".name[1].method"), methods.into()),
        (
            GOOGLE,
            "\"service\": \"google.longrunning.Operations\", \"method\": \"G",
            "\"method\": \"G",
            first(".name[1]"),
            "a `method` needs its `service`".into(),
        ),
        (
            GOOGLE,
            "\"GetOperation\"",
            "\"ListOperations\"",
            first(".name[1]"),
            "an earlier entry has the same name".into(),
        ),
        (GOOGLE, "\"10s\",", "\"10\",", first(".timeout"), format!("{duration} `10`")),
        (GOOGLE, "\"10s\",", "\"-10s\",", first(".timeout"), format!("{duration} `-10s`")),
        (GOOGLE, "\"10s\",", "10,", first(".timeout"), format!("{duration} 10")),
        (
            GOOGLE,
            "\"maxAttempts\": 5",
            "\"maxAttempts\": 1",
            first(".retryPolicy.maxAttempts"),
            "expected a number of at least 2, found 1".into(),
        ),
        (
            GOOGLE,
            "\"maxAttempts\": 5",
            "\"maxAttempts\": 2.5",
            first(".retryPolicy.maxAttempts"),
            "expected an integer".into(),
        ),
        (GOOGLE, "\"0.500s\"", "\"0s\"", first(".retryPolicy.initialBackoff"), format!("{duration} `0s`")),
        (GOOGLE, "\"maxBackoff\"", "\"max\"", first(".retryPolicy.maxBackoff"), "is missing".into()),
        (
            GOOGLE,
            ": 2.0",
            ": true",
            first(".retryPolicy.backoffMultiplier"),
            "expected a number of at least 1, found true".into(),
        ),
        (
            GOOGLE,
            "[\"UNAVAILABLE\"]",
            "[]",
            first(".retryPolicy.retryableStatusCodes"),
            "expected at least one code".into(),
        ),
        (
            GOOGLE,
            "[\"UNAVAILABLE\"]",
            "[\"OK\"]",
            first(".retryPolicy.retryableStatusCodes[0]"),
            format!("{code} `OK`"),
        ),
        (GOOGLE, "\"name\"", "\"names\"", first(".name"), "is missing".into()),
    ];
    for (config, from, to, path, why) in rows {
        assert!(config.contains(from), "{from}");
        let error = ClientConfig::from_json(&config.replacen(from, to, 1)).expect_err(&why);
        assert_eq!(error.kind(), crate::ErrorKind::Config, "{why}");
        assert_eq!(error.to_string(), format!("client config: `{path}`: {why}"));
    }
    let whole = [
        ("[]", "client config: expected an object, found an array"),
        ("{}", "client config: expected either `interfaces` or `methodConfig`"),
        (
            r#"{"interfaces": {}, "methodConfig": []}"#,
            "client config: expected either `interfaces` or `methodConfig`",
        ),
        (
            r#"{"methodConfig": []}"#,
            "client config: `methodConfig`: no entry is for google.longrunning.Operations",
        ),
        (r#"{"methodConfig": {}}"#, "client config: `methodConfig`: expected an array, found an object"),
        ("{", "client config is not valid JSON"),
    ];
    for (text, message) in whole {
        assert_eq!(ClientConfig::from_json(text).unwrap_err().to_string(), message);
    }
}
