//! The `content-encoding` of bodies that ureq leaves alone: it decodes only
//! `gzip` in lower case.

use std::fmt::Display;
use std::io::Read;

use ureq::http::{HeaderMap, header};

use crate::http::error::{HttpError, HttpErrorKind};
use crate::util::excerpt::excerpt;

/// The encoding that is left to decode.
#[derive(Debug, PartialEq)]
pub(super) enum BodyEncoding {
    /// None, or ureq has decoded it.
    Identity,
    /// `gzip` in another case, or `x-gzip`: RFC 9110 section 8.4.1.
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))]
    Gzip,
    /// One that was not requested, or several, as they were named.
    Other(String),
}

impl BodyEncoding {
    /// Reads the headers. ureq removes the header of what it decodes.
    ///
    /// ```text
    /// none, identity     Identity
    /// GZIP, x-gzip       Gzip, with the feature gzip
    /// br                 Other
    /// gzip, gzip         Other
    /// ```
    pub(super) fn of(headers: &HeaderMap) -> Self {
        // Several lines of the header are one list (RFC 9110 section 5.3).
        let lines = headers.get_all(header::CONTENT_ENCODING).iter();
        let text = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect::<Vec<_>>().join(", ");
        let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        let names: Vec<_> = names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
        match names.as_slice() {
            [] => Self::Identity,
            [name] if cfg!(feature = "gzip") && matches!(name.as_str(), "gzip" | "x-gzip") => Self::Gzip,
            _ => Self::Other(text),
        }
    }

    /// Returns a reader of the decoded body.
    ///
    /// # Errors
    ///
    /// `Encoding`, if it was not requested.
    pub(super) fn decode<'a>(
        self,
        body: impl Read + 'a,
        peer: &dyn Display,
    ) -> Result<Box<dyn Read + 'a>, HttpError> {
        match self {
            Self::Identity => Ok(Box::new(body)),
            #[cfg(feature = "gzip")]
            // A body may have several members, and `GzDecoder` would stop after
            // the first.
            Self::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(body))),
            #[cfg(not(feature = "gzip"))]
            Self::Gzip => Err(wrong(peer, "gzip")),
            Self::Other(name) => Err(wrong(peer, &name)),
        }
    }
}

/// Returns the error for an encoding that was not requested.
fn wrong(peer: &dyn Display, name: &str) -> HttpError {
    let name = excerpt(name);
    let message = format!("the response of {peer} has content-encoding `{name}`, which was not requested");
    HttpError::new(HttpErrorKind::Encoding, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_encodings() {
        let other = |text: &str| BodyEncoding::Other(text.to_owned());
        let or = |text: &str| if cfg!(feature = "gzip") { BodyEncoding::Gzip } else { other(text) };
        let rows: [(&[&str], BodyEncoding); 9] = [
            (&[], BodyEncoding::Identity),
            (&[""], BodyEncoding::Identity),
            (&["identity"], BodyEncoding::Identity),
            (&["Identity, identity"], BodyEncoding::Identity),
            (&["GZIP"], or("GZIP")),
            (&["x-gzip"], or("x-gzip")),
            (&["identity", "X-GZip"], or("identity, X-GZip")),
            (&["br"], other("br")),
            (&["gzip, gzip"], other("gzip, gzip")),
        ];
        for (lines, expected) in rows {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CONTENT_ENCODING, line.parse().unwrap());
            }
            assert_eq!(BodyEncoding::of(&headers), expected, "{lines:?}");
        }
    }
}
