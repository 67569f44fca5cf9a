//! Sentences for people.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

/// A sentence in both languages of the product; `Display` gives the English.
///
/// Projects and runs from before there were two languages hold a bare English sentence. It is read
/// as both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct Text {
    /// English.
    pub en: String,
    /// 简体中文.
    pub zh: String,
}

impl Text {
    /// A sentence in English and in simplified Chinese.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a sentence, or one in each language as `en` and `zh`")]
        enum Stored {
            English(String),
            Both { en: String, zh: String },
        }
        Ok(match Stored::deserialize(deserializer)? {
            Stored::English(en) => Self { zh: en.clone(), en },
            Stored::Both { en, zh } => Self { en, zh },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn both_languages_are_kept() {
        let text = Text::new("1 row is empty.", "1 行为空。");
        let stored = json!({"en": "1 row is empty.", "zh": "1 行为空。"});
        assert_eq!(to_value(&text).unwrap(), stored);
        assert_eq!(from_value::<Text>(stored).unwrap(), text);
        assert_eq!(text.to_string(), "1 row is empty.");
    }

    #[test]
    fn a_sentence_from_before_is_read_as_both() {
        let text = from_value::<Text>(json!("by name")).unwrap();
        assert_eq!(text, Text::new("by name", "by name"));
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [json!(3), json!(null), json!({"en": "only"}), json!(["a", "b"])] {
            assert!(from_value::<Text>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
