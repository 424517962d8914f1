//! Services whose operations are not google.longrunning ones: every service, every method, over real sockets.

use longrunning::testing::{FakeOperation, FakeServer, Reply};
use longrunning::{
    Code, ErrorKind, LongPoll, OnTimeout, Operation, OperationForm, OperationsClient, Outcome, Progress,
    Status,
};

use crate::kit::{lines, secs, slept, told};

/// A service: its form, its version, the name of an operation, and what is sent for cancel, delete and wait, if it has them.
struct Service {
    form: OperationForm,
    version: &'static str,
    name: &'static str,
    /// In front of the name, and the path of the name.
    path: &'static str,
    /// What is requested in place of the name, if it is another path.
    url: &'static str,
    list: &'static str,
    cancel: Option<&'static str>,
    delete: bool,
    wait: bool,
}

const SERVICES: [Service; 12] = [
    Service {
        form: OperationForm::ComputeEngine,
        version: "compute/v1",
        name: "projects/p/zones/z/operations/o",
        path: "/compute/v1/",
        url: "",
        list: "/compute/v1/projects/p/zones/z/operations",
        cancel: None,
        delete: true,
        wait: true,
    },
    Service {
        form: OperationForm::ComputeEngine,
        version: "compute/beta",
        name: "projects/p/global/operations/o",
        path: "/compute/beta/",
        url: "",
        list: "/compute/beta/projects/p/global/operations",
        cancel: None,
        delete: true,
        wait: true,
    },
    Service {
        form: OperationForm::CloudSql,
        version: "sql/v1",
        name: "projects/p/operations/o",
        path: "/v1/",
        url: "",
        list: "/v1/projects/p/operations",
        cancel: Some("/cancel"),
        delete: false,
        wait: false,
    },
    Service {
        form: OperationForm::CloudSql,
        version: "sql/v1beta4",
        name: "projects/p/operations/o",
        path: "/sql/v1beta4/",
        url: "",
        list: "/sql/v1beta4/projects/p/operations",
        cancel: Some("/cancel"),
        delete: false,
        wait: false,
    },
    Service {
        form: OperationForm::KubernetesEngine,
        version: "container/v1",
        name: "projects/p/locations/l/operations/o",
        path: "/v1/",
        url: "",
        list: "/v1/projects/p/locations/l/operations",
        cancel: Some(":cancel {}"),
        delete: false,
        wait: false,
    },
    Service {
        form: OperationForm::CloudDns,
        version: "dns/v1",
        name: "projects/p/managedZones/z/operations/o",
        path: "/dns/v1/",
        url: "",
        list: "/dns/v1/projects/p/managedZones/z/operations",
        cancel: None,
        delete: false,
        wait: false,
    },
    Service {
        form: OperationForm::DeploymentManager,
        version: "deploymentmanager/v2",
        name: "projects/p/global/operations/o",
        path: "/deploymentmanager/v2/",
        url: "",
        list: "/deploymentmanager/v2/projects/p/global/operations",
        cancel: None,
        delete: false,
        wait: false,
    },
    Service {
        form: OperationForm::ComputeEngine,
        version: "compute/v1",
        name: "organizations/7/locations/global/operations/o",
        path: "/compute/v1/",
        url: "/compute/v1/locations/global/operations/o?parentId=organizations%2F7",
        list: "/compute/v1/locations/global/operations?parentId=organizations%2F7",
        cancel: None,
        delete: true,
        wait: false,
    },
    Service {
        form: OperationForm::ComputeEngine,
        version: "compute/v1",
        name: "projects/p/regions/r/operations/o",
        path: "/compute/v1/",
        url: "",
        list: "/compute/v1/projects/p/regions/r/operations",
        cancel: None,
        delete: true,
        wait: true,
    },
    Service {
        form: OperationForm::KubernetesEngine,
        version: "container/v1beta1",
        name: "projects/p/zones/z/operations/o",
        path: "/v1beta1/",
        url: "",
        list: "/v1beta1/projects/p/zones/z/operations",
        cancel: Some(":cancel {}"),
        delete: false,
        wait: false,
    },
    // Cloud DNS has operations of both kinds.
    Service {
        form: OperationForm::Longrunning,
        version: "dns/v1",
        name: "projects/p/locations/l/operations/o",
        path: "/dns/v1/",
        url: "",
        list: "/dns/v1/projects/p/locations/l/operations",
        cancel: Some(":cancel {}"),
        delete: true,
        wait: false,
    },
    Service {
        form: OperationForm::CloudStorage,
        version: "storage/v1",
        name: "b/B/operations/o",
        path: "/storage/v1/",
        url: "",
        list: "/storage/v1/b/B/operations",
        cancel: Some("/cancel"),
        delete: false,
        wait: false,
    },
];

