//! What can go wrong around a job.

use sanbao_contract::Fault;

/// Why a job could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A device that is not there.
    #[error("there is no device '{asked}'; this machine has {known}")]
    UnknownDevice {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// A device that computes wrongly.
    #[error(
        "the device {name} fails the self-check ({detail}): its driver ({driver}) computes wrong results. Update the driver, or use --device cpu"
    )]
    FailedSelfCheck {
        /// Its name.
        name: String,
        /// Its driver.
        driver: String,
        /// What was found.
        detail: String,
    },
    /// The child process could not be started or spoken to.
    #[error("the worker process cannot be started: {0}")]
    Spawn(std::io::Error),
    /// The child process died.
    #[error("the worker process ended unexpectedly ({how}){hint}")]
    Crashed {
        /// Signal or exit code.
        how: String,
        /// What to do.
        hint: String,
    },
    /// The child reported an error.
    #[error(transparent)]
    Reported(#[from] Fault),
    /// Training.
    #[error(transparent)]
    Train(#[from] sanbao_train::Error),
    /// The model.
    #[error(transparent)]
    Model(#[from] sanbao_models::Error),
    /// The data.
    #[error(transparent)]
    Data(#[from] sanbao_data::Error),
    /// Answering.
    #[error(transparent)]
    Infer(#[from] sanbao_infer::Error),
    /// Comparing.
    #[error(transparent)]
    Evaluate(#[from] sanbao_evaluate::Error),
    /// Exporting.
    #[error(transparent)]
    Export(#[from] sanbao_export::Error),
    /// Tokenizer and template.
    #[error(transparent)]
    Text(#[from] sanbao_text::Error),
    /// The run's folder.
    #[error(transparent)]
    Project(#[from] sanbao_project::Error),
    /// A file of the run.
    #[error("a file of the run cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Reported(fault) => fault,
            Error::Train(error) => error.into(),
            Error::Model(error) => error.into(),
            Error::Data(error) => error.into(),
            Error::Infer(error) => error.into(),
            Error::Evaluate(error) => error.into(),
            Error::Export(error) => error.into(),
            Error::Text(error) => error.into(),
            Error::Project(error) => error.into(),
            other => {
                let code = match &other {
                    Error::UnknownDevice { .. } => "worker.unknown_device",
                    Error::FailedSelfCheck { .. } => "worker.failed_self_check",
                    Error::Spawn(_) => "worker.spawn",
                    Error::Crashed { .. } => "worker.crashed",
                    _ => "worker.io",
                };
                Fault::new(code, other.to_string())
            }
        }
    }
}
