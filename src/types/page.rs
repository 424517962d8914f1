//! One page of `ListOperations`, in JSON or protobuf, of google.longrunning or
//! of a service with a list of its own.
//!
//! ```text
//! {"operations":[…],"nextPageToken":"t","unreachable":["l"]}          google.longrunning
//! {"kind":"compute#operationList","items":[…],"nextPageToken":"t"}    Compute Engine, Cloud SQL
//! {"items":{"zones/z":{"operations":[…]},"zones/y":{"warning":…}}}    aggregated list of Compute Engine
//! ```
//!
//! A page is read in one pass. Operations that follow each other share one copy
//! of their text, a block ([`text`](super::text)), which is faster than a copy
//! for each. A block is small, so that an operation that is kept does not hold
//! a page.

use crate::error::Error;
use crate::json::{InvalidJson, JsonReader};
use crate::types::extended::{ListShape, missing_place};
use crate::types::operation_fields::OperationFields;
use crate::types::text::SharedSource;
use crate::types::{Operation, wire};

/// One page of operations, the response of `ListOperations`.
///
/// ```
/// use longrunning::testing::FakeServer;
/// use longrunning::Operation;
///
/// let server = FakeServer::start();
/// server.insert(Operation::running("projects/p/operations/1"));
/// let page = server.client().list("projects/p").send()?;
/// assert_eq!((page.operations.len(), page.next_page_token.as_str()), (1, ""));
/// # Ok::<(), longrunning::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationPage {
    /// The operations of this page; there may be none although more pages
    /// follow.
    pub operations: Vec<Operation>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
    /// Locations that the service could not reach, if the request allows
    /// partial success.
    pub unreachable: Vec<String>,
}

impl OperationPage {
    /// Creates a page without unreachable locations; `next_page_token` is empty
    /// for the last page.
    ///
    /// ```
    /// use longrunning::{Operation, OperationPage};
    ///
    /// let page = OperationPage::new(vec![Operation::running("operations/42")], "next");
    /// assert!(page.unreachable.is_empty());
    /// ```
    pub fn new(operations: Vec<Operation>, next_page_token: impl Into<String>) -> Self {
        Self { operations, next_page_token: next_page_token.into(), unreachable: Vec::new() }
    }

    /// Parses the JSON form of a `ListOperationsResponse`, or of a list of
    /// extended operations, in one pass and without keeping the text of the
    /// page.
    pub(crate) fn from_json(text: &str) -> Result<Self, Error> {
        // No intermediate tree: a page may have megabytes.
        let mut parts = PageParts { text, ..PageParts::default() };
        let outcome = JsonReader::document(text, |reader| parts.read(reader));
        outcome.and_then(|()| parts.shape.check()).map_err(|invalid| Error::invalid(SUBJECT, invalid))?;
        Ok(parts.page)
    }

    /// Gives extended operations their full names, below the parent that was
    /// listed.
    pub(crate) fn listed_in(mut self, parent: &str) -> Self {
        if self.operations.iter().any(|operation| operation.form().is_extended()) {
            let operations = self.operations.into_iter().map(|operation| operation.listed_in(parent));
            self.operations = operations.collect();
        }
        self
    }

    /// Decodes the protobuf form of a `ListOperationsResponse`, one operation
    /// at a time.
    pub(crate) fn from_protobuf(bytes: &[u8]) -> Result<Self, Error> {
        let (mut page, mut details) = (Self::default(), 0);
        let outcome = wire::fields(bytes, |number, value| {
            match number {
                1 => {
                    let index = page.operations.len();
                    let operation =
                        has_room(index + details).and_then(|()| Operation::decode(value.bytes()?));
                    let operation =
                        operation.map_err(|invalid| invalid.at(&format!("operations[{index}]")))?;
                    details += details_of(&operation);
                    page.operations.push(operation);
                }
                2 => {
                    page.next_page_token = value.string().map_err(|invalid| invalid.at("next_page_token"))?
                }
                3 => {
                    let index = page.unreachable.len();
                    let place = has_room(index).and_then(|()| value.string());
                    page.unreachable
                        .push(place.map_err(|invalid| invalid.at(&format!("unreachable[{index}]")))?);
                }
                _ => {}
            }
            Ok(())
        });
        outcome.map_err(|invalid| Error::invalid(SUBJECT, invalid))?;
        Ok(page)
    }
}