impl Service {
    fn operation(&self) -> FakeOperation {
        FakeOperation::new(self.name).form(self.form)
    }

    /// The URL of the operation, without its host.
    fn url(&self) -> String {
        if self.url.is_empty() { format!("{}{}", self.path, self.name) } else { self.url.to_owned() }
    }

    fn parent(&self) -> &str {
        self.name.rsplit_once("/operations/").unwrap().0
    }

    fn client(&self, server: &FakeServer) -> OperationsClient {
        server.client_builder().api_version(self.version).build().unwrap()
    }
}

#[test]
fn running_done_and_failed() {
    for service in SERVICES {
        let row = service.version;
        let server = FakeServer::start();
        let client = service.client(&server);
        server.insert(service.operation());
        let running = client.get(service.name).send().unwrap();
        assert_eq!((running.form(), running.name()), (service.form, service.name), "{row}");
        assert!(matches!(running.outcome(), Outcome::Running), "{row}");
        assert_eq!(lines(&server), [format!("GET {}", service.url())], "{row}");

        server.insert(service.operation().done_at_poll(3));
        let done = client.poller(service.name).until_done().unwrap();
        assert!(matches!(done.outcome(), Outcome::Succeeded(_)), "{row}");
        let has_response = matches!(done.outcome(), Outcome::Succeeded(Some(_)));
        assert_eq!(has_response, !service.form.is_extended(), "{row}");
        assert_eq!(done.name(), service.name, "{row}");
        assert_eq!(Progress::of(&done).percent(), Some(100.0), "{row}");
        done.into_response::<()>().unwrap();

        let status = Status::new(Code::PermissionDenied, "not allowed");
        server.insert(service.operation().done_at_poll(0).fails(status));
        let failed = client.poller(service.name).until_done().unwrap();
        if service.form == OperationForm::CloudDns {
            assert!(failed.error().is_none(), "what Cloud DNS has accepted cannot fail");
            continue;
        }
        let error = failed.into_response::<()>().unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Operation, Some(Code::PermissionDenied)),
            "{row}"
        );
        assert!(error.to_string().ends_with("PERMISSION_DENIED: not allowed"), "{row}: {error}");
    }
}

#[test]
fn listings() {
    for service in SERVICES {
        let row = service.version;
        let server = FakeServer::start();
        let client = service.client(&server);
        for number in 0..3 {
            let name = format!("{}-{number}", service.name);
            server.insert(FakeOperation::new(name).form(service.form));
        }
        let found: Vec<Operation> =
            client.list(service.parent()).operations().collect::<Result<_, _>>().unwrap();
        let names: Vec<_> = found.iter().map(Operation::name).collect();
        let expected = [0, 1, 2].map(|number| format!("{}-{number}", service.name));
        assert_eq!(names, expected, "{row}");
        assert!(found.iter().all(|operation| operation.form() == service.form), "{row}");
        assert_eq!(lines(&server), [format!("GET {}", service.list)], "{row}");

        let empty = client.list("projects/empty/global").send();
        assert!(empty.is_ok_and(|page| page.operations.is_empty()), "{row}");
    }
}

