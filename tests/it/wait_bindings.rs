//! How the RPC WaitOperation is bound to REST.

use longrunning::testing::FakeServer;
use longrunning::{Binding, Bindings, Code, ErrorKind, WaitBinding};

use crate::kit::{NAME, lines, running, secs, server};

#[test]
fn wait_is_bound_in_four_ways() -> Result<(), longrunning::Error> {
    let of = |how| Bindings::version("v2").map(|bindings| bindings.wait_by(how));
    let own = Bindings::default().wait([Binding::post("/v1beta1/{name=operations/*}:await")?]);
    let rows = [
        (of(WaitBinding::Body)?, r#"POST /v2/operations/42:wait {"timeout":"3.5s"}"#),
        (of(WaitBinding::Query)?, "POST /v2/operations/42:wait?timeout=3.5s"),
        (of(WaitBinding::Get)?, "GET /v2/operations/42:wait?timeout=3.5s"),
        (own, r#"POST /v1beta1/operations/42:await {"timeout":"3.5s"}"#),
    ];
    for (bindings, line) in rows {
        let server = FakeServer::start();
        server.reply(running());
        let client = server.client_builder().bindings(bindings).build()?;
        assert_eq!(client.wait(NAME).timeout(secs(3.5)).send()?, running());
        assert_eq!(lines(&server), [line]);
    }
    Ok(())
}

#[test]
fn wait_without_a_binding_is_unimplemented() {
    let server = server();
    let error = server.client().wait(NAME).send().unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), server.request_count()),
        (ErrorKind::Binding, Some(Code::Unimplemented), 0)
    );
}
