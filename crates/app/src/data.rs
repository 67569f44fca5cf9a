//! A project's files: taking them in, checking them, handing them to training.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use sanbao_contract::Fault;
use sanbao_contract::app::{DataView, Project, ProjectFile};
use sanbao_contract::data::{Mapping, Task};
use sanbao_contract::reward::Reward;
use sanbao_contract::rpc::Event;
use sanbao_contract::worker::{PlanRequest, Progress, SourceSpec};
use sanbao_data::{Record, Table, usual_task};
use sanbao_models::BaseModel;
use sanbao_project::store::{Incoming, ProjectStore};
use sanbao_project::write_atomic;
use sanbao_worker::jobs;
use serde_json::Value;

use crate::App;
use crate::machine::Pace;

/// Rows that are shown as the model sees them.
const SHOWN: usize = 12;

/// Bins of the chart of lengths.
const BINS: u32 = 24;

/// The samples that come with Sanbao.
const SAMPLE_EN: &str = include_str!("../../../assets/samples/support_en.csv");
const SAMPLE_ZH: &str = include_str!("../../../assets/samples/support_zh.csv");

impl App {
    pub(crate) fn add_files(&self, project: &str, paths: &[String]) -> Result<Project, Fault> {
        let store = self.store(project)?;
        for path in paths {
            self.add(&store, store.copy_in(Path::new(path))?)?;
        }
        self.project(project)
    }

    pub(crate) fn add_text(&self, project: &str, text: &str) -> Result<Project, Fault> {
        self.add_named(project, "pasted.txt", text)
    }

    pub(crate) fn add_sample(&self, project: &str, language: &str) -> Result<Project, Fault> {
        match language {
            "zh" => self.add_named(project, "support_zh.csv", SAMPLE_ZH),
            _ => self.add_named(project, "support_en.csv", SAMPLE_EN),
        }
    }

    pub(crate) fn add_named(
        &self,
        project: &str,
        name: &str,
        text: &str,
    ) -> Result<Project, Fault> {
        let store = self.store(project)?;
        self.add(&store, store.write_in(name, text.as_bytes())?)?;
        self.project(project)
    }

    /// Reads a file from end to end and takes it in; one with a bad row is refused with its place.
    fn add(&self, store: &ProjectStore, file: Incoming) -> Result<(), Fault> {
        let table = Table::open(&file.path())?;
        let recognition = table.recognition(None)?;
        let (bytes, before) = (file.bytes(), table.file().bytes_read());
        let mut pace = Pace::default();
        let columns = table.columns().to_vec();
        let rows = table.records()?.map(|record| {
            if pace.allows() {
                let done = table.file().bytes_read().saturating_sub(before).min(bytes);
                self.tell(Event::Progress {
                    project: store.id().to_owned(),
                    of: "add_files".to_owned(),
                    progress: Progress { stage: "reading".to_owned(), done, total: bytes },
                });
            }
            record.map(|record| values(&record, &columns)).map_err(Fault::from)
        });
        store.add_file(file, &recognition, rows)?;
        Ok(())
    }

    pub(crate) fn remove_file(&self, project: &str, file: &str) -> Result<Project, Fault> {
        self.store(project)?.remove_file(file)?;
        self.project(project)
    }

    pub(crate) fn set_mapping(
        &self,
        project: &str,
        file: &str,
        mapping: Option<Mapping>,
    ) -> Result<Project, Fault> {
        let store = self.store(project)?;
        if let Some(mapping) = &mapping {
            let table = Table::open(&store.file_path(file)?)?;
            sanbao_data::check_columns(mapping, table.columns())?;
        }
        store.set_mapping(file, mapping.as_ref())?;
        self.project(project)
    }

    /// What a project's rows teach; `None` without files.
    pub(crate) fn task(&self, project: &str) -> Result<Option<Task>, Fault> {
        let files = self.store(project)?.files()?;
        Ok(files.first().map(|file| usual_task(mapping(file).shape)))
    }

    /// Checks, splits and tokenises a project's files, and shows what the model will see.
    pub(crate) fn check_data(&self, project: &str) -> Result<DataView, Fault> {
        let base = BaseModel::open(&self.base_path(project)?)?;
        let request = self.plan_request(project)?;
        let options = jobs::prepare_options(&request, &base)?;
        let sources = jobs::sources(&request.sources);
        let mut pace = Pace::default();
        let tell = &mut |progress| {
            if pace.allows() {
                self.tell(Event::Progress {
                    project: project.to_owned(),
                    of: "check_data".to_owned(),
                    progress: jobs::reading(progress),
                });
            }
        };
        let look = sanbao_data::look(&sources, &base.tokenizer, &options, SHOWN, tell)?;
        Ok(DataView { report: look.report, rows: look.rows, lengths: bins(&look.lengths) })
    }