#[test]
fn cancel_delete_and_wait() {
    for service in SERVICES {
        let row = service.version;
        let server = FakeServer::start();
        let client = service.client(&server);
        server.insert(service.operation());
        let url = service.url();

        let cancelled = client.cancel(service.name).send();
        match service.cancel {
            Some(verb) => {
                cancelled.unwrap();
                assert_eq!(lines(&server), [format!("POST {url}{verb}")], "{row}");
                let error = client.get(service.name).send().unwrap().error().cloned().unwrap();
                assert_eq!(error.code(), Code::Cancelled, "{row}");
            }
            None => refused(&server, cancelled, row),
        }

        server.insert(service.operation().done_after(secs(100.0)));
        server.take_requests();
        let waited = client.wait(service.name).timeout(secs(30.0)).send();
        if service.wait {
            assert!(waited.unwrap().is_done(), "{row}");
            assert_eq!(lines(&server), [format!("POST {url}/wait")], "{row}");
            assert_eq!(server.elapsed(), secs(100.0), "{row}: held for as long as the service likes");
            server.take_requests();
        } else {
            refused(&server, waited, row);
        }

        let deleted = client.delete(service.name).send();
        if service.delete {
            deleted.unwrap();
            assert_eq!(lines(&server), [format!("DELETE {url}")], "{row}");
            assert!(server.operation(service.name).is_none(), "{row}");
        } else {
            refused(&server, deleted, row);
        }
    }
}

/// There is no such method, so nothing is sent.
fn refused<T: std::fmt::Debug>(server: &FakeServer, result: Result<T, longrunning::Error>, row: &str) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Binding, Some(Code::Unimplemented)), "{row}");
    assert!(error.to_string().contains("no request was sent"), "{row}: {error}");
    assert_eq!(lines(server), [""; 0], "{row}");
}

/// As services send them; the names in the responses are bare, or of another spelling.
#[test]
fn recorded_shapes_are_read_over_sockets() {
    let rows = [
        (
            "compute/v1",
            "projects/p/regions/us-central1/operations/operation-2",
            r#"{"kind":"compute#operation","id":"7127550864823803663","name":"operation-2","region":"https://www.googleapis.com/compute/v1/projects/p/regions/us-central1","operationType":"insert","status":"DONE","progress":100,"insertTime":"2026-01-01T02:00:00.123-08:00","error":{"errors":[{"code":"QUOTA_EXCEEDED","message":"Quota 'CPUS' exceeded."}]},"httpErrorStatusCode":403,"httpErrorMessage":"FORBIDDEN"}"#,
            "failed: RESOURCE_EXHAUSTED: Quota 'CPUS' exceeded.",
        ),
        (
            "container/v1",
            "projects/p/locations/us-central1-a/operations/operation-17",
            r#"{"name":"operation-17","zone":"us-central1-a","operationType":"UPGRADE_NODES","status":"ABORTING","selfLink":"https://container.googleapis.com/v1/projects/1234567890/zones/us-central1-a/operations/operation-17"}"#,
            "running",
        ),
        (
            "dns/v1",
            "projects/p/managedZones/z/operations/7f3a",
            r#"{"kind":"dns#operation","id":"7f3a","startTime":"2026-01-01T10:00:00.000Z","status":"done","type":"update"}"#,
            "succeeded",
        ),
        (
            "storage/v1",
            "b/B/operations/o",
            r#"{"kind":"storage#operation","name":"projects/_/buckets/B/operations/o","done":true,"response":{"@type":"type.googleapis.com/google.storage.control.v2.AnywhereCache"},"selfLink":"https://www.googleapis.com/storage/v1/b/B/operations/o"}"#,
            "succeeded",
        ),
    ];
    for (version, name, body, outcome) in rows {
        let server = FakeServer::start();
        let client = server.client_builder().api_version(version).build().unwrap();
        server.reply(Reply::json(200, body));
        let operation = client.get(name).send().unwrap();
        assert_eq!((operation.outcome().to_string().as_str(), operation.name()), (outcome, name));
        assert_eq!(operation.to_json(), body);
    }
}

