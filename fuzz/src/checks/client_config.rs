//! Configurations of methods.

use longrunning::testing::{FakeServer, Reply};
use longrunning::{ClientConfig, Code, Status};

use super::messages::{check_error, within};

/// A configuration that is accepted can be used: a call under it ends, in virtual time.
pub fn client_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let config = match ClientConfig::from_json(text) {
        Ok(config) => config,
        Err(error) => return check_error(&error),
    };
    let server = FakeServer::start();
    server.reply(Reply::from(Status::new(Code::Unavailable, "no")).times(20));
    match server.client_builder().client_config(config).build() {
        Err(error) => check_error(&error),
        Ok(client) => {
            let result = within(std::time::Duration::from_secs(20), || client.get("operations/1").send());
            check_error(&result.expect_err("the server has no operation"));
        }
    }
    assert!(server.request_count() <= 1000, "{} attempts", server.request_count());
}
