//! One export under way: what the targets share.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use sanbao_models::BaseModel;
use sanbao_models::SCORE;
use sanbao_models::names::{Parameter, Role, parameters};
use sanbao_models::spec::Spec;
use sanbao_models::weights::StoredType;

use crate::Error;
use crate::options::Options;
use crate::source::{MergedWeights, Source};

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Weights done in this stage.
    pub done: u64,
    /// Weights of this stage.
    pub total: u64,
}

/// What an export does, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Weights are merged and written.
    Writing,
    /// What was written is read and compared.
    ReadingBack,
}

/// Counts weights and tells the caller.
pub(crate) struct Meter<'a> {
    tell: RefCell<&'a mut dyn FnMut(Progress)>,
    stage: Cell<Stage>,
    done: Cell<u64>,
    total: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(total: u64, tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self {
            tell: RefCell::new(tell),
            stage: Cell::new(Stage::Writing),
            done: Cell::new(0),
            total,
        }
    }

    pub(crate) fn begin(&self, stage: Stage) {
        self.stage.set(stage);
        self.done.set(0);
        self.add(0);
    }

    pub(crate) fn add(&self, weights: usize) {
        let done = (self.done.get() + weights as u64).min(self.total);
        self.done.set(done);
        let tell = &mut *self.tell.borrow_mut();
        tell(Progress { stage: self.stage.get(), done, total: self.total });
    }
}

/// An export under way.
pub(crate) struct Job<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) options: Options,
    pub(crate) weights: MergedWeights,
    pub(crate) meter: Meter<'a>,
}

impl Job<'_> {
    /// Every weight of the model. A reward model has a score head in place of the output head.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let spec = &self.source.model.spec;
        let mut list = parameters(spec);
        if self.source.scores() {
            list.retain(|parameter| parameter.role != Role::Head);
            list.push(score_head(spec));
        }
        list
    }

    /// The merged numbers of a weight, counted as written.
    pub(crate) fn values(&self, parameter: &Parameter) -> Result<Vec<f32>, Error> {
        let values = self.weights.values(parameter)?;
        self.meter.add(values.len());
        Ok(values)
    }

    /// The new model's name as a part of file names: letters and digits of any script, `.`, `-`
    /// and `_`; nothing that a file system minds.
    pub(crate) fn file_stem(&self) -> String {
        let kept = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_');
        let words = self.source.card.name.split(|c| !kept(c)).filter(|word| !word.is_empty());
        let name: String =
            words.collect::<Vec<_>>().join("-").trim_matches('.').chars().take(80).collect();
        if name.is_empty() { "model".to_owned() } else { name }
    }
}

/// The weight of a score head.
pub(crate) fn score_head(spec: &Spec) -> Parameter {
    let shape = vec![1, spec.hidden_size];
    Parameter { role: Role::Head, layer: None, bias: false, name: SCORE.to_owned(), shape }
}

/// What a target wrote, and how it is to be read back.
pub(crate) struct Written {
    /// What to open.
    pub(crate) reread: Reread,
    /// How most weights are stored.
    pub(crate) stored: StoredType,
    /// What a person should know, plain sentences.
    pub(crate) notes: Vec<String>,
    /// What the format cannot hold and may leave out, as a change of the base's [`Spec`].
    pub(crate) reads_as: Option<Spec>,
    /// Tokens up to which that makes no difference.
    pub(crate) agrees_up_to: Option<usize>,
}

impl Written {
    /// What a complete model reads back as.
    pub(crate) fn whole(reread: Reread, stored: StoredType) -> Self {
        Self { reread, stored, notes: Vec::new(), reads_as: None, agrees_up_to: None }
    }

    /// What the export must read back as.
    pub(crate) fn expected_spec<'a>(&'a self, base: &'a BaseModel) -> &'a Spec {
        self.reads_as.as_ref().unwrap_or(&base.spec)
    }
}

/// How an export is read back.
pub(crate) enum Reread {
    /// A whole model: a folder or file.
    Model(PathBuf),
    /// An adapter folder, put onto the base's weights.
    Adapter(PathBuf),
}
