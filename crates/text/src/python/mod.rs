//! The parts of Python that chat templates lean on and the template engine does differently:
//! how values are written (`str`, `repr`, `json.dumps`), methods of texts, filters of Jinja2,
//! printf formatting and dates. The reference is CPython 3.11 with Jinja2 3.1.6.

pub(crate) mod filters;
pub(crate) mod json;
pub(crate) mod methods;
pub(crate) mod modulo;
pub(crate) mod time;
pub(crate) mod write;

use minijinja::value::{ArgType, Kwargs, Rest, ValueOrKwargs};
use minijinja::{Error, ErrorKind, Value};

/// Whether `str.strip` and `str.split` take a character as whitespace: Unicode's `White_Space`
/// and the four information separators.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

pub(crate) fn invalid(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

/// Refuses a text that would be longer than any that a conversation needs.
pub(crate) fn checked_length(length: Option<usize>) -> Result<(), Error> {
    match length {
        Some(length) if length <= crate::chat::limits::VALUE_TEXT => Ok(()),
        _ => Err(Error::new(ErrorKind::OutOfFuel, "a text grows too long")),
    }
}

/// Arguments of a filter with more parameters than the engine's own conversion takes.
pub(crate) struct Arguments {
    positional: Vec<Value>,
    kwargs: Kwargs,
}

impl Arguments {
    pub(crate) fn new(rest: Rest<ValueOrKwargs>) -> Result<Self, Error> {
        let mut positional = rest.into_values();
        let named = positional.pop_if(|value| value.is_kwargs());
        Ok(Self {
            positional,
            kwargs: named
                .map(Kwargs::try_from)
                .unwrap_or_else(|| Kwargs::try_from(Value::UNDEFINED))?,
        })
    }

    /// The parameter at a position or of a name.
    pub(crate) fn get<'a, T>(&'a self, position: usize, name: &'a str) -> Result<Option<T>, Error>
    where
        Option<T>: ArgType<'a, Output = Option<T>>,
    {
        match self.positional.get(position) {
            Some(value) => <Option<T>>::from_value(Some(value)),
            None => self.kwargs.get(name),
        }
    }

    /// All arguments by name, for filters of the engine that take only those.
    pub(crate) fn named(self, names: &[&str]) -> Result<Kwargs, Error> {
        if self.positional.len() > names.len() {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        let mut named: Vec<(&str, Value)> = names.iter().copied().zip(self.positional).collect();
        for name in self.kwargs.args() {
            named.push((name, self.kwargs.get(name)?));
        }
        Ok(named.into_iter().collect())
    }

    /// Refuses what no parameter took, there being `count` of them.
    pub(crate) fn finish(&self, count: usize) -> Result<(), Error> {
        if self.positional.len() > count {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        self.kwargs.assert_all_used()
    }
}