/// A page while it is read.
#[derive(Default)]
struct PageParts<'a> {
    /// The whole document.
    text: &'a str,
    /// The part of it that the last operation shares with those before it.
    block: Option<SharedSource>,
    page: OperationPage,
    /// The number of details of all errors so far, which count as entries.
    details: usize,
    /// The fields that are not known, to reject objects that are no list of
    /// operations.
    shape: ListShape,
}

impl<'a> PageParts<'a> {
    fn read(&mut self, reader: &mut JsonReader<'a>) -> Result<(), InvalidJson> {
        let fields = reader.fields(|name, reader| match name {
            "operations" => self.operations(reader, None),
            "items" => self.items(reader),
            "nextPageToken" | "next_page_token" => {
                self.page.next_page_token = reader.value()?.string()?.into();
                Ok(())
            }
            // Of google.longrunning, of Compute Engine, and of GKE.
            "unreachable" | "unreachables" | "missingZones" => self.places(reader),
            "warning" => self.warning(reader, None),
            "warnings" => reader.elements(|reader| self.warning(reader, None)).map(drop),
            // Unknown fields are skipped; the shape notes their names for an
            // error.
            _ => self.shape.other(name, reader),
        });
        fields.map(drop)
    }

    /// Reads a list of operations.
    fn operations(&mut self, reader: &mut JsonReader<'a>, scope: Option<&str>) -> Result<(), InvalidJson> {
        self.shape.has_list();
        let list = reader.elements(|reader| {
            has_room(self.page.operations.len() + self.details)?;
            let mut fields = OperationFields::default();
            let raw = fields.read(reader)?;
            let source = match self.block.take() {
                Some(block) if block.contains(raw) => block,
                _ => SharedSource::block(self.text, raw, BLOCK),
            };
            let operation = Operation::of_fields(&fields, raw, &source)?;
            self.block = Some(source);
            self.details += details_of(&operation);
            self.page.operations.push(match scope {
                Some(scope) => operation.completed_in(scope),
                None => operation,
            });
            Ok(())
        });
        list.map(drop)
    }

    /// Reads a list of extended operations, or the map of an aggregated list by
    /// scopes.
    fn items(&mut self, reader: &mut JsonReader<'a>) -> Result<(), InvalidJson> {
        if reader.peek() != Some(b'{') {
            let first = self.page.operations.len();
            self.operations(reader, None)?;
            // A list of something else can look like a list of operations until its items
            // are read.
            let others =
                self.page.operations.iter().skip(first).position(|operation| !operation.is_recognised());
            return others.map_or(Ok(()), |index| Err(not_an_operation().at(&format!("[{index}]"))));
        }
        self.shape.has_list();
        let scopes = reader.fields(|scope, reader| {
            let list = reader.fields(|name, reader| match name {
                "operations" => self.operations(reader, Some(scope)),
                "warning" => self.warning(reader, Some(scope)),
                _ => Err(not_an_operation()),
            });
            list.map(drop)
        });
        scopes.map(drop)
    }

    /// Reads a list of places that the service could not reach. Compute Engine
    /// and GKE have other names for `unreachable`.
    fn places(&mut self, reader: &mut JsonReader<'_>) -> Result<(), InvalidJson> {
        let list = reader.elements(|reader| {
            let place = reader.value()?.string()?.into();
            self.missing(place)
        });
        list.map(drop)
    }

    /// Reads a warning, which may say that the operations of a place are
    /// missing.
    fn warning(&mut self, reader: &mut JsonReader<'_>, scope: Option<&str>) -> Result<(), InvalidJson> {
        let raw = reader.value()?;
        raw.check_depth()?;
        // A warning that cannot be read must not fail the page.
        let warning = serde_json::from_str(raw.text()).unwrap_or_default();
        missing_place(&warning, scope).map_or(Ok(()), |place| self.missing(place))
    }

