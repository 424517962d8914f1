//! The protocol inside TLS (ALPN, [RFC
//! 7301](https://www.rfc-editor.org/rfc/rfc7301)).

/// The protocol that servers must agree on, as [RFC 9113 section
/// 3.2](https://www.rfc-editor.org/rfc/rfc9113#section-3.2) requires it for
/// HTTP/2.
#[derive(Clone, Copy)]
pub(crate) struct AlpnProtocol {
    /// Its name in the handshake: `h2`.
    pub(crate) id: &'static [u8],
    /// What messages say of a server that does not support it, after its name.
    pub(crate) missing: &'static str,
}
