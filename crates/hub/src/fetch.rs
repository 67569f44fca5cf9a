//! Fetching one large file over HTTP, in as many pieces as it takes.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::{Error, Expected, Progress, content};

const HUB: &str = "https://huggingface.co";

/// Address of the Hugging Face hub, or of the mirror that `HF_ENDPOINT` names; without a
/// closing slash.
///
/// # Errors
/// [`Error::BadEndpoint`].
pub fn hub_endpoint() -> Result<String, Error> {
    match std::env::var_os("HF_ENDPOINT") {
        Some(value) if !value.is_empty() => endpoint(&value.to_string_lossy()),
        _ => Ok(HUB.to_owned()),
    }
}

fn endpoint(value: &str) -> Result<String, Error> {
    let address = value.trim().trim_end_matches('/');
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() => Ok(address.to_owned()),
        _ => Err(Error::BadEndpoint { value: value.to_owned() }),
    }
}

/// Fetches files whose size and hash are known.
#[derive(Debug, Clone)]
pub struct Fetcher {
    agent: Agent,
    tries: u32,
    pause: Duration,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

/// How one request ended that did not fail for good.
enum Piece {
    /// The server has sent everything it wanted to.
    Complete,
    /// What is there already does not fit what the server has.
    StartOver,
    /// Worth another try; why.
    Again(String),
}

impl Fetcher {
    /// A fetcher that gives a silent server 30 seconds, and up when five tries in a row have
    /// brought nothing (with pauses of 1, 2, 4 and 8 seconds).
    pub fn new() -> Self {
        Self::with_patience(Duration::from_secs(30), 5, Duration::from_secs(1))
    }

    fn with_patience(silence: Duration, tries: u32, pause: Duration) -> Self {
        let agent = Agent::config_builder()
            .user_agent(concat!("sanbao/", env!("CARGO_PKG_VERSION")))
            // A compressed piece could not be appended to an uncompressed one.
            .accept_encoding("identity")
            .http_status_as_error(false)
            .timeout_resolve(Some(silence))
            .timeout_connect(Some(silence))
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .build()
            .new_agent();
        Self { agent, tries, pause }
    }

    /// Fetches `url` to `to`. What has arrived is kept in a file beside it that ends in
    /// `.part`, and a later call goes on from there; `to` appears only when size and SHA-256
    /// are as expected. When they are not, and some of the file was from an earlier call, it is
    /// fetched once more from the start.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`], [`Error::BadAnswer`], [`Error::WrongContent`];
    /// [`Error::Network`] when the server cannot be reached or the connection breaks again
    /// and again; [`Error::Io`].
    pub fn fetch(
        &self,
        url: &str,
        to: &Path,
        expected: Expected,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let part = part_of(to);
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&part)
            .map_err(Error::io("write", &part))?;
        let had = file.seek(SeekFrom::End(0)).map_err(Error::io("read", &part))?;
        let mut all = Part { file, path: &part, expected };
        if let Err(error) = self.complete(url, &mut all, progress) {
            if all.size()? == 0 {
                drop(all);
                fs::remove_file(&part).map_err(Error::io("remove", &part))?;
            }
            return Err(error);
        }
        if let Err(wrong) = all.check(to) {
            all.clear()?;
            if had == 0 {
                drop(all);
                fs::remove_file(&part).map_err(Error::io("remove", &part))?;
                return Err(wrong);
            }
            progress(Progress::Retrying("what was there from before did not fit".to_owned()));
            self.complete(url, &mut all, progress)?;
            if let Err(wrong) = all.check(to) {
                drop(all);
                fs::remove_file(&part).map_err(Error::io("remove", &part))?;
                return Err(wrong);
            }
        }
        all.file.sync_all().map_err(Error::io("write", &part))?;
        drop(all);
        fs::rename(&part, to).map_err(Error::io("write", to))
    }

