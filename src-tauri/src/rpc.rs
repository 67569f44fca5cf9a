//! The one command through which the window reaches Rust.

use sanbao_contract::Fault;
use sanbao_contract::rpc::{Reply, Request};
use serde_json::Value;

/// Answers a request of the window.
///
/// The request arrives as plain JSON and is understood here, so that one that makes no sense
/// is refused with a code like any other error.
#[tauri::command]
pub fn rpc(request: Value) -> Result<Reply, Fault> {
    let request = serde_json::from_value(request).map_err(|error| {
        Fault::new("rpc.bad_request", format!("The window asked for something unknown: {error}."))
    })?;
    answer(request)
}

fn answer(request: Request) -> Result<Reply, Fault> {
    match request {
        Request::About => Ok(Reply::About { version: env!("CARGO_PKG_VERSION").to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn the_window_is_told_the_version() {
        let reply = rpc(json!({"request": "about"})).unwrap();
        assert_eq!(
            serde_json::to_value(reply).unwrap(),
            json!({"reply": "about", "version": env!("CARGO_PKG_VERSION")})
        );
    }

    #[test]
    fn an_unknown_request_is_refused_with_a_code() {
        for request in [json!({"request": "format_disk"}), json!(null), json!({"about": 1})] {
            let fault = rpc(request.clone()).unwrap_err();
            assert_eq!(fault.code, "rpc.bad_request", "{request}");
        }
    }
}
