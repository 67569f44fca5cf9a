//! Reading `config.json`, in the spelling of today and in that of transformers 4.

use serde_json::Value;

use crate::error::Error;
use crate::rope::{Rope, RopeScaling, yarn_attention_factor};
use crate::spec::{Activation, LayerSpec};

/// Sizes above this are taken for corruption: no released model comes near it.
const LARGEST_SIZE: u64 = 1 << 24;

/// A `config.json`, with getters that name the file and the key when something is wrong.
#[derive(Debug, Clone)]
pub struct Config {
    path: String,
    values: Value,
}

impl Config {
    /// Takes parsed JSON; `path` is for messages.
    pub fn new(path: impl Into<String>, values: Value) -> Result<Self, Error> {
        let path = path.into();
        if !values.is_object() {
            return Err(Error::Config { path, problem: "is not a JSON object".into() });
        }
        Ok(Self { path, values })
    }

    /// The JSON.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// Where it was read from.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same file with `text_config` in place of the whole, for models that also see images.
    pub fn text_part(self) -> Self {
        match self.values.get("text_config") {
            Some(inner) if inner.is_object() => Self { values: inner.clone(), path: self.path },
            _ => self,
        }
    }

    /// An error about this file.
    pub fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Config { path: self.path.clone(), problem: problem.into() }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// `model_type`, falling back to the class name in `architectures`.
    pub fn model_type(&self) -> Result<String, Error> {
        if let Some(name) = self.get("model_type").and_then(Value::as_str) {
            return Ok(name.to_owned());
        }
        self.get("architectures")
            .and_then(|list| list.get(0))
            .and_then(Value::as_str)
            .map(|class| class.trim_end_matches("ForCausalLM").to_lowercase())
            .ok_or_else(|| self.problem("has neither 'model_type' nor 'architectures'"))
    }

    /// Whether the model judges texts instead of writing them: a classifier or a reward model.
    pub fn classifies(&self) -> bool {
        let classes = self.get("architectures").and_then(Value::as_array);
        let mut classes = classes.into_iter().flatten().filter_map(Value::as_str);
        classes.any(|class| class.ends_with("Classification"))
    }