    /// Adds a place that the service could not reach.
    fn missing(&mut self, place: String) -> Result<(), InvalidJson> {
        has_room(self.page.unreachable.len())?;
        self.page.unreachable.push(place);
        Ok(())
    }
}

/// The largest text that operations share, in bytes. More would hardly be
/// faster, and an operation that a program keeps holds its block.
const BLOCK: usize = 16 << 10;

/// Returns the error for a list whose items are something else.
fn not_an_operation() -> InvalidJson {
    InvalidJson::new("expected operations, found something else")
}

/// Returns the number of details of an operation's error.
fn details_of(operation: &Operation) -> usize {
    operation.error().map_or(0, |error| error.details().len())
}

/// Returns an error if the page has as many entries as it may have.
///
/// Two bytes can stand for an operation, or for a detail of its error: without
/// a limit, a page of the largest size would take gigabytes.
fn has_room(entries: usize) -> Result<(), InvalidJson> {
    if entries < MOST_ENTRIES {
        return Ok(());
    }
    Err(InvalidJson::new(format!(
        "expected at most {MOST_ENTRIES} entries on a page: set a smaller `page_size`"
    )))
}

const SUBJECT: &str = "page of operations";

/// The largest number of entries, 262,144: their fixed parts take as much
/// memory as the largest page has bytes, 64 MiB.
const MOST_ENTRIES: usize = (64 << 20) / ENTRY;

/// The size of an entry's fixed part that the limit assumes; checked below.
const ENTRY: usize = 256;

