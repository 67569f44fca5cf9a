//! From a person's files to the tokens a model is trained on.
//!
//! ```text
//! file ─ input ─▶ text ─ formats ─▶ Record ─ mapping, shapes ─▶ Example ─ tokens ─▶ Sequence ─ pack ─▶ PackedBatch
//!        hash,           rows and            what a row            ids, and            segments
//!        encoding        columns             teaches               which are learnt
//! ```
//!
//! - [`Table::open`] looks at a file: encoding, format ([`FORMATS`]), columns; [`Table::recognition`]
//!   proposes what the columns are for ([`SHAPES`]); [`parse_mapping`] reads what the person says
//!   instead.
//! - [`prepare()`] reads files as streams, makes the checks ([`CHECKS`]), splits the rows and writes a
//!   folder of tokens; [`Prepared::open`] reads it. [`look()`] does all of
//!   it but writing, and shows the first rows as the model sees them.
//!   Rows of one rated answer each become pairs as they are read: the best and the worst answer to
//!   a prompt.
//! - [`pack()`] orders the sequences of an epoch into rows of tokens, [`PackedBatch`] is such a row.
//!
//! How a row is put to the model is written down in [`mod@prompt`].

mod checks;
mod encoding;
mod error;
mod facts;
mod formats;
mod input;
mod look;
mod mapping;
mod pack;
mod pieces;
pub mod prepare;
mod prepared;
pub mod prompt;
mod rated;
mod record;
mod shapes;
pub mod split;
pub mod store;
mod stream;
mod survey;
mod table;
mod tally;
mod template;
#[cfg(test)]
mod testing;
mod tokens;

pub use sanbao_contract::data::Part;

pub use checks::{CHECKS, Check, FEWEST_ROWS, Stage};
pub use error::{Error, Place};
pub use formats::{FORMATS, Format, Layout, Records, Sample};
pub use input::{MAX_ROW_BYTES, TextFile};
pub use look::{Look, look, show};
pub use mapping::{Mapper, answered, asked, check_columns, parse_mapping};
pub use pack::{IGNORE, PackedBatch, pack};
pub use pieces::{Piece, PieceBuilder};
pub use prepare::{PrepareOptions, Progress, Source, Step, prepare, tokenizer_hash};
pub use prepared::Prepared;
pub use prompt::{
    MAX_LISTED_LABELS, as_learnt, classify_messages, for_task, training_messages, usual_task,
};
pub use record::Record;
pub use shapes::{Column, Field, Filled, SHAPES, ShapeRule, rule};
pub use split::Fractions;
pub use store::TokenStore;
pub use survey::{MAX_LABELS, Survey};
pub use table::{Table, recognise_file};
pub use template::Template;
pub use tokens::{Sequence, Tokenised, Tokeniser};