#[test]
fn what_is_neither_form_is_no_running_operation() {
    let objects = [
        r#"{"name":"c1","status":"RUNNING","selfLink":"https://x/y","nodePools":[]}"#,
        r#"{"kind":"sql#instance","name":"db1","state":"RUNNABLE"}"#,
        r#"{"kind":"bigquery#job","id":"p:US.j","status":{"state":"DONE"}}"#,
        r#"{"id":"j","name":"wordcount","currentState":"JOB_STATE_RUNNING"}"#,
    ];
    for body in objects {
        let server = FakeServer::start();
        server.reply(Reply::json(200, body));
        let error = server.client().poller("projects/p/operations/o").until_done().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Decode, 1), "{body}: {error}");
    }
    for body in [r#"{"jobs":[{"id":"j"}],"nextPageToken":"t"}"#, r#"{"items":[{"name":"n"}]}"#] {
        let server = FakeServer::start();
        server.reply(Reply::json(200, body));
        let error = server.client().list("projects/p").operations().next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
    }
}

/// The form says which service it is where the host and the path do not, as with emulators.
#[test]
fn an_operation_that_was_seen_names_its_service() {
    for (form, name, line) in CANCELS {
        let server = FakeServer::start();
        server.insert(FakeOperation::new(name).form(form));
        let client = server.client();
        let handle = client.operation(name);
        handle.refresh().unwrap();
        handle.cancel().unwrap();
        assert_eq!(lines(&server)[1], line);
        server.insert(FakeOperation::new(name).form(form));
        let seen = client.get(name).send().unwrap();
        client.cancel(&seen).send().unwrap();
        assert_eq!(lines(&server)[3], line);
        let error = client.delete(&seen).send().unwrap_err();
        assert_eq!((error.code(), server.request_count()), (Some(Code::Unimplemented), 4));
        let pending = client.operation(&seen).to_pending().unwrap();
        assert!(pending.api_version().unwrap().ends_with("/v1"), "{pending:?}");
    }
}

/// How services cancel, at a host that says nothing about them.
const CANCELS: [(OperationForm, &str, &str); 3] = [
    (OperationForm::CloudSql, "projects/p/operations/o", "POST /v1/projects/p/operations/o/cancel"),
    (
        OperationForm::KubernetesEngine,
        "projects/p/locations/l/operations/o",
        "POST /v1/projects/p/locations/l/operations/o:cancel {}",
    ),
    (OperationForm::CloudStorage, "b/B/operations/o", "POST /storage/v1/b/B/operations/o/cancel"),
];

/// A wait that began with a bare name, and a sweep, learn the service from what they see.
#[test]
fn waits_and_sweeps_cancel_as_the_service_does() {
    for (form, name, line) in CANCELS {
        let server = FakeServer::start();
        server.insert(FakeOperation::new(name).form(form));
        let client = server.client();
        let cancelled = |row: &str| {
            assert_eq!(lines(&server).last().unwrap(), line, "{row}");
            assert_eq!(server.operation(name).unwrap().error().unwrap().code(), Code::Cancelled, "{row}");
            server.insert(FakeOperation::new(name).form(form));
        };
        let poller = client.poller(name).total_timeout(secs(5.0)).on_timeout(OnTimeout::Cancel);
        poller.until_done().unwrap_err();
        cancelled("poller");
        let many = client.poll_many([name]).total_timeout(secs(5.0)).on_timeout(OnTimeout::Cancel);
        many.join_all().unwrap_err();
        cancelled("poll_many");
        let parent = name.strip_suffix("/operations/o").unwrap();
        assert_eq!(client.cancel_all(parent).run().unwrap().succeeded, 1);
        cancelled("sweep");
        #[cfg(feature = "async")]
        {
            let client = server.client_builder().build_async().unwrap();
            let poller = client.poller(name).total_timeout(secs(5.0)).on_timeout(OnTimeout::Cancel);
            pollster::block_on(poller.until_done()).unwrap_err();
            cancelled("future");
        }
    }
}

