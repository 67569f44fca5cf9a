//! The window in a browser: the same page, the same requests, the same events.

mod files;
mod upload;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream::unfold;
use sanbao_contract::Fault;
use sanbao_contract::rpc::{self, Reply};
use tokio::sync::broadcast::error::RecvError;

use crate::body::{self, Unread};
use crate::front::Front;
use crate::gate::{Senders, admit, bearer};
use crate::json::json;
use crate::listen::{self, Running, Stopping};
use crate::secret::Secret;
pub use files::Files;
use upload::Uploads;

/// Bytes of a request; a pasted table may be long.
const RPC_LIMIT: usize = 64 << 20;
/// A sign of life is sent when nothing happens for so long.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What the page may load: as in the window (`tauri.conf.json`), but that it talks to this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; object-src 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// How the window is served to a browser.
pub struct UiOptions {
    /// Port; any free one when 0.
    pub port: u16,
    /// What a browser has to show; made when `None` or empty.
    pub token: Option<String>,
    /// The page.
    pub ui: Files,
    /// Bytes of a file that is sent here.
    pub upload_limit: u64,
    /// Where files that are sent here are kept while the server runs, in a folder of their own; the
    /// system's folder for temporary files when `None`, which on some machines is in memory.
    pub uploads: Option<PathBuf>,
}

impl UiOptions {
    /// Any free port, a new token, files of at most 4 GiB in the system's temporary folder.
    pub fn new(ui: Files) -> Self {
        Self { port: 0, token: None, ui, upload_limit: 4 << 30, uploads: None }
    }
}

/// The window, served to a browser. It stops when it is dropped.
#[derive(Debug)]
pub struct UiServer {
    port: u16,
    token: Secret,
    running: Running,
}

impl UiServer {
    /// Port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What a browser has to show.
    pub fn token(&self) -> &str {
        self.token.text()
    }

    /// What to open in a browser. The token stands behind `#`, which browsers send to nobody.
    pub fn address(&self) -> String {
        let token: String = form_urlencoded::byte_serialize(self.token.text().as_bytes()).collect();
        format!("http://127.0.0.1:{}/#token={token}", self.port)
    }

    /// Stops. What is under way has three seconds; requests to Rust are brought to their end all
    /// the same, and files that were sent here are removed then.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

struct Ui {
    front: Front,
    token: Secret,
    port: u16,
    files: Files,
    uploads: Uploads,
    stopping: Stopping,
}

/// Serves the window to a browser on this machine.
///
/// # Errors
/// When the page is not there, the port cannot be opened, or the folder for files that are sent
/// here cannot be made.
pub async fn serve_ui(front: Front, options: UiOptions) -> Result<UiServer, Fault> {
    let token = match options.token {
        Some(token) if !token.is_empty() => Secret::of(token),
        _ => Secret::fresh("")?,
    };
    let files = options.ui.checked()?;
    let uploads = Uploads::new(options.uploads.as_deref(), options.upload_limit)?;
    let (listener, port) = listen::open([options.port]).await?;
    let shown = token.clone();
    let running = Running::start(listener, move |stopping| {
        router(Arc::new(Ui { front, token: shown, port, files, uploads, stopping }))
    });
    Ok(UiServer { port, token, running })
}

fn router(ui: Arc<Ui>) -> Router {
    Router::new()
        .route("/rpc", post(answer))
        .route("/events", get(events))
        .route("/upload", post(upload::take))
        .route_layer(from_fn_with_state(Arc::clone(&ui), ask_for_token))
        .fallback(files::show)
        .layer(from_fn_with_state(Arc::clone(&ui), gate))
        .with_state(ui)
}

async fn gate(State(ui): State<Arc<Ui>>, request: Request, next: Next) -> Response {
    let mut response = match admit(request.headers(), ui.port, Senders::Pages) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let fault = Fault::new(refusal.code(), refusal.message(ui.port));
            json(StatusCode::FORBIDDEN, &fault)
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(*name, HeaderValue::from_static(value));
    }
    response
}

