//! The server at byte level, over raw sockets.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::types::{Any, Code, Operation, Status};
use crate::util::clock::Clock;

mod faults;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "grpc")]
mod raw2;
mod rest;
mod serving;

/// A connection as a client with no opinions holds it.
struct Raw(BufReader<TcpStream>);

/// A whole response.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Raw {
    fn connect(server: &FakeServer) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        // Only so that a broken server fails a test instead of hanging it.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    fn request(&mut self, method: &str, target: &str, body: &str) -> &mut Self {
        let length = body.len();
        self.send(format!("{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}"))
    }

    fn get(&mut self, target: &str) -> Answer {
        self.request("GET", target, "").answer()
    }

    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "cut after {head:?}");
        }
        head
    }

    fn answer(&mut self) -> Answer {
        let head = self.head();
        assert!(head.starts_with("HTTP/1.1 "), "{head}");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if answer.header("transfer-encoding").is_some_and(|value| value == "chunked") {
            answer.body = self.chunks();
        } else if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse().unwrap()];
            self.0.read_exact(&mut answer.body).unwrap();
        } else if status != 204 {
            answer.body = self.rest().unwrap();
        }
        answer
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            self.0.read_exact(&mut chunk).unwrap();
            assert_eq!(chunk.split_off(size), b"\r\n");
            if size == 0 {
                return body;
            }
            body.extend(chunk);
        }
    }

    /// Everything up to the end of the connection, or the kind of error that
    /// ended it.
    fn rest(&mut self) -> Result<Vec<u8>, ErrorKind> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).map(|_| rest).map_err(|error| error.kind())
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

fn get(server: &FakeServer, target: &str) -> Answer {
    Raw::connect(server).get(target)
}

fn post(server: &FakeServer, target: &str, body: &str) -> Answer {
    Raw::connect(server).request("POST", target, body).answer()
}

fn delete(server: &FakeServer, target: &str) -> Answer {
    Raw::connect(server).request("DELETE", target, "").answer()
}

fn any(json: &str) -> Any {
    Any::from_json(json).unwrap()
}

fn names(page: &serde_json::Value) -> Vec<String> {
    let operations = page["operations"].as_array().map(Vec::as_slice).unwrap_or_default();
    operations.iter().map(|operation| operation["name"].as_str().unwrap().to_owned()).collect()
}

const SECOND: Duration = Duration::from_secs(1);
