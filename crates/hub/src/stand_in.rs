//! A stand-in for the hub on loopback, which behaves as the hub does: it describes a model
//! (`/api/models`), sends small files through a redirect on its own server and large ones
//! through a redirect to a store on another one, knows ranges and gates, and tells in headers
//! what a refusal means. It misbehaves on demand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Patience;
use crate::content::Hasher;
use crate::{Digest, Expected};

/// For tests that have no time.
pub(crate) const IMPATIENT: Patience =
    Patience { silence: Duration::from_secs(5), tries: 3, pause: Duration::from_millis(1) };
pub(crate) const ID: &str = "owner/name-1.5B";
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
/// A token whose account accepted the model's licence.
pub(crate) const GOOD_TOKEN: &str = "hf_good";
/// A token whose account did not.
pub(crate) const STRANGERS_TOKEN: &str = "hf_stranger";

/// What the store does with one request instead of serving it properly.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    Serve,
    /// Closes the connection after so many bytes.
    Break(usize),
    /// Sends another file of the same length.
    OtherFile,
    /// Answers with a status and no body.
    Status(u16),
}

#[derive(Clone)]
pub(crate) struct File {
    pub path: String,
    pub content: Vec<u8>,
    /// Whether it is kept in the store and told by SHA-256.
    pub large: bool,
}

impl File {
    pub(crate) fn small(path: &str, content: &str) -> Self {
        Self { path: path.to_owned(), content: content.as_bytes().to_vec(), large: false }
    }

    /// A large file is one byte for each position, so that a wrong piece shows.
    pub(crate) fn large(path: &str, bytes: u32) -> Self {
        let content = (0..bytes).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        Self { path: path.to_owned(), content, large: true }
    }

    pub(crate) fn digest(&self) -> Digest {
        hash(&self.content, self.large)
    }
}

fn hash(content: &[u8], large: bool) -> Digest {
    let digest = if large { Digest::Sha256([0; 32]) } else { Digest::GitBlob([0; 20]) };
    let mut hasher = Hasher::new(Expected { size: content.len() as u64, digest });
    hasher.update(content);
    hasher.finish()
}

fn hex(digest: Digest) -> String {
    digest.to_string().rsplit(' ').next().unwrap().to_owned()
}

/// One request, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub at_store: bool,
    pub path: String,
    pub range: String,
    pub token: Option<String>,
}

/// What the stand-in serves; changed by tests while it runs.
pub(crate) struct State {
    pub files: Vec<File>,
    pub sha: String,
    pub gated: Value,
    /// What is answered to `/api/models` instead of the description: status, headers, body.
    pub answers: VecDeque<(u16, String, Vec<u8>)>,
    /// What the store does, one for each request.
    pub acts: VecDeque<Act>,
    pub asked: Vec<Asked>,
}

pub(crate) struct StandIn {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
}

