//! What holds for any input and any sequence of faults, as properties of random values.

#[path = "../../../it/driven.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod driven;
#[path = "../../../it/kit.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the other tests")]
mod kit;
mod names;
mod operations;
mod poll_many;

/// What the suite calls its clients.
mod blocking {
    pub(crate) use longrunning::{
        OperationsClient as Client, OperationsClientBuilder as Builder, Poller as TestPoller,
    };
}

/// The suite that runs over every transport, as REST with JSON.
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
    #[expect(clippy::duplicate_mod, reason = "each transport has its own constant `FACE` above")]
    mod suite;
}

/// The same over gRPC.
#[path = "."]
mod grpc {
    const FACE: crate::kit::Face = crate::kit::Face::Grpc;
    use crate::blocking as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each transport has its own constant `FACE` above")]
    mod suite;
}

/// The same through futures.
#[path = "."]
mod async_rest_json {
    const FACE: crate::kit::Face = crate::kit::Face::RestJson;
    use crate::driven as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each transport has its own constant `FACE` above")]
    mod suite;
}

/// The same through futures, over gRPC.
#[path = "."]
mod async_grpc {
    const FACE: crate::kit::Face = crate::kit::Face::Grpc;
    use crate::driven as clients;

    #[path = "suite/mod.rs"]
    #[expect(clippy::duplicate_mod, reason = "each transport has its own constant `FACE` above")]
    mod suite;
}
