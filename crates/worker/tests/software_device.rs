//! A whole training step on a software graphics device gives the weights that the CPU gives:
//! forward, backward, clipping, AdamW.
//!
//! Tolerance: 1e-4 of a weight. AdamW divides by the root of a gradient's square, so that where a
//! gradient is almost nothing its rounding decides the direction; those weights are left out.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use sanbao_data::Sequence;
use sanbao_models::host::to_vec;
use sanbao_models::{Activations, BaseModel, Trainable};
use sanbao_train::LoraConfig;
use sanbao_train::lora::{self, collect};
use sanbao_train::optimizer::{AdamW, AdamWSettings, clip_factor, gradient_norm};
use sanbao_train::step::{Portions, accumulate};

const DRIVER: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
/// Gradients below this share of the largest are left out.
const CLEAR: f32 = 1e-3;

/// The driver is chosen by the environment, which only a new process can be given.
#[test]
#[cfg(target_os = "linux")]
fn a_training_step_on_a_software_device_equals_the_cpu() {
    assert!(Path::new(DRIVER).is_file(), "mesa-vulkan-drivers is missing: run cargo xtask setup");
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_step", "--ignored", "--nocapture"])
        .env("SANBAO_HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env("VK_ICD_FILENAMES", DRIVER)
        .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

/// Adapters after one step, and the gradients of that step.
type Stepped = Vec<(String, Vec<f32>, Vec<f32>)>;

fn step(device: &Device) -> Stepped {
    let model = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/goldens/models/llama_gqa_tied");
    let mut model = BaseModel::open(&model).unwrap().load(device).unwrap();
    lora::attach(&mut model, &LoraConfig { r: 4, ..LoraConfig::default() }, 7).unwrap();
    let ids: Vec<u32> = (0..12).map(|at| 40 + 13 * at % 300).collect();
    let rows = [Sequence { trained: (0..12).map(|at| at > 5).collect(), ids }];
    let mut portions = Portions { tokens: 64, activations: Activations::Kept };
    let trainable = Trainable::Adapters;
    let mut sums =
        accumulate(&model, &rows, trainable, &mut portions, None, &mut |_| panic!("halved"))
            .unwrap();
    let norm = gradient_norm(&sums.grads).unwrap();
    assert!(norm > 0.0 && sums.loss > 0.0);
    let gradients: Vec<(String, Vec<f32>)> = sums
        .grads
        .iter()
        .map(|(name, gradient)| (name.to_owned(), to_vec(gradient.clone()).unwrap()))
        .collect();
    let mut optimizer = AdamW::new(AdamWSettings::default());
    optimizer.step(&mut model, trainable, &mut sums.grads, 1e-3, clip_factor(norm, 1.0));
    let weights = collect(&mut model, trainable).unwrap();
    gradients
        .into_iter()
        .map(|(name, gradient)| {
            let (_, values) = weights.get(&name).unwrap().clone();
            (name, values, gradient)
        })
        .collect()
}

#[test]
#[ignore = "run by the test above, with the driver in its environment"]
fn the_step() {
    let software = sanbao_worker::devices::open("software:0").unwrap();
    let (found, expected) = (step(&software.device), step(&Device::flex()));
    let mut compared = 0;
    for ((name, found, _), (_, expected, gradient)) in found.iter().zip(&expected) {
        let largest = gradient.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        for ((found, expected), gradient) in found.iter().zip(expected).zip(gradient) {
            if gradient.abs() > CLEAR * largest {
                assert!((found - expected).abs() < 1e-4, "{name}: {found} instead of {expected}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "only {compared} weights were compared");
}
