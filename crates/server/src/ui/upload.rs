//! Files that a browser sends, for requests that name files of this machine.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use futures_util::StreamExt;
use sanbao_contract::Fault;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::{Ui, query, too_large};
use crate::json::json;

/// Bytes of a name; file systems know no longer ones.
const NAME_LIMIT: usize = 200;

/// A folder for files that are sent here. It goes when the server does.
pub struct Uploads {
    folder: TempDir,
    limit: u64,
}

/// Why a file was not taken.
enum NotTaken {
    TooLarge,
    Broken,
    Disk(io::Error),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Uploads {
    /// A new folder within another, or within the system's for temporary files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(within: Option<&Path>, limit: u64) -> Result<Self, Fault> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("sanbao-uploads-");
        // Other people on this machine have no business with someone's data.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = match within {
            Some(folder) => {
                std::fs::create_dir_all(folder).and_then(|()| builder.tempdir_in(folder))
            }
            None => builder.tempdir(),
        };
        let folder = folder.map_err(|error| unwritable(&error))?;
        Ok(Self { folder, limit })
    }

    /// Removes files that are no longer needed; paths that lead elsewhere are none of ours.
    pub async fn remove(&self, paths: &[String]) {
        for path in paths {
            if let Some(own_folder) = self.folder_of(Path::new(path)) {
                // What stays goes with the server.
                let _ = tokio::fs::remove_dir_all(own_folder).await;
            }
        }
    }

    /// The folder that a file was put into: `uploads/RANDOM/NAME`.
    fn folder_of(&self, path: &Path) -> Option<PathBuf> {
        let mut within = path.strip_prefix(self.folder.path()).ok()?.components();
        match (within.next(), within.next(), within.next()) {
            (Some(Component::Normal(own)), Some(Component::Normal(_)), None) => {
                Some(self.folder.path().join(own))
            }
            _ => None,
        }
    }

    /// Writes a file into a folder of its own, where it keeps its name. What does not arrive
    /// whole leaves nothing.
    async fn write(&self, name: &str, body: Body) -> Result<PathBuf, NotTaken> {
        let own = tempfile::Builder::new().prefix("").tempdir_in(self.folder.path())?;
        let path = own.path().join(name);
        let mut file = File::create_new(&path).await?;
        let mut chunks = body.into_data_stream();
        let mut written = 0_u64;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| NotTaken::Broken)?;
            written = written.saturating_add(chunk.len() as u64);
            if written > self.limit {
                return Err(NotTaken::TooLarge);
            }
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        let _kept = own.keep();
        Ok(path)
    }
}

/// Takes a file: `POST /upload?name=NAME`, answered with `{"path": …}`.
pub(super) async fn take(State(ui): State<Arc<Ui>>, request: Request) -> Response {
    let name = query(request.uri(), "name").as_deref().and_then(safe_name);
    let Some(name) = name else {
        let message = "the file needs a name: /upload?name=NAME";
        return json(StatusCode::BAD_REQUEST, &Fault::new("serve.file_name", message));
    };
    let told = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if told.and_then(|told| told.parse().ok()).is_some_and(|told: u64| told > ui.uploads.limit) {
        return too_large(ui.uploads.limit);
    }
    match ui.uploads.write(&name, request.into_body()).await {
        Ok(path) => json(StatusCode::OK, &serde_json::json!({ "path": path.to_string_lossy() })),
        Err(NotTaken::TooLarge) => too_large(ui.uploads.limit),
        Err(NotTaken::Broken) => {
            let message = "the file did not arrive whole; send it again";
            json(StatusCode::BAD_REQUEST, &Fault::new("serve.upload", message))
        }
        Err(NotTaken::Disk(error)) => json(StatusCode::INTERNAL_SERVER_ERROR, &unwritable(&error)),
    }
}

