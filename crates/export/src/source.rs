//! What is exported.

use std::collections::HashMap;

use burn::tensor::Tensor;
use sanbao_contract::data::Task;
use sanbao_contract::verdict::Verdict;
use sanbao_models::host::to_vec;
use sanbao_models::names::Parameter;
use sanbao_models::{BaseModel, Decoder, Linear, ParameterMut, Trainable};
use sanbao_train::LoraConfig;

use crate::Error;

/// A trained model and what is known about it.
pub struct Source<'a> {
    /// What it was made from.
    pub base: &'a BaseModel,
    /// The trained model, adapters attached.
    pub model: &'a Decoder,
    /// The adapter, when the run trained one.
    pub lora: Option<&'a LoraConfig>,
    /// What its card says.
    pub card: CardFacts<'a>,
}

impl Source<'_> {
    /// Whether it is a reward model, which scores texts and writes none.
    pub(crate) fn scores(&self) -> bool {
        self.model.score.is_some()
    }
}

/// What the card of an exported model says besides what base model and adapter tell.
/// It never quotes the person's data, except for the labels that the model answers with.
#[derive(Debug, Clone, Default)]
pub struct CardFacts<'a> {
    /// Name of the new model.
    pub name: String,
    /// The base model as others can find it: its id on the hub, else its path.
    pub base_model: String,
    /// Recipe name: `lora`, `full`, `continued`.
    pub recipe: String,
    /// What was learnt.
    pub task: Option<Task>,
    /// Rows learnt from.
    pub training_rows: u64,
    /// Rows kept back for the verdict.
    pub held_out_rows: u64,
    /// How the model learnt to be asked about a text, which is `<the text>`; `None` when it is asked
    /// whatever one likes.
    pub asked: Option<String>,
    /// The system message that the rows began with, when all of them began with the same.
    pub system: Option<String>,
    /// Before and after.
    pub verdict: Option<&'a Verdict>,
}

/// The weights of a model with its adapters merged in, one at a time.
///
/// Tensors are shared with the model; only the one asked for is computed, so that merging takes
/// the memory of the largest matrix and not of a second model.
pub(crate) struct MergedWeights {
    linears: HashMap<String, Linear>,
    vectors: HashMap<String, Tensor<1>>,
    matrices: HashMap<String, Tensor<2>>,
}

impl MergedWeights {
    pub(crate) fn new(model: &Decoder) -> Self {
        let mut model = model.clone();
        model.set_adapters(true);
        let linears = model.linears().map(|linear| (linear.name.clone(), linear.clone())).collect();
        let (mut vectors, mut matrices) = (HashMap::new(), HashMap::new());
        model.visit_trained(Trainable::Everything, &mut |name, parameter| match parameter {
            ParameterMut::Vector(tensor) => drop(vectors.insert(name.to_owned(), tensor.clone())),
            ParameterMut::Matrix(tensor) => drop(matrices.insert(name.to_owned(), tensor.clone())),
        });
        Self { linears, vectors, matrices }
    }

    /// The numbers of a parameter, row-major in its shape.
    pub(crate) fn values(&self, parameter: &Parameter) -> Result<Vec<f32>, Error> {
        let name = &parameter.name;
        if let Some(vector) = self.vectors.get(name) {
            return Ok(to_vec(vector.clone())?);
        }
        let module = name.strip_suffix(".weight").unwrap_or(name);
        if let Some(linear) = self.linears.get(module) {
            return Ok(to_vec(linear.merged())?);
        }
        match self.matrices.get(name) {
            Some(matrix) => Ok(to_vec(matrix.clone())?),
            None => Err(sanbao_models::Error::MissingTensor {
                path: "the trained model".into(),
                name: name.clone(),
            }
            .into()),
        }
    }
}
