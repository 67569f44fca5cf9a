//! Whether a file is the one that was asked for.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::Error;

/// The hash that a file is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256 of the file; what the hub says of large files.
    Sha256([u8; 32]),
    /// The id that git gives the file: SHA-1 of `blob SIZE`, a zero byte and the file; what the
    /// hub says of small files.
    GitBlob([u8; 20]),
}

impl Digest {
    /// From 64 hexadecimal digits; `None` when it is anything else.
    pub const fn sha256(hex: &str) -> Option<Self> {
        match bytes(hex) {
            Some(bytes) => Some(Self::Sha256(bytes)),
            None => None,
        }
    }

    /// From 40 hexadecimal digits; `None` when it is anything else.
    pub const fn git_blob(hex: &str) -> Option<Self> {
        match bytes(hex) {
            Some(bytes) => Some(Self::GitBlob(bytes)),
            None => None,
        }
    }
}

impl fmt::Display for Digest {
    /// The kind and the hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, bytes): (_, &[u8]) = match self {
            Self::Sha256(bytes) => ("SHA-256", bytes),
            Self::GitBlob(bytes) => ("git id", bytes),
        };
        write!(f, "{kind} ")?;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

const fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digits = hex.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        match (nibble(digits[2 * at]), nibble(digits[2 * at + 1])) {
            (Some(high), Some(low)) => bytes[at] = high << 4 | low,
            _ => return None,
        }
        at += 1;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Size and hash of a file, known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Size in bytes.
    pub size: u64,
    /// Hash.
    pub digest: Digest,
}

impl Expected {
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
        let (size, digest) = copy(&mut file, &mut io::sink(), *self, &mut |_| {})
            .map_err(Error::io("read", path))?;
        Ok(size == self.size && digest == self.digest)
    }

    /// Compares a size and hash that were found.
    ///
    /// # Errors
    /// [`Error::WrongContent`].
    pub(crate) fn check(&self, name: &str, size: u64, digest: Digest) -> Result<(), Error> {
        let wrong =
            |expected, found| Err(Error::WrongContent { name: name.to_owned(), expected, found });
        if size > self.size {
            wrong(format!("{} bytes", self.size), "more".to_owned())
        } else if size < self.size {
            wrong(format!("{} bytes", self.size), format!("{size}"))
        } else if digest != self.digest {
            wrong(self.digest.to_string(), digest.to_string())
        } else {
            Ok(())
        }
    }
}

/// Computes the kind of hash that is expected.
pub(crate) enum Hasher {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Hasher {
    /// A git id begins with the size, which therefore has to be known; a file of another size
    /// is refused for that.
    pub(crate) fn new(expected: Expected) -> Self {
        match expected.digest {
            Digest::Sha256(_) => Self::Sha256(Sha256::new()),
            Digest::GitBlob(_) => {
                Self::GitBlob(Sha1::new_with_prefix(format!("blob {}\0", expected.size)))
            }
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::GitBlob(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => Digest::Sha256(hasher.finalize().into()),
            Self::GitBlob(hasher) => Digest::GitBlob(hasher.finalize().into()),
        }
    }
}

/// Copies at most one byte more than expected, so that one that is too long shows itself, and
/// returns the number of bytes and their hash. `progress` is told the bytes so far.
pub(crate) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    expected: Expected,
    progress: &mut dyn FnMut(u64),
) -> io::Result<(u64, Digest)> {
    let mut hasher = Hasher::new(expected);
    let mut buffer = vec![0; 1 << 18];
    let mut from = from.take(expected.size.saturating_add(1));
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
    Ok((bytes, hasher.finish()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// NIST's example for SHA-256: the message "abc".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    /// What `git hash-object` says of a file that holds "abc".
    const ABC_IN_GIT: &str = "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f";

    fn expected(digest: Option<Digest>) -> Expected {
        Expected { size: 3, digest: digest.unwrap() }
    }

    #[test]
    fn a_file_is_told_by_its_size_and_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for abc in [expected(Digest::sha256(ABC)), expected(Digest::git_blob(ABC_IN_GIT))] {
            for (content, is) in [("abc", true), ("abd", false), ("abcd", false), ("", false)] {
                std::fs::write(&path, content).unwrap();
                assert_eq!(abc.is_at(&path).unwrap(), is, "{content}");
            }
            std::fs::remove_file(&path).unwrap();
            assert!(!abc.is_at(&path).unwrap());
        }
    }

    #[test]
    fn copying_stops_one_byte_past_the_limit() {
        let mut endless = io::repeat(b'a');
        let million = Expected { size: 1_000_000, ..expected(Digest::sha256(ABC)) };
        let (bytes, found) = copy(&mut endless, &mut io::sink(), million, &mut |_| {}).unwrap();
        assert_eq!(bytes, 1_000_001);
        let four = Expected { size: 4, ..million };
        let error = four.check("model.gguf", 3, found).unwrap_err().to_string();
        assert!(error.contains("it has 3, but 4 bytes was expected"), "{error}");
        let error = million.check("model.gguf", bytes, found).unwrap_err().to_string();
        assert!(error.contains("it has more, but 1000000 bytes was expected"), "{error}");
    }

    #[test]
    fn a_hash_is_read_from_its_digits_and_nothing_else() {
        assert_eq!(Digest::sha256(ABC).unwrap().to_string(), format!("SHA-256 {ABC}"));
        assert_eq!(Digest::sha256(&ABC.to_uppercase()), Digest::sha256(ABC));
        assert_eq!(
            Digest::git_blob(ABC_IN_GIT).unwrap().to_string(),
            format!("git id {ABC_IN_GIT}")
        );
        let short = &ABC[1..];
        let other = ABC.replace('b', "g");
        for wrong in ["", short, &other, &format!("{ABC}0"), &"é".repeat(32)] {
            assert_eq!(Digest::sha256(wrong), None, "{wrong}");
        }
    }
}
