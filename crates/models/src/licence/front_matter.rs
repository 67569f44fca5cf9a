//! The few lines of YAML at the top of a model's `README.md`.

use std::collections::HashMap;

/// Top-level keys and their values as texts; a single value is a list of one.
///
/// Only what model cards use is read: plain and quoted texts, lists in brackets and lists of
/// `- ` lines. Nested tables are skipped.
#[derive(Debug, Default)]
pub(super) struct FrontMatter {
    entries: HashMap<String, Vec<String>>,
}

impl FrontMatter {
    /// Reads the block between the first two `---` lines; without one, nothing.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        let mut front_matter = Self::default();
        if lines.next().map(str::trim_end) != Some("---") {
            return front_matter;
        }
        let mut key: Option<String> = None;
        for line in lines {
            if line.trim_end() == "---" {
                break;
            }
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if let Some(item) = content.strip_prefix("- ") {
                if let Some(key) = &key {
                    front_matter.entries.entry(key.clone()).or_default().extend(scalar(item));
                }
            } else if !line.starts_with([' ', '\t'])
                && let Some((name, value)) = content.split_once(':')
            {
                front_matter.entries.insert(name.trim().to_owned(), values(value));
                key = Some(name.trim().to_owned());
            }
        }
        front_matter
    }

    /// The first value of `key`.
    pub(super) fn first(&self, key: &str) -> Option<&str> {
        self.all(key).first().map(String::as_str)
    }

    /// All values of `key`; none when it is not there.
    pub(super) fn all(&self, key: &str) -> &[String] {
        self.entries.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

fn values(value: &str) -> Vec<String> {
    let value = without_comment(value.trim());
    match value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        Some(list) => list.split(',').filter_map(scalar).collect(),
        None => scalar(value).into_iter().collect(),
    }
}

fn scalar(value: &str) -> Option<String> {
    let value = without_comment(value.trim());
    let bare = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value);
    (!bare.is_empty() && bare != "null" && bare != "~").then(|| bare.to_owned())
}

fn without_comment(value: &str) -> &str {
    if value.starts_with(['"', '\'']) {
        return value;
    }
    value.split(" #").next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_model_cards_use_is_read() {
        let text = "---\r\nlicense: other # see below\r\nlicense_name: \"qwen-research\"\r\nlanguage:\r\n- en\r\n  - 'zh'\r\n\
                    tags: [a, \"b\"]\r\nwidget:\r\n  text: x\r\nbase_model: ~\r\n---\r\nlicense: mit\r\n";
        let read = FrontMatter::parse(text);
        assert_eq!(read.first("license"), Some("other"));
        assert_eq!(read.first("license_name"), Some("qwen-research"));
        assert_eq!(read.all("language"), ["en", "zh"]);
        assert_eq!(read.all("tags"), ["a", "b"]);
        assert_eq!(read.first("base_model"), None);
        assert_eq!(read.first("text"), None);
    }

    #[test]
    fn a_text_without_a_block_says_nothing() {
        assert!(FrontMatter::parse("# A model\nlicense: mit\n").entries.is_empty());
        assert!(FrontMatter::parse("").entries.is_empty());
    }
}
