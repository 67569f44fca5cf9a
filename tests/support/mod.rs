//! What the whole product's tests share.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unused_imports)]

mod tiny;

pub use tiny::{fixtures, tiny_model, triage_csv};

/// The program.
pub fn sanbao() -> &'static str {
    env!("CARGO_BIN_EXE_sanbao")
}
