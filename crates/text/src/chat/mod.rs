//! Chat templates: a conversation as the text that a model was taught on.
//!
//! A template is a Jinja program that comes with the model, so from a stranger. It renders here to
//! the letter as by transformers 5 (`apply_chat_template`): a sandboxed Jinja2 with trimmed blocks,
//! loop controls, `raise_exception`, `strftime_now` and Python's way of writing values. Work,
//! output, nesting and time are limited ([`limits`]).

mod encode;
mod engine;
pub(crate) mod limits;
mod marks;
mod messages;
mod probe;
mod search;
mod spans;
pub(crate) mod syntax;

use std::ops::Range;
use std::sync::Arc;

use jiff::Zoned;
use sanbao_contract::Message;
use serde_json::{Map, Value};

pub use encode::TokenizedChat;

use crate::isolate::{Interrupted, isolated};
use crate::special::SpecialTokens;
use crate::{Error, TokenizerFiles};
use engine::Engine;
use messages::{Turn, prepared, turn};

/// Layout for base models that bring no chat template.
const PLAIN: &str = include_str!("../../../../assets/chat_templates/plain.jinja");
/// Tells [`PLAIN`] that the model expects its beginning-of-sequence token before every text.
const PLAIN_BEGINS: &str = "begins_with_bos";

/// What a template is given besides the messages.
#[derive(Debug, Clone, Default)]
pub struct ChatOptions {
    /// Whether to end with the header of an answer, for the model to go on.
    pub add_generation_prompt: bool,
    /// Tools as a list of JSON schemas.
    pub tools: Option<Value>,
    /// Documents as a list of objects.
    pub documents: Option<Value>,
    /// Further variables; they go before special tokens of the same name.
    pub variables: Map<String, Value>,
    /// The time that `strftime_now` tells; the present when `None`.
    pub now: Option<Zoned>,
}

/// A conversation as text, with the parts that the assistant says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The whole text.
    pub text: String,
    /// Byte ranges of `text`, in order, one for each assistant turn: content, calls, and the
    /// token that ends the turn; neither the header before nor the line break after.
    pub spans: Vec<Range<usize>>,
}

/// A compiled chat template. Cloning is cheap.
#[derive(Clone)]
pub struct ChatTemplate {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    /// Used instead when tools are given (`tool_use` of a model with several templates).
    with_tools: Option<Engine>,
    end_of_turn: Option<String>,
    builtin: bool,
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ChatTemplate")
            .field("builtin", &self.inner.builtin)
            .field("end_of_turn", &self.inner.end_of_turn)
            .finish_non_exhaustive()
    }
}

impl ChatTemplate {
    /// Compiles a template.
    ///
    /// # Errors
    /// [`Error::TemplateTooLarge`], [`Error::TemplateSyntax`], or [`Error::TemplateLimit`] when
    /// the source is made to exhaust the compiler.
    pub fn new(source: &str, special: &SpecialTokens) -> Result<Self, Error> {
        Self::build(source, None, special, Map::new(), false)
    }

    /// The template that a model's files bring, `None` when they bring none. A template in a file
    /// of its own goes before one in `tokenizer_config.json`; of several named ones, `default`
    /// counts, and `tool_use` where tools are given.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::new`], and [`Error::BadFile`] when `chat_template` is neither a
    /// text nor a list of named texts.
    pub(crate) fn from_files(
        files: &TokenizerFiles,
        special: &SpecialTokens,
    ) -> Result<Option<Self>, Error> {
        let (listed, with_tools) = match files.tokenizer_config.get("chat_template") {
            None | Some(Value::Null) => (None, None),
            Some(Value::String(source)) => (Some(source.as_str()), None),
            Some(Value::Array(entries)) => {
                (named(entries, "default")?, named(entries, "tool_use")?)
            }
            Some(_) => {
                return Err(Error::bad_file(
                    "tokenizer_config.json",
                    "chat_template is neither a text nor a list of named texts",
                ));
            }
        };
        match files.chat_template.as_deref().or(listed) {
            None => Ok(None),
            Some(source) => Self::build(source, with_tools, special, Map::new(), false).map(Some),
        }
    }

    /// The built-in template for base models: `### Instruction:` and `### Response:`, each answer
    /// ended by the model's `eos_token`.
    pub(crate) fn plain(special: &SpecialTokens, begins_with_bos: bool) -> Result<Self, Error> {
        let variables =
            [(PLAIN_BEGINS.to_owned(), Value::Bool(begins_with_bos))].into_iter().collect();
        Self::build(PLAIN, None, special, variables, true)
    }

