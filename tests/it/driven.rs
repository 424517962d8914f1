//! The async client with the calls of the one that blocks, so that the suite runs through it as it is.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use longrunning::aio::Async;
use longrunning::proto::google::longrunning as pb;
#[cfg(feature = "grpc")]
use longrunning::transport::Compression;
use longrunning::{
    Backoff, Call, ClientConfig, Credentials, Error, OnTimeout, Operation, OperationHandle, OperationPage,
    OperationRef, Operations, OperationsAsyncClient, OperationsClientBuilder, Pages, Poller, RetryPolicy,
    Snapshots, StartCall, StopToken,
};

use crate::kit::{Runs, method_of};

/// Something of the async client's, driven by the thread that calls.
#[derive(Clone, Debug)]
pub(crate) struct Driven<T>(T);

pub(crate) type Client = Driven<OperationsAsyncClient>;
pub(crate) type Builder = Driven<OperationsClientBuilder>;
pub(crate) type TestPoller = Driven<Poller<Async>>;

impl<T> From<T> for Driven<T> {
    fn from(driven: T) -> Self {
        Self(driven)
    }
}

/// What is told of a listing that is under way.
impl<T> Deref for Driven<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Driven<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

macro_rules! forward {
    ([$($generics:tt)*] $type:ty: $($option:ident($($argument:ty)?)),* $(,)?) => {
        #[allow(dead_code, reason = "all options, whether the suite uses them or not")]
        impl<$($generics)*> Driven<$type> {
            $(forward!(@ $option $($argument)?);)*
        }
    };
    (@ $option:ident) => {
        pub(crate) fn $option(self) -> Self {
            Self(self.0.$option())
        }
    };
    (@ $option:ident $argument:ty) => {
        pub(crate) fn $option(self, value: $argument) -> Self {
            Self(self.0.$option(value))
        }
    };
}

forward!([] OperationsClientBuilder:
    attempt_timeout(Duration), total_timeout(Duration), retry(RetryPolicy), quota_project(&str),
    credentials(Credentials), user_agent(&str), client_info(&str), client_config(ClientConfig));
