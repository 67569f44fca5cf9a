//! `{{column}}` templates: plain substitution, no logic.

use indexmap::IndexMap;
use serde_json::Value;

use crate::error::Error;

/// A text with columns in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
}

impl Template {
    /// Reads a template: `{{name}}` stands for a column (blanks around the name are ignored),
    /// everything else for itself.
    ///
    /// # Errors
    /// [`Error::Template`] when `{{` is never closed or encloses nothing.
    pub fn parse(template: &str) -> Result<Self, Error> {
        let error = |problem| Error::Template { template: template.to_owned(), problem };
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(open) = rest.find("{{") {
            if open > 0 {
                parts.push(Part::Text(rest[..open].to_owned()));
            }
            let inside = &rest[open + 2..];
            let close = inside.find("}}").ok_or_else(|| error("opens {{ and never closes it"))?;
            let name = inside[..close].trim();
            if name.is_empty() {
                return Err(error("has {{}} without the name of a column"));
            }
            parts.push(Part::Column(name.to_owned()));
            rest = &inside[close + 2..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The columns that it names, in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Fills in a row. A template that is one column and nothing else gives that column's value as
    /// it is (a list stays a list); any other gives a text. A column that the row lacks is empty.
    pub fn fill(&self, fields: &IndexMap<String, Value>) -> Value {
        if let [Part::Column(name)] = self.parts.as_slice() {
            return fields.get(name).cloned().unwrap_or(Value::Null);
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Column(name) => {
                    text.push_str(&fields.get(name).map(text_of).unwrap_or_default())
                }
            }
        }
        Value::String(text)
    }
}

/// The template that is one column.
pub(crate) fn column_template(column: &str) -> String {
    format!("{{{{{column}}}}}")
}

/// A value as text: strings as they are, nothing for null, lists of texts (SQuAD's answers) by
/// their first, other lists and objects as JSON.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.first().map(text_of).unwrap_or_default()
        }
        Value::Object(map) if map.contains_key("answer_start") => {
            map.get("text").map(text_of).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn row(value: Value) -> IndexMap<String, Value> {
        value.as_object().unwrap().clone().into_iter().collect()
    }

    #[test]
    fn columns_are_substituted() {
        let fields = row(
            json!({"title": "T", "price (€)": 3.5, "标题": "好", "turns": ["a", "b"], "none": null}),
        );
        let fill = |template: &str| Template::parse(template).unwrap().fill(&fields);
        assert_eq!(fill("{{ title }}: {{标题}} } {{price (€)}}{"), json!("T: 好 } 3.5{"));
        assert_eq!(fill("{{turns}}"), json!(["a", "b"]));
        assert_eq!(fill("<{{none}}{{missing}}{{turns}}>"), json!("<a>"));
        assert_eq!(fill("plain"), json!("plain"));
        assert_eq!(fill(""), json!(""));
    }

    #[test]
    fn bad_templates_are_explained() {
        assert_eq!(
            Template::parse("a {{b").unwrap_err().to_string(),
            "The template `a {{b` opens {{ and never closes it; write a column as {{name}}."
        );
        assert!(Template::parse("{{ }}").is_err());
    }

    proptest! {
        #[test]
        fn literal_text_is_kept(text in "[a-z好 }]{0,30}", value in "\\PC{0,20}") {
            let template = Template::parse(&format!("{text}{{{{x}}}}")).unwrap();
            prop_assert_eq!(template.columns().collect::<Vec<_>>(), ["x"]);
            let expected = format!("{text}{value}");
            prop_assert_eq!(text_of(&template.fill(&row(json!({"x": value})))), expected);
        }

        #[test]
        fn any_text_is_survived(text in "[{}a ]{0,20}") {
            let _ = Template::parse(&text);
        }
    }
}