#[test]
fn links_work_in_place_of_names() {
    let server = FakeServer::start();
    let name = "projects/p/zones/z/operations/o";
    server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine).done_at_poll(2));
    let client = server.client();
    let link = format!("{}/compute/v1/{name}", server.url());
    assert_eq!(client.get(&link).send().unwrap().name(), name);
    assert!(client.poller(link.as_str()).until_done().unwrap().is_done());
    assert_eq!(client.operation(&link).to_pending().unwrap().api_version(), Some("compute/v1"));
    let collection = format!("{}/compute/v1/projects/p/zones/z/operations", server.url());
    assert_eq!(client.list(collection).send().unwrap().operations.len(), 1);
    client.delete(&link).send().unwrap();
    assert!(lines(&server).iter().all(|line| line.contains(" /compute/v1/projects/p/zones/z/operations")));

    let escaped = format!("{}/v2/policies/x%2Fprojects%2Fp/denypolicies/d%20e/operations/o", server.url());
    server.insert(Operation::running("policies/x%2Fprojects%2Fp/denypolicies/d e/operations/o"));
    assert_eq!(
        client.get(&escaped).send().unwrap().name(),
        "policies/x%2Fprojects%2Fp/denypolicies/d e/operations/o"
    );
    for elsewhere in ["v1/projects/%2e%2e/operations/o", "v1/projects/p%2F..%2Fq/operations/o", "v1/a/%2E/o"]
    {
        let count = server.request_count();
        let error = client.get(format!("{}/{elsewhere}", server.url())).send().unwrap_err();
        assert_eq!((error.kind(), server.request_count()), (ErrorKind::Binding, count), "{error}");
    }

    let count = server.request_count();
    for foreign in [
        "https://evil.example/compute/v1/projects/p/zones/z/operations/o",
        "https://www.googleapis.com/compute/v1/projects/p/zones/z/operations/o",
        "https://user:PASSWORD@evil.example/v1/operations/o",
    ] {
        let errors = [
            client.get(foreign).send().map(drop).unwrap_err(),
            client.cancel(foreign).send().unwrap_err(),
            client.list(foreign).send().map(drop).unwrap_err(),
            client.poller(foreign).until_done().map(drop).unwrap_err(),
            client.operation(foreign).refresh().map(drop).unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), server.request_count()), (ErrorKind::Config, count), "{error}");
            assert!(!error.to_string().contains("PASSWORD"), "{error}");
        }
    }
}

/// It holds for two minutes, whatever it is asked for, and may return early.
#[test]
fn compute_waits_at_the_server() {
    let server = FakeServer::start();
    let name = "projects/p/zones/z/operations/o";
    let client = server.client_builder().api_version("compute/v1").build().unwrap();
    server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine).done_after(secs(300.0)));
    client.poller(name).long_poll(LongPoll::Auto).until_done().unwrap();
    let (get, wait) = (format!("GET /compute/v1/{name}"), format!("POST /compute/v1/{name}/wait"));
    assert_eq!(lines(&server), [&get, &wait, &wait, &wait].map(String::as_str));
    assert_eq!((server.elapsed(), slept(&server)), (secs(300.0), vec![1.0, 1.0, 1.0]));

    // A server that returns at once is asked no more often than once a second.
    let server = FakeServer::start();
    let client = server.client_builder().api_version("compute/v1").build().unwrap();
    server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine).done_after(secs(3.0)));
    for _ in 0..9 {
        let body = format!(
            r#"{{"kind":"compute#operation","name":"o","status":"RUNNING","zone":"{}"}}"#,
            "https://x/compute/v1/projects/p/zones/z"
        );
        server.reply_to("POST", "/wait", Reply::json(200, body));
    }
    client.poller(name).long_poll(LongPoll::Auto).until_done().unwrap();
    let pauses = slept(&server);
    assert!(pauses.iter().all(|pause| *pause >= 0.5) && pauses[..2] == [1.0, 1.0], "{pauses:?}");

    // Two minutes are needed: shorter waits poll.
    let server = FakeServer::start();
    let client = server.client_builder().api_version("compute/v1").build().unwrap();
    server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine).done_after(secs(60.0)));
    client.poller(name).long_poll(LongPoll::Auto).total_timeout(secs(100.0)).until_done().unwrap();
    assert!(lines(&server).iter().all(|line| line.starts_with("GET ")));
}

