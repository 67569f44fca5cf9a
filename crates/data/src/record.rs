//! One row as the file has it.

use indexmap::IndexMap;
use sanbao_contract::data::Origin;
use serde_json::Value;

/// One row of a file: its columns by name, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it stands.
    pub origin: Origin,
    /// Its columns.
    pub fields: IndexMap<String, Value>,
    /// For a paragraph of running text: the number of the document that it continues. Paragraphs
    /// with one number follow each other and are read as one text.
    pub document: Option<u64>,
}

impl Record {
    /// A row that stands for itself.
    pub fn new(origin: Origin, fields: IndexMap<String, Value>) -> Self {
        Self { origin, fields, document: None }
    }
}
