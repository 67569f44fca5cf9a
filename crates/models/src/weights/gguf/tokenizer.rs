//! The tokenizer's part of a GGUF file's metadata.

use sanbao_text::GgufTokenizer;

use super::Gguf;
use crate::weights::Error;

impl Gguf {
    /// The `tokenizer.*` entries, as they stand; what they mean is sanbao-text's to say.
    ///
    /// # Errors
    /// When there is no tokenizer (`tokenizer.ggml.model`, `tokenizer.ggml.tokens`), or an entry
    /// is of another type than the format says.
    pub fn tokenizer(&self) -> Result<GgufTokenizer, Error> {
        let key = |name: &str| format!("tokenizer.ggml.{name}");
        let text = |key: &str| -> Result<Option<String>, Error> {
            Ok(self.get::<&str>(key)?.map(str::to_owned))
        };
        let texts = |name: &str| -> Result<Option<Vec<String>>, Error> {
            Ok(self.get::<&[String]>(&key(name))?.map(<[String]>::to_vec))
        };
        Ok(GgufTokenizer {
            model: self.require::<&str>(&key("model"))?.to_owned(),
            pre: text(&key("pre"))?,
            tokens: self.require::<&[String]>(&key("tokens"))?.to_vec(),
            scores: self.get::<&[f32]>(&key("scores"))?.map(<[f32]>::to_vec),
            token_types: self.get(&key("token_type"))?,
            merges: texts("merges")?,
            bos: self.get(&key("bos_token_id"))?,
            eos: self.get(&key("eos_token_id"))?,
            pad: self.get(&key("padding_token_id"))?,
            unk: self.get(&key("unknown_token_id"))?,
            add_bos: self.get(&key("add_bos_token"))?,
            add_eos: self.get(&key("add_eos_token"))?,
            add_space_prefix: self.get(&key("add_space_prefix"))?,
            chat_template: text("tokenizer.chat_template")?
                .filter(|template| !template.trim().is_empty()),
        })
    }
}
