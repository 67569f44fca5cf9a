//! What can go wrong, each as one sentence.

use std::path::PathBuf;

use sanbao_contract::Fault;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("Cannot read {}: {source}; check that the file exists and that you may read it.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than any real one of its kind.
    #[error("{} holds {bytes} bytes, more than the {limit} that a file of this kind may have; fetch the model again or choose another one.", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The folder brings no tokenizer in a format that can be read.
    #[error("The model folder {} has no tokenizer.json; get the model with its tokenizer.json, or open its GGUF file.", folder.display())]
    NoTokenizer {
        /// The folder.
        folder: PathBuf,
    },
    /// A JSON file is damaged or has another shape than expected.
    #[error("{file} of the model cannot be used: {detail}; fetch the model again.")]
    BadFile {
        /// `tokenizer.json`, `tokenizer_config.json`, …
        file: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The tokenizer failed on a text.
    #[error(
        "The model's tokenizer cannot split this text into tokens: {detail}; leave the text out or choose another model."
    )]
    Encode {
        /// What the tokenizer said.
        detail: String,
    },
    /// The tokenizer failed on token ids.
    #[error(
        "The model's tokenizer cannot turn these token ids into text: {detail}; fetch the model again or choose another one."
    )]
    Decode {
        /// What the tokenizer said.
        detail: String,
    },
    /// The template's source is longer than any real one.
    #[error(
        "The model's chat template has {bytes} bytes, more than the {limit} allowed; choose another model."
    )]
    TemplateTooLarge {
        /// Size of the source.
        bytes: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The template does not compile.
    #[error(
        "The model's chat template is not valid Jinja (line {line}): {detail}; choose another model or repair its chat_template."
    )]
    TemplateSyntax {
        /// 1-based line of the template, 0 when not known.
        line: usize,
        /// What the engine said.
        detail: String,
    },
    /// The template called `raise_exception`.
    #[error("The model's chat template refuses this conversation: {message}")]
    TemplateRaised {
        /// The template's own words.
        message: String,
    },
    /// The template failed while rendering.
    #[error(
        "The model's chat template failed on this conversation (line {line}): {detail}; check the roles and fields of its messages."
    )]
    TemplateFailed {
        /// 1-based line of the template, 0 when not known.
        line: usize,
        /// What the engine said.
        detail: String,
    },
    /// The template used up its allowance of work, output or time.
    #[error(
        "The model's chat template does too much work on this conversation ({detail}) and was stopped; shorten the conversation or choose another model."
    )]
    TemplateLimit {
        /// Which allowance.
        detail: String,
    },
    /// There are no messages.
    #[error("The conversation has no messages; give it at least one.")]
    EmptyConversation,
    /// The parts of the text that the assistant says could not be found.
    #[error(
        "Cannot tell which part of the rendered conversation is message {number} (role assistant): {detail}; choose a model whose chat template marks assistant turns, or leave the conversation out."
    )]
    SpansNotFound {
        /// 1-based number of the message.
        number: usize,
        /// Why not.
        detail: String,
    },
    /// A GGUF file names a kind of tokenizer that is not supported.
    #[error(
        "The GGUF file's tokenizer.ggml.model is \"{model}\", which is not supported; supported are {supported}."
    )]
    GgufModel {
        /// What the file says.
        model: String,
        /// What is supported, separated by commas.
        supported: String,
    },
    /// A GGUF file names a way of splitting text that is not supported.
    #[error(
        "The GGUF file's tokenizer.ggml.pre is \"{pre}\", which is not supported; supported are {supported}."
    )]
    GgufPre {
        /// What the file says.
        pre: String,
        /// What is supported, separated by commas.
        supported: String,
    },
    /// The vocabulary in a GGUF file does not fit together.
    #[error("The tokenizer inside the GGUF file is damaged: {detail}; fetch the file again.")]
    GgufVocabulary {
        /// What does not fit.
        detail: String,
    },
}

impl Error {
    /// Stable code, `text.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "text.file",
            Self::FileTooLarge { .. } => "text.file_too_large",
            Self::NoTokenizer { .. } => "text.no_tokenizer",
            Self::BadFile { .. } => "text.bad_file",
            Self::Encode { .. } => "text.encode",
            Self::Decode { .. } => "text.decode",
            Self::TemplateTooLarge { .. } => "text.template_too_large",
            Self::TemplateSyntax { .. } => "text.template_syntax",
            Self::TemplateRaised { .. } => "text.template_raised",
            Self::TemplateFailed { .. } => "text.template_failed",
            Self::TemplateLimit { .. } => "text.template_limit",
            Self::EmptyConversation => "text.empty_conversation",
            Self::SpansNotFound { .. } => "text.spans_not_found",
            Self::GgufModel { .. } => "text.gguf_model",
            Self::GgufPre { .. } => "text.gguf_pre",
            Self::GgufVocabulary { .. } => "text.gguf_vocabulary",
        }
    }

    pub(crate) fn bad_file(file: &str, detail: impl ToString) -> Self {
        Self::BadFile { file: file.to_owned(), detail: detail.to_string() }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.code(), error.to_string());
        match &error {
            Error::File { path, source } => {
                fault.with("path", path.display()).with("detail", source)
            }
            Error::FileTooLarge { path, bytes, limit } => {
                fault.with("path", path.display()).with("bytes", bytes).with("limit", limit)
            }
            Error::NoTokenizer { folder } => fault.with("folder", folder.display()),
            Error::BadFile { file, detail } => fault.with("file", file).with("detail", detail),
            Error::TemplateTooLarge { bytes, limit } => {
                fault.with("bytes", bytes).with("limit", limit)
            }
            Error::TemplateSyntax { line, detail } | Error::TemplateFailed { line, detail } => {
                fault.with("line", line).with("detail", detail)
            }
            Error::TemplateRaised { message } => fault.with("message", message),
            Error::EmptyConversation => fault,
            Error::SpansNotFound { number, detail } => {
                fault.with("number", number).with("detail", detail)
            }
            Error::GgufModel { model, supported } => {
                fault.with("model", model).with("supported", supported)
            }
            Error::GgufPre { pre, supported } => {
                fault.with("pre", pre).with("supported", supported)
            }
            Error::Encode { detail }
            | Error::Decode { detail }
            | Error::TemplateLimit { detail }
            | Error::GgufVocabulary { detail } => fault.with("detail", detail),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_fault_keeps_code_sentence_and_parts() {
        let fault =
            Fault::from(Error::GgufPre { pre: "x".to_owned(), supported: "y, z".to_owned() });
        assert_eq!(fault.code, "text.gguf_pre");
        assert!(fault.message.contains("\"x\"") && fault.message.ends_with("y, z."));
        assert_eq!(fault.params["pre"], "x");
        assert_eq!(fault.params["supported"], "y, z");
        let fault = Fault::from(Error::TemplateSyntax { line: 3, detail: "d".to_owned() });
        assert_eq!(
            (fault.code.as_str(), fault.params["line"].as_str()),
            ("text.template_syntax", "3")
        );
        assert!(Fault::from(Error::EmptyConversation).params.is_empty());
    }
}