fn unwritable(error: &io::Error) -> Fault {
    let message = format!("files that are sent here cannot be written: {error}");
    Fault::new("serve.unwritable", message)
}

/// A file's own name in a form that every file system takes, whatever came before or is in it.
fn safe_name(sent: &str) -> Option<String> {
    let last = sent.rsplit(['/', '\\']).next()?;
    let is_odd = |letter: char| letter.is_control() || "<>:\"|?*".contains(letter);
    let plain: String = last.chars().map(|it| if is_odd(it) { '_' } else { it }).collect();
    let plain = plain.trim_matches(|letter: char| letter == '.' || letter.is_whitespace());
    if plain.is_empty() {
        return None;
    }
    let (stem, extension) = match plain.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (plain, String::new()),
    };
    let extension = if extension.len() < NAME_LIMIT / 2 { extension } else { String::new() };
    let stem = shortened(stem, NAME_LIMIT - extension.len());
    // Windows takes these for devices, whatever their extension.
    let base = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |kind| {
        base.strip_prefix(kind).is_some_and(|end: &str| {
            matches!(end, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9")
        })
    };
    let is_device =
        ["CON", "PRN", "AUX", "NUL"].contains(&base.as_str()) || numbered("COM") || numbered("LPT");
    let mark = if is_device { "_" } else { "" };
    Some(format!("{mark}{stem}{extension}"))
}

fn shortened(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn names_are_safe_wherever_they_come_from() {
        for (sent, safe) in [
            ("reviews.csv", "reviews.csv"),
            ("影评 2.csv", "影评 2.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\a.csv", "a.csv"),
            ("..\\..\\a.csv", "a.csv"),
            (".bashrc", "bashrc"),
            ("a:b?.csv", "a_b_.csv"),
            ("a\0\n.csv", "a__.csv"),
            ("CON.csv", "_CON.csv"),
            ("nul", "_nul"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("company.csv", "company.csv"),
            ("a.csv. .", "a.csv"),
        ] {
            assert_eq!(safe_name(sent).as_deref(), Some(safe), "{sent}");
        }
        for nothing in ["", "..", "/", "a/", " . ", "../"] {
            assert_eq!(safe_name(nothing), None, "{nothing}");
        }
        let long = safe_name(&format!("{}.csv", "影".repeat(500))).unwrap();
        assert!(long.len() <= NAME_LIMIT && long.ends_with("影.csv"), "{long}");
        let odd = safe_name(&format!("a.{}", "b".repeat(500))).unwrap();
        assert_eq!(odd, "a");
    }

    #[tokio::test]
    async fn only_what_was_sent_here_is_removed() {
        let uploads = Uploads::new(None, 10).unwrap();
        let Ok(path) = uploads.write("a.csv", Body::from("a,b")).await else { panic!("not taken") };
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let beside = uploads.folder.path().join("x").join("..").join("..").join("y");
        let others = [
            elsewhere.path().to_str().unwrap().to_owned(),
            uploads.folder.path().to_str().unwrap().to_owned(),
            beside.to_str().unwrap().to_owned(),
        ];
        uploads.remove(&others).await;
        assert!(elsewhere.path().exists() && path.exists());
        uploads.remove(&[path.to_str().unwrap().to_owned()]).await;
        assert!(!path.exists() && uploads.folder.path().exists());
    }

    #[tokio::test]
    async fn what_is_not_taken_leaves_nothing() {
        let uploads = Uploads::new(None, 3).unwrap();
        let large = uploads.write("a", Body::from("1234")).await;
        assert!(matches!(large, Err(NotTaken::TooLarge)));
        let gone = futures_util::stream::iter([Ok("1"), Err(io::Error::other("gone"))]);
        let broken = uploads.write("a", Body::from_stream(gone)).await;
        assert!(matches!(broken, Err(NotTaken::Broken)));
        assert_eq!(std::fs::read_dir(uploads.folder.path()).unwrap().count(), 0);
    }
}
