//! A server that costs as little as possible: responses are made beforehand, connections are kept open.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::payload;

/// Serves on a loopback port, prints the URL, and ends when stdin does.
pub fn serve() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("http://{}", listener.local_addr()?);
    let responses =
        Arc::new(Responses { operation: response(&payload::operation()), page: response(&payload::page()) });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let responses = Arc::clone(&responses);
            // A client that goes away is how each measurement ends.
            thread::spawn(move || drop(connection(stream, &responses)));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

struct Responses {
    operation: Vec<u8>,
    page: Vec<u8>,
}

fn response(body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=UTF-8\r\n\
        date: Sun, 22 Nov 2026 10:19:02 GMT\r\nserver: bench\r\ncontent-length: ";
    format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes()
}

fn connection(stream: TcpStream, responses: &Responses) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    let mut page = responses.page.clone();
    let token = page.len() - r#"00000000"}"#.len()..page.len() - r#""}"#.len();
    loop {
        let Some(target) = request(&mut input)? else { return Ok(()) };
        if target.contains("/operations/") {
            output.write_all(&responses.operation)?;
        } else {
            let next = format!("{:08}", page_token(&target) + 1);
            page[token.clone()].copy_from_slice(next.as_bytes());
            output.write_all(&page)?;
        }
    }
}

/// Reads one request without a body and gives its target; none at the end of the connection.
fn request(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    Ok(head.split(' ').nth(1).map(str::to_owned))
}

/// The number of the page that is requested; the listing never ends.
fn page_token(target: &str) -> u32 {
    let token = target.split(['?', '&']).find_map(|pair| pair.strip_prefix("pageToken="));
    token.and_then(|token| token.parse().ok()).unwrap_or(0)
}
