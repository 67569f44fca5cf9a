//! What a model's licence allows, in one plain line.
//!
//! The line is a help, not legal advice: it says what somebody who tunes a model and sells or
//! passes on the result has to know first. Sources: the SPDX list for free licences, the
//! licences' own texts for the rest.

mod front_matter;
mod known;
mod table;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sanbao_contract::model::Licence;

use self::front_matter::FrontMatter;
pub use self::known::licence;
use self::known::{from_text, unstated};
use crate::weights::Gguf;

/// No model card or licence is longer than this where it matters.
const MOST_READ: u64 = 256 << 10;
const LICENCE_FILES: &[&str] =
    &["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "LICENCE.md"];
/// Tags that say that the name of the licence stands elsewhere.
const ELSEWHERE: &[&str] = &["other", "unknown", "custom"];

/// What a model says about itself besides its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its licence.
    pub licence: Licence,
    /// Languages (BCP 47) that it says it knows; empty when it does not say.
    pub languages: Vec<String>,
}

/// Reads what the folder's `README.md` (its YAML front matter: `license`, `license_name`,
/// `language`) and its licence file say. A file that is not there or cannot be read says nothing.
pub fn of_folder(folder: &Path) -> Statement {
    let readme = FrontMatter::parse(&read_start(&folder.join("README.md")).unwrap_or_default());
    let text = LICENCE_FILES.iter().find_map(|name| read_start(&folder.join(name)));
    let tag = readme
        .first("license")
        .filter(|tag| !ELSEWHERE.contains(&tag.to_ascii_lowercase().as_str()));
    let stated = tag.or_else(|| readme.first("license_name"));
    Statement {
        licence: choose(stated, text.as_deref()),
        languages: languages(readme.all("language")),
    }
}

/// Reads what a GGUF file's metadata says (`general.license`, `general.license.name`,
/// `general.languages`). An entry of another type than text says nothing.
pub fn of_gguf(gguf: &Gguf) -> Statement {
    let text = |key: &str| gguf.get::<&str>(key).ok().flatten();
    let tag = text("general.license")
        .filter(|tag| !ELSEWHERE.contains(&tag.to_ascii_lowercase().as_str()));
    let spoken = gguf.get::<&[String]>("general.languages").ok().flatten();
    Statement {
        licence: choose(tag.or_else(|| text("general.license.name")), None),
        languages: languages(spoken.unwrap_or_default()),
    }
}

/// The stated licence, unless it says less than the text that lies beside it.
fn choose(stated: Option<&str>, text: Option<&str>) -> Licence {
    let from_tag = stated.map(licence);
    match (from_tag, text.and_then(from_text)) {
        (Some(licence), _) if licence.commercial_use.is_some() => licence,
        (_, Some(id)) => licence(id),
        (Some(licence), None) => licence,
        (None, None) => unstated(),
    }
}

/// Keeps what looks like a BCP 47 tag: two or three letters, perhaps with parts after hyphens.
fn languages(stated: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for tag in stated.iter().map(|tag| tag.trim().replace('_', "-")) {
        let mut parts = tag.split('-');
        let primary = parts.next().unwrap_or_default();
        let is_tag = (2..=3).contains(&primary.len())
            && primary.bytes().all(|letter| letter.is_ascii_lowercase())
            && parts.all(|part| {
                (1..=8).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if is_tag && !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept
}

/// The beginning of a text file; bytes that are not UTF-8 are replaced.
fn read_start(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST_READ).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
