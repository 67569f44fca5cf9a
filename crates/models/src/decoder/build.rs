//! A model from its parameters.

use burn::tensor::{Device, Tensor};

use super::Decoder;
use crate::block::{Block, Mlp, Qkv};
use crate::error::Error;
use crate::host::from_vec;
use crate::names::{Role, parameters};
use crate::ops::attention::AttentionShape;
use crate::ops::{Linear, Norm};
use crate::spec::{MlpLayout, NormKind, QkvLayout, Spec};

impl Decoder {
    /// Builds a model from numbers that `read` delivers for each parameter's name and shape.
    ///
    /// # Errors
    /// What `read` says.
    pub fn build(
        spec: Spec,
        device: &Device,
        mut read: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, Error>,
    ) -> Result<Self, Error> {
        let mut tensors = std::collections::HashMap::new();
        for parameter in parameters(&spec) {
            let values = read(&parameter.name, &parameter.shape)?;
            let tensor: Tensor<1> = from_vec(values, [parameter.shape.iter().product()], device);
            tensors.insert((parameter.role, parameter.layer, parameter.bias), (tensor, parameter));
        }
        let mut take =
            |role: Role, layer: Option<usize>, bias: bool| tensors.remove(&(role, layer, bias));
        let missing = |role: Role| Error::Config {
            path: spec.model_type.clone(),
            problem: format!("{role:?} does not belong to this architecture"),
        };

        let mut matrix = |role: Role, layer: Option<usize>| -> Result<Tensor<2>, Error> {
            let (tensor, parameter) = take(role, layer, false).ok_or_else(|| missing(role))?;
            Ok(tensor.reshape([parameter.shape[0], parameter.shape[1]]))
        };
        let embed = matrix(Role::Embed, None)?;
        let positions =
            if spec.learned_positions { Some(matrix(Role::Positions, None)?) } else { None };
        let head = if spec.tie_word_embeddings { None } else { Some(matrix(Role::Head, None)?) };

        let mut norm = |role: Role, layer: Option<usize>| -> Result<Norm, Error> {
            let (weight, _) = take(role, layer, false).ok_or_else(|| missing(role))?;
            let bias = match spec.norm {
                NormKind::Layer { .. } => {
                    Some(take(role, layer, true).ok_or_else(|| missing(role))?.0)
                }
                _ => None,
            };
            Ok(Norm { name: spec.names.module(role, layer), kind: spec.norm, weight, bias })
        };
        let final_norm = norm(Role::FinalNorm, None)?;
        let mut norms = Vec::new();
        for layer in (0..spec.layers.len()).map(Some) {
            norms.push(BlockNorms {
                input: norm(Role::InputNorm, layer)?,
                qk: match spec.qk_norm {
                    true => Some((norm(Role::QueryNorm, layer)?, norm(Role::KeyNorm, layer)?)),
                    false => None,
                },
                post_attention: match spec.post_norms {
                    true => Some(norm(Role::PostAttentionNorm, layer)?),
                    false => None,
                },
                pre_mlp: norm(Role::PreMlpNorm, layer)?,
                post_mlp: match spec.post_norms {
                    true => Some(norm(Role::PostMlpNorm, layer)?),
                    false => None,
                },
            });
        }
        let mut linear = |role: Role, layer: usize| -> Result<Linear, Error> {
            let layer = Some(layer);
            let (weight, parameter) = take(role, layer, false).ok_or_else(|| missing(role))?;
            Ok(Linear {
                name: spec.names.module(role, layer),
                weight: weight.reshape([parameter.shape[0], parameter.shape[1]]),
                layout: spec.weight_layout,
                bias: take(role, layer, true).map(|(bias, _)| bias),
                adapter: None,
                adapter_on: true,
            })
        };
        let mut blocks = Vec::new();
        for (index, norms) in norms.into_iter().enumerate() {
            blocks.push(build_block(&spec, index, norms, &mut linear)?);
        }
        Ok(Self { spec, embed, positions, blocks, final_norm, head, score: None })
    }
}

struct BlockNorms {
    input: Norm,
    qk: Option<(Norm, Norm)>,
    post_attention: Option<Norm>,
    pre_mlp: Norm,
    post_mlp: Option<Norm>,
}

fn build_block(
    spec: &Spec,
    index: usize,
    norms: BlockNorms,
    linear: &mut dyn FnMut(Role, usize) -> Result<Linear, Error>,
) -> Result<Block, Error> {
    let layer = spec.layers[index];
    let qkv = match spec.qkv {
        QkvLayout::Separate => Qkv::Separate {
            q: linear(Role::Query, index)?,
            k: linear(Role::Key, index)?,
            v: linear(Role::Value, index)?,
        },
        order => Qkv::Fused(linear(Role::Qkv, index)?, order),
    };
    let out = linear(Role::Out, index)?;
    let mlp = match spec.mlp {
        MlpLayout::Gated => {
            Mlp::Gated { gate: linear(Role::Gate, index)?, up: linear(Role::Up, index)? }
        }
        MlpLayout::FusedGated => Mlp::FusedGated(linear(Role::GateUp, index)?),
        MlpLayout::Plain => Mlp::Plain(linear(Role::Up, index)?),
    };
    Ok(Block {
        input_norm: norms.input,
        qkv,
        qk_norm: norms.qk,
        out,
        post_attention_norm: norms.post_attention,
        pre_mlp_norm: norms.pre_mlp,
        mlp,
        down: linear(Role::Down, index)?,
        post_mlp_norm: norms.post_mlp,
        attention: AttentionShape {
            heads: spec.num_attention_heads,
            kv_heads: spec.num_key_value_heads,
            head_dim: spec.head_dim,
            scale: spec.attention_scale,
            softcap: spec.attention_softcap,
            window: layer.window,
        },
        rope: layer.rope,
        activation: spec.activation,
        parallel: spec.parallel_residual,
    })
}
