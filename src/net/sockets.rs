//! The sockets of a client, and how a forked child closes its copies of them.
//!
//! A fork copies the descriptors of all sockets. As long as the child has its
//! copies, connections of the parent stay open after the parent has closed
//! them, and servers see no end. So the child closes them at its first use of
//! the client, through the list here.

use std::net::TcpStream;
use std::sync::{Arc, Mutex, Weak};

use crate::util::process::unlocked;
use crate::util::sync::lock;

/// All sockets that a client has opened; clones share the list. The references
/// are weak: a connection that is dropped closes its socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets(Arc<Mutex<Vec<Weak<SocketPlace>>>>);

/// Holds a socket while no thread reads or writes it.
type SocketPlace = Mutex<Option<TcpStream>>;

/// The socket of one connection, which the list can take away.
///
/// ```text
/// idle              the socket is in its place      a child can close it
/// read or write     the thread has it               a child leaves it alone
/// closed            the place is empty              every use returns None
/// ```
#[derive(Debug)]
pub(crate) struct ListedSocket(Arc<SocketPlace>);

impl Sockets {
    /// Adds a socket to the list.
    pub(crate) fn add(&self, stream: TcpStream) -> ListedSocket {
        let place = Arc::new(Mutex::new(Some(stream)));
        let mut places = lock(&self.0);
        // Closed connections are removed when one is added, so the list is as
        // long as the number of open connections.
        places.retain(|place| place.strong_count() > 0);
        places.push(Arc::downgrade(&place));
        ListedSocket(place)
    }

    /// Closes the sockets that no thread uses. In a child, those are the ones
    /// that no thread of the parent used at the fork; the others stay open
    /// until the child ends.
    ///
    /// This sends nothing, neither an end of TLS nor one of TCP: the parent
    /// still has the connection. Nothing else here may touch the socket,
    /// because modes and timeouts of a socket are shared with the parent.
    pub(crate) fn close_copies(&self) {
        // If a thread of the parent held the list at the fork, the copies stay
        // open: nothing else depends on them.
        let Some(places) = unlocked(&self.0, std::mem::take) else { return };
        for place in places.iter().filter_map(Weak::upgrade) {
            drop(unlocked(&place, Option::take));
        }
    }
}

impl ListedSocket {
    /// Calls `work` with the socket; returns `None` if the socket was closed.
    ///
    /// Meanwhile the socket is taken out of its place, and the place is not
    /// locked. A child that is forked at that time must not wait for a lock,
    /// and finds no socket to close.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&TcpStream) -> T) -> Option<T> {
        let stream = self.lock(Option::take)?;
        let done = work(&stream);
        self.lock(|place| *place = Some(stream));
        Some(done)
    }

    /// Changes the place of the socket, under its lock.
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
