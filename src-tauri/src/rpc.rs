//! The commands through which the window reaches Rust: one for requests, one for events.

use sanbao_app::App;
use sanbao_contract::Fault;
use sanbao_contract::rpc::{Event, Reply, Request};
use sanbao_server::Front;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};
use tokio::sync::broadcast::error::RecvError;

use crate::desktop;

/// Answers a request of the window.
///
/// The request arrives as plain JSON and is understood here, so that one that makes no sense
/// is refused with a code like any other error.
#[tauri::command]
pub async fn rpc(
    handle: AppHandle,
    app: State<'_, App>,
    front: State<'_, Front>,
    request: Value,
) -> Result<Reply, Fault> {
    let request = serde_json::from_value(request).map_err(|error| {
        Fault::new("rpc.bad_request", format!("The window asked for something unknown: {error}."))
    })?;
    if let Request::Close { keep_running } = request {
        desktop::close(&handle, &app, keep_running).await;
        return Ok(Reply::Close);
    }
    front.handle(request).await
}

/// Tells the window what happens, until it is gone.
#[tauri::command]
pub fn events(front: State<'_, Front>, channel: Channel<Event>) {
    let mut events = front.events();
    tauri::async_runtime::spawn(async move {
        loop {
            match events.recv().await {
                Ok(event) => {
                    if channel.send(event).is_err() {
                        break;
                    }
                }
                // The window asks for the state of things when it needs more than the latest.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break,
            }
        }
    });
}
