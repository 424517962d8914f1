//! Listings: by page and by item.

use longrunning::testing::{FakeServer, Reply};
use longrunning::{ErrorKind, Operation, OperationsAsyncClient};

use crate::kit::unavailable;
use crate::runtimes::{Runtime, block_on};

fn server(operations: usize) -> FakeServer {
    let server = FakeServer::start();
    for n in 0..operations {
        server.insert(Operation::running(format!("projects/p/operations/{n:02}")));
    }
    server
}

#[test]
fn operations_come_over_all_pages() {
    for runtime in Runtime::ALL {
        let server = server(25);
        server.reply(unavailable());
        let client = OperationsAsyncClient::from(server.client());
        let names = runtime.run(async move {
            let mut operations = client.list("projects/p").page_size(10).operations();
            let mut names = Vec::new();
            while let Some(operation) = operations.next().await {
                names.push(operation.unwrap().name().to_owned());
            }
            assert!(operations.next().await.is_none() && operations.page_token().is_none());
            names
        });
        assert!(names.len() == 25 && names.is_sorted(), "{names:?}");
        assert_eq!(server.request_count(), 4, "{runtime:?}");
    }
}

#[test]
fn pages_end_with_an_error_that_says_where_to_resume() {
    let server = server(25);
    let client = OperationsAsyncClient::from(server.client());
    block_on(async {
        let mut pages = client.list("projects/p").page_size(10).pages();
        assert_eq!(pages.next().await.unwrap().unwrap().operations.len(), 10);
        server.reply(Reply::status(403));
        let error = pages.next().await.unwrap().unwrap_err();
        assert!(pages.next().await.is_none());
        let token = error.page_token().unwrap();
        assert_eq!(pages.page_token(), Some(token));
        let mut rest = client.list("projects/p").page_size(10).page_token(token).operations();
        assert_eq!(rest.next().await.unwrap().unwrap().name(), "projects/p/operations/10");
    });
}

#[test]
fn a_page_token_that_comes_again_ends_the_listing() {
    let server = FakeServer::start();
    server.reply(Reply::json(200, r#"{"nextPageToken": "a"}"#).times(5));
    let client = OperationsAsyncClient::from(server.client());
    let error = block_on(client.list("projects/p").operations().next()).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.page_token()), (ErrorKind::Decode, Some("a")));
    assert_eq!(server.request_count(), 2);
}
