//! Files and folders that appear under their name only when they are complete.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How the names of unfinished files and folders end; they begin with a dot.
const UNFINISHED: &str = ".unfinished";
/// How the name of a folder ends that is about to be replaced.
const REPLACED: &str = ".replaced";

/// Writes a file so that, whatever happens, `path` holds either what it held before or
/// everything that `write` wrote.
///
/// `write` writes to a temporary file in the same folder, which is synced to the disk and
/// then renamed over `path`; then the folder is synced. The parent folder must exist. When
/// `write` fails, nothing is left behind.
///
/// # Errors
/// What `write` returned, or what the operating system said.
pub fn write_atomic(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let (folder, name) = split(path)?;
    let mut unfinished = temporary(&prefix(name), false).tempfile_in(folder)?;
    write(unfinished.as_file_mut())?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder)
}

/// Writes `value` as indented JSON with a closing newline, atomically.
///
/// # Errors
/// As [`write_atomic`]; also when `value` cannot be written as JSON (a map whose keys are not
/// text), with kind [`io::ErrorKind::InvalidData`].
pub fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    write_atomic(path, |file| io::Write::write_all(file, &text))
}

/// Writes a folder so that `path` is either what it was before or everything that `write` put
/// into the folder that it is given.
///
/// All files are synced to the disk before the folder gets its name. A folder that stands at
/// `path` already is replaced, and removed only when the new one is in place; a process killed
/// between the two leaves the old one to be put back by [`sweep_leftovers`].
///
/// # Errors
/// What `write` returned, or what the operating system said.
pub fn write_folder_atomic<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let (folder, name) = split(path)?;
    let unfinished = temporary(&prefix(name), true).tempdir_in(folder)?;
    write(unfinished.path())?;
    sync_tree(unfinished.path())?;
    let replaced = replaced_name(folder, name);
    if path.exists() {
        remove_tree_if_there(&replaced)?;
        fs::rename(path, &replaced)?;
    }
    fs::rename(unfinished.path(), path)?;
    // The temporary name is gone; without this, dropping the guard would look for it.
    let _renamed = unfinished.keep();
    sync_folder(folder)?;
    remove_tree_if_there(&replaced)?;
    Ok(())
}

/// Removes what killed processes left unfinished directly in `folder`, and puts back a folder
/// that was being replaced. Call it only while no other process writes there.
///
/// # Errors
/// What the operating system said.
pub fn sweep_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
        if name.ends_with(UNFINISHED) {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        } else if let Some(original) = name.strip_suffix(REPLACED) {
            let original = folder.join(original);
            if original.exists() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::rename(entry.path(), original)?;
            }
        }
    }
    Ok(())
}

/// A folder in `folder` with a temporary name, which is removed when it is dropped.
pub(crate) fn temporary_folder(folder: &Path, name: &str) -> io::Result<tempfile::TempDir> {
    temporary(&prefix(OsStr::new(name)), true).tempdir_in(folder)
}

/// Whether a file name is one that [`sweep_leftovers`] cares about.
pub(crate) fn is_leftover(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        name.starts_with('.') && (name.ends_with(UNFINISHED) || name.ends_with(REPLACED))
    })
}

fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("'{}' does not end with a name", path.display()),
        )
    })?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Ok((folder, name))
}

/// How the temporary name of `name` begins.
fn prefix(name: &OsStr) -> String {
    format!(".{}.", name.to_string_lossy())
}

/// A maker of temporary names whose files get the rights that any new file of the user gets,
/// rather than being readable by the user alone.
fn temporary(prefix: &str, is_folder: bool) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(UNFINISHED);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if is_folder { 0o777 } else { 0o666 };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = is_folder;
    builder
}

fn replaced_name(folder: &Path, name: &OsStr) -> PathBuf {
    folder.join(format!(".{}{REPLACED}", name.to_string_lossy()))
}

fn remove_tree_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            // Windows syncs only through a handle that may write.
            File::options().write(true).open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no call to sync a folder; its file systems journal a rename themselves.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::Write;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        write_json(&path, &1).unwrap();
        let failed = write_atomic(&path, |file| {
            file.write_all(b"half of")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
        assert_eq!(names(folder.path()), ["plan.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn written_files_have_the_rights_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        File::create(&plain).unwrap();
        let ours = folder.path().join("ours");
        write_json(&ours, &1).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_failed_folder_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("step-000001");
        write_folder_atomic::<io::Error>(&path, |inside| fs::write(inside.join("a"), "old"))
            .unwrap();
        let failed = write_folder_atomic(&path, |inside| {
            fs::write(inside.join("a"), "new")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(path.join("a")).unwrap(), "old");
        assert_eq!(names(folder.path()), ["step-000001"]);

        write_folder_atomic::<io::Error>(&path, |inside| fs::write(inside.join("b"), "new"))
            .unwrap();
        assert_eq!(names(&path), ["b"]);
        assert_eq!(names(folder.path()), ["step-000001"]);
    }

    #[test]
    fn leftovers_are_swept_and_a_folder_caught_in_replacement_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at(".plan.json.x1.unfinished"), "{").unwrap();
        fs::create_dir(at(".step-000002.x2.unfinished")).unwrap();
        fs::write(at(".step-000002.x2.unfinished").join("weights"), "half").unwrap();
        fs::create_dir(at(".step-000001.replaced")).unwrap();
        fs::write(at(".step-000001.replaced").join("weights"), "whole").unwrap();
        fs::create_dir(at(".done.replaced")).unwrap();
        fs::create_dir(at("done")).unwrap();
        fs::write(at(".hidden"), "of somebody else").unwrap();
        sweep_leftovers(folder.path()).unwrap();
        assert_eq!(names(folder.path()), [".hidden", "done", "step-000001"]);
        assert_eq!(fs::read_to_string(at("step-000001").join("weights")).unwrap(), "whole");
    }

    /// Not a test by itself: the process that the next test kills.
    #[test]
    fn writer_to_be_killed() {
        let Some(folder) = std::env::var_os("SANBAO_TEST_WRITER") else { return };
        let folder = PathBuf::from(folder);
        for round in 0u64.. {
            let text = format!("{round} ").repeat(20_000);
            write_atomic(&folder.join("file"), |file| file.write_all(text.as_bytes())).unwrap();
            write_folder_atomic::<io::Error>(&folder.join("folder"), |inside| {
                fs::write(inside.join("one"), &text)?;
                fs::write(inside.join("two"), &text)
            })
            .unwrap();
        }
    }

    #[test]
    fn a_process_killed_at_any_moment_leaves_only_whole_files() {
        let folder = tempfile::tempdir().unwrap();
        let whole = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            let round = text.split(' ').next().unwrap();
            assert_eq!(text, format!("{round} ").repeat(20_000), "{} is torn", path.display());
            text
        };
        for attempt in 0..12u64 {
            let mut writer = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "atomic::tests::writer_to_be_killed", "--nocapture"])
                .env("SANBAO_TEST_WRITER", folder.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            while !folder.path().join("folder").exists() {
                assert!(writer.try_wait().unwrap().is_none(), "the writer ended by itself");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_micros(attempt * 3_701));
            writer.kill().unwrap();
            writer.wait().unwrap();
            sweep_leftovers(folder.path()).unwrap();
            assert_eq!(names(folder.path()), ["file", "folder"]);
            whole(&folder.path().join("file"));
            let one = whole(&folder.path().join("folder").join("one"));
            assert_eq!(one, whole(&folder.path().join("folder").join("two")));
        }
    }
}
