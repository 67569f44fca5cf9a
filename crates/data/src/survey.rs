//! The first pass: every row read once and boiled down to a few hashes and flags.

use std::cmp::Ordering;

use indexmap::IndexSet;
use sanbao_contract::data::{Content, Example, Mapping, Origin, Part, Recognition, Shape, Task};

use crate::error::{Error, Place};
use crate::facts::{Facts, Standing, hash};
use crate::mapping::Mapper;
use crate::prepare::{PrepareOptions, Progress, Source, Step};
use crate::prompt::{for_task, usual_task};
use crate::rated::{Held, RatedRows};
use crate::record::Record;
use crate::table::Table;
use crate::tally::TokenTally;

/// Most different labels; a column with more is no label column.
pub const MAX_LABELS: usize = 10_000;

/// Rows between two reports of progress.
const REPORT_EVERY: u64 = 1024;

/// No label.
const NO_LABEL: u16 = u16::MAX;

/// Most rows of all files together.
const MAX_ROWS: usize = u32::MAX as usize;

/// One row after its text is gone: 40 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// 128-bit hash of the normalised input; rows with the same go to the same part. For running
    /// text that of the block that the paragraph is in.
    pub(crate) input: [u64; 2],
    pub(crate) exact: u64,
    pub(crate) output: u32,
    label: u16,
    line: u32,
    pub(crate) part: Option<Part>,
    pub(crate) empty: bool,
    /// How the answers of a preference stand to each other.
    pub(crate) standing: Standing,
    /// Whether the better answer of a preference is the longer one.
    pub(crate) longer: Ordering,
    /// A paragraph of running text, which may well come twice.
    pub(crate) running: bool,
    pub(crate) dropped: bool,
}

impl Row {
    pub(crate) fn label(&self) -> Option<usize> {
        (self.label != NO_LABEL).then_some(self.label as usize)
    }
}

/// A source and what it turned out to be.
pub(crate) struct OpenSource {
    pub(crate) table: Table,
    pub(crate) recognition: Recognition,
    mapper: Mapper,
    /// Where its rows are one rated answer each, and the task is to tell them apart.
    rated: Option<RatedRows>,
    task: Task,
    /// Index of its first row among all.
    first_row: usize,
}

impl OpenSource {
    fn open(source: &Source, task: Option<Task>) -> Result<Self, Error> {
        let table = Table::open(&source.path)?;
        let recognition = table.recognition(source.mapping.as_ref())?;
        let mapper = Mapper::new(&recognition.mapping)?;
        let task = task.unwrap_or(usual_task(recognition.mapping.shape));
        let is_rated = recognition.mapping.shape == Shape::RatedAnswer && task != Task::PromptOnly;
        let rated = is_rated.then(|| RatedRows::of(&table, &mapper)).transpose()?;
        Ok(Self { table, recognition, mapper, rated, task, first_row: 0 })
    }

    /// A row as an example of the task; `None` when the task has no use for it, when it says
    /// that neither of its answers is better, or when another row stands for its answer. Rows are
    /// given in the order of the file, with one `held` for all of them.
    pub(crate) fn example(
        &self,
        record: &Record,
        held: &mut Held,
    ) -> Result<Option<Example>, Error> {
        let decided = match &self.rated {
            Some(rated) => rated.pair(record.origin.row, self.mapper.example(record)?, held),
            None => self.mapper.decided(record)?,
        };
        let Some(Example { origin, content }) = decided else { return Ok(None) };
        let shape = crate::shapes::rule(self.recognition.mapping.shape).name();
        let content = for_task(content, self.task).map_err(|advice| Error::Task {
            place: Place::from(&origin),
            problem: format!(
                "rows of {shape} cannot serve the task {}: {advice}",
                self.task.name()
            ),
        })?;
        Ok(content.map(|content| Example { origin, content }))
    }

    /// How the answers of a row stand that is no example.
    fn standing(&self, record: &Record) -> Result<Standing, Error> {
        if let Some(rated) = &self.rated {
            return Ok(rated.standing(record.origin.row));
        }
        let undecided = self.mapper.decided(record)?.is_none();
        Ok(if undecided { Standing::Undecided } else { Standing::Single })
    }

    /// Whether several of its rows make one example.
    pub(crate) fn is_joined(&self) -> bool {
        self.rated.is_some()
    }

