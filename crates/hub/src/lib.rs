//! Finding and fetching base models.
//!
//! What comes from outside is hostile until its size and SHA-256 have been checked; a file
//! stands under its final name only after that.

mod content;
mod error;
mod fetch;
mod starter;
mod wheel;

pub use content::Expected;
pub use error::Error;
pub use fetch::{Fetcher, hub_endpoint};
pub use starter::{STARTER, STARTER_NAME, models_dir, starter_model, starter_model_in};

/// What is going on while a model is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A source is being asked; a name for people.
    Asking(String),
    /// Bytes that are there, and bytes in all.
    Fetched {
        /// Bytes that are there.
        bytes: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The connection broke or the server was busy; it will be tried again.
    Retrying(String),
    /// A source did not have it; why. The next one follows.
    Failed(String),
}
