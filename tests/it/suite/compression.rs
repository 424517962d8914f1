//! `compression` of listings and waits: over gRPC each request is compressed and says so; over REST there is no effect.

use longrunning::testing::Rpc;
use longrunning::transport::Compression::{Gzip, Identity};
use longrunning::{Error, LongPoll, Operation};

use super::super::FACE;
use super::kit::{Client, FakeServer, NAME, done, running, server};

/// What was asked, each with the encoding that it came in.
fn asked(server: &FakeServer) -> Vec<(Rpc, Option<String>)> {
    let told = |request: &longrunning::testing::RecordedRequest| {
        (request.rpc().unwrap(), request.header("grpc-encoding").map(str::to_owned))
    };
    server.requests().iter().map(told).collect()
}

/// What a request with the option says.
fn gzip() -> Option<String> {
    (!FACE.is_rest()).then(|| "gzip".to_owned())
}

#[test]
fn a_listing_or_a_wait_can_be_compressed() {
    type Ask = fn(&Client) -> Result<(), Error>;
    let rows: [(&[Rpc], Ask); 3] = [
        (&[Rpc::List; 3], |client| {
            let mut items = client.list("operations").page_size(1).compression(Gzip).into_iter();
            items.try_for_each(|item| item.map(drop))
        }),
        (&[Rpc::Wait], |client| client.wait(NAME).compression(Gzip).send().map(drop)),
        (&[Rpc::Get, Rpc::Wait], |client| {
            client.poller(NAME).long_poll(LongPoll::Body).compression(Gzip).until_done().map(drop)
        }),
    ];
    for (rpcs, ask) in rows {
        let server = FakeServer::with(|options| options.with(Rpc::Wait));
        server.insert(done());
        server.insert(Operation::running("operations/43"));
        server.insert(Operation::running("operations/44"));
        if rpcs == [Rpc::Get, Rpc::Wait] {
            server.reply(running());
        }
        let client = server.waiting_client();
        ask(&client).unwrap_or_else(|error| panic!("{rpcs:?}: {error}"));
        client.list("operations").send().unwrap();
        let expected = rpcs.iter().map(|rpc| (*rpc, gzip())).chain([(Rpc::List, None)]);
        assert_eq!(asked(&server), expected.collect::<Vec<_>>());
    }
}

#[test]
fn waits_are_compressed_as_the_client_says() {
    let server = server();
    let client = server.client_builder().compression(Gzip).build().unwrap();
    client.poller(NAME).until_done().unwrap();
    client.poller(NAME).compression(Identity).until_done().unwrap();
    assert_eq!(asked(&server), [(Rpc::Get, gzip()), (Rpc::Get, None)]);
}
