//! What is done with this repository. Plain Rust that builds in seconds and works the same on
//! Linux, macOS and Windows.

mod build;
mod place;
mod shell;
mod system;
mod tasks;
mod window;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask TASK

  start              opens the app
  demo               makes a model from the sample data and tells whether it got better
  test [FILTER …]    runs every test; with FILTER those tests of the Rust side that match
  screenshots        writes pictures of everything that the window can show
  setup              gets the machine ready, and nothing else
  bench [OPTION …]   measures Sanbao beside other programs (see bench/peers)
  bundle [--with-starter-model] [--debug] [--bundles deb,rpm,…]
                     makes installers
  bindings [--check] writes (or compares) the TypeScript types of the contract

Every task installs what it needs first. Programs are built into CARGO_TARGET_DIR, or else
into the user's cache folder.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((task, rest)) = arguments.split_first() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let done = match task.as_str() {
        "start" => none(rest).and_then(|()| tasks::start()),
        "demo" => none(rest).and_then(|()| tasks::demo()),
        "test" => tasks::test(rest),
        "screenshots" => none(rest).and_then(|()| tasks::screenshots()),
        "setup" => none(rest).and_then(|()| tasks::setup()),
        "bench" => tasks::bench(rest),
        "bundle" => tasks::bundle(rest),
        "bindings" => tasks::bindings(rest),
        "help" | "--help" | "-h" => {
            eprintln!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("There is no task '{other}'.\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn none(rest: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(rest.is_empty(), "This task takes no options, but got '{}'.", rest.join(" "));
    Ok(())
}