/// A small model as they are on the hub, with what is not fetched.
pub(crate) fn model() -> Vec<File> {
    vec![
        File::small(".gitattributes", "*.safetensors filter=lfs"),
        File::small("README.md", "---\nlicense: apache-2.0\n---\n# 模型\n"),
        File::small("config.json", r#"{"model_type": "llama"}"#),
        File::small("generation_config.json", "{}"),
        File::large("model.safetensors", 600_000),
        File::large("onnx/model.onnx", 10),
        File::large("pytorch_model.bin", 10),
        File::small("tokenizer_config.json", "{}"),
        File::large("tokenizer.json", 5_000),
    ]
}

impl StandIn {
    pub(crate) fn new(files: Vec<File>) -> Self {
        let state = State {
            files,
            sha: SHA.to_owned(),
            gated: json!(false),
            answers: VecDeque::new(),
            acts: VecDeque::new(),
            asked: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let (hub, endpoint) = listen();
        let (files, store) = listen();
        for (listener, at_store) in [(hub, false), (files, true)] {
            let (state, store) = (Arc::clone(&state), store.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    // A client that hangs up is part of the game.
                    let _ = answer(stream.unwrap(), &state, &store, at_store);
                }
            });
        }
        Self { endpoint, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// All requests so far, which are forgotten.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state().asked)
    }

    /// The next answer to `/api/models`.
    pub(crate) fn will_answer(&self, status: u16, headers: &str, body: impl Into<Vec<u8>>) {
        self.state().answers.push_back((status, headers.to_owned(), body.into()));
    }
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

/// What the hub says of a model, with some of what is of no interest here.
pub(crate) fn description(files: &[File], sha: &str, gated: &Value) -> Value {
    let siblings: Vec<Value> = files
        .iter()
        .map(|file| {
            let size = file.content.len();
            let id = hex(hash(&file.content, false));
            if !file.large {
                return json!({"rfilename": file.path, "size": size, "blobId": id});
            }
            let sha256 = hex(file.digest());
            json!({
                "rfilename": file.path, "size": size, "blobId": hex(hash(b"version ...", false)),
                "lfs": {"sha256": sha256, "size": size, "pointerSize": 134}
            })
        })
        .collect();
    json!({
        "_id": "62e8f5d4", "id": ID, "private": false, "pipeline_tag": "text-generation",
        "tags": ["transformers", "license:apache-2.0"], "downloads": 7, "gated": gated,
        "disabled": false, "sha": sha, "config": {"architectures": ["LlamaForCausalLM"]},
        "cardData": {"license": "apache-2.0", "language": ["en"]}, "siblings": siblings,
        "safetensors": {"parameters": {"BF16": 134_515_008}}, "usedStorage": 1
    })
}

fn answer(
    mut stream: TcpStream,
    state: &Mutex<State>,
    store: &str,
    at_store: bool,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap()?;
    let (mut range, mut token) = (String::new(), None);
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_lowercase().as_str() {
            "range" => range = value.trim().to_owned(),
            "authorization" => {
                token = Some(value.trim().strip_prefix("Bearer ").unwrap().to_owned());
            }
            _ => {}
        }
    }
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let mut state = state.lock().unwrap();
    let asked = Asked { at_store, path: path.clone(), range: range.clone(), token: token.clone() };
    state.asked.push(asked);
    if at_store {
        let sha256 = path.trim_start_matches('/').split('?').next().unwrap();
        let file = state.files.iter().find(|file| hex(file.digest()) == sha256).cloned();
        let act = state.acts.pop_front().unwrap_or(Act::Serve);
        drop(state);
        return serve(stream, &file.unwrap().content, &range, act);
    }
    let (status, headers, body) = hub(&mut state, store, &path, token.as_deref());
    drop(state);
    write!(
        stream,
        "HTTP/1.1 {status} As Told\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// What the hub itself answers: status, headers and body.
fn hub(state: &mut State, store: &str, path: &str, token: Option<&str>) -> (u16, String, Vec<u8>) {
    if path.starts_with("/api/models/")
        && let Some(answer) = state.answers.pop_front()
    {
        return answer;
    }
    let refused = |status, code: &str| (status, format!("X-Error-Code: {code}\r\n"), Vec::new());
    if path == format!("/api/models/{ID}?blobs=true") {
        let text = description(&state.files, &state.sha, &state.gated).to_string();
        return (200, String::new(), text.into_bytes());
    }
    let resolve = format!("/{ID}/resolve/{}/", state.sha);
    let cache = format!("/api/resolve-cache/models/{ID}/{}/", state.sha);
    let Some(name) = path.strip_prefix(&resolve).or_else(|| path.strip_prefix(&cache)) else {
        return refused(401, "RepoNotFound");
    };
    if state.gated != json!(false) && token != Some(GOOD_TOKEN) {
        // The same for no token and for one that is none.
        return refused(if token == Some(STRANGERS_TOKEN) { 403 } else { 401 }, "GatedRepo");
    }
    let name = name.split('?').next().unwrap();
    let Some(file) = state.files.iter().find(|file| encoded(&file.path) == name) else {
        return refused(404, "EntryNotFound");
    };
    if file.large {
        let sha256 = hex(file.digest());
        let size = file.content.len();
        let location = format!("Location: {store}/{sha256}?Expires=1&Signature=a~b\r\n");
        (302, format!("{location}X-Linked-Size: {size}\r\n"), b"Found. Redirecting".to_vec())
    } else if path.starts_with(&cache) {
        (200, String::new(), file.content.clone())
    } else {
        // Without the name of the server.
        (307, format!("Location: {cache}{name}?etag=x\r\n"), b"Temporary Redirect".to_vec())
    }
}

/// As browsers write a path.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn serve(mut stream: TcpStream, content: &[u8], range: &str, act: Act) -> std::io::Result<()> {
    let close = "Connection: close\r\n\r\n";
    let size = content.len();
    if let Act::Status(status) = act {
        return write!(stream, "HTTP/1.1 {status} As Asked\r\nContent-Length: 0\r\n{close}");
    }
    let from = range.strip_prefix("bytes=").map(|it| it.trim_end_matches('-').parse().unwrap());
    let from: usize = from.unwrap_or(0);
    let body = &content[from..];
    let length = body.len();
    if range.is_empty() {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{close}")?;
    } else {
        write!(
            stream,
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{size}\r\nContent-Length: {length}\r\n{close}",
            size - 1
        )?;
    }
    match act {
        Act::Break(bytes) => stream.write_all(&body[..bytes.min(length)]),
        Act::OtherFile => stream.write_all(&vec![b'?'; length]),
        _ => stream.write_all(body),
    }
}
