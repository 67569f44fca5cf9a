//! Opening a base model: a Hugging Face folder or a GGUF file.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sanbao_contract::model::ModelCard;
use sanbao_text::Tokenizer;
use serde_json::Value;

use crate::architectures::{Architecture, by_gguf_name, by_model_type};
use crate::config::Config;
use crate::decoder::Decoder;
use crate::error::Error;
use crate::gguf_map;
use crate::names::{Parameter, parameters};
use crate::spec::Spec;
use crate::weights::{Gguf, ModelFolder, TensorInfo, WeightSource};

/// A model on disk, understood but not loaded.
pub struct BaseModel {
    /// Folder or file.
    pub path: PathBuf,
    /// Its family.
    pub architecture: &'static Architecture,
    /// What it looks like.
    pub spec: Spec,
    /// `config.json`, or what it must have been.
    pub config: Value,
    /// Tokenizer and chat template.
    pub tokenizer: Tokenizer,
    /// The model at a glance.
    pub card: ModelCard,
    weights: Weights,
}

enum Weights {
    Folder(ModelFolder),
    Gguf(Gguf),
}

/// What a model is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Writing,
    Scoring,
}

impl BaseModel {
    /// Opens a folder with `config.json` and safetensors, or a `.gguf` file. Only headers and
    /// the tokenizer are read.
    ///
    /// # Errors
    /// When it is neither, or any part of it is missing, corrupt or not supported.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) {
            return Self::open_gguf(path);
        }
        if path.join("config.json").is_file() {
            return Self::open_folder(path, Purpose::Writing);
        }
        Err(Error::NotAModel { path: path.display().to_string() })
    }

    /// Opens the folder of a reward model (`…ForSequenceClassification`), whose score head
    /// [`Self::read`] gives under the name [`SCORE`](crate::SCORE).
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_scoring(path: &Path) -> Result<Self, Error> {
        Self::open_folder(path, Purpose::Scoring)
    }

    fn open_folder(path: &Path, purpose: Purpose) -> Result<Self, Error> {
        let file = path.join("config.json");
        let shown = file.display().to_string();
        let text = std::fs::read_to_string(&file)
            .map_err(|source| Error::Io { path: shown.clone(), source })?;
        let values: Value = serde_json::from_str(&text).map_err(|error| Error::Config {
            path: shown.clone(),
            problem: format!("is not valid JSON: {error}"),
        })?;
        let config = Config::new(shown, values)?;
        let model_type = config.model_type()?;
        let architecture = by_model_type(&model_type)?;
        if purpose == Purpose::Writing && config.classifies() {
            return Err(Error::WritesNothing { path: path.display().to_string() });
        }
        let config = config.text_part();
        let spec = (architecture.spec)(&config)?;
        let tokenizer = Tokenizer::from_folder(path)?;
        let weights = Weights::Folder(ModelFolder::open(path)?);
        Self::assemble(path, architecture, spec, config.values().clone(), tokenizer, weights)
    }

    fn open_gguf(path: &Path) -> Result<Self, Error> {
        let gguf = Gguf::open(path)?;
        let architecture = by_gguf_name(gguf.architecture()?)?;
        let config =
            Config::new(path.display().to_string(), gguf_map::config_json(architecture, &gguf)?)?;
        let spec = (architecture.spec)(&config)?;
        let files = sanbao_text::gguf_tokenizer(&gguf.tokenizer()?)?;
        let tokenizer = Tokenizer::new(files)?;
        let values = config.values().clone();
        Self::assemble(path, architecture, spec, values, tokenizer, Weights::Gguf(gguf))
    }

    fn assemble(
        path: &Path,
        architecture: &'static Architecture,
        spec: Spec,
        config: Value,
        tokenizer: Tokenizer,
        weights: Weights,
    ) -> Result<Self, Error> {
        if tokenizer.vocabulary_size() > spec.vocab_size {
            return Err(Error::Config {
                path: path.display().to_string(),
                problem: format!(
                    "the tokenizer knows {} tokens, the model only {}",
                    tokenizer.vocabulary_size(),
                    spec.vocab_size
                ),
            });
        }
        let card = crate::card::describe(path, &spec, &tokenizer, weights.source(), weights.gguf());
        let model =
            Self { path: path.to_path_buf(), architecture, spec, config, tokenizer, card, weights };
        for parameter in parameters(&model.spec) {
            model.check(&parameter)?;
        }
        Ok(model)
    }

    /// Loads the weights onto a device, in float32.
    ///
    /// One tensor at a time is converted, so the peak is the model and its largest matrix.
    ///
    /// # Errors
    /// When a tensor is corrupt or holds NaN or infinite values.
    pub fn load(&self, device: &Device) -> Result<Decoder, Error> {
        let list = parameters(&self.spec);
        let mut parameters = list.iter();
        Decoder::build(self.spec.clone(), device, |_, _| {
            // `build` asks in the order of `parameters`.
            match parameters.next() {
                Some(parameter) => self.read(parameter),
                None => Ok(Vec::new()),
            }
        })
    }

    /// The numbers of one parameter, in the order of a Hugging Face checkpoint.
    ///
    /// # Errors
    /// When the tensor is missing, corrupt, or holds NaN or infinite values.
    pub fn read(&self, parameter: &Parameter) -> Result<Vec<f32>, Error> {
        let name = self.stored_name(parameter)?;
        let values = self.weights.source().read_f32(&name)?;
        match &self.weights {
            Weights::Folder(_) => Ok(values),
            Weights::Gguf(_) => {
                gguf_map::from_gguf(self.architecture, &self.spec, parameter, values)
            }
        }
    }

    fn check(&self, parameter: &Parameter) -> Result<(), Error> {
        let name = self.stored_name(parameter)?;
        let expected = match &self.weights {
            Weights::Folder(_) => parameter.shape.clone(),
            Weights::Gguf(_) => gguf_map::stored_shape(&self.spec, parameter),
        };
        let found = self.info(&name).map(|info| info.shape);
        match found {
            Some(found) if found == expected => Ok(()),
            Some(found) => Err(Error::WrongShape {
                path: self.path.display().to_string(),
                name,
                found,
                expected,
            }),
            None => Err(self.missing(name)),
        }
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.weights.source().info(name)
    }

    fn missing(&self, name: String) -> Error {
        Error::MissingTensor { path: self.path.display().to_string(), name }
    }

    /// The name under which the file holds a parameter: older or wrapped checkpoints leave out
    /// or add a prefix.
    fn stored_name(&self, parameter: &Parameter) -> Result<String, Error> {
        if matches!(self.weights, Weights::Gguf(_)) {
            return Ok(gguf_map::tensor_name(parameter));
        }
        let name = &parameter.name;
        let bare = name.split_once('.').map(|(_, rest)| rest.to_owned());
        let wrapped = [
            format!("language_model.{name}"),
            format!("model.language_model.{}", bare.clone().unwrap_or_default()),
        ];
        let candidates = std::iter::once(name.clone()).chain(bare).chain(wrapped);
        candidates
            .into_iter()
            .find(|candidate| self.info(candidate).is_some())
            .ok_or_else(|| self.missing(name.clone()))
    }
}

impl Weights {
    fn source(&self) -> &dyn WeightSource {
        match self {
            Self::Folder(folder) => folder,
            Self::Gguf(gguf) => gguf,
        }
    }

    fn gguf(&self) -> Option<&Gguf> {
        match self {
            Self::Folder(_) => None,
            Self::Gguf(gguf) => Some(gguf),
        }
    }
}
