//! One process at a time in a folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Error;

const NAME: &str = ".lock";

/// Held while a process works in a folder.
///
/// The lock is the operating system's own (`flock`, `LockFileEx`) on a file `.lock`, so it
/// ends with the process that holds it, however that ends: the file of a dead process is
/// taken over at once, and a new process with a dead one's id is not mistaken for it.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
    folder: PathBuf,
}

impl FolderLock {
    /// Takes the lock of a folder that exists, without waiting.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process, or another part of this one, holds it;
    /// [`Error::Io`] when the folder cannot be written to or its file system knows no locks.
    pub fn acquire(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(&path)
            .map_err(Error::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { path: folder.to_owned(), owner: owner(&path) });
            }
            Err(TryLockError::Error(source)) => {
                return Err(Error::Io { action: "lock", path, source });
            }
        }
        write_owner(&mut file).map_err(Error::io("write", &path))?;
        Ok(Self { file, folder: folder.to_owned() })
    }

    /// The folder that is locked.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Nobody could be told of a failure, and closing the file unlocks it all the same.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// Only for the sentence that another process reads; the lock itself does not depend on it.
fn write_owner(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// Windows does not let others read a locked file; then the sentence goes without.
fn owner(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_lock_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(folder.path()).unwrap();
        let error = FolderLock::acquire(folder.path()).unwrap_err();
        assert_eq!(error.code(), "project.locked");
        drop(first);
        FolderLock::acquire(folder.path()).unwrap();
    }

    /// Not a test by itself: the process that the next test kills.
    #[test]
    fn holder_to_be_killed() {
        let Some(folder) = std::env::var_os("SANBAO_TEST_LOCK_HOLDER") else { return };
        let folder = PathBuf::from(folder);
        let _lock = FolderLock::acquire(&folder).unwrap();
        fs::write(folder.join("held"), "").unwrap();
        std::thread::sleep(Duration::from_secs(60));
    }

    #[test]
    fn the_lock_of_a_living_process_holds_and_that_of_a_killed_one_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lock::tests::holder_to_be_killed", "--nocapture"])
            .env("SANBAO_TEST_LOCK_HOLDER", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !folder.path().join("held").exists() {
            assert!(holder.try_wait().unwrap().is_none(), "the holder ended by itself");
            std::thread::sleep(Duration::from_millis(2));
        }
        let error = FolderLock::acquire(folder.path()).unwrap_err();
        assert_eq!(error.code(), "project.locked");
        #[cfg(unix)]
        assert!(error.to_string().contains(&format!("(process {})", holder.id())), "{error}");
        holder.kill().unwrap();
        holder.wait().unwrap();
        FolderLock::acquire(folder.path()).unwrap();
    }
}
