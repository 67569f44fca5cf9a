//! A file as bytes, without reading it into memory first.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use super::Error;

/// A whole file as bytes: mapped from disk, or held in memory.
#[derive(Debug)]
pub(crate) struct MappedFile {
    path: PathBuf,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Held(Vec<u8>),
}

impl MappedFile {
    /// Maps the file at `path`; pages are read when they are first looked at.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "it is not a file",
            )));
        }
        // An empty file cannot be mapped on every system.
        if metadata.len() == 0 {
            return Ok(Self::held(path, Vec::new()));
        }
        // SAFETY: the map is read-only and only ever seen as plain bytes, for which every value
        // is valid. Someone who shortens the file while it is open stops the process (the worker,
        // never the window); no length is taken from the file again after this check.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Self { path: path.to_owned(), bytes: Bytes::Mapped(map) })
    }

    /// Bytes in memory that stand for a file named `path`.
    pub(crate) fn held(path: &Path, bytes: Vec<u8>) -> Self {
        Self { path: path.to_owned(), bytes: Bytes::Held(bytes) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(map) => map,
            Bytes::Held(bytes) => bytes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Lets the system forget the pages that lie wholly inside `range`.
    ///
    /// A model is read once, front to back. Without this, every page of the file would stay
    /// counted as memory of this process beside the converted weights.
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = &self.bytes {
            // A multiple of the page size of every common system.
            const GRAIN: usize = 64 * 1024;
            let start = range.start.next_multiple_of(GRAIN);
            let end = range.end / GRAIN * GRAIN;
            if start < end {
                // SAFETY: the map is read-only and backed by the file, so a page that was
                // forgotten is read again, with the same bytes, when it is next looked at.
                #[allow(unsafe_code)]
                let forgotten = unsafe {
                    map.unchecked_advise_range(
                        memmap2::UncheckedAdvice::DontNeed,
                        start,
                        end - start,
                    )
                };
                // Only memory is at stake: where the system declines, the pages stay.
                drop(forgotten);
            }
        }
        #[cfg(not(unix))]
        drop(range);
    }
}
