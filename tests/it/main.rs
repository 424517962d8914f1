//! How the client behaves, seen through its public API: real HTTP over loopback sockets, in virtual time.

mod canary;
mod client_config;
mod credentials;
mod data_format;
mod decoding;
mod housekeeping;
mod http_faults;
#[cfg(target_os = "linux")]
mod interrupted;
#[cfg(feature = "journal")]
mod journal;
mod kit;
mod listener;
mod many;
mod messages;
mod network;
mod requests;
mod token_sources;
mod wait_bindings;

/// The suite that runs over every face, as REST with JSON.
#[path = "."]
mod rest_json {
    const FACE: crate::kit::Face = crate::kit::Face::RestJson;

    #[path = "suite/mod.rs"]
    mod suite;
}

/// The same with `alt=proto`.
#[path = "."]
mod rest_proto {
    const FACE: crate::kit::Face = crate::kit::Face::RestProto;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each face has its own constant `FACE` above")]
    mod suite;
}

/// The same over gRPC.
#[cfg(feature = "grpc")]
#[path = "."]
mod grpc {
    const FACE: crate::kit::Face = crate::kit::Face::Grpc;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each face has its own constant `FACE` above")]
    mod suite;
}
