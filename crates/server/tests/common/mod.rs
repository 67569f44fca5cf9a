//! An app that stands in for the real one, and a client that speaks plain HTTP.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod http;
pub mod stand_in;

use std::sync::Arc;

use sanbao_contract::app::Serving;
use sanbao_contract::rpc::{Reply, Request};
use sanbao_server::{Files, Front, UiOptions, UiServer, serve_ui};

use http::Client;
use stand_in::StandIn;

/// A front over a stand-in.
pub fn front() -> (Front, Arc<StandIn>) {
    let engine = Arc::new(StandIn::default());
    let behind: Arc<dyn sanbao_server::Engine> = engine.clone();
    (Front::over(behind), engine)
}

/// Starts the API for the stand-in's run.
pub async fn start(front: &Front) -> Serving {
    let request = Request::StartServing { project: "p1".to_owned(), run: "r1".to_owned() };
    match front.handle(request).await.unwrap() {
        Reply::StartServing { serving } => serving,
        other => panic!("{other:?}"),
    }
}

/// The port in an address.
pub fn port_of(serving: &Serving) -> u16 {
    serving
        .address
        .strip_prefix("http://127.0.0.1:")
        .unwrap()
        .strip_suffix("/v1")
        .unwrap()
        .parse()
        .unwrap()
}

/// A client that shows the API's key.
pub fn client_of(serving: &Serving) -> Client {
    Client::new(port_of(serving)).key(&serving.key)
}

/// The window in a browser, with a page of three files, and a client that shows the token.
pub async fn browser(change: impl FnOnce(&mut UiOptions)) -> (UiServer, Client, Arc<StandIn>) {
    let (front, engine) = front();
    let files = |path: &str| -> Option<std::borrow::Cow<'static, [u8]>> {
        match path {
            "index.html" => Some(b"<!doctype html>".as_slice().into()),
            "assets/a.js" => Some(b"1".as_slice().into()),
            "icon.svg" => Some(b"<svg/>".as_slice().into()),
            _ => None,
        }
    };
    let mut options = UiOptions::new(Files::Built(Arc::new(files)));
    change(&mut options);
    let server = serve_ui(front, options).await.unwrap();
    let client = Client::new(server.port()).key(server.token());
    (server, client, engine)
}
