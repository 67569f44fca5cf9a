//! Running other programs.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::place;

/// A program that is run in the repository and builds where all programs are built.
///
/// What `cargo run` tells this program about itself is taken out of the environment: build
/// scripts look at it, and would run again each time.
pub fn command(program: impl AsRef<OsStr>) -> Result<Command> {
    let mut command = Command::new(program);
    command.current_dir(place::root()).env("CARGO_TARGET_DIR", place::target()?);
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_")
            || told.starts_with("CARGO_BIN_")
            || told.starts_with("CARGO_MANIFEST_")
            || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&&*told)
        {
            command.env_remove(&name);
        }
    }
    Ok(command)
}

/// Cargo itself, the one that runs this.
pub fn cargo() -> Result<Command> {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// npm in the window's folder.
pub fn npm() -> Result<Command> {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" })?;
    npm.current_dir(place::root().join("ui"));
    Ok(npm)
}

/// Runs a program and waits; what it prints is shown.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let status = command.status().with_context(|| format!("'{shown}' could not be started"))?;
    if !status.success() {
        bail!("'{shown}' failed ({status}).");
    }
    Ok(())
}

/// Runs a program and returns what it printed; its standard error is shown.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("'{shown}' could not be started"))?;
    if !output.status.success() {
        bail!("'{shown}' failed ({}).", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("'{shown}' printed no plain text"))
}

/// What a program prints, when it is there and succeeds; nothing is shown.
pub fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// Does one part of a task, and says how long it took.
pub fn part<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let done = work()?;
    eprintln!("── {name}: {}", seconds(start.elapsed()));
    Ok(done)
}

fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole >= 60 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy();
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(seconds(Duration::from_millis(1_234)), "1.2 s");
        assert_eq!(seconds(Duration::from_millis(725_900)), "12 min 5 s");
    }

    #[test]
    fn a_failing_program_is_named_with_its_arguments() {
        let error = run(cargo().unwrap().arg("no-such-command").stderr(Stdio::null())).unwrap_err();
        assert!(error.to_string().starts_with("'cargo no-such-command' failed"), "{error}");
        let error = run(&mut Command::new("/nowhere/program")).unwrap_err();
        assert_eq!(error.to_string(), "'program' could not be started");
    }
}
