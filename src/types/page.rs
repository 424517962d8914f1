//! One page of ListOperations.

use crate::error::Error;
use crate::json::Reader;
use crate::types::Operation;

/// One page of operations, the answer of `ListOperations`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationPage {
    /// The operations of this page; there may be none although more pages follow.
    pub operations: Vec<Operation>,
    /// The token of the next page; empty on the last.
    pub next_page_token: String,
    /// Places that could not be asked, when the request allows partial success.
    pub unreachable: Vec<String>,
}

impl OperationPage {
    /// Makes a page on which nothing was unreachable.
    pub fn new(operations: Vec<Operation>, next_page_token: impl Into<String>) -> Self {
        Self { operations, next_page_token: next_page_token.into(), unreachable: Vec::new() }
    }

    /// Reads the JSON form of a `ListOperationsResponse`, in one pass and without keeping the text of the
    /// page.
    pub(crate) fn from_json(text: &str) -> Result<Self, Error> {
        let mut page = Self::default();
        let outcome = Reader::document(text, |reader| {
            reader.fields(|name, reader| {
                match name {
                    "operations" => drop(reader.elements(|reader| {
                        page.operations.push(Operation::read(reader)?);
                        Ok(())
                    })?),
                    "nextPageToken" | "next_page_token" => {
                        page.next_page_token = reader.value()?.string()?.into()
                    }
                    "unreachable" => drop(reader.elements(|reader| {
                        page.unreachable.push(reader.value()?.string()?.into());
                        Ok(())
                    })?),
                    _ => reader.skip()?,
                }
                Ok(())
            })
        });
        outcome.map_err(|invalid| Error::invalid("page of operations", invalid))?;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        let table = [
            ("empty", "{}", 0, "", 0),
            ("defaults printed", r#"{"operations":[],"nextPageToken":"","unreachable":[]}"#, 0, "", 0),
            ("nulls", r#"{"operations":null,"nextPageToken":null,"unreachable":null}"#, 0, "", 0),
            ("empty with a token", r#"{"nextPageToken":"t"}"#, 0, "t", 0),
            ("the name in the proto", r#"{"next_page_token":"t\u00e9"}"#, 0, "t\u{e9}", 0),
            ("unknown fields", r#"{"new":{"operations":[1]},"unreachable":["a","b"]}"#, 0, "", 2),
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

    #[test]
    fn what_is_no_page() {
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
    fn a_page_cut_anywhere_ends_early() {
        let page = r#"{"operations":[{"name":"a","done":true,"response":{"@type":"x/y","n":[1,"\u00e9"]}}],"nextPageToken":"t"}"#;
        for end in 0..page.len() {
            let error = OperationPage::from_json(&page[..end]).unwrap_err();
            assert!(error.is_cut_short(), "{}", &page[..end]);
        }
    }
}
