//! From files to a prepared folder: checked, split, tokenised, with a report.
//!
//! Every file is read three times as a stream: for its hash and encoding, for the checks (a few
//! dozen bytes a row are kept), and for the tokens. The folder appears under its name only when
//! it is whole:
//!
//! | file | what |
//! |---|---|
//! | `train.tokens`, `validation.tokens`, `test.tokens` | sequences ([`crate::store`]) |
//! | `validation.jsonl`, `test.jsonl` | one [`Example`] a line, the *i*-th for the *i*-th sequence |
//! | `margins.json` | by part, the margin of each pair; only where rows have any |
//! | `report.json` | the [`DataReport`] |
//! | `manifest.json` | inputs by hash, options, hashes of the other files |

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use sanbao_contract::data::{
    Content, DataReport, Example, Finding, Mapping, Part, PartReport, Severity, Task,
};
use sanbao_project::{Manifest, hash_file, write_folder_atomic};
use sanbao_text::Tokenizer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::checks::{self, Stage};
use crate::error::Error;
use crate::split::{Fractions, split};
use crate::store::TokenWriter;
use crate::stream::tokenise;
use crate::survey::Survey;
use crate::tokens::{Tokenised, Tokeniser};

/// Rows that are tokenised at a time.
const BATCH: usize = 1024;

/// The files that the manifest lists with their hashes.
pub(crate) const LISTED: &[&str] = &[
    "train.tokens",
    "validation.tokens",
    "test.tokens",
    "validation.jsonl",
    "test.jsonl",
    "report.json",
];

/// Margins of the pairs by part, the *i*-th for the *i*-th pair; not there without any.
pub(crate) const MARGINS: &str = "margins.json";

/// A person's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// How rows become examples; recognised when `None`.
    pub mapping: Option<Mapping>,
    /// The part that all its rows are for; split when `None`.
    pub part: Option<Part>,
}

impl Source {
    /// A file whose mapping is recognised and whose rows are split.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), mapping: None, part: None }
    }
}

/// How to prepare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrepareOptions {
    /// Longest sequence in tokens, at least [`PrepareOptions::SHORTEST`].
    pub max_length: usize,
    /// Seed of the split.
    pub seed: u64,
    /// Shares held out; see [`crate::split::held_out_sizes`] for what holds without.
    pub fractions: Option<Fractions>,
    /// The task, when it is not the usual one of the files' shape.
    pub task: Option<Task>,
}

impl PrepareOptions {
    /// Smallest maximum length.
    pub const SHORTEST: usize = 16;