    /// A reward whose reward model is named by its folder, as a worker needs it.
    fn with_folder(&self, project: &str, mut reward: Reward) -> Result<Reward, Fault> {
        if let Some(model) = &mut reward.model {
            model.run = self.run_folder(project, &model.run)?.display().to_string();
        }
        Ok(reward)
    }

    /// What the next run is made from.
    ///
    /// # Errors
    /// When base model or data is missing.
    pub(crate) fn plan_request(&self, project: &str) -> Result<PlanRequest, Fault> {
        let store = self.store(project)?;
        let choice = store.recipe()?;
        let files = store.files()?;
        if files.is_empty() {
            return Err(Fault::new("app.no_data", "add a file of examples first"));
        }
        let sources =
            files.iter().map(|file| source(&store, file)).collect::<Result<_, Fault>>()?;
        Ok(PlanRequest {
            model: self.base_path(project)?,
            sources,
            task: None,
            recipe: choice.recipe,
            dial: choice.dial,
            device: choice.device.unwrap_or_else(|| "auto".to_owned()),
            chosen: choice.chosen,
            reward: choice.reward.map(|reward| self.with_folder(project, reward)).transpose()?,
            seed: 42,
        })
    }
}

/// A file as training reads it: itself, or a copy without the rows that were left out and with
/// those that were changed.
fn source(store: &ProjectStore, file: &ProjectFile) -> Result<SourceSpec, Fault> {
    let path = store.file_path(&file.name)?;
    let mapping = Some(mapping(file));
    if file.excluded == 0 && file.edited == 0 {
        return Ok(SourceSpec { path, mapping, part: None });
    }
    let mut rows = store.kept_rows(&file.name)?;
    let mut next = rows.next().transpose()?;
    let table = Table::open(&path)?;
    let columns = table.columns();
    let kept = store.folder().join("kept").join(format!("{}.jsonl", file.name));
    if let Some(folder) = kept.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let mut fault = None;
    let written = write_atomic(&kept, |out| {
        for (record, number) in table.records().map_err(std::io::Error::other)?.zip(1..) {
            let mut failed = |error: Fault| {
                fault = Some(error);
                std::io::Error::other("a row cannot be read")
            };
            let Some(row) = next.take_if(|row| row.row == number) else { continue };
            let mut record = record.map_err(|error| failed(error.into()))?;
            if row.edited {
                change(&mut record, columns, &row.values);
            }
            next = rows.next().transpose().map_err(|error| failed(error.into()))?;
            serde_json::to_writer(&mut *out, &record.fields)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    });
    match (written, fault) {
        (_, Some(fault)) => return Err(fault),
        (Err(error), None) => return Err(unwritable(error)),
        (Ok(()), None) => {}
    }
    Ok(SourceSpec { path: kept, mapping, part: None })
}

/// Puts changed values into a row. What was no text (a list of messages) is read as JSON again.
fn change(record: &mut Record, columns: &[String], values: &[String]) {
    for (column, text) in columns.iter().zip(values) {
        let was_text = record.fields.get(column).is_none_or(Value::is_string);
        let value = match was_text {
            true => Value::String(text.clone()),
            false => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        };
        record.fields.insert(column.clone(), value);
    }
}

fn mapping(file: &ProjectFile) -> Mapping {
    file.mapping.clone().unwrap_or_else(|| file.recognition.mapping.clone())
}

/// The text of each column; what is no text as JSON.
fn values(record: &Record, columns: &[String]) -> Vec<String> {
    let text = |column: &String| match record.fields.get(column) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    columns.iter().map(text).collect()
}

/// Rows by length, in bins of equal width.
fn bins(lengths: &[u32]) -> Vec<(u32, u32)> {
    let Some(longest) = lengths.iter().max() else { return Vec::new() };
    let width = (longest / BINS + 1).next_multiple_of(4);
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    for length in lengths {
        *counts.entry(length / width).or_default() += 1;
    }
    (0..=longest / width)
        .map(|bin| ((bin + 1) * width, counts.get(&bin).copied().unwrap_or(0)))
        .collect()
}

fn unwritable(error: std::io::Error) -> Fault {
    Fault::new("app.unwritable", format!("a copy of the file cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_in_one_bin() {
        let lengths = [1, 7, 8, 40, 399, 400];
        let bins = bins(&lengths);
        assert_eq!(bins.iter().map(|(_, rows)| rows).sum::<u32>(), 6);
        assert!(bins.last().is_some_and(|(end, rows)| *end > 400 && *rows > 0));
        assert!(bins.len() <= BINS as usize + 1, "{}", bins.len());
    }
}
