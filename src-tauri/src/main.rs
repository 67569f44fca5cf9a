//! The desktop program: a window, and with the argument `worker` what computes behind it.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

mod desktop;
mod menu;
mod rpc;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return sanbao_worker::child_main();
    }
    match desktop::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The window could not be opened: {error}.");
            ExitCode::FAILURE
        }
    }
}
