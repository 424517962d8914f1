use google_cloud_auth::credentials::anonymous;
use google_cloud_gax::paginator::ItemPaginator;
use google_cloud_longrunning::client::Operations;
use tokio::runtime::{Builder, Runtime};

use crate::Peer;
use crate::payload::PAGE_SIZE;

/// Google's asynchronous client, on a runtime of one thread.
pub struct Google {
    runtime: Runtime,
    client: Operations,
}

impl Google {
    pub fn new(url: &str) -> Self {
        // ring, as here, in place of the client's default: a matter of build time only, nothing is encrypted.
        rustls::crypto::ring::default_provider().install_default().expect("the provider is set once");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let credentials = anonymous::Builder::new().build();
        let client = Operations::builder().with_endpoint(url).with_credentials(credentials);
        let client = runtime.block_on(client.build()).expect("the client is built");
        Self { runtime, client }
    }
}

impl Peer for Google {
    fn get(&mut self) {
        let call = self.client.get_operation().set_name("operations/42").send();
        assert!(self.runtime.block_on(call).expect("a response comes").done);
    }

    fn list(&mut self, operations: usize) {
        let page_size = i32::try_from(PAGE_SIZE).expect("a page is small");
        let seen = self.runtime.block_on(async {
            let list = self.client.list_operations().set_name("operations").set_page_size(page_size);
            let (mut seen, mut items) = (0, list.by_item());
            while seen < operations {
                let operation = items.next().await.expect("the listing goes on").expect("a page comes");
                seen += usize::from(!operation.name.is_empty());
            }
            seen
        });
        assert_eq!(seen, operations);
    }
}
