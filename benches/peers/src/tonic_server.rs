//! A server by tonic: one finished operation, a page of a thousand that never ends, and errors with details.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use longrunning::proto::google::longrunning::{
    GetOperationRequest, ListOperationsRequest, ListOperationsResponse, Operation,
};
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

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
    let page =
        ListOperationsResponse::decode(&*binary::page(&payload::page())).expect("the page is protobuf");
    let operations = Operations { page: Arc::new(page), compress };
    thread::spawn(move || {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        runtime.block_on(Server::builder().serve_with_incoming(operations, incoming))
    });
    Ok(address)
}

#[derive(Clone)]
struct Operations {
    page: Arc<ListOperationsResponse>,
    compress: bool,
}

impl Service<Request<Body>> for Operations {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (page, compress) = (self.page.clone(), self.compress);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/google.longrunning.Operations/GetOperation" => {
                    let get = Handler(move |request: GetOperationRequest| get(&page, &request.name));
                    grpc(compress).unary(get, request).await
                }
                "/google.longrunning.Operations/ListOperations" => {
                    let list = Handler(move |request: ListOperationsRequest| Ok(list(&page, &request)));
                    grpc(compress).unary(list, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

fn get(page: &ListOperationsResponse, name: &str) -> Result<Operation, Status> {
    let Some(number) = name.strip_prefix("operations/").and_then(|number| number.parse::<usize>().ok())
    else {
        let error = longrunning::Status::new(longrunning::Code::NotFound, "no such operation")
            .with_detail(longrunning::rpc::ErrorInfo::new("NO_NUMBER", "example.com"));
        let details = error.to_proto().expect("the details are known").encode_to_vec();
        return Err(Status::with_details(Code::NotFound, error.message(), details.into()));
    };
    Ok(page.operations[number % payload::PAGE_SIZE].clone())
}

fn list(page: &ListOperationsResponse, request: &ListOperationsRequest) -> ListOperationsResponse {
    let number = request.page_token.parse().map_or(0, |number: u32| number + 1);
    page.clone().next_page_token(format!("{number:08}"))
}

fn grpc<A, M>(compress: bool) -> Grpc<ProstCodec<A, M>>
where
    A: Message + Default + Send + 'static,
    M: Message + Default + Send + 'static,
{
    let grpc = Grpc::new(ProstCodec::default());
    if compress { grpc.accept_compressed(Gzip).send_compressed(Gzip) } else { grpc }
}

struct Handler<F>(F);

impl<F, M, A> UnaryService<M> for Handler<F>
where
    F: FnMut(M) -> Result<A, Status>,
{
    type Response = A;
    type Future = Ready<Result<tonic::Response<A>, Status>>;

    fn call(&mut self, request: tonic::Request<M>) -> Self::Future {
        ready((self.0)(request.into_inner()).map(tonic::Response::new))
    }
}
