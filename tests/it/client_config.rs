//! Retries and time limits from a configuration, and transports that clients share.

use std::sync::{Arc, Mutex};

use longrunning::proto::google::longrunning as proto;
use longrunning::testing::{FakeServer, Reply};
use longrunning::transport::{Attempt, Transport};
use longrunning::{
    Backoff, ClientConfig, Code, Credentials, Error, ErrorKind, Operation, OperationPage, OperationsClient,
    OperationsClientBuilder, RetryPolicy, Status,
};

use crate::kit::{Method, NAME, secs, server, slept};
use crate::listener::{heard, listen};

/// Get and list are retried differently, cancel is not configured.
const CONFIG: &str = r#"{"methodConfig": [
    {"name": [{"service": "google.longrunning.Operations", "method": "GetOperation"}], "timeout": "30s",
     "retryPolicy": {"maxAttempts": 3, "initialBackoff": "2s", "maxBackoff": "20s", "backoffMultiplier": 3,
                     "retryableStatusCodes": ["ABORTED"]}},
    {"name": [{"service": "google.longrunning.Operations", "method": "ListOperations"}], "timeout": "5s",
     "retryPolicy": {"maxAttempts": 2, "initialBackoff": "1s", "maxBackoff": "1s", "backoffMultiplier": 1,
                     "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"]}}]}"#;

fn config() -> ClientConfig {
    ClientConfig::from_json(CONFIG).unwrap()
}

/// How many requests were made, and the sleeps between them, of a call that is answered by `code` each time.
fn run(
    method: Method,
    code: Code,
    with: impl FnOnce(OperationsClientBuilder) -> OperationsClientBuilder,
) -> (u64, Vec<f64>) {
    let server = server();
    server.reply(Reply::from(Status::new(code, "no")).times(50));
    let client = with(server.client_builder()).build().unwrap();
    let error = method.run(&client).unwrap_err();
    assert_eq!(error.code(), Some(code));
    (server.request_count(), slept(&server))
}

#[test]
fn every_method_has_its_own() {
    let rows = [
        (Method::Get, Code::Aborted, 3, vec![1.5, 4.5]),
        (Method::Get, Code::Unavailable, 1, vec![]),
        (Method::List, Code::Aborted, 2, vec![0.75]),
        (Method::List, Code::Unavailable, 2, vec![0.75]),
        (Method::Cancel, Code::Unavailable, 5, vec![0.375, 0.75, 1.5, 3.0]),
        (Method::Cancel, Code::Aborted, 1, vec![]),
    ];
    for (method, code, requests, sleeps) in rows {
        let ran = run(method, code, |builder| builder.client_config(config()));
        assert_eq!(ran, (requests, sleeps), "{method:?} {code}");
    }
}

#[test]
fn the_builder_wins_over_the_configuration_and_the_call_over_both() {
    let twice = || RetryPolicy::default().max_attempts(2).backoff(Backoff::exponential(secs(8.0), secs(8.0)));
    let after = run(Method::Get, Code::Unavailable, |builder| builder.client_config(config()).retry(twice()));
    let before =
        run(Method::Get, Code::Unavailable, |builder| builder.retry(twice()).client_config(config()));
    assert_eq!((after, before), ((2, vec![6.0]), (2, vec![6.0])));

    let server = server();
    server.reply(Reply::from(Status::new(Code::Aborted, "no")).times(9));
    let client = server.client_builder().client_config(config()).retry(twice()).build().unwrap();
    let call = client.get(NAME).retry(RetryPolicy::default().codes([Code::Aborted]));
    call.send().unwrap_err();
    assert_eq!((server.request_count(), slept(&server)), (5, vec![0.375, 0.75, 1.5, 3.0]));
}

/// Keeps the time limit of each attempt and fails it.
#[derive(Clone, Debug, Default)]
struct Limits(Arc<Mutex<Vec<f64>>>);

impl Limits {
    fn fail<T>(&self, attempt: &Attempt<'_>) -> Result<T, Error> {
        // What is left of a total time limit is a little less than all of it.
        self.0.lock().unwrap().push(attempt.timeout().as_secs_f64().round());
        Err(Status::new(Code::DataLoss, "").into())
    }

