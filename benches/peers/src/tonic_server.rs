//! A server by tonic: one finished operation, a page of a thousand that never ends, and errors with details.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use longrunning::proto::google::longrunning::{
    GetOperationRequest, ListOperationsRequest, ListOperationsResponse,
};
use prost::Message;
use prost::bytes::{BufMut, Bytes};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codec::{BufferSettings, Codec, EncodeBuf, Encoder};
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use tonic_prost::ProstDecoder;

use crate::{binary, payload};

/// Serves on a loopback port, prints the URL, and ends when stdin does.
pub fn serve() -> io::Result<()> {
    println!("http://{}", start(false)?);
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Serves on a thread for as long as the process runs; compresses responses if that is requested.
pub fn start(compress: bool) -> io::Result<SocketAddr> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    let address = listener.local_addr()?;
    let operations = Operations { prepared: Arc::new(Prepared::new()), compress };
    thread::spawn(move || {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        runtime.block_on(Server::builder().serve_with_incoming(operations, incoming))
    });
    Ok(address)
}

#[derive(Clone)]
struct Operations {
    prepared: Arc<Prepared>,
    compress: bool,
}

/// The responses as bytes, so that the cost of the server is the same for all clients, and small.
struct Prepared {
    operations: Vec<Bytes>,
    /// A page without its token.
    page: Bytes,
}

impl Prepared {
    fn new() -> Self {
        let page = binary::page(&payload::page());
        let page = ListOperationsResponse::decode(&*page).expect("the page is protobuf").next_page_token("");
        let operations = page.operations.iter().map(|operation| operation.encode_to_vec().into()).collect();
        Self { operations, page: page.encode_to_vec().into() }
    }

    fn get(&self, name: &str) -> Result<Encoded, Status> {
        let number = name.strip_prefix("operations/").and_then(|number| number.parse::<usize>().ok());
        let Some(number) = number else {
            let error = longrunning::Status::new(longrunning::Code::NotFound, "no such operation")
                .with_detail(longrunning::rpc::ErrorInfo::new("NO_NUMBER", "example.com"));
            let details = error.to_proto().expect("the details are known").encode_to_vec();
            return Err(Status::with_details(Code::NotFound, error.message(), details.into()));
        };
        Ok(Encoded(vec![self.operations[number % payload::PAGE_SIZE].clone()]))
    }

    /// Fields of a message may be in any order, so the token is sent behind the operations.
    fn list(&self, request: &ListOperationsRequest) -> Encoded {
        let number = request.page_token.parse().map_or(0, |number: u32| number + 1);
        let token = ListOperationsResponse::default().next_page_token(format!("{number:08}"));
        Encoded(vec![self.page.clone(), token.encode_to_vec().into()])
    }
}

impl Service<Request<Body>> for Operations {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (prepared, compress) = (self.prepared.clone(), self.compress);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/google.longrunning.Operations/GetOperation" => {
                    let get = Handler(move |request: GetOperationRequest| prepared.get(&request.name));
                    grpc(compress).unary(get, request).await
                }
                "/google.longrunning.Operations/ListOperations" => {
                    let list = Handler(move |request: ListOperationsRequest| Ok(prepared.list(&request)));
                    grpc(compress).unary(list, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

fn grpc<M: Message + Default + Send + 'static>(compress: bool) -> Grpc<PreparedCodec<M>> {
    let grpc = Grpc::new(PreparedCodec(PhantomData));
    if compress { grpc.accept_compressed(Gzip).send_compressed(Gzip) } else { grpc }
}

/// The parts of an encoded message.
struct Encoded(Vec<Bytes>);

/// Decodes requests by prost, and sends responses that are encoded already.
struct PreparedCodec<M>(PhantomData<M>);

impl<M: Message + Default + Send + 'static> Codec for PreparedCodec<M> {
    type Encode = Encoded;
    type Decode = M;
    type Encoder = PreparedEncoder;
    type Decoder = ProstDecoder<M>;

    fn encoder(&mut self) -> PreparedEncoder {
        PreparedEncoder
    }

    fn decoder(&mut self) -> ProstDecoder<M> {
        ProstDecoder::new(BufferSettings::default())
    }
}

struct PreparedEncoder;

impl Encoder for PreparedEncoder {
    type Item = Encoded;
    type Error = Status;

    fn encode(&mut self, message: Encoded, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.0.into_iter().for_each(|part| to.put(part));
        Ok(())
    }
}

struct Handler<F>(F);

impl<F, M> UnaryService<M> for Handler<F>
where
    F: FnMut(M) -> Result<Encoded, Status>,
{
    type Response = Encoded;
    type Future = Ready<Result<tonic::Response<Encoded>, Status>>;

    fn call(&mut self, request: tonic::Request<M>) -> Self::Future {
        ready((self.0)(request.into_inner()).map(tonic::Response::new))
    }
}
