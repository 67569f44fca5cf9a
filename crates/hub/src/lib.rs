//! Finding and fetching base models.
//!
//! What comes from outside is hostile until its size and hash have been checked; a file or
//! folder stands under its final name only after that.

mod catalogue;
mod client;
mod content;
mod disk;
mod download;
mod error;
mod fetch;
mod installed;
mod name;
mod repository;
#[cfg(test)]
mod stand_in;
mod starter;
mod wheel;

pub use catalogue::{CatalogueEntry, catalogue};
pub use client::{check_endpoint, hub_endpoint};
pub use content::{Digest, Expected};
pub use download::{Download, Outcome};
pub use error::Error;
pub use fetch::Fetcher;
pub use installed::{BegunDownload, InstalledModel, begun, installed, remove};
pub use repository::{RemoteFile, Repository, repository};
pub use starter::{
    STARTER, STARTER_NAME, carried_starter_model, models_dir, starter_model, starter_model_in,
};

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
