//! Which files of a model are fetched.

use super::{RemoteFile, Sibling};
use crate::Digest;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// What describes a model beside its weights, with the largest size that is read of it.
const DESCRIPTION: &[(&str, u64)] = &[
    (CONFIG, 16 << 20),
    ("generation_config.json", 16 << 20),
    (TOKENIZER, 256 << 20),
    ("tokenizer_config.json", 16 << 20),
    ("special_tokens_map.json", 16 << 20),
    ("chat_template.jinja", 16 << 20),
    ("chat_template.json", 16 << 20),
];
/// What tells the licence; left out when it is larger.
const ABOUT: &[&str] =
    &["README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "LICENCE.md"];
const LARGEST_ABOUT: u64 = 4 << 20;
const LARGEST_INDEX: u64 = 64 << 20;
/// What GGUF files are looked for when there are several, the one closest to the original that
/// is not much larger than needed first.
const GGUF_KINDS: &[&str] = &[
    "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0", "BF16",
    "F16", "FP16", "F32",
];
/// Names that Windows takes for devices, whatever follows the dot.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "com", "lpt"];
/// `.part` is added to them.
const LONGEST_NAME: usize = 200;

/// Why nothing is fetched.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The model is not one that Sanbao can read.
    Unusable(String),
    /// No model looks like that.
    Senseless(String),
}

/// The files that are needed, small ones first.
pub(super) fn files(listed: &[Sibling]) -> Result<Vec<RemoteFile>, Refusal> {
    for file in listed {
        // Git keeps no such paths.
        if file.rfilename.split('/').any(|part| matches!(part, "" | "." | "..")) {
            let shown: String = file.rfilename.chars().take(100).collect();
            return Err(Refusal::Senseless(format!("it lists a file {shown:?}")));
        }
    }
    let plain: Vec<&Sibling> = listed.iter().filter(|file| is_plain(&file.rfilename)).collect();
    let files = Listed(&plain);
    let mut chosen = Vec::new();
    for name in ABOUT {
        chosen.extend(files.get(name, LARGEST_ABOUT).ok().flatten());
    }
    if let Some(weights) = files.safetensors()? {
        for (name, largest) in DESCRIPTION {
            chosen.extend(files.get(name, *largest)?);
        }
        let has = |name: &str| chosen.iter().any(|file: &RemoteFile| file.path == name);
        if !has(CONFIG) {
            return Err(unusable("it has no config.json, which says how its weights are used"));
        }
        if !has(TOKENIZER) {
            return Err(unusable("it has no tokenizer.json, without which no text can be read"));
        }
        chosen.extend(weights);
    } else if let Some(weights) = files.gguf()? {
        chosen.push(weights);
    } else {
        return Err(Refusal::Unusable(no_weights(listed)));
    }
    let mut bytes = 0u64;
    for file in &chosen {
        bytes = bytes
            .checked_add(file.size)
            .ok_or_else(|| Refusal::Senseless("its files are larger than any disk".to_owned()))?;
    }
    Ok(chosen)
}

