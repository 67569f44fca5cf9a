//! The files of the page.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use sanbao_contract::Fault;

use super::Ui;
use crate::json::json;

/// What the folder of the page has to hold.
const INDEX: &str = "index.html";

/// Gives a file that is built into the program by its path, like `assets/index.js`.
pub type Built = Arc<dyn Fn(&str) -> Option<Cow<'static, [u8]>> + Send + Sync>;

/// Where the files of the page come from.
#[derive(Clone)]
pub enum Files {
    /// A folder: `ui/dist`.
    Folder(PathBuf),
    /// The program itself.
    Built(Built),
}

impl Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => formatter.debug_tuple("Folder").field(folder).finish(),
            Self::Built(_) => formatter.write_str("Built"),
        }
    }
}

impl Files {
    /// The same, once it is known that there is a page. Links in the folder's path are followed
    /// now, so that links in the folder cannot lead out of it later.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn checked(self) -> Result<Self, Fault> {
        let (there, place) = match self {
            Self::Built(built) => match built(INDEX) {
                Some(_) => return Ok(Self::Built(built)),
                None => (None, "this program".to_owned()),
            },
            Self::Folder(folder) => {
                let whole = folder.canonicalize().ok();
                let there = whole.filter(|folder| folder.join(INDEX).is_file());
                (there, folder.display().to_string())
            }
        };
        there.map(Self::Folder).ok_or_else(|| {
            let message = format!("the window's page is not in {place}; build it first");
            Fault::new("serve.no_page", message).with("folder", place)
        })
    }

    async fn read(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        match self {
            Self::Built(built) => built(path),
            Self::Folder(folder) => read_within(folder, path).await.map(Cow::Owned),
        }
    }
}

async fn read_within(folder: &Path, path: &str) -> Option<Vec<u8>> {
    let file = tokio::fs::canonicalize(folder.join(path)).await.ok()?;
    if !file.starts_with(folder) {
        return None;
    }
    // A folder cannot be read, and is not there either.
    tokio::fs::read(file).await.ok()
}

/// The path of a file of the page, when it could be one: builds name their files with letters,
/// digits, `.`, `_` and `-`. Nothing else has to be understood, and so nothing can be misunderstood.
fn path_of(address: &str) -> Option<&str> {
    let path = address.strip_prefix('/')?;
    if path.is_empty() {
        return Some(INDEX);
    }
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    let is_name =
        |name: &str| !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
    path.split('/').all(is_name).then_some(path)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// How long a browser may keep a file: those in `assets` have a hash in their name.
fn kept(path: &str) -> &'static str {
    match path {
        INDEX => "no-store",
        _ if path.starts_with("assets/") => "public, max-age=31536000, immutable",
        _ => "no-cache",
    }
}

/// Shows a file of the page.
pub(super) async fn show(State(ui): State<Arc<Ui>>, request: Request) -> Response {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let path = path_of(request.uri().path());
    let read = match path {
        Some(path) => ui.files.read(path).await.map(|bytes| (path, bytes)),
        None => None,
    };
    match read {
        Some((path, bytes)) => {
            let headers = [(CONTENT_TYPE, content_type(path)), (CACHE_CONTROL, kept(path))];
            (headers, bytes).into_response()
        }
        None => {
            let fault = Fault::new("serve.not_found", "there is nothing at this address");
            json(StatusCode::NOT_FOUND, &fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn only_plain_paths_are_files() {
        assert_eq!(path_of("/"), Some("index.html"));
        assert_eq!(path_of("/assets/index-D4RJKZ3x.css"), Some("assets/index-D4RJKZ3x.css"));
        for odd in [
            "",
            "assets",
            "//etc/passwd",
            "/../secret",
            "/assets/../../secret",
            "/assets/./index.js",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/assets\\..\\secret",
            "/C:/secret",
            "/.git/config",
            "/assets/",
            "/a\0b",
            "/é",
        ] {
            assert_eq!(path_of(odd), None, "{odd}");
        }
    }
}
