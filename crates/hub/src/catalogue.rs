//! The models that are proposed to begin with.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A model that is proposed to begin with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueEntry {
    /// Its name on the hub, `owner/name`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Architecture as `model_type` in its `config.json`.
    pub architecture: String,
    /// Number of parameters (tied ones counted once).
    pub parameters: u64,
    /// Bytes to fetch, roughly.
    pub bytes: u64,
    /// Languages (BCP 47) that it is known to know; it may know more.
    pub languages: Vec<String>,
    /// Whether it follows instructions as it is.
    pub instruct: bool,
    /// Whether fetching it needs an access token.
    pub gated: bool,
    /// Licence as the hub says it: an SPDX id in lower case or the hub's own tag.
    pub licence: String,
    /// What it is good for, one sentence, by language (`en`, `zh`).
    pub summary: BTreeMap<String, String>,
}

/// The models that are proposed to begin with, small ones first.
pub fn catalogue() -> &'static [CatalogueEntry] {
    static CATALOGUE: LazyLock<Vec<CatalogueEntry>> = LazyLock::new(|| {
        // A test reads the same file, so that it cannot be damaged here.
        serde_json::from_str(include_str!("../../../assets/models.json")).unwrap_or_default()
    });
    &CATALOGUE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::name::ModelId;

    /// The texts in quotes of a source file of the crate `models`, which hub must not know.
    fn quoted(file: &str, from: &str) -> BTreeSet<String> {
        let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/src");
        let mut texts = BTreeSet::new();
        for line in fs::read_to_string(models.join(file)).unwrap().lines() {
            let Some((_, list)) = line.split_once(from) else { continue };
            let list = list.split_once(']').unwrap().0;
            texts.extend(list.split('"').skip(1).step_by(2).map(str::to_lowercase));
        }
        texts
    }

    fn architectures() -> BTreeSet<String> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/src/architectures");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        files
            .flat_map(|name| {
                quoted(&format!("architectures/{}", name.to_str().unwrap()), "model_types: &[")
            })
            .collect()
    }

    #[test]
    fn the_list_can_be_read_and_goes_from_small_to_large() {
        let entries = catalogue();
        assert!((14..=20).contains(&entries.len()), "{}", entries.len());
        assert!(entries.is_sorted_by_key(|entry| entry.parameters));
        let distinct = |text: fn(&CatalogueEntry) -> &String| {
            entries.iter().map(text).collect::<BTreeSet<_>>().len() == entries.len()
        };
        assert!(distinct(|entry| &entry.id) && distinct(|entry| &entry.name));
        let some = |holds: fn(&CatalogueEntry) -> bool| entries.iter().any(holds);
        assert!(some(|entry| entry.instruct) && some(|entry| !entry.instruct));
        assert!(some(|entry| entry.gated) && some(|entry| !entry.gated));
        assert!(some(|entry| entry.languages.contains(&"zh".to_owned())));
    }

    #[test]
    fn every_entry_is_one_that_sanbao_can_open() {
        let known = architectures();
        assert!(known.contains("llama") && known.contains("gpt_neox"), "{known:?}");
        for entry in catalogue() {
            assert!(known.contains(&entry.architecture), "{}: {}", entry.id, entry.architecture);
            assert_eq!(ModelId::parse(&entry.id).unwrap().as_str(), entry.id);
            // In 16 bits, or in 32 with tables that need not be there.
            let each = entry.bytes as f64 / entry.parameters as f64;
            assert!((2.0..4.5).contains(&each), "{}: {each} bytes a parameter", entry.id);
        }
    }

    #[test]
    fn every_licence_is_one_whose_conditions_are_known() {
        let known = quoted("licence/table.rs", "tags: &[");
        assert!(known.contains("apache-2.0") && known.contains("gemma"), "{known:?}");
        for entry in catalogue() {
            assert!(known.contains(&entry.licence), "{}: {}", entry.id, entry.licence);
        }
    }

    #[test]
    fn every_entry_says_what_it_is_good_for_in_both_languages() {
        for CatalogueEntry { id, languages, summary, .. } in catalogue() {
            assert_eq!(summary.keys().collect::<Vec<_>>(), ["en", "zh"], "{id}");
            let (english, chinese) = (&summary["en"], &summary["zh"]);
            assert!(english.is_ascii() && english.ends_with('.'), "{id}: {english}");
            assert_eq!(english.matches(['.', '!', '?']).count(), 1, "{id}: {english}");
            assert!(
                chinese.ends_with('。') && chinese.matches('。').count() == 1,
                "{id}: {chinese}"
            );
            assert!(!chinese.contains([',', ';', ':', '(']), "{id}: {chinese}");
            assert!((20..=140).contains(&english.len()), "{id}: {english}");
            assert!(!languages.is_empty(), "{id}");
            let distinct: BTreeSet<_> = languages.iter().collect();
            assert_eq!(distinct.len(), languages.len(), "{id}");
            for tag in languages {
                let is_tag = tag.len() == 2 && tag.bytes().all(|b| b.is_ascii_lowercase());
                assert!(is_tag, "{id}: {tag}");
            }
        }
    }
}
