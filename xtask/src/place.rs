//! Where things are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository.
pub fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    package.parent().map_or(package.clone(), Path::to_owned)
}

/// Where programs are built: `CARGO_TARGET_DIR`, or else a folder outside the clone, so that a
/// new clone does not build the world again.
pub fn target() -> Result<PathBuf> {
    match set("CARGO_TARGET_DIR") {
        Some(target) => Ok(std::path::absolute(target)?),
        None => Ok(cache()?.join("target")),
    }
}

/// Where things are kept that can be made again.
pub fn cache() -> Result<PathBuf> {
    let home = || set("HOME").map(PathBuf::from);
    let cache = if cfg!(windows) {
        set("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library").join("Caches"))
    } else {
        set("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".cache")))
    };
    let cache = cache.context("No cache folder is known for this user: set CARGO_TARGET_DIR.")?;
    Ok(cache.join("sanbao"))
}

/// A program of this workspace, as built.
pub fn program(name: &str, profile: &str) -> Result<PathBuf> {
    Ok(target()?.join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
