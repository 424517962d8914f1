//! The requested form of responses.
//!
//! The form of a response is read from its content type, since a front end may
//! not know the parameter.

/// The form of the responses over REST; for
/// [`OperationsClientBuilder::data_format`].
///
/// [`OperationsClientBuilder::data_format`]: crate::OperationsClientBuilder::data_format
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DataFormat {
    /// ProtoJSON, which every service speaks; an operation keeps the text. The
    /// default.
    #[default]
    Json,
    /// Protobuf bytes (`alt=proto`), which Google's own front ends give; see
    /// [`Any::unpack`](crate::Any::unpack).
    Proto,
}

impl DataFormat {
    /// Returns the query parameter that requests it, encoded; none for plain
    /// JSON, which is the default of every service.
    ///
    /// In binary, enums are always numbers.
    pub(super) fn query(self, enums_as_numbers: bool) -> Option<&'static str> {
        match self {
            Self::Json => enums_as_numbers.then_some(ENUMS_AS_NUMBERS),
            Self::Proto => Some("alt=proto"),
        }
    }

    /// Returns the value of the header `accept`.
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            // A front end that does not know `alt` may read this. JSON is accepted too,
            // because most front ends send errors in it.
            Self::Proto => "application/x-protobuf, application/json;q=0.9",
        }
    }
}

/// The system parameter that Google's generated clients send.
const ENUMS_AS_NUMBERS: &str = "$alt=json%3Benum-encoding=int";
