//! The template engine, set up as transformers sets up Jinja2.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Rest;
use minijinja::{
    AutoEscape, Environment, Error as EngineError, ErrorKind, UndefinedBehavior, Value,
};
use serde_json::{Map, Value as Json};

use super::ChatOptions;
use super::limits::{self, Size};
use super::messages::{Turn, fields_value, value};
use super::syntax::{CLOSE, OPEN, rewritten};
use crate::isolate::isolated;
use crate::python::{filters, methods, time};
use crate::{Error, SpecialTokens};

const NAME: &str = "chat_template";

/// One compiled template with the model's special tokens.
pub(crate) struct Engine {
    environment: Environment<'static>,
    source: String,
    generation: bool,
    special: SpecialTokens,
    variables: Map<String, Json>,
}

/// Marks that the template is to put around what the assistant says.
pub(crate) struct GenerationMarks {
    pub open: char,
    pub close: char,
}

impl Engine {
    pub(crate) fn compile(
        source: &str,
        special: &SpecialTokens,
        variables: &Map<String, Json>,
    ) -> Result<Self, Error> {
        if source.len() > limits::SOURCE {
            return Err(Error::TemplateTooLarge { bytes: source.len(), limit: limits::SOURCE });
        }
        let rewritten = rewritten(&with_unix_lines(source));
        let compiled = rewritten.source;
        let environment = isolated(limits::TIME, move || {
            let mut environment = environment()?;
            environment.add_template_owned(NAME, compiled)?;
            Ok(environment)
        })
        .map_err(|interrupted| Error::TemplateLimit { detail: interrupted.detail() })?
        .map_err(|error: EngineError| syntax_error(&error))?;
        Ok(Self {
            environment,
            source: source.to_owned(),
            generation: rewritten.generation,
            special: special.clone(),
            variables: variables.clone(),
        })
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn generation(&self) -> bool {
        self.generation
    }

    pub(crate) fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// Every special token of the model.
    pub(crate) fn control(&self) -> impl Iterator<Item = &str> {
        let named = self.special.named().map(|(_, token)| token);
        self.special
            .control()
            .iter()
            .map(String::as_str)
            .chain(named)
            .filter(|token| !token.is_empty())
    }

    /// Renders prepared messages. The caller sees to it that they are isolated.
    pub(crate) fn render(
        &self,
        turns: &[Turn],
        options: &ChatOptions,
        prompt: bool,
    ) -> Result<String, Error> {
        self.render_marked(turns, options, prompt, None)
    }

    pub(crate) fn render_marked(
        &self,
        turns: &[Turn],
        options: &ChatOptions,
        prompt: bool,
        marks: Option<&GenerationMarks>,
    ) -> Result<String, Error> {
        let context = self.context(turns, options, prompt, marks);
        let fuel = limits::fuel(size(turns, options));
        let rendered = if self.environment.fuel() == Some(fuel) {
            self.environment.get_template(NAME).and_then(|template| template.render(context))
        } else {
            let mut environment = self.environment.clone();
            environment.set_fuel(Some(fuel));
            environment.get_template(NAME).and_then(|template| template.render(context))
        };
        rendered.map_err(|error| render_error(&error))
    }

    /// Variables as `render_jinja_template` passes them: `tools` and `documents` are `none` when
    /// not given, special tokens give way to variables of the same name.
    fn context(
        &self,
        turns: &[Turn],
        options: &ChatOptions,
        prompt: bool,
        marks: Option<&GenerationMarks>,
    ) -> Value {
        let optional = |json: &Option<Json>| json.as_ref().map_or_else(|| Value::from(()), value);
        let mut context: Vec<(String, Value)> = self
            .special
            .named()
            .map(|(name, token)| (name.to_owned(), Value::from(token)))
            .collect();
        for variables in [&self.variables, &options.variables] {
            context.extend(variables.iter().map(|(name, json)| (name.clone(), value(json))));
        }
        let now = options.now.clone().unwrap_or_else(jiff::Zoned::now);
        let clock = Value::from_function(move |format: &str| time::strftime(format, &now));
        context.extend([
            ("strftime_now".to_owned(), clock),
            (
                "messages".to_owned(),
                Value::from(turns.iter().map(fields_value).collect::<Vec<_>>()),
            ),
            ("tools".to_owned(), optional(&options.tools)),
            ("documents".to_owned(), optional(&options.documents)),
            ("add_generation_prompt".to_owned(), Value::from(prompt)),
        ]);
        if let Some(marks) = marks {
            context.push((OPEN.to_owned(), Value::from(marks.open)));
            context.push((CLOSE.to_owned(), Value::from(marks.close)));
        }
        Value::from_pairs(context)
    }
}

/// Jinja2 takes every kind of line break in a template as a line feed.
fn with_unix_lines(source: &str) -> String {
    source.replace("\r\n", "\n").replace('\r', "\n")
}

fn size(turns: &[Turn], options: &ChatOptions) -> Size {
    let mut size = Size::default();
    turns.iter().flat_map(Turn::values).for_each(|json| size.add(json));
    options
        .tools
        .iter()
        .chain(&options.documents)
        .chain(options.variables.values())
        .for_each(|json| size.add(json));
    size
}

fn environment() -> Result<Environment<'static>, EngineError> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_recursion_limit(limits::RECURSION);
    environment.set_fuel(Some(limits::fuel(Size::default())));
    environment.set_formatter(filters::print);
    environment.set_unknown_method_callback(methods::call);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("cycler", |Rest(items): Rest<Value>| {
        minijinja_contrib::globals::cycler(items)
    });
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
    filters::add(&mut environment);
    Ok(environment)
}

/// What a template said with `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

fn raise_exception(message: &Value) -> Result<Value, EngineError> {
    let message = crate::python::write::text(message)?;
    Err(EngineError::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
}

fn raised(error: &EngineError) -> Option<&str> {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(Raised(message)) = cause.downcast_ref() {
            return Some(message);
        }
        source = cause.source();
    }
    None
}

fn render_error(error: &EngineError) -> Error {
    if let Some(message) = raised(error) {
        return Error::TemplateRaised { message: message.to_owned() };
    }
    match error.kind() {
        ErrorKind::OutOfFuel => {
            Error::TemplateLimit { detail: "it used up its allowance".to_owned() }
        }
        _ => Error::TemplateFailed { line: error.line().unwrap_or(0), detail: detail(error) },
    }
}

fn syntax_error(error: &EngineError) -> Error {
    Error::TemplateSyntax { line: error.line().unwrap_or(0), detail: detail(error) }
}

fn detail(error: &EngineError) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