    fn build(
        source: &str,
        with_tools: Option<&str>,
        special: &SpecialTokens,
        variables: Map<String, Value>,
        builtin: bool,
    ) -> Result<Self, Error> {
        let engine = Engine::compile(source, special, &variables)?;
        let with_tools =
            with_tools.map(|source| Engine::compile(source, special, &variables)).transpose()?;
        let (engine, end_of_turn) = limited(move || {
            let end_of_turn = spans::end_of_turn(&engine);
            (engine, end_of_turn)
        })?;
        Ok(Self { inner: Arc::new(Inner { engine, with_tools, end_of_turn, builtin }) })
    }

    /// Whether this is the plain built-in template, the model having brought none.
    pub fn is_builtin(&self) -> bool {
        self.inner.builtin
    }

    /// The source as the model brought it.
    pub fn source(&self) -> &str {
        self.inner.engine.source()
    }

    /// Whether the template marks what the assistant says with `{% generation %}`.
    pub fn marks_answers(&self) -> bool {
        self.inner.engine.generation()
    }

    /// The token that ends an assistant turn, as far as the template shows one.
    pub fn end_of_turn(&self) -> Option<&str> {
        self.inner.end_of_turn.as_deref()
    }

    /// Renders a conversation.
    ///
    /// # Errors
    /// [`Error::EmptyConversation`]; [`Error::TemplateRaised`] with the template's own words;
    /// [`Error::TemplateFailed`]; [`Error::TemplateLimit`].
    pub fn render(&self, messages: &[Message], options: &ChatOptions) -> Result<String, Error> {
        self.render_turns(messages.iter().map(turn).collect(), options)
    }

    /// As [`ChatTemplate::render`], for messages whose content is not a text (such as a list of
    /// parts).
    ///
    /// # Errors
    /// As [`ChatTemplate::render`].
    pub fn render_turns(
        &self,
        messages: Vec<Map<String, Value>>,
        options: &ChatOptions,
    ) -> Result<String, Error> {
        self.job(messages, options, |engine, turns, options| {
            engine.render(&turns, options, options.add_generation_prompt)
        })
    }

    /// Renders a conversation and tells what the assistant says in it.
    ///
    /// Where the template has `{% generation %}` marks, they decide. Otherwise the answers are
    /// found by marking them in the conversation and rendering again, and a span begins where
    /// the header that `add_generation_prompt` gives ends. With a template that gives none, a
    /// model has to write the header itself, and so the span holds it.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`], and [`Error::SpansNotFound`].
    pub fn render_with_spans(
        &self,
        messages: &[Message],
        options: &ChatOptions,
    ) -> Result<Rendered, Error> {
        self.render_turns_with_spans(messages.iter().map(turn).collect(), options)
    }

    /// As [`ChatTemplate::render_with_spans`], for messages whose content is not a text.
    ///
    /// # Errors
    /// As [`ChatTemplate::render_with_spans`].
    pub fn render_turns_with_spans(
        &self,
        messages: Vec<Map<String, Value>>,
        options: &ChatOptions,
    ) -> Result<Rendered, Error> {
        let end_of_turn = self.inner.end_of_turn.clone();
        self.job(messages, options, move |engine, turns, options| {
            spans::rendered(engine, &turns, options, end_of_turn.as_deref())
        })
    }

    fn job<T: Send + 'static>(
        &self,
        messages: Vec<Turn>,
        options: &ChatOptions,
        work: impl FnOnce(&Engine, Vec<Turn>, &ChatOptions) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if messages.is_empty() {
            return Err(Error::EmptyConversation);
        }
        let inner = Arc::clone(&self.inner);
        let mut options = options.clone();
        // One conversation is rendered several times; the clock stands still meanwhile.
        options.now.get_or_insert_with(Zoned::now);
        limited(move || {
            let turns = messages.into_iter().map(prepared).collect();
            let engine = match &inner.with_tools {
                Some(engine) if options.tools.is_some() => engine,
                _ => &inner.engine,
            };
            work(engine, turns, &options)
        })?
    }
}

fn limited<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    isolated(limits::TIME, work)
        .map_err(|interrupted: Interrupted| Error::TemplateLimit { detail: interrupted.detail() })
}

/// The template of a name in transformers' list form `[{"name": …, "template": …}]`.
fn named<'a>(entries: &'a [Value], name: &str) -> Result<Option<&'a str>, Error> {
    for entry in entries {
        let text = |key: &str| {
            entry.get(key).and_then(Value::as_str).ok_or_else(|| {
                Error::bad_file(
                    "tokenizer_config.json",
                    format!("an entry of chat_template has no text under the key {key}"),
                )
            })
        };
        if text("name")? == name {
            return text("template").map(Some);
        }
    }
    Ok(None)
}
