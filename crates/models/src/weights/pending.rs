//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Error;

/// A file being written under a temporary name beside its destination.
///
/// [`PendingFile::finish`] writes it through to the disk and gives it its name; dropped before
/// that, it is removed.
pub(crate) struct PendingFile {
    temporary: PathBuf,
    destination: PathBuf,
    writer: Option<BufWriter<File>>,
}

impl PendingFile {
    /// Starts the file that will be called `destination`.
    pub(crate) fn create(destination: &Path) -> Result<Self, Error> {
        let mut name = std::ffi::OsString::from(".");
        name.push(destination.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = destination.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(|source| Error::Write { path: temporary.clone(), source })?;
        let writer = Some(BufWriter::with_capacity(1 << 20, file));
        Ok(Self { temporary, destination: destination.to_owned(), writer })
    }

    /// Appends `bytes`.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer
            .write_all(bytes)
            .map_err(|source| Error::Write { path: self.temporary.clone(), source })
    }

    /// Puts what was written on the disk and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let failed = |source| Error::Write { path: self.destination.clone(), source };
        if let Some(writer) = self.writer.take() {
            let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
            file.sync_all().map_err(failed)?;
        }
        std::fs::rename(&self.temporary, &self.destination).map_err(failed)?;
        // A folder can be opened and written through on Unix only; elsewhere the rename is all there is.
        #[cfg(unix)]
        if let Some(folder) =
            self.destination.parent().filter(|folder| !folder.as_os_str().is_empty())
        {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        // After a rename there is nothing left under the temporary name and this does nothing.
        self.writer = None;
        drop(std::fs::remove_file(&self.temporary));
    }
}