    fn check(&self) -> Result<(), Error> {
        if self.max_length < Self::SHORTEST {
            return Err(Error::Options {
                problem: format!(
                    "A maximum length of {} tokens is too short; choose at least {}",
                    self.max_length,
                    Self::SHORTEST
                ),
            });
        }
        if let Some(Fractions { validation, test }) = self.fractions
            && !((0.0..=0.9).contains(&validation)
                && (0.0..=0.9).contains(&test)
                && validation + test <= 0.9)
        {
            return Err(Error::Options {
                problem: format!(
                    "Validation ({validation}) and test ({test}) have to be shares from 0 to 0.9 and together at most 0.9, so that enough is left to learn"
                ),
            });
        }
        Ok(())
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Rows are read and checked; counted in bytes.
    Reading,
    /// Rows are tokenised; counted in rows.
    Tokenising,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// Reads, checks, splits and tokenises files into the folder `out_dir`, which is replaced when it
/// exists and left as it was when something fails.
///
/// # Errors
/// What is wrong with a file or a row; [`Error::Refused`] when a check finds that training would
/// be pointless; [`Error::Write`].
pub fn prepare(
    sources: &[Source],
    tokenizer: &Tokenizer,
    options: &PrepareOptions,
    out_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<DataReport, Error> {
    let mut pass = Pass::begin(sources, tokenizer, options, progress)?;
    refuse(&pass.findings)?;
    if let Some(parent) = out_dir.parent() {
        fs::create_dir_all(parent)
            .map_err(|source| Error::Write { path: parent.to_owned(), source })?;
    }
    let mut report = None;
    let written = write_folder_atomic(out_dir, |folder| {
        let mut files = Files::create(folder)?;
        let report = report
            .insert(pass.finish(progress, &mut |part, tokenised| files.push(part, tokenised))?);
        refuse(&report.findings)?;
        files.finish(folder)?;
        write_description(folder, report, &pass.survey, sources, tokenizer, options)
    });
    match (written, report) {
        (Ok(()), Some(report)) => Ok(report),
        (Err(Halt::Data(error)), _) => Err(error),
        (Err(Halt::Write(source)), _) => Err(Error::Write { path: out_dir.to_owned(), source }),
        (Ok(()), None) => Err(Error::Write {
            path: out_dir.to_owned(),
            source: io::Error::other("nothing was written"),
        }),
    }
}

/// Rows read, checked and split, ready to be tokenised.
pub(crate) struct Pass<'a> {
    pub(crate) survey: Survey,
    pub(crate) findings: Vec<Finding>,
    pub(crate) tokeniser: Tokeniser<'a>,
    labels: Vec<String>,
}

impl<'a> Pass<'a> {
    pub(crate) fn begin(
        sources: &[Source],
        tokenizer: &'a Tokenizer,
        options: &PrepareOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Error> {
        options.check()?;
        let mut survey = Survey::of(sources, options, progress)?;
        let mut findings = checks::examine(&mut survey, Stage::Rows);
        split(&mut survey, options.seed, options.fractions);
        findings.extend(checks::examine(&mut survey, Stage::Parts));
        let labels: Vec<String> =
            survey.label_counts().into_iter().map(|(label, _)| label).collect();
        let tokeniser = Tokeniser::new(tokenizer, options.max_length, labels.clone())?;
        Ok(Self { survey, findings, tokeniser, labels })
    }

    pub(crate) fn finish(
        &mut self,
        progress: &mut dyn FnMut(Progress),
        keep: &mut dyn FnMut(Part, &Tokenised) -> io::Result<()>,
    ) -> Result<DataReport, Error> {
        let mut parts = [PartReport::default(), PartReport::default(), PartReport::default()];
        tokenise(&mut self.survey, &self.tokeniser, BATCH, progress, &mut |part, tokenised| {
            let report = &mut parts[part as usize];
            report.rows += 1;
            report.tokens += tokenised.sequence.ids.len() as u64;
            report.trained_tokens += tokenised.sequence.trained_tokens() as u64;
            report.longest = report.longest.max(tokenised.sequence.ids.len() as u64);
            keep(part, &tokenised)
                .map_err(|source| Error::Write { path: part.name().into(), source })?;
            Ok(ControlFlow::Continue(()))
        })?;
        if matches!(self.survey.task, Task::Preference | Task::Unpaired) {
            // A row is two sequences: what was liked, and what was not.
            parts.iter_mut().for_each(|part| part.rows /= 2);
        }
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(checks::examine(&mut self.survey, Stage::Tokens));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let [train, validation, test] = parts;
        Ok(DataReport {
            files: self.survey.sources.iter().map(|source| source.recognition.clone()).collect(),
            task: self.survey.task,
            rows_read: self.survey.rows.len() as u64,
            rows_dropped: self.survey.rows.iter().filter(|row| row.dropped).count() as u64,
            labels: self.label_counts(),
            train,
            validation,
            test,
            findings,
        })
    }

    /// The labels of the prompt with the rows that remain of each: a label whose rows were all too
    /// long still is one of the answers.
    fn label_counts(&self) -> Vec<(String, u64)> {
        let counts = self.survey.label_counts();
        let gone = self
            .labels
            .iter()
            .filter(|label| !counts.iter().any(|(kept, _)| kept == *label))
            .map(|label| (label.clone(), 0));
        counts.iter().cloned().chain(gone).collect()
    }
}

/// Stops at the first finding that makes training pointless.
fn refuse(findings: &[Finding]) -> Result<(), Error> {
    let Some(finding) = findings.iter().find(|finding| finding.severity == Severity::Error) else {
        return Ok(());
    };
    let code = match finding.code.as_str() {
        "too_few_rows" => "data.too_few_rows",
        "single_class" => "data.single_class",
        "nothing_trained" => "data.nothing_trained",
        _ => "data.refused",
    };
    let mut message = finding.message.en.clone();
    let left_out = findings.iter().filter(|finding| finding.severity == Severity::Dropped);
    if code == "data.too_few_rows"
        && let Some(most) = left_out.max_by_key(|finding| finding.rows)
    {
        message = format!("{} {message}", most.message.en);
    }
    Err(Error::Refused { code, message })
}

/// What ends the writing of a folder early.
enum Halt {
    Data(Error),
    Write(io::Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Data(error)
    }
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// The files with tokens and examples while they are written.
struct Files {
    tokens: [TokenWriter; 3],
    examples: [Option<BufWriter<fs::File>>; 3],
    /// By the name of the part; 0, which changes no loss, for a pair without one.
    margins: BTreeMap<&'static str, Vec<f64>>,
}

impl Files {
    fn create(folder: &Path) -> io::Result<Self> {
        let tokens =
            |part: Part| TokenWriter::create(&folder.join(format!("{}.tokens", part.name())));
        let examples = |part: Part| {
            fs::File::create_new(folder.join(format!("{}.jsonl", part.name()))).map(BufWriter::new)
        };
        Ok(Self {
            tokens: [tokens(Part::Train)?, tokens(Part::Validation)?, tokens(Part::Test)?],
            examples: [None, Some(examples(Part::Validation)?), Some(examples(Part::Test)?)],
            margins: BTreeMap::new(),
        })
    }

    fn push(&mut self, part: Part, tokenised: &Tokenised) -> io::Result<()> {
        let tokens = &mut self.tokens[part as usize];
        // The two sequences of a pair come one after the other.
        if let Content::Preference { margin, .. } = tokenised.example.content
            && tokens.sequences().is_multiple_of(2)
        {
            self.margins.entry(part.name()).or_default().push(margin.unwrap_or(0.0));
        }
        tokens.push(&tokenised.sequence)?;
        if let Some(examples) = &mut self.examples[part as usize] {
            write_line(examples, &tokenised.example)?;
        }
        Ok(())
    }

    fn finish(self, folder: &Path) -> io::Result<()> {
        if self.margins.values().flatten().any(|margin| *margin > 0.0) {
            sanbao_project::write_json(&folder.join(MARGINS), &self.margins)?;
        }
        for tokens in self.tokens {
            tokens.finish()?;
        }
        for mut examples in self.examples.into_iter().flatten() {
            examples.flush()?;
        }
        Ok(())
    }
}

fn write_line(out: &mut impl Write, example: &Example) -> io::Result<()> {
    serde_json::to_writer(&mut *out, example)?;
    out.write_all(b"\n")
}

/// Writes the report, and last the manifest.
fn write_description(
    folder: &Path,
    report: &DataReport,
    survey: &Survey,
    sources: &[Source],
    tokenizer: &Tokenizer,
    options: &PrepareOptions,
) -> Result<(), Halt> {
    sanbao_project::write_json(&folder.join("report.json"), report)?;
    let mut files = serde_json::Map::new();
    let margins = Some(&MARGINS).filter(|name| folder.join(name).is_file());
    for name in LISTED.iter().chain(margins) {
        let hash =
            hash_file(&folder.join(name)).map_err(|error| io::Error::other(error.to_string()))?;
        files.insert((*name).to_owned(), Value::String(hash));
    }
    let given: Vec<Value> = survey
        .sources
        .iter()
        .zip(sources)
        .map(|(source, given)| json!({"file": source.table.file().name(), "mapping": source.mapping(), "part": given.part}))
        .collect();
    let settings = json!({"options": options, "sources": given, "files": files});
    let mut manifest = Manifest::new("prepare", settings, options.seed)
        .with_input("tokenizer", tokenizer_hash(tokenizer));
    for (at, source) in survey.sources.iter().enumerate() {
        let file = source.table.file();
        manifest = manifest.with_input(&format!("data/{}/{}", at + 1, file.name()), file.blake3());
    }
    sanbao_project::write_json(&folder.join("manifest.json"), &manifest)?;
    Ok(())
}

/// BLAKE3 over everything that a tokenizer and its chat template are made from, in hex.
pub fn tokenizer_hash(tokenizer: &Tokenizer) -> String {
    let files = tokenizer.files();
    let mut hasher = blake3::Hasher::new();
    let template = files.chat_template.clone().unwrap_or_default();
    let values = [&files.tokenizer_config, &files.special_tokens_map, &files.generation_config]
        .map(Value::to_string);
    for text in
        [&files.tokenizer_json, &template].into_iter().chain(&values).chain(&files.added_eos)
    {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