    fn take(&self) -> Vec<f64> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Transport for Limits {
    fn get_operation(
        &self,
        _: &proto::GetOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        self.fail(attempt)
    }

    fn list_operations(
        &self,
        _: &proto::ListOperationsRequest,
        attempt: &Attempt<'_>,
    ) -> Result<OperationPage, Error> {
        self.fail(attempt)
    }

    fn cancel_operation(
        &self,
        _: &proto::CancelOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<(), Error> {
        self.fail(attempt)
    }

    fn delete_operation(
        &self,
        _: &proto::DeleteOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<(), Error> {
        self.fail(attempt)
    }

    fn wait_operation(
        &self,
        _: &proto::WaitOperationRequest,
        attempt: &Attempt<'_>,
    ) -> Result<Operation, Error> {
        self.fail(attempt)
    }
}

/// On any transport, down to the time that an attempt gets.
#[test]
fn time_limits_reach_the_attempts() {
    let limits = Limits::default();
    let builder = || OperationsClient::over(limits.clone()).client_config(config());
    let ask = |client: OperationsClient| {
        client.get(NAME).send().unwrap_err();
        client.list("operations").send().unwrap_err();
        client.delete(NAME).send().unwrap_err();
        client.wait(NAME).timeout(secs(7.0)).send().unwrap_err();
        limits.take()
    };
    assert_eq!(ask(builder().build().unwrap()), [30.0, 5.0, 10.0, 17.0]);
    let explicit = builder().attempt_timeout(secs(3.0)).build().unwrap();
    assert_eq!(ask(explicit), [3.0, 3.0, 3.0, 10.0]);
    let client = builder().build().unwrap();
    client.get(NAME).attempt_timeout(secs(1.0)).send().unwrap_err();
    assert_eq!(limits.take(), [1.0]);
    let python =
        OperationsClient::over(limits.clone()).client_config(ClientConfig::python_grpc()).build().unwrap();
    assert_eq!(ask(python), [20.0, 20.0, 20.0, 17.0]);
}

#[test]
fn clients_share_a_transport() {
    let server = FakeServer::start();
    server.insert(Operation::running(NAME));
    let first = server.client();
    let second =
        OperationsClient::over(Arc::clone(first.transport())).header("x-second", "yes").build().unwrap();
    assert!(!second.get(NAME).send().unwrap().is_done());
    first.get(NAME).send().unwrap();
    let seen: Vec<_> =
        server.requests().iter().map(|request| request.header("x-second").map(str::to_owned)).collect();
    assert_eq!(seen, [Some("yes".to_owned()), None]);
    let (one, attempt) = (first.transport(), Attempt::new(secs(5.0)));
    let name = || NAME.to_owned();
    assert_eq!(
        one.get_operation(&proto::GetOperationRequest::default().name(name()), &attempt).unwrap().name(),
        NAME
    );
    let list = proto::ListOperationsRequest::default().name("operations");
    assert_eq!(one.list_operations(&list, &attempt).unwrap().operations.len(), 1);
    one.cancel_operation(&proto::CancelOperationRequest::default().name(name()), &attempt).unwrap();
    one.delete_operation(&proto::DeleteOperationRequest::default().name(name()), &attempt).unwrap();
    assert_eq!(server.operation(NAME), None);
}

/// Keys are added over time, so that they are no errors, and they may be misspelt, so that they are told.
#[test]
fn keys_without_effect_are_told() {
    listen();
    log::info!("a line, so that some are heard");
    let gapic = |method: &str| {
        format!(
            r#"{{"interfaces": {{"google.longrunning.Operations": {{"newer": 1,
                "retry_codes": {{"some": ["UNAVAILABLE"]}}, "retry_params": {{"default": {{"newer": 1,
                    "initial_retry_delay_millis": 1, "retry_delay_multiplier": 1, "max_retry_delay_millis": 1,
                    "initial_rpc_timeout_millis": 1, "rpc_timeout_multiplier": 1, "max_rpc_timeout_millis": 1,
                    "total_timeout_millis": 1}}}},
                "methods": {{"GetOperation": {{{method}}}}}}}}}, "newer": 1}}"#
        )
    };
    let names = r#""retry_codes_name": "some", "retry_params_name": "default""#;
    let entry = |service: &str, member: &str| {
        format!(
            r#"{{"methodConfig": [{{"name": [{{}}]}}, {{"name": [{{"service": "{service}"}}], {member}: 1}}], "newer": 1}}"#
        )
    };
    let ours = "google.longrunning.Operations";
    let get = "interfaces.\"google.longrunning.Operations\".methods.GetOperation";
    let rows = [
        (gapic(&format!("{names}, \"timout_millis\": 5")), Some(format!("{get}.timout_millis"))),
        (gapic("\"timeout_millis\": 5, \"retry_parms_name\": 1"), Some(format!("{get}.retry_parms_name"))),
        (gapic(&format!("{names}, \"timeout_millis\": 5, \"bundling\": {{}}")), None),
        (entry(ours, "\"timout\""), Some("methodConfig[1].timout".to_owned())),
        (entry(ours, "\"a\\nb\""), Some("methodConfig[1].\"a\\nb\"".to_owned())),
        (entry(ours, "\"waitForReady\""), None),
        (entry("google.cloud.X", "\"timout\""), None),
    ];
    for (json, path) in rows {
        let mine = || heard(|line| line.target.starts_with("longrunning::client_config"));
        let before = mine().len();
        ClientConfig::from_json(&json).unwrap();
        let told: Vec<String> = mine().into_iter().skip(before).map(|line| line.text).collect();
        match path {
            Some(path) => {
                let [line] = &told[..] else { panic!("{path}: {told:?}") };
                assert!(
                    line.starts_with(&format!("client config: `{path}` has no effect: known are `")),
                    "{line}"
                );
            }
            None => assert!(told.is_empty(), "{told:?}"),
        }
    }
}

/// As Python refuses it: a transport has credentials of its own.
#[test]
fn a_transport_and_credentials_exclude_each_other() {
    let transport = || OperationsClient::over(Limits::default());
    let rows = [
        ("credentials", transport().credentials(Credentials::anonymous())),
        ("scopes", transport().scopes(["s"])),
        ("api_endpoint", transport().api_endpoint("https://x.example")),
        ("data_format", transport().data_format(longrunning::transport::DataFormat::Proto)),
    ];
    for (option, builder) in rows {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.to_string(), format!("option `{option}` has no effect on a transport of your own"));
    }
}
