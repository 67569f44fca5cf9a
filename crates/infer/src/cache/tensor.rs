//! The cache on a device: one rectangle of keys and one of values per layer,
//! `[sequences, capacity, kv_heads · head_dim]`.
//!
//! All sequences of a pass write at the same column, so that one assignment serves them all;
//! columns that a sequence did not fill are holes, which a mask hides. When the rectangle is
//! full or sequences come and go, it is gathered anew without holes.

use std::ops::Range;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, activation};
use sanbao_models::ops::attention::AttentionShape;

use super::{Branch, SequenceId};

/// Score of what may not be seen; its exponential is exactly 0 in float32.
const HIDDEN: f32 = -1e30;

/// Capacities are multiples of this.
const STEP: usize = 64;

struct Row {
    sequence: SequenceId,
    /// Row of the present rectangles that holds its tokens; `None` while it has none.
    source: Option<usize>,
    /// Position of the token in each column that was ever filled; `None` is a hole.
    columns: Vec<Option<usize>>,
}

/// All sequences of a cache.
pub struct TensorStore {
    rows: Vec<Row>,
    /// Keys and values of each layer.
    layers: Vec<Option<[Tensor<3>; 2]>>,
    /// Rows and columns of the rectangles.
    size: (usize, usize),
    plan: Option<Plan>,
}

/// How one pass maps onto the rectangles.
struct Plan {
    /// For each sequence of the pass, its row.
    rows: Vec<usize>,
    /// First column written.
    start: usize,
    /// Columns written: the longest sequence's new tokens.
    width: usize,
    /// For each cell `[sequences, width]`, the pass's token in it; padding repeats token 0.
    tokens: Tensor<1, Int>,
    /// For each of the pass's tokens, its cell.
    cells: Tensor<1, Int>,
    /// For each cell, what it is; `None` is padding.
    queries: Vec<Option<Query>>,
    masks: Vec<(Option<usize>, Tensor<5, Bool>)>,
}

/// A new token.
#[derive(Clone, Copy)]
struct Query {
    position: usize,
    /// First cell of its branch, counted in its sequence.
    branch: usize,
    /// Cell of the token, counted in its sequence.
    cell: usize,
}

impl Row {
    fn tokens(&self) -> usize {
        self.columns.iter().flatten().count()
    }
}

impl TensorStore {
    pub fn new(layers: usize) -> Self {
        let layers = (0..layers).map(|_| None).collect();
        Self { rows: Vec::new(), layers, size: (0, 0), plan: None }
    }

    /// Adds a sequence, empty or with what `from` has.
    pub fn insert(&mut self, sequence: SequenceId, from: Option<SequenceId>) {
        let parent = from.and_then(|from| self.rows.iter().find(|row| row.sequence == from));
        let (source, columns) = match parent {
            Some(parent) => (parent.source, parent.columns.clone()),
            None => (None, Vec::new()),
        };
        self.rows.push(Row { sequence, source, columns });
    }

    pub fn remove(&mut self, sequence: SequenceId) {
        self.rows.retain(|row| row.sequence != sequence);
    }

    /// Takes all tokens out of a sequence.
    pub fn clear(&mut self, sequence: SequenceId) {
        for row in self.rows.iter_mut().filter(|row| row.sequence == sequence) {
            row.columns.clear();
        }
    }

