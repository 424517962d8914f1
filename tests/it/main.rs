//! How the client behaves, seen through its public API: real HTTP over loopback sockets, in virtual time.

mod builders;
mod canary;
mod client_config;
mod credentials;
mod data_format;
mod decoding;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(feature = "async")]
mod driven;
mod events;
mod extended;
mod handle;
mod hints;
mod homes;
mod http_faults;
mod http_rules;
#[cfg(target_os = "linux")]
mod interrupted;
#[cfg(feature = "journal")]
mod journal;
mod kit;
mod listener;
mod long_poll;
mod many_threads;
#[cfg(feature = "journal")]
mod message_table;
mod messages;
mod plain_http;
mod poll_many;
mod polling;
mod progress;
mod readme;
mod requests;
#[cfg(feature = "journal")]
mod resume;
mod root_certificates;
mod services;
#[cfg(target_os = "linux")]
mod signals;
mod start;
mod status_pages;
mod sweep;
mod token_files;
mod token_sources;
#[cfg(feature = "journal")]
mod victim;
mod wait_bindings;

/// What the suite calls its clients.
mod blocking {
    pub(crate) use longrunning::{
        OperationsClient as Client, OperationsClientBuilder as Builder, Poller as TestPoller,
    };
}

/// The suite that runs over every face, as REST with JSON.
#[path = "."]
mod rest_json {
    const FACE: crate::kit::Face = crate::kit::Face::RestJson;
    use crate::blocking as clients;

    #[path = "suite/mod.rs"]
    mod suite;
}

/// The same with `alt=proto`.
#[path = "."]
mod rest_proto {
    const FACE: crate::kit::Face = crate::kit::Face::RestProto;
    use crate::blocking as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each face has its own constant `FACE` above")]
    mod suite;
}

/// The same over gRPC.
#[cfg(feature = "grpc")]
#[path = "."]
mod grpc {
    const FACE: crate::kit::Face = crate::kit::Face::Grpc;
    use crate::blocking as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each face has its own constant `FACE` above")]
    mod suite;
}

/// The same through futures.
#[cfg(feature = "async")]
#[path = "."]
mod async_rest_json {
    const FACE: crate::kit::Face = crate::kit::Face::RestJson;
    use crate::driven as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each face has its own constant `FACE` above")]
    mod suite;
}

/// The same through futures, over gRPC.
#[cfg(all(feature = "async", feature = "grpc"))]
#[path = "."]
mod async_grpc {
    const FACE: crate::kit::Face = crate::kit::Face::Grpc;
    use crate::driven as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each face has its own constant `FACE` above")]
    mod suite;
}