async fn ask_for_token(State(ui): State<Arc<Ui>>, request: Request, next: Next) -> Response {
    // An EventSource cannot send headers.
    let in_address = (request.uri().path() == "/events").then(|| query(request.uri(), "token"));
    let in_address = in_address.flatten();
    let shown = bearer(request.headers()).or(in_address.as_deref());
    if shown.is_some_and(|shown| ui.token.is(shown)) {
        return next.run(request).await;
    }
    let message = "this page does not know the server's token; open the address that Sanbao shows";
    let refusal = json(StatusCode::UNAUTHORIZED, &Fault::new("serve.token", message));
    ([(WWW_AUTHENTICATE, "Bearer")], refusal).into_response()
}

/// A value in the address.
fn query(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?.as_bytes();
    let found = form_urlencoded::parse(query).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// Answers a request of the page.
async fn answer(State(ui): State<Arc<Ui>>, request: Request) -> Response {
    let request = match body::read(request.into_body(), RPC_LIMIT).await {
        Ok(body) => serde_json::from_slice::<rpc::Request>(&body),
        Err(Unread::TooLarge) => return too_large(RPC_LIMIT as u64),
        Err(Unread::Broken) => return bad_request("it did not arrive whole"),
    };
    let request = match request {
        Ok(request) => request,
        Err(error) => return bad_request(&error.to_string()),
    };
    // A task of its own: a page that is closed must not leave half of it done.
    match tokio::spawn(handle(ui, request)).await {
        Ok(Ok(reply)) => json(StatusCode::OK, &reply),
        Ok(Err(fault)) => json(StatusCode::UNPROCESSABLE_ENTITY, &fault),
        Err(error) => {
            let message = format!("Sanbao broke while answering ({error}); try again");
            json(StatusCode::INTERNAL_SERVER_ERROR, &Fault::new("serve.broke", message))
        }
    }
}

async fn handle(ui: Arc<Ui>, request: rpc::Request) -> Result<Reply, Fault> {
    let copied = match &request {
        rpc::Request::AddFiles { paths, .. } => paths.clone(),
        _ => Vec::new(),
    };
    let reply = ui.front.handle(request).await?;
    ui.uploads.remove(&copied).await;
    Ok(reply)
}

fn bad_request(reason: &str) -> Response {
    let message = format!("the page asked for something unknown: {reason}");
    json(StatusCode::BAD_REQUEST, &Fault::new("rpc.bad_request", message))
}

fn too_large(limit: u64) -> Response {
    let message = format!("what was sent is larger than {limit} bytes, which is the most");
    let fault = Fault::new("serve.too_large", message).with("limit", limit);
    json(StatusCode::PAYLOAD_TOO_LARGE, &fault)
}

/// Tells the page what happens, until it or the server goes.
async fn events(State(ui): State<Arc<Ui>>) -> Response {
    let listening = (ui.front.events(), ui.stopping.clone());
    let events = unfold(listening, |(mut events, mut stopping)| async move {
        loop {
            let event = tokio::select! {
                () = stopping.wait() => return None,
                event = events.recv() => event,
            };
            match event {
                Ok(event) => {
                    let text = serde_json::to_string(&event).ok()?;
                    let event = Ok::<_, Infallible>(Event::default().data(text));
                    return Some((event, (events, stopping)));
                }
                // A page that could not keep up goes on with what happens now.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeMap;
    use std::path::Path;

    use serde_json::Value;

    use super::POLICY;

    #[test]
    fn a_browser_is_as_strict_as_the_window() {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tauri.conf.json");
        let config: Value = serde_json::from_slice(&std::fs::read(config).unwrap()).unwrap();
        let window = config["app"]["security"]["csp"].as_object().unwrap();
        let mut window: BTreeMap<&str, &str> =
            window.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        window.insert("connect-src", "'self'");
        let browser: BTreeMap<&str, &str> =
            POLICY.split(';').map(|part| part.trim().split_once(' ').unwrap()).collect();
        assert_eq!(browser, window);
    }
}
