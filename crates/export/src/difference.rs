//! In what two models differ, before any number is computed.

use sanbao_models::rope::Rope;
use sanbao_models::spec::Spec;

/// Relative difference of rotary frequencies that comes from storing them in float32.
const SAME_FREQUENCY: f64 = 1e-4;

/// What of `found` is not as in `expected`, in words.
pub(crate) fn differences(found: &Spec, expected: &Spec) -> Vec<&'static str> {
    let windows = |spec: &Spec| spec.layers.iter().map(|layer| layer.window).collect::<Vec<_>>();
    let checks = [
        ("the names of its weights", found.names == expected.names),
        ("the size of its vocabulary", found.vocab_size == expected.vocab_size),
        (
            "its width",
            found.hidden_size == expected.hidden_size
                && found.intermediate_size == expected.intermediate_size,
        ),
        ("the number of its layers", found.layers.len() == expected.layers.len()),
        (
            "its attention heads",
            found.num_attention_heads == expected.num_attention_heads
                && found.num_key_value_heads == expected.num_key_value_heads
                && found.head_dim == expected.head_dim,
        ),
        ("its longest context", found.max_position_embeddings == expected.max_position_embeddings),
        ("its sliding windows", windows(found) == windows(expected)),
        ("its rotary positions", same_positions(found, expected)),
        (
            "its normalisation",
            found.norm == expected.norm
                && found.qk_norm == expected.qk_norm
                && found.post_norms == expected.post_norms,
        ),
        ("its activation", found.activation == expected.activation),
        (
            "the layout of its weights",
            found.qkv == expected.qkv
                && found.mlp == expected.mlp
                && found.weight_layout == expected.weight_layout,
        ),
        (
            "its biases",
            found.qkv_bias == expected.qkv_bias
                && found.out_bias == expected.out_bias
                && found.mlp_bias == expected.mlp_bias,
        ),
        (
            "how its layers are joined",
            found.parallel_residual == expected.parallel_residual
                && found.learned_positions == expected.learned_positions,
        ),
        ("the scale of its embeddings", found.embedding_scale == expected.embedding_scale),
        (
            "the scale of its attention",
            (found.attention_scale / expected.attention_scale - 1.0).abs() < 1e-6,
        ),
        (
            "its soft caps",
            found.attention_softcap == expected.attention_softcap
                && found.final_softcap == expected.final_softcap,
        ),
        ("its output head", found.tie_word_embeddings == expected.tie_word_embeddings),
    ];
    checks.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
}

/// Whether each layer turns positions by the same angles, however the files say so.
fn same_positions(found: &Spec, expected: &Spec) -> bool {
    let lengths = [1, expected.max_position_embeddings];
    found.layers.len() == expected.layers.len()
        && found.layers.iter().zip(&expected.layers).all(|(a, b)| match (a.rope, b.rope) {
            (None, None) => true,
            (Some(a), Some(b)) => match (found.ropes.get(a), expected.ropes.get(b)) {
                (Some(a), Some(b)) => {
                    a.rotary_dim == b.rotary_dim
                        && lengths.iter().all(|length| same_angles(a, b, *length))
                }
                _ => false,
            },
            _ => false,
        })
}

fn same_angles(a: &Rope, b: &Rope, length: usize) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= SAME_FREQUENCY * b.abs();
    // Cosines at position 0 are the factor on cos and sin.
    let factor = |rope: &Rope| rope.table(&[0]).cos.first().copied().map_or(1.0, f64::from);
    let (a_frequencies, b_frequencies) =
        (a.inverse_frequencies(length), b.inverse_frequencies(length));
    a_frequencies.len() == b_frequencies.len()
        && a_frequencies.iter().zip(&b_frequencies).all(|(a, b)| close(*a, *b))
        && close(factor(a), factor(b))
}
