//! Reading an export back, one layer at a time.

use burn::tensor::Device;
use sanbao_models::block::{Block, Pass};
use sanbao_models::host::{from_vec, to_vec};
use sanbao_models::names::{Parameter, parameters};
use sanbao_models::spec::Spec;
use sanbao_models::{BaseModel, Decoder, Error, Layout};

use crate::job::{Meter, score_head};
use crate::parity::every_row;

/// Logits `[tokens, vocab]`, row-major, of a model on disk; of a reward model its scores
/// `[tokens]`.
///
/// Beside the activations, memory holds either the embeddings and the head or one layer, so that
/// an export can be checked while the model that it was made from is still loaded.
pub(crate) fn outputs(
    base: &BaseModel,
    scores: bool,
    device: &Device,
    ids: &[u32],
    layout: &Layout,
    meter: &Meter,
) -> Result<Vec<f32>, Error> {
    let read = |parameter: &Parameter| {
        let values = base.read(parameter)?;
        meter.add(values.len());
        Ok(values)
    };
    let spec = &base.spec;
    let mut x = ends(spec, device, &read)?.embed_tokens(ids, &layout.positions);
    let ropes: Vec<_> = spec.ropes.iter().map(|rope| rope.table(&layout.positions)).collect();
    let pass = Pass { layout, ropes: &ropes, dropout_seed: None };
    for layer in 0..spec.layers.len() {
        x = block(spec, layer, device, &read)?.forward(x, &pass);
    }
    let mut ends = ends(spec, device, &read)?;
    if !scores {
        return to_vec(ends.logits_of(x));
    }
    let head = read(&score_head(spec))?;
    ends.score = Some(from_vec(head, [1, spec.hidden_size], device));
    ends.scores_of(&x, &every_row(ids))
}

/// The model without its layers.
fn ends(
    spec: &Spec,
    device: &Device,
    read: &dyn Fn(&Parameter) -> Result<Vec<f32>, Error>,
) -> Result<Decoder, Error> {
    let ends = Spec { layers: Vec::new(), ..spec.clone() };
    build(ends, device, read)
}

/// One layer of the model.
fn block(
    spec: &Spec,
    layer: usize,
    device: &Device,
    read: &dyn Fn(&Parameter) -> Result<Vec<f32>, Error>,
) -> Result<Block, Error> {
    // A model of this layer alone, whose ends are as small as can be.
    let alone = Spec {
        layers: vec![spec.layers[layer]],
        vocab_size: 1,
        tie_word_embeddings: true,
        learned_positions: false,
        ..spec.clone()
    };
    let stored = |parameter: &Parameter| {
        let module = spec.names.module(parameter.role, Some(layer));
        let part = if parameter.bias { "bias" } else { "weight" };
        Parameter { layer: Some(layer), name: format!("{module}.{part}"), ..parameter.clone() }
    };
    let mut model = build(alone, device, &|parameter| match parameter.layer {
        Some(_) => read(&stored(parameter)),
        None => Ok(vec![0.0; parameter.shape.iter().product()]),
    })?;
    Ok(model.blocks.swap_remove(0))
}

fn build(
    spec: Spec,
    device: &Device,
    read: &dyn Fn(&Parameter) -> Result<Vec<f32>, Error>,
) -> Result<Decoder, Error> {
    let list = parameters(&spec);
    let mut asked = list.iter();
    // `build` asks in the order of `parameters`.
    Decoder::build(spec, device, |_, _| asked.next().map_or(Ok(Vec::new()), read))
}
