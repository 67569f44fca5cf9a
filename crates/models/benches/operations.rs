//! How long the operations that are not matrix products take on the host, at the sizes of a
//! 135 M-parameter Llama: `cargo bench -p sanbao-models`, or, without building everything a
//! second time, `cargo bench --workspace --profile dev --bench operations`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use burn::tensor::{Device, Distribution, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use sanbao_models::ops::attention::{AttentionShape, attend, attend_backward};
use sanbao_models::ops::{Norm, TokenLoss, gated, gated_backward, token_losses_with_gradient};
use sanbao_models::spec::{Activation, NormKind};
use sanbao_models::{Gradients, Layout, Trainable};

const HIDDEN: usize = 576;
const INNER: usize = 1536;
const VOCABULARY: usize = 49_152;
const SHAPE: AttentionShape = AttentionShape {
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    scale: 0.125,
    softcap: None,
    window: None,
};

fn random(device: &Device, rows: usize, width: usize) -> Tensor<2> {
    Tensor::random([rows, width], Distribution::Normal(0.0, 1.0), device)
}

fn attention(criterion: &mut Criterion) {
    let device = Device::flex();
    for (name, layout) in
        [("16 × 64", Layout::packed([64; 16])), ("1 × 1024", Layout::packed([1024]))]
    {
        let tokens = layout.tokens();
        let q = random(&device, tokens, SHAPE.heads * SHAPE.head_dim);
        let [k, v] = [(); 2].map(|()| random(&device, tokens, SHAPE.kv_heads * SHAPE.head_dim));
        let saved = attend(q.clone(), k.clone(), v.clone(), &layout, SHAPE);
        criterion.bench_function(&format!("attention forward, {name}"), |bencher| {
            bencher.iter(|| black_box(attend(q.clone(), k.clone(), v.clone(), &layout, SHAPE)));
        });
        criterion.bench_function(&format!("attention backward, {name}"), |bencher| {
            bencher.iter(|| {
                let saved = saved.clone();
                black_box(attend_backward(
                    q.clone(),
                    k.clone(),
                    v.clone(),
                    saved,
                    q.clone(),
                    &layout,
                    SHAPE,
                ))
            });
        });
    }
}

fn norm(criterion: &mut Criterion) {
    let device = Device::flex();
    let x = random(&device, 1024, HIDDEN);
    let norm = Norm {
        name: "norm".into(),
        kind: NormKind::Rms { eps: 1e-5 },
        weight: Tensor::ones([HIDDEN], &device),
        bias: None,
    };
    criterion.bench_function("norm forward, 1024 × 576", |bencher| {
        bencher.iter(|| black_box(norm.forward(x.clone())));
    });
    criterion.bench_function("norm backward, 1024 × 576", |bencher| {
        let mut gradients = Gradients::default();
        bencher.iter(|| {
            black_box(norm.backward(x.clone(), x.clone(), Trainable::Adapters, &mut gradients))
        });
    });
}

fn activation(criterion: &mut Criterion) {
    let device = Device::flex();
    let [gate, up] = [(); 2].map(|()| random(&device, 1024, INNER));
    criterion.bench_function("silu(gate) · up forward, 1024 × 1536", |bencher| {
        bencher.iter(|| black_box(gated(Activation::Silu, gate.clone(), up.clone())));
    });
    criterion.bench_function("silu(gate) · up backward, 1024 × 1536", |bencher| {
        bencher.iter(|| {
            black_box(gated_backward(Activation::Silu, gate.clone(), up.clone(), up.clone()))
        });
    });
}

fn loss(criterion: &mut Criterion) {
    let device = Device::flex();
    let (hidden, head) = (random(&device, 64, HIDDEN), random(&device, VOCABULARY, HIDDEN));
    let loss = TokenLoss { head: &head, softcap: None, trained_as: None };
    let targets: Vec<u32> = (0..64).map(|at| at * 700).collect();
    let weights = [1.0 / 64.0; 64];
    criterion.bench_function("loss and gradient, 64 × 49152", |bencher| {
        let mut gradients = Gradients::default();
        bencher.iter(|| {
            let found = token_losses_with_gradient(
                &loss,
                hidden.clone(),
                &targets,
                &weights,
                &mut gradients,
            );
            black_box(found.unwrap())
        });
    });
}

criterion_group! {
    name = operations;
    config = Criterion::default().sample_size(20);
    targets = attention, norm, activation, loss
}
criterion_main!(operations);