#[test]
fn aggregated_lists_have_all_scopes() {
    let server = FakeServer::start();
    let client = server.client_builder().api_version("compute/v1").build().unwrap();
    let names = [
        "projects/p/zones/a/operations/1",
        "projects/p/regions/r/operations/2",
        "projects/p/global/operations/3",
    ];
    for name in names {
        server.insert(FakeOperation::new(name).form(OperationForm::ComputeEngine));
    }
    let page = client.list("projects/p").send().unwrap();
    let mut found: Vec<_> = page.operations.iter().map(Operation::name).collect();
    found.sort_unstable();
    let mut expected = names;
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(lines(&server), ["GET /compute/v1/projects/p/aggregated/operations"]);
}

#[test]
fn many_are_polled_by_their_lists() {
    for service in SERVICES {
        let server = FakeServer::start();
        let client = service.client(&server);
        let names: Vec<String> = (0..20).map(|number| format!("{}-{number}", service.name)).collect();
        for name in &names {
            server.insert(FakeOperation::new(name).form(service.form).done_after(secs(30.0)));
        }
        let done = client.poll_many(&names).join_all().unwrap();
        assert_eq!(done.len(), 20, "{}", service.version);
        assert!(done.iter().all(Operation::is_done), "{}", service.version);
        let path = service.list.split('?').next();
        let lists = server.requests().iter().filter(|request| Some(request.path()) == path).count();
        assert!(lists > 0, "{}: {:?}", service.version, lines(&server).first());
    }
}

#[test]
fn sweeps_cancel_what_can_be_cancelled() {
    let server = FakeServer::start();
    let client = server.client_builder().api_version("sql/v1").build().unwrap();
    for number in 0..3 {
        let name = format!("projects/p/operations/{number}");
        server.insert(FakeOperation::new(name).form(OperationForm::CloudSql));
    }
    let report = client.cancel_all("projects/p").run().unwrap();
    assert_eq!((report.listed, report.succeeded), (3, 3), "{report:?}");
    assert!(lines(&server)[1..].iter().all(|line| line.ends_with("/cancel")), "{:?}", lines(&server));
}

/// The fake server gives extended operations the times of its clock.
#[test]
fn sweeps_read_the_age_of_what_they_list() {
    for service in SERVICES.iter().filter(|service| service.form.is_extended()) {
        let row = service.version;
        let server = FakeServer::start();
        let client = service.client(&server);
        let operation = |age: &str| FakeOperation::new(format!("{}-{age}", service.name)).form(service.form);
        let done = |operation: FakeOperation| match service.delete {
            true => operation.done_at_poll(0),
            false => operation,
        };
        server.insert(done(operation("old")));
        server.advance(secs(3000.0));
        server.insert(done(operation("young")));
        server.advance(secs(600.0));

        let sweep = match service.delete {
            true => client.delete_done(service.parent()),
            false => client.cancel_all(service.parent()),
        };
        let report = sweep.older_than(secs(3600.0)).run().unwrap();
        assert_eq!((report.listed, report.matched, report.undated), (2, 1, 0), "{row}: {report:?}");
        match report.first_error {
            Some(error) => assert_eq!(error.code(), Some(Code::Unimplemented), "{row}: {error}"),
            None => assert_eq!(report.succeeded, 1, "{row}"),
        }
        assert_eq!(report.failed == 0, service.cancel.is_some() || service.delete, "{row}");
        let old = server.operation(&format!("{}-old", service.name));
        if service.delete {
            assert!(old.is_none(), "{row}");
        } else {
            assert_eq!(old.unwrap().is_done(), service.cancel.is_some(), "{row}");
        }
        assert!(server.operation(&format!("{}-young", service.name)).is_some(), "{row}");
    }
}

