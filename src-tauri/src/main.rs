//! The desktop program: one window, one command.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

mod rpc;

fn main() -> ExitCode {
    let window = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![rpc::rpc])
        .run(tauri::generate_context!());
    match window {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The window could not be opened: {error}.");
            ExitCode::FAILURE
        }
    }
}
