use longrunning::proto::google::longrunning::{
    GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tonic::Request;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use crate::Peer;
use crate::payload::PAGE_SIZE;

/// A channel of tonic's on a runtime of one thread, with what its generated code does: no timeouts, no retries.
pub struct Tonic {
    runtime: Runtime,
    grpc: Grpc<Channel>,
}

impl Tonic {
    pub fn new(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let endpoint = Endpoint::from_shared(url.to_owned()).expect("the URL is right");
        let channel = runtime.block_on(endpoint.connect()).expect("the server is there");
        Self { runtime, grpc: Grpc::new(channel) }
    }

    fn call<M, A>(&mut self, path: &'static str, message: M) -> A
    where
        M: Message + Default + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let response = self.runtime.block_on(async {
            self.grpc.ready().await.expect("the channel works");
            let codec = ProstCodec::<M, A>::default();
            self.grpc.unary(Request::new(message), PathAndQuery::from_static(path), codec).await
        });
        response.expect("a response comes").into_inner()
    }
}

impl Peer for Tonic {
    fn get(&mut self) {
        let message = GetOperationRequest::default().name("operations/42");
        let operation: Operation = self.call("/google.longrunning.Operations/GetOperation", message);
        assert!(operation.done);
    }

    fn list(&mut self, operations: usize) {
        let page_size = i32::try_from(PAGE_SIZE).expect("a page is small");
        let (mut seen, mut page_token) = (0, String::new());
        while seen < operations {
            let message = ListOperationsRequest::default()
                .name("operations")
                .page_size(page_size)
                .page_token(page_token);
            let page: ListOperationsResponse =
                self.call("/google.longrunning.Operations/ListOperations", message);
            seen += page.operations.iter().filter(|operation| !operation.name.is_empty()).count();
            page_token = page.next_page_token;
        }
        assert_eq!(seen, operations);
    }
}