    /// The mapping in use.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.recognition.mapping
    }
}

/// Everything that is known of the rows: what the checks look at, and mark.
pub struct Survey {
    pub(crate) task: Task,
    pub(crate) sources: Vec<OpenSource>,
    pub(crate) rows: Vec<Row>,
    pub(crate) labels: IndexSet<String>,
    pub(crate) tally: TokenTally,
    pub(crate) max_length: usize,
}

impl Survey {
    /// Reads every row of every source.
    pub(crate) fn of(
        sources: &[Source],
        options: &PrepareOptions,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Error> {
        let opened = sources
            .iter()
            .map(|source| OpenSource::open(source, options.task))
            .collect::<Result<Vec<_>, _>>()?;
        let task = common_task(&opened)?;
        let mut survey = Self {
            task,
            sources: opened,
            rows: Vec::new(),
            labels: IndexSet::new(),
            tally: TokenTally::default(),
            max_length: options.max_length,
        };
        let total = survey.sources.iter().map(|source| source.table.file().bytes()).sum();
        let mut done = 0;
        for (at, source) in sources.iter().enumerate() {
            survey.read(at, source.part, &mut |bytes| {
                progress(Progress { step: Step::Reading, done: done + bytes, total })
            })?;
            done += survey.sources[at].table.file().bytes();
        }
        progress(Progress { step: Step::Reading, done: total, total });
        Ok(survey)
    }

    fn read(
        &mut self,
        at: usize,
        part: Option<Part>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        self.sources[at].first_row = self.rows.len();
        let file = self.sources[at].table.file().clone();
        let before = file.bytes_read();
        let mut held = Held::default();
        let mut blocks = Blocks::new(at, file.bytes(), self.max_length);
        for record in self.sources[at].table.records()? {
            let record = record?;
            if self.rows.len() >= MAX_ROWS {
                return Err(Error::TooManyRows {
                    file: file.name().to_owned(),
                    limit: MAX_ROWS as u64,
                });
            }
            if self.rows.len() == self.rows.capacity() {
                // Doubling would take twice what the rows need.
                self.rows.reserve_exact(self.rows.len() / 8 + 4096);
            }
            let source = &self.sources[at];
            let row = match source.example(&record, &mut held)? {
                Some(example) => self.boil_down(&record, example, part, &mut blocks)?,
                None => {
                    let standing = source.standing(&record)?;
                    let empty = standing == Standing::Single;
                    Row { empty, standing, ..unused(&record, part) }
                }
            };
            self.rows.push(row);
            if record.origin.row % REPORT_EVERY == 0 {
                progress((file.bytes_read() - before).min(file.bytes()));
            }
        }
        Ok(())
    }

    fn boil_down(
        &mut self,
        record: &Record,
        example: Example,
        part: Option<Part>,
        blocks: &mut Blocks,
    ) -> Result<Row, Error> {
        let facts = Facts::of(&example.content);
        let mut input = facts.input;
        let mut running = false;
        let label = match &example.content {
            Content::Classify { label, .. } if !facts.empty => {
                self.label(label, &example.origin)?
            }
            Content::Prose { text } => {
                if let Some(document) = record.document {
                    running = true;
                    input = blocks.place(document, text.len());
                }
                NO_LABEL
            }
            _ => NO_LABEL,
        };
        Ok(Row {
            input: [(input >> 64) as u64, input as u64],
            exact: facts.exact,
            output: facts.output,
            label,
            empty: facts.empty,
            standing: facts.standing,
            longer: facts.longer,
            running,
            ..unused(record, part)
        })
    }

    fn label(&mut self, label: &str, origin: &Origin) -> Result<u16, Error> {
        let at = match self.labels.get_index_of(label) {
            Some(at) => at,
            None if self.labels.len() >= MAX_LABELS => {
                return Err(Error::TooManyLabels { place: origin.into(), limit: MAX_LABELS });
            }
            None => self.labels.insert_full(label.to_owned()).0,
        };
        Ok(u16::try_from(at).unwrap_or(NO_LABEL))
    }

    /// Where a row stands.
    pub(crate) fn origin(&self, row: usize) -> Origin {
        let source = self.sources.get(self.source_of(row));
        let (file, first) = source.map_or_else(Default::default, |source| {
            (source.table.file().name().to_owned(), source.first_row)
        });
        let line = self.rows.get(row).map_or(0, |row| row.line);
        Origin { file, row: (row - first) as u64 + 1, line: (line > 0).then(|| u64::from(line)) }
    }

    /// Which of the sources a row is of.
    pub(crate) fn source_of(&self, row: usize) -> usize {
        self.sources.partition_point(|source| source.first_row <= row).saturating_sub(1)
    }

    /// The name of a row's label.
    pub(crate) fn label_name(&self, label: usize) -> &str {
        self.labels.get_index(label).map_or("", String::as_str)
    }

    /// Rows that are kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate().filter(|(_, row)| !row.dropped)
    }

