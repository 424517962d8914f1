use longrunning::transport::TransportKind;
use longrunning::{Credentials, OperationsClient};

use crate::Peer;
use crate::payload::PAGE_SIZE;

/// This crate, with its defaults: timeouts, retries, checks.
pub struct Ours {
    client: OperationsClient,
}

impl Ours {
    pub fn rest(url: &str) -> Self {
        Self::over(TransportKind::Rest, url)
    }

    #[cfg(feature = "grpc")]
    pub fn grpc(url: &str) -> Self {
        Self::over(TransportKind::Grpc, url)
    }

    fn over(kind: TransportKind, url: &str) -> Self {
        let client =
            OperationsClient::builder(url).transport(kind).credentials(Credentials::anonymous()).build();
        Self { client: client.expect("the client is built") }
    }
}

impl Peer for Ours {
    fn get(&mut self) {
        assert!(self.client.get("operations/42").send().expect("a response comes").is_done());
    }

    fn list(&mut self, operations: usize) {
        let page_size = i32::try_from(PAGE_SIZE).expect("a page is small");
        let listed = self.client.list("operations").page_size(page_size).into_iter().take(operations);
        let seen = listed.filter(|operation| !operation.as_ref().expect("a page comes").name().is_empty());
        assert_eq!(seen.count(), operations);
    }
}
