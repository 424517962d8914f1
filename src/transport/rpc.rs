//! The RPCs of google.longrunning.Operations: the one table that a new RPC is
//! added to.

use crate::http::HttpMethod;

/// A method of `google.longrunning.Operations`.
///
/// Reference: [operations.proto](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto).
///
/// ```
/// use longrunning::transport::Rpc;
///
/// assert_eq!(Rpc::Cancel.name(), "CancelOperation");
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rpc {
    /// GetOperation.
    Get,
    /// ListOperations.
    List,
    /// CancelOperation.
    Cancel,
    /// DeleteOperation.
    Delete,
    /// WaitOperation; over REST as `POST {name}:wait` with a body or a query,
    /// and as `GET {name}:wait`.
    Wait,
}

/// One row of the table: what is known of an RPC before any option is set.
struct RpcRow {
    rpc: Rpc,
    name: &'static str,
    /// The default HTTP rule: method, and the verb behind the name. Without
    /// one, the RPC needs a binding of the user's.
    http: Option<(HttpMethod, &'static str)>,
}

/// In the order of the variants of [`Rpc`].
const ROWS: [RpcRow; 5] = [
    RpcRow { rpc: Rpc::Get, name: "GetOperation", http: Some((HttpMethod::Get, "")) },
    RpcRow { rpc: Rpc::List, name: "ListOperations", http: Some((HttpMethod::Get, "")) },
    RpcRow { rpc: Rpc::Cancel, name: "CancelOperation", http: Some((HttpMethod::Post, ":cancel")) },
    RpcRow { rpc: Rpc::Delete, name: "DeleteOperation", http: Some((HttpMethod::Delete, "")) },
    // `operations.proto` has no `google.api.http` rule for it.
    RpcRow { rpc: Rpc::Wait, name: "WaitOperation", http: None },
];

impl Rpc {
    /// Returns all RPCs, in the order in which the crate lists them.
    ///
    /// ```
    /// # use longrunning::transport::Rpc;
    /// assert_eq!(Rpc::all().next(), Some(Rpc::Get));
    /// ```
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        ROWS.iter().map(|row| row.rpc)
    }

    /// Returns the name in the proto, such as `GetOperation`.
    ///
    /// Messages of errors and
    /// [`client_config`](crate::OperationsClientBuilder::client_config) use the
    /// same name.
    ///
    /// ```
    /// use longrunning::transport::Rpc;
    ///
    /// let names: Vec<_> = Rpc::all().map(Rpc::name).collect();
    /// assert!(names.contains(&"WaitOperation"));
    /// ```
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Finds an RPC by its name in the proto, case and all.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|rpc| rpc.name() == name)
    }

    /// Returns the names of all RPCs, for messages.
    pub(crate) fn names() -> String {
        Self::all().map(Self::name).collect::<Vec<_>>().join(", ")
    }

    /// Returns the default HTTP rule: the method, and the verb that the path
    /// ends with. `None` for WaitOperation, which the proto does not bind.
    pub(crate) fn http(self) -> Option<(HttpMethod, &'static str)> {
        self.row().http
    }

    fn row(self) -> &'static RpcRow {
        // The index exists: variants and rows have one order, which a test checks.
        &ROWS[self as usize]
    }
}

/// A value for each RPC: options of methods, bindings, URIs.
///
/// It is an array in the order of the variants, so a lookup cannot fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RpcMap<T>([T; ROWS.len()]);

impl<T> RpcMap<T> {
    /// Makes the value of each RPC, in the order of [`Rpc::all`].
    pub(crate) fn new(value: impl FnMut(Rpc) -> T) -> Self {
        Self(ROWS.each_ref().map(|row| row.rpc).map(value))
    }

    /// Makes the value of each RPC, or returns the first error.
    #[cfg(feature = "grpc")]
    pub(crate) fn try_new<E>(value: impl FnMut(Rpc) -> Result<T, E>) -> Result<Self, E> {
        let mut values = Rpc::all().map(value).collect::<Result<Vec<T>, E>>()?.into_iter();
        Ok(Self::new(|_| values.next().expect("there is a value for each RPC")))
    }

    pub(crate) fn get(&self, rpc: Rpc) -> &T {
        &self.0[rpc as usize]
    }

    pub(crate) fn get_mut(&mut self, rpc: Rpc) -> &mut T {
        &mut self.0[rpc as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_variants() {
        for (index, rpc) in Rpc::all().enumerate() {
            assert_eq!(rpc as usize, index);
            assert_eq!(Rpc::by_name(rpc.name()), Some(rpc));
        }
        assert_eq!(Rpc::by_name("StartOperation"), None);
    }

    #[test]
    fn a_map_has_a_value_for_each() {
        let names = RpcMap::new(Rpc::name);
        assert!(Rpc::all().all(|rpc| *names.get(rpc) == rpc.name()));
        #[cfg(feature = "grpc")]
        assert_eq!(
            RpcMap::try_new(|rpc| if rpc == Rpc::Delete { Err(rpc) } else { Ok(()) }),
            Err(Rpc::Delete)
        );
    }
}