    /// Kept rows in groups of the same input, each in the order of the files; groups in the order
    /// of their hashes. `keep` chooses among them.
    pub(crate) fn by_input(&self, keep: impl Fn(&Row) -> bool) -> Groups {
        let mut order: Vec<u32> =
            self.kept().filter(|(_, row)| keep(row)).map(|(at, _)| at as u32).collect();
        order.sort_unstable_by_key(|at| (self.rows[*at as usize].input, *at));
        let mut ends = Vec::new();
        let mut end = 0;
        for group in
            order.chunk_by(|a, b| self.rows[*a as usize].input == self.rows[*b as usize].input)
        {
            end += group.len() as u32;
            ends.push(end);
        }
        Groups { order, ends }
    }

    /// Labels with their number of kept rows (in every part), most frequent first, then by name.
    pub(crate) fn label_counts(&self) -> Vec<(String, u64)> {
        let mut counts = vec![0_u64; self.labels.len()];
        for label in self.kept().filter_map(|(_, row)| row.label()) {
            counts[label] += 1;
        }
        let mut named: Vec<(String, u64)> =
            self.labels.iter().cloned().zip(counts).filter(|(_, count)| *count > 0).collect();
        named.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        named
    }
}

/// A row that the task has no use for.
fn unused(record: &Record, part: Option<Part>) -> Row {
    Row {
        input: [0; 2],
        exact: 0,
        output: 0,
        label: NO_LABEL,
        line: u32::try_from(record.origin.line.unwrap_or(0)).unwrap_or(0),
        part,
        empty: true,
        standing: Standing::Single,
        longer: Ordering::Equal,
        running: false,
        dropped: false,
    }
}

/// Rows in groups.
pub(crate) struct Groups {
    order: Vec<u32>,
    ends: Vec<u32>,
}

impl Groups {
    /// The rows of all groups, one group after the other.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.order
    }

    /// Each group's rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.order[start as usize..*end as usize])
    }
}

fn common_task(sources: &[OpenSource]) -> Result<Task, Error> {
    let Some(first) = sources.first() else {
        return Err(Error::Options { problem: "No data was given; give at least one file".into() });
    };
    match sources.iter().find(|source| source.task != first.task) {
        None => Ok(first.task),
        Some(other) => Err(Error::MixedTasks {
            first: first.table.file().name().to_owned(),
            first_task: first.task.name().into(),
            second: other.table.file().name().to_owned(),
            second_task: other.task.name().into(),
        }),
    }
}

/// Cuts running text into blocks of whole paragraphs, which are the units of the split: large
/// enough to be read as text, small enough that there are some for every part.
struct Blocks {
    source: usize,
    size: usize,
    document: u64,
    block: u64,
    filled: usize,
}

impl Blocks {
    fn new(source: usize, bytes: u64, max_length: usize) -> Self {
        let fiftieth = usize::try_from(bytes / 50).unwrap_or(usize::MAX);
        Self {
            source,
            size: fiftieth.clamp(200, (4 * max_length).max(200)),
            document: 0,
            block: 0,
            filled: 0,
        }
    }

    /// The hash of the block that the next paragraph belongs to.
    fn place(&mut self, document: u64, length: usize) -> u128 {
        if document != self.document || self.filled >= self.size {
            self.block += 1;
            self.filled = 0;
            self.document = document;
        }
        self.filled += length;
        hash(&format!("block {} {}", self.source, self.block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_kept_in_forty_bytes() {
        assert_eq!(size_of::<Row>(), 40);
    }
}