/// The times that the service has: Cloud DNS has no end, and GKE has no creation.
#[test]
fn times_are_those_of_the_clock() {
    for service in SERVICES.iter().filter(|service| service.form.is_extended()) {
        let row = service.version;
        let server = FakeServer::start();
        let client = service.client(&server);
        server.advance(secs(7.0));
        let inserted = server.wall();
        server.insert(service.operation().done_after(secs(90.0)));
        server.advance(secs(30.0));
        let running = Progress::of(&client.get(service.name).send().unwrap());
        assert_eq!((running.start_time(), running.end_time()), (Some(inserted), None), "{row}");
        let has_creation = !matches!(service.form, OperationForm::KubernetesEngine | OperationForm::CloudDns);
        assert_eq!(running.create_time(), has_creation.then_some(inserted), "{row}");

        // It ended before it was looked at.
        server.advance(secs(600.0));
        let done = Progress::of(&client.get(service.name).send().unwrap());
        let ended = (service.form != OperationForm::CloudDns).then_some(inserted + secs(90.0));
        assert_eq!((done.start_time(), done.end_time()), (Some(inserted), ended), "{row}");
    }
}

#[test]
fn a_timeout_cancels_as_the_service_does() {
    let server = FakeServer::start();
    let name = "projects/p/operations/o";
    server.insert(FakeOperation::new(name).form(OperationForm::CloudSql));
    let client = server.client_builder().api_version("sql/v1").build().unwrap();
    let error =
        client.poller(name).total_timeout(secs(5.0)).on_timeout(OnTimeout::Cancel).until_done().unwrap_err();
    assert_eq!(told::<()>(&Err(error)), "Timeout");
    assert_eq!(lines(&server).last().unwrap(), "POST /v1/projects/p/operations/o/cancel");
}

