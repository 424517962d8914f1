use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::Peer;
use crate::payload::PAGE_SIZE;

/// HTTP by hand over a socket; the response is read and not parsed. The floor.
pub struct Raw {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Raw {
    pub fn new(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("an http URL");
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("TCP_NODELAY is known");
        Self { stream: BufReader::with_capacity(128 * 1024, stream), line: String::new(), body: Vec::new() }
    }

    fn exchange(&mut self, request: &[u8]) {
        self.stream.get_mut().write_all(request).expect("the request is sent");
        let mut length = 0;
        loop {
            self.line.clear();
            self.stream.read_line(&mut self.line).expect("the head is read");
            match self.line.strip_prefix("content-length: ") {
                Some(value) => length = value.trim_end().parse().expect("the length is a number"),
                None if self.line == "\r\n" => break,
                None => {}
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("the body is read");
    }
}

impl Peer for Raw {
    fn get(&mut self) {
        self.exchange(b"GET /v1/operations/42 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    }

    fn list(&mut self, operations: usize) {
        for _ in 0..operations / PAGE_SIZE {
            self.exchange(b"GET /v1/operations?pageSize=1000 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        }
    }
}