    /// Prepares a pass.
    pub fn plan(&mut self, branches: &[Branch], device: &Device) {
        let mut rows = Vec::new();
        let mut groups: Vec<Vec<&Branch>> = Vec::new();
        for branch in branches {
            let row = self.rows.iter().position(|row| row.sequence == branch.sequence);
            let Some(row) = row else { continue };
            match (rows.last(), groups.last_mut()) {
                (Some(last), Some(group)) if *last == row => group.push(branch),
                _ => {
                    rows.push(row);
                    groups.push(vec![branch]);
                }
            }
        }
        let end = |branch: &Branch| branch.offset + branch.rows.len();
        let width = groups.iter().flatten().map(|branch| end(branch)).max().unwrap_or(0);
        let start = self.arrange(&rows, width, device);

        let (mut tokens, mut queries) = (Vec::new(), Vec::new());
        let total = branches.iter().map(|branch| branch.rows.end).max().unwrap_or(0);
        let mut cells = vec![0_i32; total];
        for group in &groups {
            let first = tokens.len();
            tokens.resize(first + width, 0);
            queries.resize(first + width, None);
            for branch in group {
                for (index, token) in branch.rows.clone().enumerate() {
                    let cell = branch.offset + index;
                    tokens[first + cell] = token as i32;
                    cells[token] = (first + cell) as i32;
                    let position = branch.past + index;
                    queries[first + cell] = Some(Query { position, branch: branch.offset, cell });
                }
            }
        }
        let ints = |values: Vec<i32>| -> Tensor<1, Int> {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), device)
        };
        let (tokens, cells) = (ints(tokens), ints(cells));
        self.plan = Some(Plan { rows, start, width, tokens, cells, queries, masks: Vec::new() });
    }

    /// Makes the rectangles hold exactly the present sequences, with room for `width` more
    /// columns for `fed` rows; returns the first column to write.
    fn arrange(&mut self, fed: &[usize], width: usize, device: &Device) -> usize {
        let first_free = |rows: &[Row]| {
            fed.iter().filter_map(|row| rows.get(*row)).map(|row| row.columns.len()).max()
        };
        let start = first_free(&self.rows).unwrap_or(0);
        let in_place = self.rows.iter().enumerate().all(|(at, row)| row.source == Some(at));
        if in_place && self.size.0 == self.rows.len() && start + width <= self.size.1 {
            return start;
        }
        let longest = self.rows.iter().map(Row::tokens).max().unwrap_or(0);
        let needed = longest + width;
        let capacity = (needed + needed / 4).next_multiple_of(STEP);
        // A cell without a token may hold anything finite: the mask hides it.
        let mut cells = Vec::with_capacity(self.rows.len() * capacity);
        for (at, row) in self.rows.iter_mut().enumerate() {
            let begin = cells.len();
            for (column, position) in row.columns.iter().enumerate() {
                if let (Some(source), Some(_)) = (row.source, position) {
                    cells.push((source * self.size.1 + column) as i32);
                }
            }
            row.columns.retain(Option::is_some);
            row.source = Some(at);
            cells.resize(begin + capacity, 0);
        }
        let count = cells.len();
        let cells: Tensor<1, Int> = Tensor::from_data(TensorData::new(cells, [count]), device);
        let old = self.size;
        self.size = (self.rows.len(), capacity);
        for pair in self.layers.iter_mut() {
            *pair = pair.take().map(|pair| {
                pair.map(|cache| {
                    let [_, _, width] = cache.dims();
                    cache.reshape([old.0 * old.1, width]).select(0, cells.clone()).reshape([
                        self.size.0,
                        self.size.1,
                        width,
                    ])
                })
            });
        }
        first_free(&self.rows).unwrap_or(0)
    }

    /// Attention of the pass's queries in one layer, whose new keys and values are written.
    pub fn attend(
        &mut self,
        layer: usize,
        [q, k, v]: [Tensor<2>; 3],
        shape: AttentionShape,
    ) -> Tensor<2> {
        let Some(plan) = &mut self.plan else {
            return q;
        };
        let (device, kv_width) = (q.device(), k.dims()[1]);
        let AttentionShape { kv_heads, head_dim: d, .. } = shape;
        let (count, width, group) = (plan.rows.len(), plan.width, shape.group());
        let columns = plan.start + width;

        let caches = self.layers[layer].take().unwrap_or_else(|| {
            [0, 1].map(|_| Tensor::zeros([self.size.0, self.size.1, kv_width], &device))
        });
        let [keys, values] = caches;
        let keys = plan.write(keys, k);
        let values = plan.write(values, v);
        let heads = |cache: &Tensor<3>| {
            plan.read(cache).reshape([count, columns, kv_heads, d]).permute([0, 2, 1, 3])
        };
        let (k, v) = (heads(&keys), heads(&values));
        self.layers[layer] = Some([keys, values]);

        let q = q
            .select(0, plan.tokens.clone())
            .reshape([count, width, kv_heads, group, d])
            .permute([0, 2, 3, 1, 4])
            .reshape([count, kv_heads, group * width, d]);
        let scores = q.matmul(k.swap_dims(2, 3)) * shape.scale;
        let scores = match shape.softcap {
            Some(cap) => (scores / cap).tanh() * cap,
            None => scores,
        };
        let mask = plan.mask(&self.rows, shape, &device);
        let size = [count, kv_heads, group, width, columns];
        let scores = scores.reshape(size).mask_fill(mask.expand(size), HIDDEN);
        let p = activation::softmax(scores, 4);
        p.reshape([count, kv_heads, group * width, columns])
            .matmul(v)
            .reshape([count, kv_heads, group, width, d])
            .permute([0, 3, 1, 2, 4])
            .reshape([count * width, kv_heads * group * d])
            .select(0, plan.cells.clone())
    }

    /// Ends a pass: its tokens stay or go.
    pub fn settle(&mut self, branches: &[Branch], keep: bool) {
        let Some(plan) = self.plan.take() else {
            return;
        };
        if !keep {
            return;
        }
        for branch in branches {
            for row in self.rows.iter_mut().filter(|row| row.sequence == branch.sequence) {
                row.columns.resize(plan.start + branch.offset, None);
                let positions = branch.past..branch.past + branch.rows.len();
                row.columns.extend(positions.map(Some));
            }
        }
    }
}