forward!([R] Call<R, Async>:
    attempt_timeout(Duration), total_timeout(Duration), retry(RetryPolicy), quota_project(&str), stop(&StopToken),
    on_headers(impl Fn(&longrunning::transport::Headers) + Send + Sync + 'static));
forward!([] Call<pb::WaitOperationRequest, Async>: timeout(Duration));
forward!([] Call<pb::ListOperationsRequest, Async>:
    filter(&str), page_size(i32), iteration_timeout(Duration), max_pages(usize), page_token(impl Into<String>), return_partial_success(bool));
forward!([] StartCall<Async>: idempotent(bool), request_id(&str), retry(RetryPolicy));
forward!([] Poller<Async>:
    attempt_timeout(Duration), total_timeout(Duration), forever(), backoff(Backoff), max_failures(u32),
    max_outage(Duration), not_found_grace(Duration), long_poll(longrunning::LongPoll), on_timeout(OnTimeout), stop(&StopToken), quota_project(&str), retry(RetryPolicy),
    on_update(impl Fn(&longrunning::Update<'_>) + Send + Sync + 'static),
    on_headers(impl Fn(&longrunning::transport::Headers) + Send + Sync + 'static));

#[cfg(feature = "grpc")]
forward!([] OperationsClientBuilder: compression(Compression));
#[cfg(feature = "grpc")]
forward!([R] Call<R, Async>: compression(Compression));
#[cfg(feature = "grpc")]
forward!([] Poller<Async>: compression(Compression));

impl Driven<OperationsClientBuilder> {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn scopes<const N: usize>(self, scopes: [&str; N]) -> Self {
        Self(self.0.scopes(scopes))
    }

    pub(crate) fn bindings(self, bindings: longrunning::Bindings) -> Self {
        Self(self.0.bindings(bindings))
    }

    pub(crate) fn build(self) -> Result<Client, Error> {
        self.0.build_async().map(Driven)
    }
}

macro_rules! methods {
    ($($method:ident: $request:ident),*) => {
        impl Client {
            $(pub(crate) fn $method(&self, operation: impl Into<OperationRef>) -> Driven<Call<pb::$request, Async>> {
                Driven(self.0.$method(operation))
            })*

            pub(crate) fn start(&self, path: impl Into<String>) -> Driven<StartCall<Async>> {
                Driven(self.0.start(path))
            }

            pub(crate) fn operation(&self, target: impl Into<OperationRef>) -> Driven<OperationHandle<Async>> {
                Driven(self.0.operation(target))
            }

            /// Nor are there futures of a wait for many.
            pub(crate) fn poll_many(
                &self,
                targets: impl IntoIterator<Item = impl Into<OperationRef>>,
            ) -> longrunning::PollMany {
                self.0.blocking().poll_many(targets)
            }

            pub(crate) fn poller(&self, target: impl Into<OperationRef>) -> TestPoller {
                Driven(self.0.poller(target))
            }
        }
    };
}

methods!(get: GetOperationRequest, list: ListOperationsRequest, cancel: CancelOperationRequest,
    delete: DeleteOperationRequest, wait: WaitOperationRequest);

macro_rules! sends {
    ($($request:ident: $answer:ty),*) => {
        $(impl Driven<Call<pb::$request, Async>> {
            pub(crate) fn send(self) -> Result<$answer, Error> {
                pollster::block_on(self.0.send())
            }
        })*
    };
}

sends!(GetOperationRequest: Operation, ListOperationsRequest: OperationPage, CancelOperationRequest: (),
    DeleteOperationRequest: (), WaitOperationRequest: Operation);

impl Driven<StartCall<Async>> {
    pub(crate) fn send(self) -> Result<Driven<OperationHandle<Async>>, Error> {
        pollster::block_on(self.0.send()).map(Driven)
    }
}

impl<R> Driven<Call<R, Async>> {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }
}

impl Driven<Call<pb::ListOperationsRequest, Async>> {
    pub(crate) fn pages(self) -> Driven<Pages<Async>> {
        Driven(self.0.pages())
    }
}

impl IntoIterator for Driven<Call<pb::ListOperationsRequest, Async>> {
    type Item = Result<Operation, Error>;
    type IntoIter = Driven<Operations<Async>>;

    fn into_iter(self) -> Self::IntoIter {
        Driven(self.0.operations())
    }
}

impl TestPoller {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn until_done(self) -> Result<Operation, Error> {
        pollster::block_on(self.0.until_done())
    }
}

#[allow(dead_code, reason = "all methods, whether the suite uses them or not")]
impl Driven<OperationHandle<Async>> {
    pub(crate) fn refresh(&self) -> Result<Operation, Error> {
        pollster::block_on(self.0.refresh())
    }

    pub(crate) fn poller(&self) -> TestPoller {
        Driven(self.0.poller())
    }

    pub(crate) fn until_done(&self) -> Result<Operation, Error> {
        pollster::block_on(self.0.until_done())
    }

    pub(crate) fn cancel(&self) -> Result<bool, Error> {
        pollster::block_on(self.0.cancel())
    }

    pub(crate) fn cancel_and_wait(&self, grace: Duration) -> Result<Operation, Error> {
        pollster::block_on(self.0.cancel_and_wait(grace))
    }
}

impl IntoIterator for TestPoller {
    type Item = Result<Operation, Error>;
    type IntoIter = Driven<Snapshots<Async>>;

    fn into_iter(self) -> Self::IntoIter {
        Driven(self.0.snapshots())
    }
}

macro_rules! iterators {
    ($($type:ident: $item:ty),*) => {
        $(impl Iterator for Driven<$type<Async>> {
            type Item = Result<$item, Error>;

            fn next(&mut self) -> Option<Self::Item> {
                pollster::block_on(self.0.next())
            }
        })*
    };
}

iterators!(Pages: OperationPage, Operations: Operation, Snapshots: Operation);

impl Runs for Client {
    method_of!();
}
