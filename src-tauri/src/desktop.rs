//! The window and what only a desktop has: file dialogs, the file manager, the browser, notices.

use std::error::Error;
use std::path::PathBuf;

use sanbao_app::App;
use sanbao_contract::Fault;
use sanbao_server::Front;
use tauri::{
    AppHandle, Manager, Theme, UserAttentionType, WebviewWindow, WebviewWindowBuilder, WindowEvent,
    Wry,
};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tauri_plugin_notification::NotificationExt;
use tauri_plugin_opener::OpenerExt;
use tokio::sync::oneshot;

use crate::{menu, rpc};

/// Opens the window and stays until it is closed.
pub fn run() -> Result<(), Box<dyn Error>> {
    let home = sanbao_project::data_dir()?;
    let app = App::open(&home, std::env::current_exe()?)?;
    let front = Front::new(app.clone());
    tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _, _| raise(app)))
        .plugin(tauri_plugin_window_state::Builder::default().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .manage(front)
        .manage(menu::Shown::default())
        .manage(app)
        .on_menu_event(menu::chosen)
        .on_window_event(|window, event| {
            // While a run is active, the person is asked what is to become of it.
            let app = window.state::<App>();
            if let WindowEvent::CloseRequested { api, .. } = event
                && app.is_busy()
            {
                api.prevent_close();
                app.ask_how_to_close();
            }
        })
        .invoke_handler(tauri::generate_handler![
            rpc::rpc,
            rpc::events,
            pick_files,
            pick_folder,
            pick_new_file,
            reveal,
            open_page,
            notify,
            zoom,
            menu::show_menu,
            set_theme
        ])
        .setup(open_window)
        .run(tauri::generate_context!())?;
    Ok(())
}

/// Opens the window of the configuration; its title is that of what it shows.
fn open_window(app: &mut tauri::App) -> Result<(), Box<dyn Error>> {
    let window = app.config().app.windows.first().ok_or("no window is configured")?;
    let window = WebviewWindowBuilder::from_config(app.handle(), window)?
        .on_document_title_changed(|window, title| {
            // A window that keeps its old title is still of use.
            let _ = window.set_title(&title);
        })
        .build()?;
    #[cfg(target_os = "linux")]
    window.with_webview(|webview| show_again(&webview.inner()))?;
    #[cfg(not(target_os = "linux"))]
    drop(window);
    Ok(())
}

/// Has the page loaded again when the process that draws it ends by itself, as a driver for
/// graphics may bring about; all it shows is kept by this process, and runs go on meanwhile.
#[cfg(target_os = "linux")]
fn show_again(webview: &webkit2gtk::WebView) {
    use webkit2gtk::WebViewExt;

    /// One that ends again and again would do so for ever.
    const MOST: u32 = 5;
    let ended = std::cell::Cell::new(0);
    webview.connect_web_process_terminated(move |webview, reason| {
        eprintln!("what draws the window ended: {reason:?}");
        ended.set(ended.get() + 1);
        if ended.get() <= MOST {
            webview.reload();
        }
    });
}

/// Shows the window of the program that already runs, when it is started again.
fn raise(app: &AppHandle) {
    if let Some(window) = app.get_webview_window("main") {
        // A window that cannot be raised is still there.
        let _ = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    }
}

/// Closes the window while a run is active. A run that goes on without it brings it back when it is
/// done.
pub async fn close(handle: &AppHandle, app: &App, keep_running: bool) {
    if !keep_running {
        app.pause_all().await;
        handle.exit(0);
        return;
    }
    if let Some(window) = handle.get_webview_window("main") {
        // A window that cannot be hidden stays in sight.
        let _ = window.hide();
    }
    let (handle, app) = (handle.clone(), app.clone());
    tauri::async_runtime::spawn(async move {
        app.until_idle().await;
        if let Some(window) = handle.get_webview_window("main") {
            let _ = window.show();
            let _ = window.request_user_attention(Some(UserAttentionType::Informational));
        }
    });
}

