//! Plain HTTP over a socket, so that a test can send what a good client would not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// Who sends requests to a port.
#[derive(Clone)]
pub struct Client {
    port: u16,
    headers: BTreeMap<String, String>,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The `data` of each server-sent event.
    pub fn events(&self) -> Vec<String> {
        assert!(self.text().ends_with("\n\n"));
        let events = self.text().split("\n\n").filter(|event| !event.is_empty());
        events.map(|event| event.strip_prefix("data: ").unwrap().to_owned()).collect()
    }
}

impl Client {
    pub fn new(port: u16) -> Self {
        let host = ("host".to_owned(), format!("127.0.0.1:{port}"));
        Self { port, headers: BTreeMap::from([host]) }
    }

    pub fn key(self, key: &str) -> Self {
        self.with("authorization", &format!("Bearer {key}"))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send("GET", path, b"").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.send("POST", path, body.to_string().as_bytes()).await
    }

    /// Sends a request and reads the answer to its end.
    pub async fn send(&self, method: &str, path: &str, body: &[u8]) -> Response {
        self.open(method, path, body).await.whole().await
    }

    /// Sends a request whose answer is read bit by bit.
    pub async fn open(&self, method: &str, path: &str, body: &[u8]) -> Exchange {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut exchange = Exchange::connect(self.port).await;
        exchange.stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses early need not read it all.
        let _ = exchange.stream.write_all(body).await;
        exchange
    }
}

/// A connection with what was read from it.
pub struct Exchange {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Exchange {
    pub async fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Reads more; `false` at the end.
    async fn more(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("an answer");
        let read = read.unwrap_or(0);
        self.read.extend_from_slice(&bytes[..read]);
        read > 0
    }

    /// Reads until the text was seen.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            let read = String::from_utf8_lossy(&self.read);
            if read.contains(text) {
                return read.into_owned();
            }
            assert!(
                self.more().await,
                "it ended without {text}: {}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    /// Reads to the end.
    pub async fn whole(mut self) -> Response {
        while self.more().await {}
        let end = self.read.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(self.read[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        let headers: BTreeMap<String, String> = lines.map(header).collect();
        let body = &self.read[end + 4..];
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
        let body = if chunked { unchunked(body) } else { body.to_vec() };
        Response { status, headers, body }
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").expect("an answer that is whole");
        let size = usize::from_str_radix(str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
}
