//! Whether a file is the one that was asked for.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::Error;

/// Size and hash of a file, known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in 64 lower-case hexadecimal digits.
    pub sha256: &'a str,
}

impl Expected<'_> {
    /// Whether a file that is there has this size and hash. A missing file has not.
    ///
    /// # Errors
    /// [`Error::Io`] when it is there but cannot be read.
    pub fn is_at(&self, path: &Path) -> Result<bool, Error> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(Error::io("read", path))?,
        };
        if file.metadata().map_err(Error::io("read", path))?.len() != self.size {
            return Ok(false);
        }
        let (size, hash) = copy(&mut file, &mut io::sink(), self.size, &mut |_| {})
            .map_err(Error::io("read", path))?;
        Ok(size == self.size && hash == self.sha256)
    }

    /// Compares a size and hash that were found.
    ///
    /// # Errors
    /// [`Error::WrongContent`].
    pub(crate) fn check(&self, name: &str, size: u64, sha256: &str) -> Result<(), Error> {
        let wrong =
            |expected, found| Err(Error::WrongContent { name: name.to_owned(), expected, found });
        if size > self.size {
            wrong(format!("{} bytes", self.size), "more".to_owned())
        } else if size < self.size {
            wrong(format!("{} bytes", self.size), format!("{size}"))
        } else if sha256 != self.sha256 {
            wrong(format!("SHA-256 {}", self.sha256), format!("SHA-256 {sha256}"))
        } else {
            Ok(())
        }
    }
}

/// Copies at most one byte more than `limit`, so that one that is too long shows itself, and
/// returns the number of bytes and their SHA-256. `progress` is told the bytes so far.
pub(crate) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    limit: u64,
    progress: &mut dyn FnMut(u64),
) -> io::Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut from = from.take(limit.saturating_add(1));
    let mut bytes = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
        progress(bytes);
    }
    let hash = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, hash))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// NIST's example for SHA-256: the message "abc".
    const ABC: Expected = Expected {
        size: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    #[test]
    fn a_file_is_told_by_its_size_and_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(!ABC.is_at(&path).unwrap());
        for (content, is) in [("abc", true), ("abd", false), ("abcd", false), ("", false)] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(ABC.is_at(&path).unwrap(), is, "{content}");
        }
    }

    #[test]
    fn copying_stops_one_byte_past_the_limit() {
        let mut endless = io::repeat(b'a');
        let (bytes, _) = copy(&mut endless, &mut io::sink(), 1_000_000, &mut |_| {}).unwrap();
        assert_eq!(bytes, 1_000_001);
        let error = ABC.check("model.gguf", 4, "").unwrap_err().to_string();
        assert!(error.contains("it has more, but 3 bytes was expected"), "{error}");
    }
}
