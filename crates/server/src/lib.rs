//! What others reach of Sanbao over HTTP, on this machine only.
//!
//! A [`Front`] is what the window and a browser talk to: the app, and the server that makes a
//! run's model answer as OpenAI's API does. [`serve_ui`] shows the window in a browser.
//!
//! Both servers listen on the loopback address. That alone keeps nobody out: every web page that
//! a browser shows can send requests there. So each request has to name this server in `Host`
//! (a foreign name that resolves to this machine does not), must not come from another page
//! (`Origin`), and has to show a key that nobody else knows.

mod api;
mod body;
mod engine;
mod front;
mod gate;
mod json;
mod listen;
mod secret;
mod ui;

pub use engine::{Engine, Later, Words};
pub use front::Front;
pub use ui::{Files, UiOptions, UiServer, serve_ui};
