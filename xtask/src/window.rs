//! The window's files: `ui/` to `ui/dist`, which the app is built with.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{place, shell};

/// What `npm run build` reads, within `ui/`.
const SOURCES: &[&str] = &[
    "index.html",
    "package.json",
    "package-lock.json",
    "src",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// Installs the window's packages, when the list of them has changed since the last time.
pub fn install() -> Result<()> {
    let ui = place::root().join("ui");
    let stamp = Stamp::of(&ui, &["package-lock.json"], "node_modules/.installed")?;
    if stamp.is_current() {
        return Ok(());
    }
    shell::run(shell::npm()?.args(["ci", "--no-audit", "--no-fund"]))?;
    stamp.write()
}

/// Builds the window, when its sources have changed since the last time. Rebuilding it without
/// need would have the whole app linked again.
pub fn build() -> Result<()> {
    install()?;
    let ui = place::root().join("ui");
    let stamp = Stamp::of(&ui, SOURCES, "node_modules/.built")?;
    if stamp.is_current() && ui.join("dist").join("index.html").is_file() {
        return Ok(());
    }
    shell::run(shell::npm()?.args(["run", "build"]))?;
    stamp.write()
}

/// Remembers what some files held when something was last made from them.
struct Stamp {
    path: PathBuf,
    hash: String,
}

impl Stamp {
    fn of(folder: &Path, sources: &[&str], name: &str) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for source in sources {
            add(&folder.join(source), &mut hasher)?;
        }
        Ok(Self { path: folder.join(name), hash: format!("{:016x}\n", hasher.finish()) })
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.hash)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.hash)
            .with_context(|| format!("Could not write '{}'", self.path.display()))
    }
}

fn add(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let unreadable = || format!("Could not read '{}'", path.display());
    path.file_name().hash(hasher);
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(unreadable)?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        paths.len().hash(hasher);
        paths.iter().try_for_each(|path| add(path, hasher))
    } else {
        fs::read(path).with_context(unreadable)?.hash(hasher);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_stamp_is_current_until_a_source_changes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("src")).unwrap();
        fs::write(at("src/a"), "1").unwrap();
        fs::write(at("lock"), "1").unwrap();
        let stamp = || Stamp::of(folder.path(), &["src", "lock"], "stamp").unwrap();
        assert!(!stamp().is_current());
        stamp().write().unwrap();
        assert!(stamp().is_current());
        fs::write(at("src/a"), "2").unwrap();
        assert!(!stamp().is_current());
        fs::write(at("src/a"), "1").unwrap();
        assert!(stamp().is_current());
        fs::rename(at("src/a"), at("src/b")).unwrap();
        assert!(!stamp().is_current());
        fs::remove_file(at("lock")).unwrap();
        assert!(Stamp::of(folder.path(), &["lock"], "stamp").is_err());
    }
}