/// The files that stand in no folder and whose names are safe everywhere.
struct Listed<'a>(&'a [&'a Sibling]);

impl Listed<'_> {
    /// A file by its name, of at most so many bytes.
    fn get(&self, name: &str, largest: u64) -> Result<Option<RemoteFile>, Refusal> {
        let mut named = self.0.iter().filter(|file| file.rfilename == name);
        let Some(first) = named.next() else { return Ok(None) };
        if named.next().is_some() {
            return Err(Refusal::Senseless(format!("it lists {name:?} twice")));
        }
        let file = remote(first)?;
        if file.size > largest {
            let reason =
                format!("its {name} has {} bytes, and at most {largest} are read", file.size);
            return Err(Refusal::Unusable(reason));
        }
        Ok(Some(file))
    }

    /// `model.safetensors`, or the index and all that it must name; these are the files that
    /// transformers opens, whatever lies beside them.
    fn safetensors(&self) -> Result<Option<Vec<RemoteFile>>, Refusal> {
        if let Some(single) = self.get(SINGLE, u64::MAX)? {
            return Ok(Some(vec![single]));
        }
        let Some(index) = self.get(INDEX, LARGEST_INDEX)? else { return Ok(None) };
        let shards = self.0.iter().filter_map(|file| shard(&file.rfilename));
        let Some(all) = shards.map(|(_, all)| all).max() else {
            return Err(unusable("it has an index of weights, but no weights"));
        };
        if all as usize > self.0.len() {
            return Err(Refusal::Unusable(format!(
                "some of its {all} files of weights are missing"
            )));
        }
        let mut weights = vec![index];
        for number in 1..=all {
            let name = format!("model-{number:05}-of-{all:05}.safetensors");
            weights.push(self.get(&name, u64::MAX)?.ok_or_else(|| {
                Refusal::Unusable(format!("its file of weights {name} is missing"))
            })?);
        }
        Ok(Some(weights))
    }

    /// One file of all that are a whole model.
    fn gguf(&self) -> Result<Option<RemoteFile>, Refusal> {
        let whole: Vec<(String, &str)> = self
            .0
            .iter()
            .filter_map(|file| Some((gguf_stem(&file.rfilename)?, file.rfilename.as_str())))
            .filter(|(stem, _)| !stem.starts_with("MMPROJ") && !is_numbered(stem))
            .collect();
        let of_kind = |kind: &&str| whole.iter().find(|(stem, _)| is_of_kind(stem, kind));
        let name = match &whole[..] {
            [] => return Ok(None),
            [(_, only)] => only,
            _ => match GGUF_KINDS.iter().find_map(of_kind) {
                Some((_, name)) => name,
                None => {
                    return Err(Refusal::Unusable(format!(
                        "it holds {} GGUF files and none of a usual kind; fetch the one that you want by hand and open it",
                        whole.len()
                    )));
                }
            },
        };
        self.get(name, u64::MAX)
    }
}

fn remote(file: &Sibling) -> Result<RemoteFile, Refusal> {
    let (size, digest) = match (&file.lfs, file.size, &file.blob_id) {
        (Some(lfs), ..) => (lfs.size, Digest::sha256(&lfs.sha256)),
        (None, Some(size), Some(id)) => (size, Digest::git_blob(id)),
        _ => (0, None),
    };
    match digest {
        Some(digest) => Ok(RemoteFile { path: file.rfilename.clone(), size, digest }),
        None => Err(Refusal::Senseless(format!(
            "it does not say the size and hash of {:?}",
            file.rfilename
        ))),
    }
}

/// The number of `model-00001-of-00002.safetensors`, and of how many.
fn shard(name: &str) -> Option<(u32, u32)> {
    let numbers = name.strip_prefix("model-")?.strip_suffix(".safetensors")?;
    let (number, all) = numbers.split_once("-of-")?;
    let read = |digits: &str| (digits.len() == 5).then(|| digits.parse().ok()).flatten();
    Some((read(number)?, read(all)?))
}

/// The name of a GGUF file without its ending, in capitals.
fn gguf_stem(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    ending.eq_ignore_ascii_case("gguf").then(|| stem.to_ascii_uppercase())
}

fn is_of_kind(stem: &str, kind: &str) -> bool {
    let rest = stem.strip_suffix(kind);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '.', '_']))
}

/// Whether a GGUF file is one of several that belong together: `-00001-OF-00003`.
fn is_numbered(stem: &str) -> bool {
    let numbers = stem.rsplit_once("-OF-").map(|(rest, all)| (rest.rsplit('-').next(), all));
    numbers.is_some_and(|(number, all)| {
        let is_number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        number.is_some_and(is_number) && is_number(all)
    })
}

/// Whether it is the name of a file, and of the same file, on every system.
fn is_plain(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_device = DEVICES.contains(&stem.trim_end_matches(|c: char| c.is_ascii_digit()));
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | ' ');
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(is_letter)
        && !name.starts_with(['.', ' ', '-'])
        && !name.ends_with(['.', ' '])
        && !is_device
}

fn unusable(reason: &str) -> Refusal {
    Refusal::Unusable(reason.to_owned())
}

/// What is there instead of weights.
fn no_weights(listed: &[Sibling]) -> String {
    let has = |ending: &str| listed.iter().any(|file| file.rfilename.ends_with(ending));
    if has("adapter_model.safetensors") || has("adapter_model.bin") {
        return "it holds an adapter, which is nothing without its own base model".to_owned();
    }
    if has(".gguf") {
        return "its GGUF file is in several parts or in a folder; fetch it by hand and open it"
            .to_owned();
    }
    if has(".bin") || has(".pt") || has(".pth") {
        return "its weights are pickle files, which can run code and are never opened".to_owned();
    }
    "it has no weights as safetensors or GGUF".to_owned()
}