const _: () = assert!(size_of::<Operation>() <= ENTRY && size_of::<String>() <= ENTRY);

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::proto::google::longrunning as proto;

    #[test]
    fn pages() {
        let table = [
            ("empty", "{}", 0, "", 0),
            ("defaults printed", r#"{"operations":[],"nextPageToken":"","unreachable":[]}"#, 0, "", 0),
            ("nulls", r#"{"operations":null,"nextPageToken":null,"unreachable":null}"#, 0, "", 0),
            ("empty with a token", r#"{"nextPageToken":"t"}"#, 0, "t", 0),
            ("the name in the proto", r#"{"next_page_token":"t\u00e9"}"#, 0, "t\u{e9}", 0),
            (
                "unknown fields",
                r#"{"new":{"operations":[1]},"operations":[],"unreachable":["a","b"]}"#,
                0,
                "",
                2,
            ),
            (
                "operations",
                r#" { "operations" : [ {"name":"a"} , {} ] , "nextPageToken" : "t" } "#,
                2,
                "t",
                0,
            ),
        ];
        for (name, json, operations, token, unreachable) in table {
            let page = OperationPage::from_json(json).unwrap();
            assert_eq!((page.operations.len(), page.next_page_token.as_str()), (operations, token), "{name}");
            assert_eq!(page.unreachable.len(), unreachable, "{name}");
        }
    }

    #[test]
    fn every_operation_keeps_its_own_text() {
        let texts = [
            r#"{"name":"a","metadata":{"@type":"x/M","n":18446744073709551615},"new":[ ]}"#,
            "{ }",
            r#"{ "done" : true , "response" : { "@type" : "x/R" } }"#,
            r#"{"\u006eame":"b","error":{"code":5,"details":[{"@type":"x/D"}]}}"#,
        ];
        let page =
            OperationPage::from_json(&format!(r#"{{"operations":[{}]}}"#, texts.join(" ,\n "))).unwrap();
        for (operation, text) in page.operations.iter().zip(texts) {
            assert_eq!(operation.to_json(), text);
            assert_eq!(*operation, Operation::from_json(text).unwrap());
        }
        assert_eq!(
            page.operations[0].metadata().unwrap().json().unwrap(),
            r#"{"@type":"x/M","n":18446744073709551615}"#
        );
        assert_eq!(page.operations[2].response().unwrap().type_name(), "R");
        assert_eq!(page.operations[3].error().unwrap().details()[0].type_name(), "D");
    }

    /// One operation that is kept must not hold the memory of a page.
    #[test]
    fn operations_share_blocks_of_limited_size() {
        let operation = |index: usize, size: usize| {
            let filling = "x".repeat(size);
            format!(r#"{{"name":"o/{index}","metadata":{{"@type":"x/M","s":"{filling}"}}}}"#)
        };
        let sizes = (0..300).map(|index| if index % 50 == 7 { BLOCK + index } else { index });
        let texts: Vec<String> = sizes.enumerate().map(|(index, size)| operation(index, size)).collect();
        let page = OperationPage::from_json(&format!(r#"{{"operations":[{}]}}"#, texts.join(",\n"))).unwrap();
        assert_eq!(page.operations.len(), texts.len());
        for (index, (operation, text)) in page.operations.iter().zip(&texts).enumerate() {
            assert_eq!((operation.name(), operation.to_json()), (&*format!("o/{index}"), text.clone()));
            assert!(operation.shared_length() <= text.len().max(BLOCK), "{index}");
            assert_eq!(operation.clone(), Operation::from_json(text).unwrap());
        }
        let blocks = page.operations.chunk_by(|one, next| one.shares_text_of(next)).count();
        assert!((7..30).contains(&blocks), "{blocks} blocks");
    }

    #[test]
    fn the_first_error_counts() {
        let rows = [
            (r#"[{},{"done":7},{"done":8}]"#, "`operations[1].done`: expected a boolean, found a number"),
            (r#"[{},{"name":7},7]"#, "`operations[1].name`: expected a string, found a number"),
            (r#"[{},{"name":"a"},7]"#, "`operations[2]`: expected an object, found a number"),
            (r#"[{},{"name":7},{"#, "`operations[1].name`: expected a string, found a number"),
        ];
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(BLOCK));
        for (list, message) in rows {
            for list in [list.to_owned(), list.replace("{}", &long)] {
                let error = OperationPage::from_json(&format!(r#"{{"operations":{list}}}"#)).unwrap_err();
                assert_eq!(
                    error.to_string(),
                    format!("page of operations is not valid: {message}"),
                    "{list}"
                );
            }
        }
    }

    #[test]
    fn pages_of_protobuf() {
        let operation = |name: &str| Operation::running(name).to_proto().unwrap();
        let message = proto::ListOperationsResponse {
            operations: vec![operation("a"), operation("")],
            next_page_token: "t".into(),
            unreachable: vec!["l".into(), String::new()],
        };
        let mut bytes = message.encode_to_vec();
        assert_eq!(OperationPage::from_protobuf(&bytes).unwrap(), message.clone().into());
        assert_eq!(OperationPage::from_protobuf(&[]).unwrap(), OperationPage::default());
        bytes.extend([0x20, 7, 0x2a, 1, b'x', 0x33, 0x34]);
        assert_eq!(OperationPage::from_protobuf(&bytes).unwrap(), message.into(), "unknown fields");
        let table: [(&[u8], &str); 6] = [
            (&[0x0a], "expected protobuf bytes"),
            (&[0x0a, 2, 0], "expected protobuf bytes"),
            (&[0x0a, 0, 0x08, 7], "`operations[1]`: expected a field with a length"),
            (
                &[0x0a, 3, 0x0a, 1, 0xff],
                "`operations[0]`: failed to decode Protobuf message: Operation.name: invalid string value: data is not UTF-8 encoded",
            ),
            (&[0x12, 1, 0xff], "`next_page_token`: expected UTF-8"),
            (&[0x1a, 1, 0xff], "`unreachable[0]`: expected UTF-8"),
        ];
        for (bytes, message) in table {
            let error = OperationPage::from_protobuf(bytes).unwrap_err().to_string();
            assert_eq!(error, format!("page of operations is not valid: {message}"), "{bytes:?}");
        }
    }

    /// Ten million operations without anything in them took 2.4 GB.
    #[test]
    fn absurd_pages_are_refused() {
        for (field, tag) in [("operations", 0x0a), ("unreachable", 0x1a)] {
            let entry = if tag == 0x0a { "{}" } else { "\"\"" };
            let json = |count: usize| format!(r#"{{"{field}":[{}]}}"#, vec![entry; count].join(","));
            let bytes = |count: usize| [tag, 0].repeat(count);
            let count = |page: OperationPage| page.operations.len() + page.unreachable.len();
            assert_eq!(OperationPage::from_json(&json(MOST_ENTRIES)).map(count).unwrap(), 262_144);
            assert_eq!(OperationPage::from_protobuf(&bytes(MOST_ENTRIES)).map(count).unwrap(), 262_144);
            let too_many = [
                OperationPage::from_json(&json(MOST_ENTRIES + 1)),
                OperationPage::from_protobuf(&bytes(10_000_000)),
            ];
            for page in too_many {
                assert_eq!(
                    page.unwrap_err().to_string(),
                    format!(
                        "page of operations is not valid: `{field}[262144]`: expected at most 262144 entries on \
                         a page: set a smaller `page_size`"
                    )
                );
            }
        }
    }

    #[test]
    fn invalid_pages_are_errors() {
        let table = [
            (
                r#"{"operations":{}}"#,
                "page of operations is not valid: `operations`: expected an array, found an object",
            ),
            (
                r#"{"operations":[{},null]}"#,
                "page of operations is not valid: `operations[1]`: expected an object, found null",
            ),
            (
                r#"{"operations":[{},{"error":{"code":[]}}]}"#,
                "page of operations is not valid: `operations[1].error.code`: expected a 32-bit integer, found an array",
            ),
            (
                r#"{"nextPageToken":7}"#,
                "page of operations is not valid: `nextPageToken`: expected a string, found a number",
            ),
            (
                r#"{"unreachable":[7]}"#,
                "page of operations is not valid: `unreachable[0]`: expected a string, found a number",
            ),
            ("[]", "page of operations is not valid: expected an object, found an array"),
            ("{} {}", "page of operations is not valid JSON"),
        ];
        for (json, message) in table {
            assert_eq!(OperationPage::from_json(json).unwrap_err().to_string(), message, "{json}");
        }
        let deep = format!(r#"{{"operations":[{{"new":{}{}}}]}}"#, "[".repeat(200), "]".repeat(200));
        let message =
            "page of operations is not valid: `operations[0]`: expected at most 127 levels of nesting";
        assert_eq!(OperationPage::from_json(&deep).unwrap_err().to_string(), message);
    }

    #[test]
    fn details_count_as_entries() {
        let page = |operations: usize| {
            let details = format!("{}{{}}", "{},".repeat(1023));
            vec![format!(r#"{{"error":{{"details":[{details}]}}}}"#); operations].join(",")
        };
        let json = |operations| format!(r#"{{"operations":[{}]}}"#, page(operations));
        let bytes = |operations| {
            // 1,024 details: 2,048 bytes in an error, 2,051 in an operation.
            let operation = [&[0x0a, 0x83, 0x10, 0x22, 0x80, 0x10][..], &[0x1a, 0].repeat(1024)].concat();
            operation.repeat(operations)
        };
        for (operations, fits) in [(256, true), (257, false)] {
            assert_eq!(OperationPage::from_json(&json(operations)).is_ok(), fits);
            assert_eq!(OperationPage::from_protobuf(&bytes(operations)).is_ok(), fits);
        }
    }

    #[test]
    fn a_page_cut_anywhere_ends_early() {
        let page = r#"{"operations":[{"name":"a","done":true,"response":{"@type":"x/y","n":[1,"\u00e9"]}}],"nextPageToken":"t"}"#;
        for end in 0..page.len() {
            let error = OperationPage::from_json(&page[..end]).unwrap_err();
            assert!(error.is_cut_short(), "{}", &page[..end]);
        }
    }
}
