//! Base models: what is on disk, what it means, and computing with it.
//!
//! [`BaseModel::open`] understands a Hugging Face folder or a GGUF file; [`BaseModel::load`]
//! puts it on a device as a [`Decoder`], whose forward and backward passes serve every
//! architecture of [`ARCHITECTURES`].

pub mod architectures;
pub mod block;
mod card;
pub mod config;
pub mod decoder;
mod error;
pub mod gguf_map;
pub mod host;
mod licence;
mod memory;
pub mod names;
mod open;
pub mod ops;
pub mod rope;
mod self_check;
pub mod spec;
pub mod weights;

pub use architectures::{ARCHITECTURES, Architecture};
pub use decoder::{
    Activations, Decoder, ParameterMut, SCORE, SCORE_WITH_ADAPTERS, ScoreTargets, Targets, Trace,
};
pub use error::Error;
pub use licence::licence;
pub use memory::{Dimensions, Load, MemoryTerms, Work, memory};
pub use open::BaseModel;
pub use ops::{Adapter, Gradients, Layout, Linear, Trainable};
pub use self_check::{TOLERANCE, matmul_gflops, self_check};
