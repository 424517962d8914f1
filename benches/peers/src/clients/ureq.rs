use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use ureq::Agent;

use crate::Peer;
use crate::payload::PAGE_SIZE;

/// ureq and serde_json as they come: no retries, no checks, no errors to speak of.
pub struct Ureq {
    agent: Agent,
    url: String,
}

#[derive(Deserialize)]
struct Operation {
    name: String,
    #[serde(default)]
    done: bool,
    #[expect(dead_code, reason = "decoding it is the measured work")]
    metadata: Option<Map<String, Value>>,
    #[expect(dead_code, reason = "as above")]
    error: Option<Map<String, Value>>,
    #[expect(dead_code, reason = "as above")]
    response: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    operations: Vec<Operation>,
    next_page_token: String,
}

impl Ureq {
    pub fn new(url: &str, timeout: Option<Duration>) -> Self {
        let config = Agent::config_builder().timeout_global(timeout).build();
        Self { agent: config.into(), url: url.to_owned() }
    }

    fn fetch<T: DeserializeOwned>(&self, target: &str) -> T {
        let mut response = self.agent.get(format!("{}{target}", self.url)).call().expect("a response comes");
        let body = response.body_mut().read_to_vec().expect("the body is read");
        serde_json::from_slice(&body).expect("the response is JSON")
    }
}

impl Peer for Ureq {
    fn get(&mut self) {
        let operation: Operation = self.fetch("/v1/operations/42");
        assert!(operation.done);
    }

    fn list(&mut self, operations: usize) {
        let (mut seen, mut token) = (0, String::new());
        while seen < operations {
            let page: Page = self.fetch(&format!("/v1/operations?pageSize={PAGE_SIZE}&pageToken={token}"));
            seen += page.operations.iter().filter(|operation| !operation.name.is_empty()).count();
            token = page.next_page_token;
        }
        assert_eq!(seen, operations);
    }
}