impl Plan {
    /// The rows as a range, where they are one.
    fn range(&self) -> Option<Range<usize>> {
        let first = *self.rows.first()?;
        let joined = self.rows.iter().enumerate().all(|(at, row)| *row == first + at);
        joined.then_some(first..first + self.rows.len())
    }

    /// Writes new rows `[tokens, width]` behind what is there.
    fn write(&self, cache: Tensor<3>, new: Tensor<2>) -> Tensor<3> {
        let [_, _, kv_width] = cache.dims();
        let new = new.select(0, self.tokens.clone());
        let new = new.reshape([self.rows.len(), self.width, kv_width]);
        let columns = self.start..self.start + self.width;
        match self.range() {
            Some(rows) => cache.slice_assign([rows, columns, 0..kv_width], new),
            None => self.rows.iter().enumerate().fold(cache, |cache, (at, row)| {
                let new = new.clone().slice_dim(0, at..at + 1);
                cache.slice_assign([*row..row + 1, columns.clone(), 0..kv_width], new)
            }),
        }
    }

    /// The pass's sequences up to the last column written, `[sequences, columns, width]`.
    fn read(&self, cache: &Tensor<3>) -> Tensor<3> {
        let columns = cache.clone().slice_dim(1, 0..self.start + self.width);
        match self.range() {
            Some(rows) => columns.slice_dim(0, rows),
            None => super::select(columns, &self.rows),
        }
    }

    /// True where a query may not see a column, `[sequences, 1, 1, width, columns]`.
    fn mask(&mut self, rows: &[Row], shape: AttentionShape, device: &Device) -> Tensor<5, Bool> {
        if let Some((_, mask)) = self.masks.iter().find(|(window, _)| *window == shape.window) {
            return mask.clone();
        }
        let columns = self.start + self.width;
        let mut hidden = Vec::with_capacity(self.queries.len() * columns);
        for (cell, query) in self.queries.iter().enumerate() {
            let row = self.rows.get(cell / self.width).and_then(|row| rows.get(*row));
            let (Some(query), Some(row)) = (query, row) else {
                hidden.resize(hidden.len() + columns, true);
                continue;
            };
            let first = shape.first_visible(query.position);
            for column in 0..columns {
                let position = match column.checked_sub(self.start) {
                    None => row.columns.get(column).copied().flatten(),
                    // Positions rise by one along a branch, so its own cells follow from this one.
                    Some(new) => (query.branch..=query.cell)
                        .contains(&new)
                        .then(|| query.position - (query.cell - new)),
                };
                hidden.push(position.is_none_or(|position| position < first));
            }
        }
        let size = [self.rows.len(), 1, 1, self.width, columns];
        let mask: Tensor<5, Bool> = Tensor::from_data(TensorData::new(hidden, size), device);
        self.masks.push((shape.window, mask.clone()));
        mask
    }
}
