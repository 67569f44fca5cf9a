//! Declarations of recipes and targets as a form shows them.

use std::collections::BTreeMap;

use sanbao_contract::app::{ParameterInfo, ParameterKind};
use sanbao_train::recipes::{Kind, Parameter, Words};

/// A text by language.
pub fn by_language(words: Words) -> BTreeMap<String, String> {
    BTreeMap::from([("en".to_owned(), words.en.to_owned()), ("zh".to_owned(), words.zh.to_owned())])
}

/// A parameter.
pub fn parameter(parameter: &Parameter) -> ParameterInfo {
    let kind = match parameter.kind {
        Kind::Integer(low, high) => ParameterKind::Integer { low, high },
        Kind::Number(low, high) => ParameterKind::Number { low, high },
        Kind::Flag => ParameterKind::Flag,
        Kind::Choice(names) => {
            ParameterKind::Choice { choices: names.iter().map(ToString::to_string).collect() }
        }
        Kind::Names => ParameterKind::Names,
    };
    ParameterInfo { name: parameter.name.to_owned(), kind, help: by_language(parameter.help) }
}
