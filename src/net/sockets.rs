//! The sockets of a client, and how a forked child closes its copies of them.

use std::net::TcpStream;
use std::sync::{Arc, Mutex, Weak};

use crate::util::process::unlocked;
use crate::util::sync::lock;

/// All sockets that a client has opened; clones share the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets(Arc<Mutex<Vec<Weak<SocketPlace>>>>);

/// Where a socket is while no thread reads or writes.
type SocketPlace = Mutex<Option<TcpStream>>;

/// A socket that its connection has for itself, unless the list takes it away.
#[derive(Debug)]
pub(crate) struct Seat(Arc<SocketPlace>);

impl Sockets {
    pub(crate) fn add(&self, stream: TcpStream) -> Seat {
        let place = Arc::new(Mutex::new(Some(stream)));
        let mut places = lock(&self.0);
        // Closed connections are removed when one is added, so the list is as long as
        // the connections in use.
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(&place));
        Seat(place)
    }

    /// Closes the sockets that no thread uses; in a child, those that no thread
    /// of the parent used at the fork.
    ///
    /// That sends nothing, neither an end of TLS nor one of TCP: the parent
    /// still has the connection. Nothing else here may touch the socket,
    /// because modes and timeouts of a socket are the parent's too.
    pub(crate) fn close_copies(&self) {
        let Some(places) = unlocked(&self.0, std::mem::take) else { return };
        for place in places.iter().filter_map(Weak::upgrade) {
            drop(unlocked(&place, Option::take));
        }
    }
}

impl Seat {
    /// Calls `work` with the socket; returns `None` if the socket was closed.
    ///
    /// Meanwhile the socket is taken out and not locked, because a child that
    /// is forked at that time must not wait for it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&TcpStream) -> T) -> Option<T> {
        let stream = self.lock(Option::take)?;
        let done = work(&stream);
        self.lock(|place| *place = Some(stream));
        Some(done)
    }

    fn lock<T>(&self, change: impl FnOnce(&mut Option<TcpStream>) -> T) -> T {
        change(&mut lock(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn only_open_sockets_are_listed_and_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sockets = Sockets::default();
        let add = || sockets.add(TcpStream::connect(address).unwrap());
        let (first, second) = (add(), add());
        let mut peers = [listener.accept().unwrap().0, listener.accept().unwrap().0];
        drop(add());
        let _third = add();
        assert_eq!(lock(&sockets.0).len(), 3, "the one that was closed is gone");
        assert_eq!((first.with(|_| 1), second.with(|_| 2)), (Some(1), Some(2)));
        sockets.close_copies();
        assert_eq!((first.with(|_| 1), second.with(|_| 2)), (None, None));
        for peer in &mut peers {
            assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the end has come");
        }
    }
}
