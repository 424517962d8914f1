//! Token requests taken apart into fields that can be compared: decoded, without signatures and numbers.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use longrunning::testing::RecordedRequest;
use serde_json::Value;

/// Values by names such as `POST /token form scope`.
pub(crate) type Fields = BTreeMap<String, String>;

/// Groups requests by the operation that was got with the token they were for.
pub(crate) fn by_operation(requests: &[RecordedRequest]) -> BTreeMap<String, Fields> {
    let (mut groups, mut fields) = (BTreeMap::new(), Fields::new());
    for request in requests {
        if request.path().ends_with("/allowedLocations") {
            // google-auth looks in the background for the places where a token may be used.
            continue;
        }
        if let Some(name) = request.path().strip_prefix("/v1/operations/") {
            let token = request.header("authorization").unwrap_or_default();
            insert(&mut fields, "authorization", token);
            groups.insert(name.to_owned(), std::mem::take(&mut fields));
        } else {
            take_apart(request, &mut fields);
        }
    }
    groups
}

fn take_apart(request: &RecordedRequest, fields: &mut Fields) {
    let line = format!("{} {}", request.method(), decode(request.target()));
    fields.insert(line.clone(), "sent".to_owned());
    let host = request.header("host").unwrap_or_default();
    for (name, value) in request.headers() {
        let name = name.to_ascii_lowercase();
        if !OF_THE_LIBRARY.contains(&name.as_str()) {
            insert(fields, &format!("{line} header {name}"), value);
        }
    }
    let body = String::from_utf8_lossy(request.body());
    if let Ok(Value::Object(body)) = serde_json::from_str(&body) {
        for (name, value) in body {
            fields.insert(format!("{line} JSON {name}"), value.to_string());
        }
    } else {
        for (name, value) in body.split('&').filter_map(|pair| pair.split_once('=')) {
            insert(fields, &format!("{line} form {name}"), &decode(&value.replace('+', " ")));
        }
    }
    fields.values_mut().for_each(|value| *value = value.replace(host, "HOST"));
}

/// Puts a value in, or its parts where it has some.
fn insert(fields: &mut Fields, name: &str, value: &str) {
    let token = value.strip_prefix("Bearer ").unwrap_or(value);
    if token.split('.').count() == 3 && token.starts_with("eyJ") {
        return insert_jwt(fields, name, token);
    }
    if name.ends_with("subject_token") && value.starts_with("%7B") {
        return insert_signed_request(fields, name, &decode(value));
    }
    if let Some(pair) = value.strip_prefix("Basic ") {
        let pair = STANDARD.decode(pair).expect("standard base64 with padding");
        fields.insert(name.to_owned(), format!("Basic {}", String::from_utf8_lossy(&pair)));
        return;
    }
    // Tokens are numbered, libraries have versions.
    fields.insert(name.to_owned(), value.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned());
}

fn insert_jwt(fields: &mut Fields, name: &str, jwt: &str) {
    let object = |part: &str| -> BTreeMap<String, Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url without padding")).unwrap()
    };
    let mut parts = jwt.split('.');
    fields.insert(name.to_owned(), "JWT".to_owned());
    let (header, mut claims) = (object(parts.next().unwrap()), object(parts.next().unwrap()));
    let time = |claims: &mut BTreeMap<String, Value>, claim| claims.remove(claim).unwrap().as_i64().unwrap();
    let (iat, exp) = (time(&mut claims, "iat"), time(&mut claims, "exp"));
    claims.insert("exp - iat".into(), (exp - iat).into());
    for (kind, object) in [("header", header), ("claim", claims)] {
        for (field, value) in object {
            fields.insert(format!("{name} {kind} {field}"), value.to_string());
        }
    }
}

fn insert_signed_request(fields: &mut Fields, name: &str, json: &str) {
    let signed: Value = serde_json::from_str(json).unwrap();
    for field in ["url", "method"] {
        fields.insert(format!("{name} {field}"), signed[field].to_string());
    }
    let headers = signed["headers"].as_array().unwrap().iter();
    let headers = headers.map(|header| (header["key"].as_str().unwrap(), header["value"].as_str().unwrap()));
    let today = headers.clone().find_map(|(key, value)| (key == "x-amz-date").then(|| &value[..8])).unwrap();
    for (key, value) in headers {
        let value = match key {
            "x-amz-date" => "now",
            _ => value.split(", Signature=").next().unwrap(),
        };
        fields.insert(format!("{name} {key}"), value.replace(today, "TODAY"));
    }
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().unwrap()).to_digit(16).unwrap() as u8;
        bytes.push(if byte == b'%' { digit() * 16 + digit() } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}

const OF_THE_LIBRARY: [&str; 5] = ["accept-encoding", "connection", "content-length", "host", "user-agent"];