    /// A size of at least 1, or `None` when the key is missing.
    pub fn size_opt(&self, key: &str) -> Result<Option<usize>, Error> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(size) if (1..=LARGEST_SIZE).contains(&size) => Ok(Some(size as usize)),
                _ => Err(self.problem(format!(
                    "'{key}' is {value}, a whole number from 1 to {LARGEST_SIZE} was expected"
                ))),
            },
        }
    }

    /// A size of at least 1.
    pub fn size(&self, key: &str) -> Result<usize, Error> {
        self.size_opt(key)?.ok_or_else(|| self.problem(format!("'{key}' is missing")))
    }

    /// The first of several spellings of a size.
    pub fn size_any(&self, keys: &[&str]) -> Result<usize, Error> {
        for key in keys {
            if let Some(size) = self.size_opt(key)? {
                return Ok(size);
            }
        }
        Err(self.problem(format!("'{}' is missing", keys.join("' or '"))))
    }

    /// A finite number, or `None` when the key is missing.
    pub fn number_opt(&self, key: &str) -> Result<Option<f64>, Error> {
        number_in(&self.values, key).map_err(|problem| self.problem(problem))
    }

    /// A finite number with a default.
    pub fn number(&self, key: &str, default: f64) -> Result<f64, Error> {
        Ok(self.number_opt(key)?.unwrap_or(default))
    }

    /// True or false with a default.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, Error> {
        match self.get(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => {
                Err(self.problem(format!("'{key}' is {other}, true or false was expected")))
            }
        }
    }

    /// Refuses a setting that would change the results and is not built in.
    pub fn refuse_unless(&self, key: &str, wanted: &Value) -> Result<(), Error> {
        match self.get(key) {
            Some(value) if value != wanted => Err(Error::UnsupportedSetting {
                path: self.path.clone(),
                architecture: self.model_type()?,
                setting: key.to_owned(),
                value: value.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// The activation under any of the keys in use.
    pub fn activation(&self, default: &str) -> Result<Activation, Error> {
        let name = ["hidden_activation", "hidden_act", "activation_function"]
            .iter()
            .find_map(|key| self.get(key))
            .and_then(Value::as_str)
            .unwrap_or(default);
        match name {
            "silu" | "swish" => Ok(Activation::Silu),
            "gelu" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            other => Err(self.problem(format!(
                "the activation '{other}' is not supported; supported are silu, gelu, gelu_new, gelu_pytorch_tanh"
            ))),
        }
    }

    /// Number of layers, bounded so that a hostile file cannot ask for millions.
    pub fn layer_count(&self) -> Result<usize, Error> {
        let layers = self.size_any(&["num_hidden_layers", "n_layer"])?;
        if layers > 1024 {
            return Err(self.problem(format!("{layers} layers are more than any model has")));
        }
        Ok(layers)
    }

    /// Window per layer from `layer_types` (`sliding_attention` / `full_attention`), or from
    /// `sliding` when the file does not list types.
    pub fn layers(
        &self,
        sliding: impl Fn(usize) -> bool,
        window: Option<usize>,
        rope: impl Fn(usize, bool) -> Option<usize>,
    ) -> Result<Vec<LayerSpec>, Error> {
        let count = self.layer_count()?;
        let types = match self.get("layer_types") {
            None => None,
            Some(Value::Array(types)) if types.len() == count => Some(types),
            Some(_) => return Err(self.problem("'layer_types' must list one type per layer")),
        };
        (0..count)
            .map(|index| {
                let slides = match types.map(|types| types[index].as_str()) {
                    None => sliding(index),
                    Some(Some("sliding_attention")) => true,
                    Some(Some("full_attention")) => false,
                    Some(other) => {
                        return Err(
                            self.problem(format!("the layer type {other:?} is not supported"))
                        );
                    }
                };
                Ok(LayerSpec { window: window.filter(|_| slides), rope: rope(index, slides) })
            })
            .collect()
    }

    /// The rotary embedding under `rope_parameters` (or `rope_parameters.<kind>`), or in the
    /// older spelling `rope_theta` + `rope_scaling`.
    pub fn rope(
        &self,
        kind: Option<&str>,
        head_dim: usize,
        default_theta: f64,
    ) -> Result<Rope, Error> {
        let parameters = self.get("rope_parameters");
        let parameters = match (parameters, kind) {
            (Some(all), Some(kind)) => all.get(kind).or(Some(all)),
            (all, _) => all,
        };
        let number =
            |source: &Value, key: &str| number_in(source, key).map_err(|p| self.problem(p));
        let (theta, scaling) = match parameters {
            Some(block) => (number(block, "rope_theta")?, Some(block)),
            None => (
                self.number_opt("rope_theta")?.or(self.number_opt("rotary_emb_base")?),
                self.get("rope_scaling"),
            ),
        };
        let theta = theta.unwrap_or(default_theta);
        if theta <= 1.0 {
            return Err(self.problem(format!("'rope_theta' is {theta}, more than 1 was expected")));
        }
        let partial = match parameters.map(|block| number(block, "partial_rotary_factor")) {
            Some(found) => found?,
            None => None,
        };
        let partial = match partial {
            Some(partial) => partial,
            None => self
                .number_opt("partial_rotary_factor")?
                .or(self.number_opt("rotary_pct")?)
                .unwrap_or(1.0),
        };
        let rotary_dim = ((head_dim as f64 * partial) as usize) / 2 * 2;
        if rotary_dim == 0 || rotary_dim > head_dim {
            return Err(
                self.problem(format!("a share of {partial} of each head cannot be rotated"))
            );
        }
        let scaling = match scaling {
            Some(block) => self.rope_scaling(block, rotary_dim)?,
            None => RopeScaling::Default,
        };
        Ok(Rope { theta, rotary_dim, scaling })
    }

    fn rope_scaling(&self, block: &Value, rotary_dim: usize) -> Result<RopeScaling, Error> {
        let number = |key: &str| number_in(block, key).map_err(|p| self.problem(p));
        let needed = |key: &str| {
            number(key)?.ok_or_else(|| self.problem(format!("rope scaling lacks '{key}'")))
        };
        let context = self.size_opt("max_position_embeddings")?.unwrap_or(0) as f64;
        let original = match number("original_max_position_embeddings")? {
            Some(original) => original,
            None => self.number_opt("original_max_position_embeddings")?.unwrap_or(context),
        };
        let kind = block.get("rope_type").or_else(|| block.get("type")).and_then(Value::as_str);
        match kind.unwrap_or("default") {
            "default" => Ok(RopeScaling::Default),
            "linear" => Ok(RopeScaling::Linear { factor: needed("factor")? }),
            "llama3" => Ok(RopeScaling::Llama3 {
                factor: needed("factor")?,
                low_freq_factor: needed("low_freq_factor")?,
                high_freq_factor: needed("high_freq_factor")?,
                original,
            }),
            "yarn" => {
                let factor = needed("factor")?;
                let attention_factor = match number("attention_factor")? {
                    Some(factor) => factor,
                    None => {
                        yarn_attention_factor(factor, number("mscale")?, number("mscale_all_dim")?)
                    }
                };
                Ok(RopeScaling::Yarn {
                    factor,
                    beta_fast: number("beta_fast")?.unwrap_or(32.0),
                    beta_slow: number("beta_slow")?.unwrap_or(1.0),
                    original,
                    attention_factor,
                    truncate: block.get("truncate").and_then(Value::as_bool).unwrap_or(true),
                })
            }
            "longrope" | "su" => {
                let list = |key: &str| -> Result<Vec<f64>, Error> {
                    let list: Option<Vec<f64>> = block
                        .get(key)
                        .and_then(Value::as_array)
                        .and_then(|list| list.iter().map(Value::as_f64).collect());
                    list.filter(|list| list.len() == rotary_dim / 2).ok_or_else(|| {
                        self.problem(format!("'{key}' must list {} numbers", rotary_dim / 2))
                    })
                };
                let stretch = number("factor")?.unwrap_or(context / original);
                let attention_factor = match number("attention_factor")? {
                    Some(factor) => factor,
                    None if stretch <= 1.0 => 1.0,
                    None => (1.0 + stretch.ln() / original.ln()).sqrt(),
                };
                Ok(RopeScaling::LongRope {
                    short: list("short_factor")?,
                    long: list("long_factor")?,
                    original: original as usize,
                    attention_factor,
                })
            }
            other => Err(Error::UnsupportedSetting {
                path: self.path.clone(),
                architecture: self.model_type()?,
                setting: "rope_type".into(),
                value: other.into(),
            }),
        }
    }
}

fn number_in(source: &Value, key: &str) -> Result<Option<f64>, String> {
    match source.get(key).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(format!("'{key}' is {value}, a number was expected")),
        },
    }
}
