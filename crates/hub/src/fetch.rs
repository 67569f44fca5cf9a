//! Fetching one large file over HTTP, in as many pieces as it takes.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, header};

use crate::client::{Client, Got, Patience};
use crate::content::Hasher;
use crate::{Error, Expected, Progress};

const BUFFER: usize = 1 << 18;

/// Fetches files whose size and hash are known.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
    patience: Patience,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

/// How it ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// Everything is there.
    Whole,
    /// It was to stop; what has arrived is kept.
    Stopped,
}

/// How one request ended that did not fail for good.
enum Piece {
    /// The server has sent everything it wanted to.
    Complete,
    /// What is there already does not fit what the server has.
    StartOver,
    /// Worth another try; why.
    Again(String),
    /// It was to stop.
    Stopped,
}

impl Fetcher {
    /// A fetcher that gives a silent server 30 seconds, and up when five tries in a row have
    /// brought nothing (with pauses of 1, 2, 4 and 8 seconds).
    pub fn new() -> Self {
        Self::with(Client::new(Patience::LONG), Patience::LONG)
    }

    pub(crate) fn with(client: Client, patience: Patience) -> Self {
        Self { client, patience }
    }

    /// Fetches `url` to `to`. What has arrived is kept in a file beside it that ends in
    /// `.part`, and a later call goes on from there; `to` appears only when size and hash
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
        self.fetch_until(url, to, expected, &|| false, progress).map(|_| ())
    }

    /// As [`Fetcher::fetch`], until `stop` says so; it is asked before every read.
    pub(crate) fn fetch_until(
        &self,
        url: &str,
        to: &Path,
        expected: Expected,
        stop: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, Error> {
        let path = part_of(to);
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Error::io("write", &path))?;
        let mut part = Part { file, path: &path, expected, stop };
        let had = part.size()?;
        let fetched = self.checked(url, to, &mut part, had > 0, progress);
        let left = part.size()?;
        if matches!(fetched, Ok(Fetched::Whole)) {
            part.file.sync_all().map_err(Error::io("write", &path))?;
            drop(part);
            fs::rename(&path, to).map_err(Error::io("write", to))?;
        } else if left == 0 {
            drop(part);
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
        fetched
    }

    /// Fetches what is missing and checks all of it; keeps nothing that is wrong.
    fn checked(
        &self,
        url: &str,
        to: &Path,
        part: &mut Part,
        had_some: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, Error> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let mut may_start_over = had_some;
        loop {
            if self.complete(url, part, progress)? == Fetched::Stopped {
                return Ok(Fetched::Stopped);
            }
            match part.check(&name) {
                Ok(fetched) => return Ok(fetched),
                Err(wrong @ Error::WrongContent { .. }) => {
                    part.clear()?;
                    if !may_start_over {
                        return Err(wrong);
                    }
                    may_start_over = false;
                    let reason = "what was there from before did not fit".to_owned();
                    progress(Progress::Retrying(reason));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks for the missing rest until everything is there.
    fn complete(
        &self,
        url: &str,
        part: &mut Part,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, Error> {
        let mut fruitless = 0;
        let mut started_over = false;
        loop {
            if (part.stop)() {
                return Ok(Fetched::Stopped);
            }
            let before = part.size()?;
            let reason = match self.piece(url, part, before, progress)? {
                Piece::Complete if part.size()? >= part.expected.size => {
                    return Ok(Fetched::Whole);
                }
                // A body that ends early without an error: a proxy that closed the connection.
                Piece::Complete => "the answer ended early".to_owned(),
                Piece::Stopped => return Ok(Fetched::Stopped),
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
            if fruitless >= self.patience.tries {
                return Err(Error::Network { url: url.to_owned(), reason });
            }
            progress(Progress::Retrying(reason));
            self.patience.rest(fruitless, part.stop);
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
        let response = match self.client.get(url, from)? {
            Got::Answer(response) => response,
            Got::Unreachable(reason) | Got::Busy(reason) => return Ok(Piece::Again(reason)),
        };
        let bad = |reason: String| Err(Error::BadAnswer { url: url.to_owned(), reason });
        match response.status() {
            StatusCode::OK => part.clear()?,
            StatusCode::PARTIAL_CONTENT => match range_start(response.headers()) {
                Some(start) if start == from => {}
                Some(start) => return bad(format!("asked for byte {from}, it sends byte {start}")),
                None => return bad("a part without saying which".to_owned()),
            },
            _ if from > 0 => return Ok(Piece::StartOver),
            status => return bad(format!("status {status}")),
        }
        part.append(response, progress)
    }
}

/// The file that has arrived so far.
struct Part<'a> {
    file: File,
    path: &'a Path,
    expected: Expected,
    stop: &'a dyn Fn() -> bool,
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
        let mut buffer = vec![0; BUFFER];
        let mut bytes = self.size()?;
        loop {
            if (self.stop)() {
                return Ok(Piece::Stopped);
            }
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(Piece::Complete),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
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

    /// Reads all of it, which takes a while for a large file.
    fn check(&mut self, name: &str) -> Result<Fetched, Error> {
        let size = self.size()?;
        self.file.rewind().map_err(Error::io("read", self.path))?;
        let mut hasher = Hasher::new(self.expected);
        let mut buffer = vec![0; BUFFER];
        loop {
            if (self.stop)() {
                return Ok(Fetched::Stopped);
            }
            match self.file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => hasher.update(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", self.path)(error)),
            }
        }
        self.expected.check(name, size, hasher.finish()).map(|()| Fetched::Whole)
    }
}

/// Where what has arrived of a file is kept until it is whole.
pub(crate) fn part_of(to: &Path) -> PathBuf {
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