    /// Asks for the missing rest until everything is there.
    fn complete(
        &self,
        url: &str,
        part: &mut Part,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let mut fruitless = 0;
        let mut started_over = false;
        loop {
            let before = part.size()?;
            let reason = match self.piece(url, part, before, progress)? {
                Piece::Complete if part.size()? >= part.expected.size => return Ok(()),
                // A body that ends early without an error: a proxy that closed the connection.
                Piece::Complete => "the answer ended early".to_owned(),
                Piece::StartOver if !started_over => {
                    started_over = true;
                    part.clear()?;
                    continue;
                }
                Piece::StartOver => {
                    let reason = "it refuses to send the file from its start".to_owned();
                    return Err(Error::BadAnswer { url: url.to_owned(), reason });
                }
                Piece::Again(reason) => reason,
            };
            fruitless = if part.size()? > before { 0 } else { fruitless + 1 };
            if fruitless >= self.tries {
                return Err(Error::Network { url: url.to_owned(), reason });
            }
            progress(Progress::Retrying(reason));
            std::thread::sleep(self.pause * 2u32.saturating_pow(fruitless.saturating_sub(1)));
        }
    }

    /// One request for everything from byte `from` on.
    fn piece(
        &self,
        url: &str,
        part: &mut Part,
        from: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Piece, Error> {
        if from > part.expected.size {
            return Ok(Piece::StartOver);
        }
        if from == part.expected.size && from > 0 {
            return Ok(Piece::Complete);
        }
        let mut request = self.agent.get(url);
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::TooManyRedirects)) => {
                return Err(Error::BadAnswer { url: url.to_owned(), reason: error.to_string() });
            }
            Err(ureq::Error::Io(error)) => return Ok(Piece::Again(error.to_string())),
            Err(error) => return Ok(Piece::Again(error.to_string())),
        };
        let bad = |reason: String| Err(Error::BadAnswer { url: url.to_owned(), reason });
        match response.status() {
            StatusCode::OK => part.clear()?,
            StatusCode::PARTIAL_CONTENT => match range_start(response.headers()) {
                Some(start) if start == from => {}
                Some(start) => return bad(format!("asked for byte {from}, it sends byte {start}")),
                None => return bad("a part without saying which".to_owned()),
            },
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return Ok(Piece::StartOver),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(Error::NotFound { url: url.to_owned() });
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let status = response.status().as_u16();
                return Err(Error::Refused { url: url.to_owned(), status });
            }
            status @ (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) => {
                return Ok(Piece::Again(format!("status {status}")));
            }
            status if status.is_server_error() => {
                return Ok(Piece::Again(format!("status {status}")));
            }
            status => return bad(format!("status {status}")),
        }
        part.append(response, progress)
    }
}

/// The file that has arrived so far.
struct Part<'a> {
    file: File,
    path: &'a Path,
    expected: Expected<'a>,
}

impl Part<'_> {
    fn size(&mut self) -> Result<u64, Error> {
        self.file.seek(SeekFrom::End(0)).map_err(Error::io("read", self.path))
    }

    fn clear(&mut self) -> Result<(), Error> {
        self.file.set_len(0).map_err(Error::io("write", self.path))
    }

    fn append(
        &mut self,
        response: Response<Body>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Piece, Error> {
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 18];
        let mut bytes = self.size()?;
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(Piece::Complete),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Piece::Again(error.to_string())),
            };
            self.file.write_all(&buffer[..read]).map_err(Error::io("write", self.path))?;
            bytes += read as u64;
            progress(Progress::Fetched { bytes, total: self.expected.size });
            // A server that never stops must not fill the disk.
            if bytes > self.expected.size {
                return Ok(Piece::Complete);
            }
        }
    }

    fn check(&mut self, to: &Path) -> Result<(), Error> {
        let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.file.rewind().map_err(Error::io("read", self.path))?;
        let (size, hash) =
            content::copy(&mut self.file, &mut std::io::sink(), self.expected.size, &mut |_| {})
                .map_err(Error::io("read", self.path))?;
        self.expected.check(&name, size, &hash)
    }
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    to.with_file_name(name)
}

/// The first byte that `Content-Range: bytes FIRST-LAST/ALL` announces.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
