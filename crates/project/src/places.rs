//! Where things are kept on a person's machine.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::Error;

const VARIABLE: &str = "SANBAO_HOME";

/// Where models and projects are kept: `~/.local/share/sanbao` on Linux,
/// `~/Library/Application Support/sanbao` on macOS, `%LOCALAPPDATA%\sanbao` on Windows; or
/// the folder named by `SANBAO_HOME`. The folder is not created.
///
/// # Errors
/// [`Error::NoHome`] when the user has no home folder and `SANBAO_HOME` is not set.
pub fn data_dir() -> Result<PathBuf, Error> {
    place(std::env::var_os(VARIABLE), None, dirs::data_local_dir())
}

/// Where things are kept that can be made again: `~/.cache/sanbao` on Linux,
/// `~/Library/Caches/sanbao` on macOS, `%LOCALAPPDATA%\sanbao\cache` on Windows; or `cache`
/// in the folder named by `SANBAO_HOME`. The folder is not created.
///
/// # Errors
/// [`Error::NoHome`] when the user has no home folder and `SANBAO_HOME` is not set.
pub fn cache_dir() -> Result<PathBuf, Error> {
    let platform = dirs::cache_dir();
    if cfg!(windows) {
        // Windows names one folder for both.
        return place(std::env::var_os(VARIABLE), Some("cache"), platform)
            .map(|place| if place.ends_with("cache") { place } else { place.join("cache") });
    }
    place(std::env::var_os(VARIABLE), Some("cache"), platform)
}

fn place(
    home: Option<OsString>,
    within_home: Option<&str>,
    platform: Option<PathBuf>,
) -> Result<PathBuf, Error> {
    match home.filter(|home| !home.is_empty()) {
        Some(home) => {
            let home = PathBuf::from(home);
            // A relative folder would be another one after a change of directory.
            let home = std::path::absolute(&home).map_err(Error::io("find", &home))?;
            Ok(within_home.map(|name| home.join(name)).unwrap_or(home))
        }
        None => platform.map(|platform| platform.join("sanbao")).ok_or(Error::NoHome),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_variable_wins_over_the_platform() {
        let platform = Some(PathBuf::from("/home/mei/.local/share"));
        let data = place(None, None, platform.clone()).unwrap();
        assert_eq!(data, PathBuf::from("/home/mei/.local/share/sanbao"));
        let data = place(Some("".into()), None, platform.clone()).unwrap();
        assert_eq!(data, PathBuf::from("/home/mei/.local/share/sanbao"));
        let chosen = std::env::temp_dir();
        let data = place(Some(chosen.clone().into()), None, platform.clone()).unwrap();
        assert_eq!(data, chosen);
        let cache = place(Some(chosen.clone().into()), Some("cache"), platform).unwrap();
        assert_eq!(cache, chosen.join("cache"));
    }

    #[test]
    fn a_relative_home_is_made_absolute() {
        let data = place(Some("here".into()), None, None).unwrap();
        assert_eq!(data, std::env::current_dir().unwrap().join("here"));
    }

    #[test]
    fn without_any_home_the_sentence_says_what_to_set() {
        let error = place(None, None, None).unwrap_err();
        assert_eq!(error.code(), "project.no_home");
        assert!(error.to_string().contains("SANBAO_HOME"));
    }
}