/// Lets the person choose files, of the kinds named (`.csv`, …) or, if they ask for it, of any;
/// empty when they choose none.
#[tauri::command]
async fn pick_files(app: AppHandle, extensions: Vec<String>) -> Vec<PathBuf> {
    let (answer, picked) = oneshot::channel();
    of_kinds(app.dialog().file(), &extensions).pick_files(move |files| {
        // A window that was closed meanwhile waits for nothing.
        let _ = answer.send(files);
    });
    let files = picked.await.ok().flatten().unwrap_or_default();
    files.into_iter().filter_map(path).collect()
}

/// Lets the person choose a folder.
#[tauri::command]
async fn pick_folder(app: AppHandle) -> Option<PathBuf> {
    let (answer, picked) = oneshot::channel();
    app.dialog().file().pick_folder(move |folder| {
        let _ = answer.send(folder);
    });
    picked.await.ok().flatten().and_then(path)
}

/// Lets the person say where a file is to be written, beginning with a proposal.
#[tauri::command]
async fn pick_new_file(app: AppHandle, proposed: PathBuf) -> Option<PathBuf> {
    let (answer, picked) = oneshot::channel();
    let mut dialog = app.dialog().file();
    if let Some(folder) = proposed.parent().filter(|folder| folder.is_dir()) {
        dialog = dialog.set_directory(folder);
    }
    if let Some(name) = proposed.file_name() {
        dialog = dialog.set_file_name(name.to_string_lossy());
    }
    dialog.save_file(move |file| {
        let _ = answer.send(file);
    });
    picked.await.ok().flatten().and_then(path)
}

/// Shows files of some kinds first. The kinds are called as they are written, in any language.
fn of_kinds(dialog: FileDialogBuilder<Wry>, extensions: &[String]) -> FileDialogBuilder<Wry> {
    if extensions.is_empty() {
        return dialog;
    }
    let bare: Vec<&str> = extensions.iter().map(|kind| kind.trim_start_matches('.')).collect();
    dialog.add_filter(extensions.join(" "), &bare).add_filter("*", &["*"])
}

fn path(file: FilePath) -> Option<PathBuf> {
    file.into_path().ok()
}

/// Shows a file or folder in the file manager.
#[tauri::command]
fn reveal(app: AppHandle, path: PathBuf) -> Result<(), Fault> {
    app.opener().reveal_item_in_dir(&path).map_err(|error| {
        let text = format!("{} cannot be shown: {error}", path.display());
        Fault::new("desktop.reveal", text)
    })
}

/// Opens a page of Sanbao's own in the browser.
#[tauri::command]
fn open_page(app: AppHandle, path: PathBuf) -> Result<(), Fault> {
    let is_page = path.extension().is_some_and(|ending| ending == "html");
    let opened = match is_page {
        true => app
            .opener()
            .open_path(path.display().to_string(), None::<&str>)
            .map_err(|e| e.to_string()),
        false => Err("it is no page".to_owned()),
    };
    opened.map_err(|error| {
        let text = format!("{} cannot be opened: {error}", path.display());
        Fault::new("desktop.open", text)
    })
}

/// Tells the person something while they look elsewhere, in the system's own way.
#[tauri::command]
fn notify(app: AppHandle, title: String, text: String) -> Result<(), Fault> {
    app.notification()
        .builder()
        .title(title)
        .body(text)
        .show()
        .map_err(|error| Fault::new("desktop.notify", format!("no notice can be shown: {error}")))
}

/// Shows everything in the window larger or smaller; `factor` is 1 for its own size.
#[tauri::command]
fn zoom(window: WebviewWindow, factor: f64) -> Result<(), Fault> {
    window.set_zoom(factor).map_err(|error| {
        Fault::new("desktop.zoom", format!("the window cannot be zoomed to {factor}: {error}"))
    })
}

/// Makes what the system draws of the window light or dark; as the system is when `None`.
#[tauri::command]
fn set_theme(window: WebviewWindow, theme: Option<Theme>) -> Result<(), Fault> {
    window.set_theme(theme).map_err(|error| {
        Fault::new("desktop.theme", format!("the window's frame keeps its theme: {error}"))
    })
}
