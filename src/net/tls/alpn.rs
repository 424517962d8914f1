//! The protocol inside TLS.

/// The protocol that servers have to agree on, as
/// [RFC 9113 section 3.2](https://www.rfc-editor.org/rfc/rfc9113#section-3.2) has it for HTTP/2.
#[derive(Clone, Copy)]
pub(crate) struct AlpnProtocol {
    pub(crate) id: &'static [u8],
    /// The words of an error about a server that does not support it.
    pub(crate) missing: &'static str,
}
