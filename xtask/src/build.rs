//! Building the workspace: always all of it, with one set of features, so that no task throws
//! away what another has built.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::{place, shell};

/// Builds every program.
pub fn all(release: bool) -> Result<()> {
    let mut cargo = shell::cargo()?;
    cargo.args(["build", "--workspace"]);
    if release {
        cargo.arg("--release");
    }
    shell::run(&mut cargo)
}

/// Where the starter model is; fetched when it is not there yet.
pub fn starter_model() -> Result<PathBuf> {
    let cargo = ["build", "--workspace", "--bin", "sanbao-starter"];
    shell::run(shell::cargo()?.args(cargo))?;
    let printed = shell::output(&mut shell::command(place::program("sanbao-starter", "debug")?)?)?;
    let path = PathBuf::from(printed.trim_end_matches(['\r', '\n']));
    ensure!(path.is_file(), "The starter model should be at '{}', but is not.", path.display());
    Ok(path)
}
