//! What llama.cpp does with each family, whatever a file says.
//!
//! A GGUF file names a family and a few numbers; the rest is in llama.cpp's own code
//! (`src/models/*.cpp`). A model that needs anything else would load there and answer wrongly,
//! so it is refused here.

use sanbao_models::Architecture;
use sanbao_models::rope::RopeScaling;
use sanbao_models::spec::{Activation, Spec};

use crate::Error;

/// A window shorter than this may not be left out: nearly every conversation is longer.
const SHORTEST_WINDOW_LEFT_OUT: usize = 1024;

/// Which layers slide.
enum Windows {
    /// None: a window is not known to this family.
    Unknown,
    /// None, though files of this family may name a window.
    Named,
    /// All but the last of every so many.
    AllButEvery(usize),
}

/// A family in llama.cpp.
struct Family {
    name: &'static str,
    windows: Windows,
    activation: Activation,
    /// Whether positions may be stretched by a divisor for each frequency.
    divisors: bool,
    /// Whether a part of each head may go without rotation.
    partial_rotary: bool,
    /// Whether query, key and value have biases: `None` where both is known.
    qkv_bias: Option<bool>,
    /// The same for the attention's output and the feed-forward part.
    other_biases: Option<bool>,
}

const LLAMA: Family = Family {
    name: "llama",
    windows: Windows::Unknown,
    activation: Activation::Silu,
    divisors: true,
    partial_rotary: false,
    qkv_bias: None,
    other_biases: None,
};
const PLAIN: Family =
    Family { divisors: false, qkv_bias: Some(false), other_biases: Some(false), ..LLAMA };

const FAMILIES: &[Family] = &[
    LLAMA,
    Family { name: "qwen2", qkv_bias: Some(true), ..PLAIN },
    Family { name: "qwen3", ..PLAIN },
    Family { name: "smollm3", ..PLAIN },
    Family { name: "phi3", windows: Windows::Named, divisors: true, partial_rotary: true, ..PLAIN },
    Family {
        name: "gemma2",
        windows: Windows::AllButEvery(2),
        activation: Activation::GeluTanh,
        ..PLAIN
    },
    Family {
        name: "gemma3",
        windows: Windows::AllButEvery(6),
        activation: Activation::GeluTanh,
        ..PLAIN
    },
    Family {
        name: "gpt2",
        activation: Activation::GeluTanh,
        qkv_bias: Some(true),
        other_biases: Some(true),
        ..PLAIN
    },
    Family {
        name: "gptneox",
        activation: Activation::GeluTanh,
        partial_rotary: true,
        qkv_bias: Some(true),
        other_biases: Some(true),
        ..PLAIN
    },
];

/// What becomes of a model in a GGUF file.
pub(super) struct Limits {
    /// What the file is read as: the model without what the format leaves out.
    pub(super) reads_as: Spec,
    /// What was left out, in words.
    pub(super) notes: Vec<String>,
    /// Tokens up to which that makes no difference.
    pub(super) agrees_up_to: Option<usize>,
}

/// Checks that llama.cpp would run the model as it is.
///
/// # Errors
/// [`Error::NotRepresentable`] with everything that it would do differently.
pub(super) fn check(spec: &Spec, architecture: &Architecture) -> Result<Limits, Error> {
    let refuse = |reason: String| Error::NotRepresentable { format: "GGUF", reason };
    let name = architecture.gguf.architecture;
    let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
        return Err(refuse(format!(
            "llama.cpp does not know the architecture '{name}'; export as hf instead"
        )));
    };
    let mut limits = Limits { reads_as: spec.clone(), notes: Vec::new(), agrees_up_to: None };
    let mut wrong = Vec::new();
    windows(spec, family, &mut limits, &mut wrong);
    positions(spec, family, &mut wrong);
    details(spec, family, &mut limits, &mut wrong);
    if !wrong.is_empty() {
        return Err(refuse(format!(
            "llama.cpp has no setting for {} of a model of the family '{name}' and would answer differently; export as hf instead",
            wrong.join(", ")
        )));
    }
    Ok(limits)
}

