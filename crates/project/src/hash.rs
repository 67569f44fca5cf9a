//! What a file or folder holds, in 64 hexadecimal digits (BLAKE3).

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::atomic::is_leftover;

/// The BLAKE3 hash of some bytes, as 64 hexadecimal digits.
pub fn hash_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The BLAKE3 hash of a file's content, as 64 hexadecimal digits. The file is read in pieces,
/// so that a large one needs little memory.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read.
pub fn hash_file(path: &Path) -> Result<String, Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(Error::io("read", path))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The BLAKE3 hash of everything in a folder: of every file's path within it and content.
/// The same files give the same hash wherever the folder stands and on every platform;
/// empty folders and unfinished files do not count. Links are followed.
///
/// # Errors
/// [`Error::Io`] when something in it cannot be read.
pub fn hash_folder(folder: &Path) -> Result<String, Error> {
    let mut files = Vec::new();
    collect(folder, String::new(), &mut files)?;
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for (name, path) in files {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(hash_file(&path)?.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn collect(folder: &Path, within: String, files: &mut Vec<(String, PathBuf)>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        let name = entry.file_name();
        if is_leftover(&name) {
            continue;
        }
        let path = entry.path();
        let name = format!("{within}{}", name.to_string_lossy());
        if fs::metadata(&path).map_err(Error::io("read", &path))?.is_dir() {
            collect(&path, name + "/", files)?;
        } else {
            files.push((name, path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_hash_of_nothing_is_the_one_in_the_blake3_paper() {
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(hash_bytes(b""), empty);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        fs::write(&path, "").unwrap();
        assert_eq!(hash_file(&path).unwrap(), empty);
    }

    #[test]
    fn a_folder_hash_depends_on_names_and_content_and_on_nothing_else() {
        let make = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            for (name, content) in files {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            hash_folder(folder.path()).unwrap()
        };
        let base = make(&[("a", "1"), ("b/c", "2")]);
        assert_eq!(base, make(&[("b/c", "2"), ("a", "1"), (".a.x.unfinished", "half")]));
        assert_ne!(base, make(&[("a", "2"), ("b/c", "1")]));
        assert_ne!(base, make(&[("a", "1"), ("bc", "2")]));
        assert_ne!(base, make(&[("a", "1")]));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = hash_file(Path::new("/nowhere/data.csv")).unwrap_err();
        assert_eq!(error.code(), "project.io");
        assert!(error.to_string().contains("/nowhere/data.csv"), "{error}");
    }
}
