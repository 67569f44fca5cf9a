//! What a model on the hub consists of.

mod choose;

use std::io::Read;

use serde::Deserialize;
use serde_json::Value;
use ureq::Body;
use ureq::http::{Response, StatusCode};

use crate::client::{Client, Got, Patience, check_endpoint};
use crate::name::ModelId;
use crate::{Digest, Error, Expected};

/// The description of a model with a thousand files has about 300 kB.
const LARGEST_ANSWER: u64 = 16 << 20;
const MOST_FILES: usize = 20_000;

/// A model on the hub, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repository {
    /// Its name, `owner/name`.
    pub id: String,
    /// The commit that the files are of.
    pub revision: String,
    /// Whether its files are only for people who accepted its licence.
    pub gated: bool,
    /// The files that Sanbao needs, small ones first.
    pub files: Vec<RemoteFile>,
}

/// A file of a model on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteFile {
    /// Its name; it stands in no folder.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Its hash.
    pub digest: Digest,
}

impl RemoteFile {
    pub(crate) fn expected(&self) -> Expected {
        Expected { size: self.size, digest: self.digest }
    }
}

impl Repository {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

/// Asks a hub or mirror (see [`crate::hub_endpoint`]) what the model `id` (`owner/name`)
/// consists of. The access token is sent to the endpoint and to no other server; it is not
/// kept.
///
/// Of the files only those are listed that Sanbao reads: configuration, tokenizer, chat
/// template, licence, and the weights as safetensors or, when there are none, as one GGUF file.
///
/// # Errors
/// [`Error::BadName`], [`Error::BadEndpoint`], [`Error::BadToken`], [`Error::TokenInTheClear`];
/// [`Error::NoModel`] (`hub.not_found`), [`Error::Gated`], [`Error::Offline`]; [`Error::Network`]
/// when the server has no time; [`Error::BadAnswer`] when the answer makes no sense or is too
/// large; [`Error::Unusable`] when the model has no weights or no tokenizer that can be read.
pub fn repository(endpoint: &str, id: &str, token: Option<&str>) -> Result<Repository, Error> {
    repository_with(endpoint, id, token, Patience::SHORT)
}

pub(crate) fn repository_with(
    endpoint: &str,
    id: &str,
    token: Option<&str>,
    patience: Patience,
) -> Result<Repository, Error> {
    let endpoint = check_endpoint(endpoint)?;
    let id = ModelId::parse(id)?;
    let client = Client::of_hub(&endpoint, id.as_str(), token, patience)?;
    let url = format!("{endpoint}/api/models/{}?blobs=true", id.as_str());
    let text = ask(&client, patience, &url, &endpoint)?;
    let bad = |reason: String| Error::BadAnswer { url: url.clone(), reason };
    let answer: Answer = serde_json::from_slice(&text).map_err(|error| {
        let reason: String = error.to_string().chars().take(200).collect();
        bad(format!("it is not the description of a model: {reason}"))
    })?;
    if Digest::git_blob(&answer.sha).is_none() {
        return Err(bad("it names no revision".to_owned()));
    }
    if answer.siblings.len() > MOST_FILES {
        return Err(bad(format!("it lists more than {MOST_FILES} files")));
    }
    let files = choose::files(&answer.siblings).map_err(|refusal| match refusal {
        choose::Refusal::Unusable(reason) => {
            Error::Unusable { model: id.as_str().to_owned(), reason }
        }
        choose::Refusal::Senseless(reason) => bad(reason),
    })?;
    let gated = !matches!(answer.gated, Value::Null | Value::Bool(false));
    Ok(Repository { id: id.as_str().to_owned(), revision: answer.sha, gated, files })
}

/// What is read of the hub's answer to `/api/models/OWNER/NAME?blobs=true`.
#[derive(Deserialize)]
struct Answer {
    sha: String,
    /// `false`, `"auto"` or `"manual"`.
    #[serde(default)]
    gated: Value,
    siblings: Vec<Sibling>,
}

/// A file in the hub's answer.
#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    /// Id in git, for a large file that of a pointer to it.
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

/// Where a large file is told by its content.
#[derive(Deserialize)]
struct Lfs {
    sha256: String,
    size: u64,
}

fn ask(client: &Client, patience: Patience, url: &str, endpoint: &str) -> Result<Vec<u8>, Error> {
    let mut tries = 0;
    loop {
        let (reason, is_there) = match client.get(url, 0)? {
            Got::Answer(response) => match body(url, response)? {
                Ok(text) => return Ok(text),
                Err(reason) => (reason, true),
            },
            Got::Busy(reason) => (reason, true),
            Got::Unreachable(reason) => (reason, false),
        };
        tries += 1;
        if tries >= patience.tries {
            return Err(if is_there {
                Error::Network { url: url.to_owned(), reason }
            } else {
                Error::Offline { endpoint: endpoint.to_owned(), reason }
            });
        }
        patience.rest(tries, &|| false);
    }
}

/// The inner error is a reason to try again.
fn body(url: &str, response: Response<Body>) -> Result<Result<Vec<u8>, String>, Error> {
    let bad = |reason: String| Error::BadAnswer { url: url.to_owned(), reason };
    if response.status() != StatusCode::OK {
        return Err(bad(format!("status {}", response.status())));
    }
    let mut text = Vec::new();
    let mut reader = response.into_body().into_reader().take(LARGEST_ANSWER + 1);
    if let Err(error) = reader.read_to_end(&mut text) {
        return Ok(Err(error.to_string()));
    }
    if text.len() as u64 > LARGEST_ANSWER {
        return Err(bad(format!("it has more than {LARGEST_ANSWER} bytes")));
    }
    Ok(Ok(text))
}

#[cfg(test)]
mod tests;
