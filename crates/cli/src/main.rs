//! `sanbao`: the whole job without a window.

mod arguments;
mod commands;
mod show;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use arguments::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Standard output belongs to results and, in a worker, to messages.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_env("SANBAO_LOG"))
        .with_writer(std::io::stderr)
        .init();
    if matches!(cli.command, Command::Worker) {
        return sanbao_worker::child_main();
    }
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
