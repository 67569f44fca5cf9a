//! `sanbao serve`: the window in a browser.

use std::path::PathBuf;

use anyhow::{Context, Result};
use sanbao_app::App;
use sanbao_server::{Files, Front, UiOptions, serve_ui};

use crate::arguments::ServeArgs;
use crate::show;

/// Serves the window until Ctrl-C.
pub fn serve(args: &ServeArgs) -> Result<()> {
    let ui = args.ui.clone().or_else(page).context(
        "the window's files are not beside this program; say where they are with --ui FOLDER",
    )?;
    let home = sanbao_project::data_dir()?;
    let program = std::env::current_exe().context("this program cannot find itself")?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let front = Front::new(App::open(&home, program)?);
        let uploads = Some(home.join("uploads"));
        let options = UiOptions { port: args.port, uploads, ..UiOptions::new(Files::Folder(ui)) };
        let server = serve_ui(front, options).await?;
        show::line(&format!("Open {} in a browser. Ctrl-C ends it.", server.address()));
        tokio::signal::ctrl_c().await?;
        server.stop().await;
        Ok(())
    })
}

/// The window's files beside this program, or in the sources that it was built from.
fn page() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join("ui");
    let built = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/dist"));
    [beside, built].into_iter().find(|folder| folder.join("index.html").is_file())
}
