//! Reading and making tensors that live in the main memory, without copies.
//!
//! burn's flex backend keeps a tensor as one slice of numbers. The operations in [`crate::ops`]
//! that are bound by memory traffic (norms, activations, attention, the loss) run as one pass
//! over those slices when a tensor is on the host, and as burn operations, which a GPU fuses,
//! when it is not.

use burn::backend::{DispatchDevice, Flex};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

/// Whether tensors of the device are slices in main memory.
pub fn is_host(device: &Device) -> bool {
    matches!(device.as_dispatch(), DispatchDevice::Flex(_))
}

/// A float32 tensor on the host, contiguous.
pub struct HostTensor(burn::backend::tensor::FloatTensor<Flex>);

impl HostTensor {
    /// Takes a tensor whose device is the host ([`is_host`]).
    ///
    /// # Panics
    /// When the tensor is on another device: callers branch on [`is_host`] first.
    #[allow(clippy::expect_used)]
    pub fn new<const D: usize>(tensor: Tensor<D>) -> Self {
        let primitive = tensor.try_into_primitive::<Flex>().expect("callers checked is_host");
        Self(primitive.to_contiguous())
    }

    /// The numbers, row-major.
    pub fn slice(&self) -> &[f32] {
        let start = self.0.layout().start_offset();
        &self.0.storage::<f32>()[start..start + self.0.layout().num_elements()]
    }
}

/// A tensor from numbers in row-major order.
pub fn from_vec<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Numbers of a tensor on any device, row-major.
///
/// # Errors
/// The device's words when it could not deliver (a lost GPU, for example).
pub fn to_vec<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, crate::Error> {
    tensor
        .try_into_data()
        .map_err(|error| {
            crate::Error::Device(format!("the device did not deliver its result: {error:?}"))
        })?
        .try_into_vec::<f32>()
        .map_err(|error| {
            crate::Error::Device(format!("the device delivered another type: {error:?}"))
        })
}

/// Rows below this many numbers in all are not worth a second thread.
const PARALLEL: usize = 1 << 15;

/// Runs `row(index, output row)` for every row of a new `[rows, width]` buffer.
pub fn map_rows(rows: usize, width: usize, row: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut out = vec![0.0; rows * width];
    if width == 0 {
        return out;
    }
    let run = |(index, chunk): (usize, &mut [f32])| row(index, chunk);
    if rows * width >= PARALLEL {
        let arch = pulp::Arch::new();
        out.par_chunks_mut(width)
            .with_min_len(16)
            .enumerate()
            .for_each(|pair| arch.dispatch(|| run(pair)));
    } else {
        let arch = pulp::Arch::new();
        arch.dispatch(|| out.chunks_mut(width).enumerate().for_each(run));
    }
    out
}
