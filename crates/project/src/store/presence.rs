//! Who works in a folder, so that what killed processes left is swept only by someone who is
//! alone there.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Error;

/// Name of the file that is locked.
pub(super) const LOCK: &str = ".lock";

/// Held by everyone who works in a folder: a shared lock of the operating system on its file
/// `.lock`, which ends with the process.
#[derive(Debug)]
pub(super) struct Presence {
    _file: File,
}

impl Presence {
    /// Enters a folder that exists. Who comes into an empty room runs `tidy` first; others wait
    /// for that to end.
    ///
    /// # Errors
    /// What `tidy` returned; [`Error::Io`] when the folder cannot be written to or its file system
    /// knows no locks.
    pub(super) fn enter<E: From<Error>>(
        folder: &Path,
        tidy: impl FnOnce() -> Result<(), E>,
    ) -> Result<Self, E> {
        let path = folder.join(LOCK);
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Error::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => {
                tidy()?;
                // Between the two locks another may come in and tidy: nothing of ours is here yet.
                file.unlock().map_err(Error::io("unlock", &path))?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => {
                return Err(Error::Io { action: "lock", path, source }.into());
            }
        }
        file.lock_shared().map_err(Error::io("lock", &path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::cell::Cell;

    use super::*;

    #[test]
    fn only_who_is_alone_tidies() {
        let folder = tempfile::tempdir().unwrap();
        let tidied = Cell::new(0);
        let enter = || {
            Presence::enter::<Error>(folder.path(), || {
                tidied.set(tidied.get() + 1);
                Ok(())
            })
            .unwrap()
        };
        let first = enter();
        assert_eq!(tidied.get(), 1);
        let second = enter();
        drop(first);
        let third = enter();
        assert_eq!(tidied.get(), 1);
        drop((second, third));
        let _last = enter();
        assert_eq!(tidied.get(), 2);
    }

    #[test]
    fn a_failed_tidying_leaves_nobody_behind() {
        let folder = tempfile::tempdir().unwrap();
        Presence::enter(folder.path(), || Err(Error::NoHome)).unwrap_err();
        let mut tidied = false;
        Presence::enter::<Error>(folder.path(), || {
            tidied = true;
            Ok(())
        })
        .unwrap();
        assert!(tidied);
    }
}
