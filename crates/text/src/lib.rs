//! Text to tokens and back, and conversations to text: tokenizers and chat templates.
//!
//! - [`Tokenizer`] is built from [`TokenizerFiles`], which come from a folder in Hugging Face
//!   layout or, through [`gguf_tokenizer`], from a GGUF file. Its ids, offsets and texts equal those
//!   of transformers 5.
//! - [`ChatTemplate`] renders conversations to the letter as transformers' `apply_chat_template`
//!   and finds the parts that the assistant says, which are what a model is taught.
//!   [`Tokenizer::encode_chat`] puts both together.
//! - [`StreamDecoder`] decodes tokens as a model gives them; [`ShownToken`] is a token for people
//!   to look at.
//!
//! Everything read here comes from strangers: files are checked, templates run in a thread of
//! their own with limits on work, output, nesting and time, and nothing panics.
//!
//! ```
//! # fn main() -> Result<(), sanbao_text::Error> {
//! use sanbao_contract::Message;
//! use sanbao_text::{ChatOptions, ChatTemplate, SpecialTokens};
//!
//! let special = SpecialTokens::new([("eos_token", "</s>")]);
//! let template = ChatTemplate::new(
//!     "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}\
//!      {% if add_generation_prompt %}<assistant>{% endif %}",
//!     &special,
//! )?;
//! let messages = [Message::new("user", "Hi"), Message::new("assistant", "Hello")];
//! let rendered = template.render_with_spans(&messages, &ChatOptions::default())?;
//! assert_eq!(rendered.text, "<user>Hi</s><assistant>Hello</s>");
//! assert_eq!(&rendered.text[rendered.spans[0].clone()], "Hello</s>");
//! # Ok(())
//! # }
//! ```

mod byte_level;
mod chat;
mod decode;
mod error;
mod files;
mod gguf;
mod isolate;
mod python;
mod show;
mod special;
mod tokenizer;

pub use chat::{ChatOptions, ChatTemplate, Rendered, TokenizedChat};
pub use decode::StreamDecoder;
pub use error::Error;
pub use files::TokenizerFiles;
pub use gguf::{GgufTokenizer, gguf_tokenizer};
pub use show::ShownToken;
pub use special::SpecialTokens;
pub use tokenizer::Tokenizer;
