//! Reading little-endian fields one after the other, never past the end.

use std::path::Path;

use crate::weights::Error;

/// Names of tensors have 64 bytes at most by the format; metadata keys are not longer in practice.
const LONGEST_NAME: usize = 1024;

/// A place in a file's bytes.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    path: &'a Path,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], path: &'a Path) -> Self {
        Self { bytes, at: 0, path }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The error that something is wrong here.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { path: self.path.to_owned(), offset: self.at as u64, reason: reason.into() }
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], Error> {
        let Some(taken) = self.bytes[self.at..].get(..count) else {
            return Err(self.damaged(format!("it ends in the middle of {what}")));
        };
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N, what)?);
        Ok(bytes)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, Error> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A 64-bit count of things that each take at least `least` bytes of what is left.
    pub(super) fn count(&mut self, least: usize, what: &str) -> Result<usize, Error> {
        let here = self.at;
        let count = self.u64(what)?;
        match usize::try_from(count)
            .ok()
            .filter(|count| count.checked_mul(least).is_some_and(|bytes| bytes <= self.left()))
        {
            Some(count) => Ok(count),
            None => {
                self.at = here;
                Err(self
                    .damaged(format!("{what} says {count}, which is more than the file can hold")))
            }
        }
    }

    /// A text that names something: one that can stand in a message and on a terminal.
    pub(super) fn name(&mut self, what: &str) -> Result<&'a str, Error> {
        let name = self.text(what)?;
        if name.len() > LONGEST_NAME {
            return Err(self.damaged(format!(
                "{what} has {} bytes, and at most {LONGEST_NAME} are possible",
                name.len()
            )));
        }
        if name.contains(char::is_control) {
            return Err(self.damaged(format!("{what} holds control characters: {name:?}")));
        }
        Ok(name)
    }

    /// A length and that many bytes of UTF-8.
    pub(super) fn text(&mut self, what: &str) -> Result<&'a str, Error> {
        let length = self.count(1, what)?;
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map_err(|_| self.damaged(format!("{what} is not UTF-8 text")))
    }
}
