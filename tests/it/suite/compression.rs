//! `compression`: what is asked over gRPC is compressed and says so; over REST the option has no effect.

use longrunning::testing::Rpc;
use longrunning::transport::Compression::{Gzip, Identity};
use longrunning::{Error, LongPoll, Operation};

use super::super::FACE;
use super::kit::{Client, FakeServer, Method, NAME, done, running, server};

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
fn a_call_or_a_wait_can_be_compressed() {
    type Ask = fn(&Client) -> Result<(), Error>;
    let rows: [(&[Rpc], Ask); 7] = [
        (&[Rpc::Get], |client| client.get(NAME).compression(Gzip).send().map(drop)),
        (&[Rpc::List], |client| client.list("operations").compression(Gzip).send().map(drop)),
        (&[Rpc::List; 3], |client| {
            client
                .list("operations")
                .page_size(1)
                .compression(Gzip)
                .into_iter()
                .try_for_each(|item| item.map(drop))
        }),
        (&[Rpc::Cancel], |client| client.cancel(NAME).compression(Gzip).send()),
        (&[Rpc::Delete], |client| client.delete(NAME).compression(Gzip).send()),
        (&[Rpc::Wait], |client| client.wait(NAME).compression(Gzip).send().map(drop)),
        (&[Rpc::Get, Rpc::Wait], |client| {
            client.poller(NAME).long_poll(LongPoll::Body).compression(Gzip).until_done().map(drop)
        }),
    ];
    for (rpcs, ask) in rows {
        let server = FakeServer::with(|options| options.with(Rpc::Wait));
        server.insert(done());
        for name in ["operations/43", "operations/44"] {
            server.insert(Operation::running(name));
        }
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
fn the_option_of_the_client_is_that_of_its_calls_and_waits() {
    for method in Method::ALL {
        let server = server();
        let client = server.client_builder().compression(Gzip).build().unwrap();
        method.run(&client).unwrap();
        let _ = client.poll_many([NAME]).into_iter().next();
        client.list("operations").compression(Identity).send().unwrap();
        let encodings: Vec<_> = asked(&server).into_iter().map(|(_, encoding)| encoding).collect();
        assert_eq!(encodings, [gzip(), gzip(), None], "{method:?}");
    }
}
