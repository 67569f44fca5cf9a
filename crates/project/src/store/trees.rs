//! Folders copied with everything in them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::error::Error;
use crate::atomic::write_folder_atomic;

/// Copies what is in `from` into `to`, which is created. `is_left_out` is asked for each name,
/// at any depth. Copies get the rights of new files. A folder that is not there counts as empty.
///
/// # Errors
/// [`Error::Link`] for a link: it could lead anywhere on this machine, and nowhere on another.
pub(super) fn copy_tree(
    from: &Path,
    to: &Path,
    is_left_out: &dyn Fn(&str) -> bool,
) -> Result<(), Error> {
    fs::create_dir(to).map_err(crate::Error::io("create", to))?;
    match fs::symlink_metadata(from) {
        Ok(found) if found.is_symlink() => return Err(Error::Link { path: from.to_owned() }),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(crate::Error::io("read", from)(error).into()),
    }
    for entry in fs::read_dir(from).map_err(crate::Error::io("read", from))? {
        let entry = entry.map_err(crate::Error::io("read", from))?;
        let (name, path) = (entry.file_name(), entry.path());
        if is_left_out(&name.to_string_lossy()) {
            continue;
        }
        let kind = entry.file_type().map_err(crate::Error::io("read", &path))?;
        if kind.is_symlink() {
            return Err(Error::Link { path });
        } else if kind.is_dir() {
            copy_tree(&path, &to.join(name), is_left_out)?;
        } else {
            copy_file(&path, &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies a file, with the rights of a new one. Returns its bytes.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<u64, Error> {
    let mut source = File::open(from).map_err(crate::Error::io("read", from))?;
    let mut copy = File::create_new(to).map_err(crate::Error::io("create", to))?;
    let bytes = io::copy(&mut source, &mut copy).map_err(crate::Error::io("copy", from))?;
    copy.sync_all().map_err(crate::Error::io("write", to))?;
    Ok(bytes)
}

/// As [`write_folder_atomic`], for work whose errors name the place themselves.
pub(super) fn write_folder(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    enum Failure {
        Told(Error),
        Io(io::Error),
    }
    impl From<io::Error> for Failure {
        fn from(error: io::Error) -> Self {
            Self::Io(error)
        }
    }
    write_folder_atomic(path, |inside| write(inside).map_err(Failure::Told)).map_err(|failure| {
        match failure {
            Failure::Told(error) => error,
            Failure::Io(error) => crate::Error::io("create", path)(error).into(),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_tree_is_copied_without_what_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep").join("deeper")).unwrap();
        fs::write(from.join("deep").join("a"), "1").unwrap();
        fs::write(from.join("deep").join(".lock"), "").unwrap();
        copy_tree(&from, &to, &|name| name == ".lock").unwrap();
        assert_eq!(fs::read_to_string(to.join("deep").join("a")).unwrap(), "1");
        assert!(to.join("deep").join("deeper").is_dir());
        assert!(!to.join("deep").join(".lock").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir(&from).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", from.join("data.csv")).unwrap();
        let error = copy_tree(&from, &to, &|_| false).unwrap_err();
        assert_eq!(error.code(), "project.link");
        assert!(error.to_string().contains("data.csv"), "{error}");

        let other = folder.path().join("other");
        std::os::unix::fs::symlink("/etc", &other).unwrap();
        let error = copy_tree(&other, &folder.path().join("copy"), &|_| false).unwrap_err();
        assert_eq!(error.code(), "project.link");
    }
}