fn windows(spec: &Spec, family: &Family, limits: &mut Limits, wrong: &mut Vec<String>) {
    if let Windows::AllButEvery(period) = family.windows {
        let fits = spec
            .layers
            .iter()
            .enumerate()
            .all(|(index, layer)| layer.window.is_some() == (index % period != period - 1));
        if !fits {
            wrong.push("which layers slide".to_owned());
        }
        return;
    }
    let shortest = spec.layers.iter().filter_map(|layer| layer.window).min();
    let Some(window) = shortest else { return };
    if matches!(family.windows, Windows::Unknown) {
        limits.reads_as.layers.iter_mut().for_each(|layer| layer.window = None);
    }
    if window >= spec.max_position_embeddings {
        return;
    }
    if window < SHORTEST_WINDOW_LEFT_OUT {
        wrong.push(format!("a sliding window of {window} tokens"));
        return;
    }
    limits.agrees_up_to = Some(window);
    limits.notes.push(format!(
        "llama.cpp lets every token see all tokens before it, where this model sees the last {window}: answers to texts of more than {window} tokens differ from those here."
    ));
}

fn positions(spec: &Spec, family: &Family, wrong: &mut Vec<String>) {
    for rope in &spec.ropes {
        if rope.rotary_dim != spec.head_dim && !family.partial_rotary {
            wrong.push("heads that are rotated in part".to_owned());
        }
        match &rope.scaling {
            RopeScaling::Llama3 { .. } if family.name != "llama" => {
                wrong.push("stretched positions of the kind 'llama3'".to_owned());
            }
            RopeScaling::LongRope { .. } if !family.divisors => {
                wrong.push("stretched positions of the kind 'longrope'".to_owned());
            }
            _ => {}
        }
    }
    if family.name == "gemma3"
        && spec
            .ropes
            .get(1)
            .is_some_and(|rope| rope.theta != 10_000.0 || rope.scaling != RopeScaling::Default)
    {
        wrong.push("the rotary base of its sliding layers".to_owned());
    }
    if spec.learned_positions {
        return;
    }
    // SmolLM3 goes without rotation in every fourth layer, everybody else in none.
    let rotated = |index: usize| family.name != "smollm3" || !(index + 1).is_multiple_of(4);
    if spec.layers.iter().enumerate().any(|(index, layer)| layer.rope.is_some() != rotated(index)) {
        wrong.push("which layers go without rotary positions".to_owned());
    }
}

fn details(spec: &Spec, family: &Family, limits: &mut Limits, wrong: &mut Vec<String>) {
    match (spec.activation, family.activation) {
        (found, known) if found == known => {}
        (Activation::Gelu, Activation::GeluTanh) => limits.notes.push(
            "llama.cpp computes this model's activation (GELU) by its usual approximation; logits there differ in the third or fourth digit.".to_owned(),
        ),
        _ => wrong.push("its activation".to_owned()),
    }
    if family.qkv_bias.is_some_and(|known| known != spec.qkv_bias) {
        wrong.push("the biases of query, key and value".to_owned());
    }
    if family.other_biases.is_some_and(|known| known != spec.out_bias || known != spec.mlp_bias) {
        wrong.push("the biases of its linear layers".to_owned());
    }
    // The 27 B models of Gemma scale by the hidden size shared among the heads.
    let largest = matches!((family.name, spec.layers.len()), ("gemma2", 46) | ("gemma3", 62));
    let width =
        if largest { spec.hidden_size / spec.num_attention_heads.max(1) } else { spec.head_dim };
    if (spec.attention_scale * (width as f32).sqrt() - 1.0).abs() > 1e-5 {
        wrong.push("the scale of its attention".to_owned());
    }
    let capped = [spec.attention_softcap, spec.final_softcap].map(|cap| cap.is_some());
    if capped != [family.name == "gemma2"; 2] {
        wrong.push("its soft caps".to_owned());
    }
    if spec.parallel_residual && family.name != "gptneox" {
        wrong.push("how its layers are joined".to_owned());
    }
    if family.name == "gemma2" && !spec.tie_word_embeddings {
        wrong.push("an output head of its own".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_architecture_has_a_family() {
        for architecture in sanbao_models::ARCHITECTURES {
            let name = architecture.gguf.architecture;
            assert!(FAMILIES.iter().any(|family| family.name == name), "{name}");
        }
    }
}
