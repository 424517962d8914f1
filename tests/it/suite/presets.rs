//! What a configuration says of each method, as it comes out at the server.

use std::time::Duration;

use longrunning::testing::Reply;
use longrunning::{ClientConfig, Code, ErrorKind, Status};

use super::kit::{FakeServer, Method, secs, server, slept};

const CALLS: [Method; 4] = [Method::Get, Method::List, Method::Cancel, Method::Delete];

/// A server that answers so, and the error of a call with this configuration.
fn failed(method: Method, config: ClientConfig, reply: Reply) -> (FakeServer, longrunning::Error) {
    let server = server();
    server.reply(reply.times(1000));
    let client = server.client_builder().client_config(config).build().unwrap();
    let error = method.run(&client).unwrap_err();
    (server, error)
}

#[test]
fn pythons_defaults_take_effect() {
    for method in CALLS {
        for code in [Code::DeadlineExceeded, Code::Unavailable] {
            let reply = Status::new(code, "no").into();
            let (server, error) = failed(method, ClientConfig::python_grpc(), reply);
            let sleeps = slept(&server);
            assert_eq!(
                (error.code(), error.attempts() as usize),
                (Some(code), sleeps.len() + 1),
                "{method:?}"
            );
            assert_eq!(sleeps[..3], [0.05, 0.065, 0.0845], "{method:?}");
            assert_eq!(sleeps.iter().copied().fold(0.0, f64::max), 30.0, "{method:?}");
            // One more sleep would pass the ten minutes.
            assert!((570.0..600.0).contains(&sleeps.iter().sum::<f64>()), "{method:?}: {sleeps:?}");
        }
        for code in [Code::Aborted, Code::ResourceExhausted, Code::Internal] {
            let reply = Status::new(code, "no").into();
            let (server, error) = failed(method, ClientConfig::python_grpc(), reply);
            assert_eq!((error.code(), server.request_count()), (Some(code), 1), "{method:?}");
        }
        let (server, error) = failed(method, ClientConfig::python_grpc(), Reply::hang());
        let elapsed = secs(20.0) * error.attempts() + server.sleeps().iter().sum::<Duration>();
        assert_eq!((error.kind(), server.elapsed()), (ErrorKind::Timeout, elapsed), "{method:?}");
        assert!((secs(570.0)..=secs(600.0)).contains(&elapsed), "{method:?}: {elapsed:?}");
    }
}

#[test]
fn pythons_limit_of_an_attempt_takes_effect() {
    // What comes after 20 s: the first sleep of the call, or the next poll after a tenth of the time waited.
    let after = |method| if method == Method::Poll { 2.0 } else { 0.05 };
    for method in Method::ALL {
        let server = server();
        server.reply(Reply::hang());
        let client = server.client_builder().client_config(ClientConfig::python_grpc()).build().unwrap();
        method.run(&client).unwrap();
        assert_eq!((server.elapsed(), server.request_count()), (secs(20.0 + after(method)), 2), "{method:?}");
    }
}

/// The `timeout` of gRPC's own form is that of a call, the rest stays as it is by default.
#[test]
fn a_configured_method_has_its_time_limit_and_the_others_have_theirs() {
    for configured in CALLS {
        let config = format!(
            r#"{{"methodConfig": [{{"name": [{{"service": "google.longrunning.Operations",
                "method": "{configured:?}Operation{}"}}], "timeout": "3s"}}]}}"#,
            if configured == Method::List { "s" } else { "" }
        );
        for method in CALLS {
            let config = ClientConfig::from_json(&config).unwrap();
            let (server, error) = failed(method, config, Reply::hang());
            let expected = if method == configured { 3.0 } else { LIMIT };
            assert_eq!(
                (error.kind(), server.elapsed()),
                (ErrorKind::Timeout, secs(expected)),
                "{method:?}, {configured:?} is configured"
            );
        }
    }
}

/// Five attempts of 10 s, and the sleeps between them.
const LIMIT: f64 = 50.0 + 0.375 + 0.75 + 1.5 + 3.0;