/// The response of a start has a bare name, or only an id.
#[test]
fn starts_complete_the_name() {
    let rows = [
        (
            "POST",
            "/compute/v1/projects/p/global/networks",
            r#"{"kind":"compute#operation","name":"o","status":"RUNNING"}"#,
            "projects/p/global/operations/o",
            "compute/v1",
        ),
        (
            "POST",
            "/v1/projects/p/locations/l/clusters",
            r#"{"name":"o","operationType":"CREATE_CLUSTER","status":"RUNNING","zone":"l"}"#,
            "projects/p/locations/l/operations/o",
            "container/v1",
        ),
        (
            "PATCH",
            "/dns/v1/projects/p/managedZones/z",
            r#"{"kind":"dns#operation","id":"o","status":"pending"}"#,
            "projects/p/managedZones/z/operations/o",
            "dns/v1",
        ),
        (
            "POST",
            "/v1/projects/example.com%3Ap/locations/l/clusters",
            r#"{"name":"o","operationType":"CREATE_CLUSTER","status":"RUNNING","zone":"l"}"#,
            "projects/example.com:p/locations/l/operations/o",
            "container/v1",
        ),
        (
            "POST",
            "/v1/projects/p/instances/db/sslCerts",
            r#"{"kind":"sql#sslCertsInsert","operation":{"kind":"sql#operation","name":"o","status":"RUNNING"},"clientCert":{}}"#,
            "projects/p/operations/o",
            "sql/v1",
        ),
        (
            "POST",
            "/storage/v1/b/B/anywhereCaches",
            r#"{"kind":"storage#operation","name":"projects/_/buckets/B/operations/o","selfLink":"https://www.googleapis.com/storage/v1/b/B/operations/o"}"#,
            "b/B/operations/o",
            "storage/v1",
        ),
    ];
    for (method, path, body, name, version) in rows {
        let server = FakeServer::start();
        server.reply_to(method, path, Reply::json(200, body));
        let method = if method == "PATCH" {
            longrunning::http::HttpMethod::Patch
        } else {
            longrunning::http::HttpMethod::Post
        };
        let handle = server.client().start(path).method(method).send().unwrap();
        assert_eq!(handle.name(), name, "{path}");
        assert_eq!(handle.to_pending().unwrap().api_version(), Some(version), "{path}");
    }
    // The link has no organization, and the operation needs it in its requests.
    let server = FakeServer::start();
    let template = "/compute/v1/locations/global/firewallPolicies";
    let policy = FakeOperation::new("organizations/7/locations/global/operations/o");
    server.on_start("POST", template, policy.form(OperationForm::ComputeEngine).done_at_poll(3));
    let handle = server.client().start(template).query("parentId", "organizations/7").send().unwrap();
    assert_eq!(handle.name(), "organizations/7/locations/global/operations/o");
    assert!(handle.until_done().unwrap().is_done());
    let polled = lines(&server).last().cloned().unwrap();
    assert_eq!(polled, "GET /compute/v1/locations/global/operations/o?parentId=organizations%2F7");

    let server = FakeServer::start();
    server.reply(Reply::json(200, r#"{"kind":"storage#bucket","name":"b","status":"OK"}"#));
    let error = server.client().start("/storage/v1/b").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("the request was accepted"), "{error}");
}

#[cfg(feature = "async")]
#[test]
fn futures_read_the_same() {
    let server = FakeServer::start();
    let name = "projects/p/operations/o";
    server.insert(FakeOperation::new(name).form(OperationForm::CloudSql).done_at_poll(3));
    let client = server.client_builder().api_version("sql/v1").build_async().unwrap();
    let done = pollster::block_on(client.poller(name).until_done()).unwrap();
    assert_eq!((done.form(), done.name()), (OperationForm::CloudSql, name));
}

#[cfg(feature = "journal")]
#[test]
fn a_journal_keeps_the_service() {
    use crate::kit::Folder;
    use longrunning::Journal;

    let folder = Folder::new();
    let path = folder.path().join("journal");
    let server = FakeServer::start();
    let name = "projects/p/managedZones/z/operations/o";
    server.insert(FakeOperation::new(name).form(OperationForm::CloudDns).done_after(secs(50.0)));
    let client = server.client_builder().api_version("dns/v1").build().unwrap();
    let journal = Journal::open(&path).unwrap();
    let error = client.poll_many([name]).journal(&journal).total_timeout(secs(10.0)).join_all().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    let done = client.resume(&journal).join_all().unwrap();
    assert_eq!((done[0].name(), done[0].is_done()), (name, true));
    assert!(lines(&server).iter().all(|line| line.starts_with("GET /dns/v1/projects/p/managedZones/z")));
}

/// Each service has a field of its own for places whose operations are missing.
#[test]
fn lists_name_what_they_could_not_reach() {
    let rows = [
        (OperationForm::ComputeEngine, "compute/v1", "projects/p/zones/z", "projects/p/zones/z"),
        (OperationForm::ComputeEngine, "compute/v1", "projects/p/zones/z", "projects/p"),
        (OperationForm::KubernetesEngine, "container/v1", "projects/p/locations/l", "projects/p"),
    ];
    for (form, version, scope, parent) in rows {
        let server = FakeServer::start();
        server.insert(FakeOperation::new(format!("{scope}/operations/o")).form(form));
        server.set_unreachable(["zones/y"]);
        let client = server.client_builder().api_version(version).build().unwrap();
        let page = client.list(parent).send().unwrap();
        assert_eq!((page.operations.len(), page.unreachable), (1, vec!["zones/y".to_owned()]), "{parent}");
    }
}
