//! Matrix products over slices, for kernels that work on parts of a tensor.

/// A matrix inside a slice: where it begins and how far apart rows and columns are.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Begins at the first number.
    pub data: &'a [f32],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Numbers from a row to the next.
    pub row_stride: usize,
    /// Numbers from a column to the next.
    pub column_stride: usize,
}

impl<'a> View<'a> {
    /// Rows of `columns` numbers, `row_stride` apart.
    pub fn rows(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transpose, without moving anything.
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    fn last(&self) -> usize {
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride
    }
}

/// `out = keep · out + factor · a b` on one thread, `out` row-major with rows `out_stride` apart;
/// `keep` is 0 or 1.
///
/// # Panics
/// When shapes do not fit each other or the slices.
#[allow(unsafe_code)]
pub fn product(out: &mut [f32], out_stride: usize, keep: bool, a: View, b: View, factor: f32) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0 && b.rows == k, "inner dimensions differ");
    assert!(
        a.last() < a.data.len() && b.last() < b.data.len(),
        "an operand reaches past its slice"
    );
    assert!((m - 1) * out_stride + n <= out.len(), "the result reaches past its slice");
    // SAFETY: the assertions above keep every access of the three strided matrices inside
    // their slices, and `out` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            keep,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0_f32,
            factor,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_and_transposed_products() {
        // a is 2x3 inside rows of 4, b is 3x2 stored transposed.
        let a = [1.0, 2.0, 3.0, 9.0, 4.0, 5.0, 6.0, 9.0];
        let b = [1.0, 0.0, 2.0, 0.0, 1.0, 1.0];
        let mut out = vec![10.0; 6];
        product(
            &mut out,
            3,
            true,
            View::rows(&a, 2, 3, 4),
            View::rows(&b, 2, 3, 3).transposed(),
            2.0,
        );
        assert_eq!(out, [24.0, 20.0, 10.0, 42.0, 32.0, 10.0]);
    }
}
