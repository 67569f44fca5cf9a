//! The parts of Python that chat templates lean on and the template engine does differently:
//! how values are written (`str`, `repr`, `json.dumps`), methods of texts, filters of Jinja2,
//! printf formatting and dates. The reference is CPython 3.11 with Jinja2 3.1.6.

pub(crate) mod filters;
pub(crate) mod json;
pub(crate) mod methods;
pub(crate) mod modulo;
pub(crate) mod time;
pub(crate) mod write;

use minijinja::{Error, ErrorKind};

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
