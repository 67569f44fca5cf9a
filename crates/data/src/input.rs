//! Reading a person's text file: known by its hash, decoded as a stream, never held whole.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use crate::encoding::{Inspector, Refusal, advance};
use crate::error::{Error, Place};

/// Longest row (in bytes of UTF-8) that is held in memory.
pub const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;

/// Bytes read from the disk at once.
const CHUNK: usize = 64 * 1024;

/// A text file: hash and encoding are known, the content is read as a stream.
#[derive(Debug, Clone)]
pub struct TextFile {
    path: PathBuf,
    name: Arc<str>,
    bytes: u64,
    blake3: String,
    encoding: &'static Encoding,
    mark: usize,
    read: Arc<AtomicU64>,
}

impl TextFile {
    /// Reads the whole file once for its BLAKE3 hash and its encoding; memory stays constant.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::NotText`], [`Error::Encoding`] when it is UTF-8 with damage, and
    /// [`Error::NoRows`] when it is empty.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read_error = |source| Error::Read { path: path.to_owned(), source };
        let name = path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let mut input = File::open(path).map_err(read_error)?;
        if input.metadata().map_err(read_error)?.is_dir() {
            return Err(Error::NotText {
                file: name,
                kind: "a folder".into(),
                advice: "give the file in it".into(),
            });
        }
        let mut hasher = blake3::Hasher::new();
        let mut inspector = Inspector::new();
        let mut chunk = vec![0; 16 * CHUNK];
        let mut bytes = 0;
        loop {
            let read = input.read(&mut chunk).map_err(read_error)?;
            if read == 0 {
                break;
            }
            bytes += read as u64;
            hasher.update(&chunk[..read]);
            inspector.feed(&chunk[..read]);
        }
        if bytes == 0 {
            return Err(Error::NoRows { file: name });
        }
        let found = inspector.finish().map_err(|refusal| match refusal {
            Refusal::NotText(kind, advice) => {
                Error::NotText { file: name.clone(), kind: kind.into(), advice: advice.into() }
            }
            Refusal::BrokenUtf8 { offset, line, column } => Error::Encoding {
                place: Place::line(&name, line, column),
                encoding: UTF_8.name().into(),
                offset,
            },
        })?;
        Ok(Self {
            path: path.to_owned(),
            name: name.into(),
            bytes,
            blake3: hasher.finalize().to_hex().to_string(),
            encoding: found.encoding,
            mark: found.mark,
            read: Arc::default(),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name without the folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name's extension in lower case, empty without one.
    pub fn extension(&self) -> String {
        self.path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase())
            .unwrap_or_default()
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// BLAKE3 of its bytes, in hex.
    pub fn blake3(&self) -> &str {
        &self.blake3
    }

    /// WHATWG name of its encoding.
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// Whether it starts with a byte order mark.
    pub fn has_mark(&self) -> bool {
        self.mark > 0
    }

    /// Bytes read by the readers of this file so far, all together.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Starts reading at the beginning (after the byte order mark).
    pub(crate) fn reader(&self) -> Result<TextReader, Error> {
        let mut input = File::open(&self.path)
            .map_err(|source| Error::Read { path: self.path.clone(), source })?;
        let mut mark = [0; 3];
        input
            .read_exact(&mut mark[..self.mark])
            .map_err(|source| Error::Read { path: self.path.clone(), source })?;
        Ok(TextReader::new(
            self.path.clone(),
            self.name.clone(),
            Box::new(input),
            self.encoding,
            self.mark as u64,
            self.read.clone(),
        ))
    }
}

/// Text decoded to UTF-8 piece by piece, with the place of the next unread character known.
pub(crate) struct TextReader {
    path: PathBuf,
    name: Arc<str>,
    input: Box<dyn Read + Send>,
    encoding: &'static Encoding,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    /// Offset in the file of the raw byte that is decoded next.
    offset: u64,
    input_ended: bool,
    out: Vec<u8>,
    out_at: usize,
    ended: bool,
    line: u64,
    column: u64,
    read: Arc<AtomicU64>,
}

impl TextReader {
    fn new(
        path: PathBuf,
        name: Arc<str>,
        input: Box<dyn Read + Send>,
        encoding: &'static Encoding,
        offset: u64,
        read: Arc<AtomicU64>,
    ) -> Self {
        Self {
            path,
            name,
            input,
            encoding,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            raw_at: 0,
            offset,
            input_ended: false,
            out: Vec::new(),
            out_at: 0,
            ended: false,
            line: 0,
            column: 0,
            read,
        }
    }

    /// Reads text that is in memory.
    pub(crate) fn over(name: &str, text: Vec<u8>) -> Self {
        Self::new(
            PathBuf::from(name),
            name.into(),
            Box::new(std::io::Cursor::new(text)),
            UTF_8,
            0,
            Arc::default(),
        )
    }

    /// Name of the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// 1-based line of the next unread character.
    pub(crate) fn line(&self) -> u64 {
        self.line + 1
    }

    /// Place of the next unread character.
    pub(crate) fn place(&self) -> Place {
        Place::line(&self.name, self.line + 1, self.column + 1)
    }

    /// The next unread bytes, whole UTF-8 characters without NUL; empty at the end.
    pub(crate) fn peek(&mut self) -> Result<&[u8], Error> {
        while self.out_at == self.out.len() && !self.ended {
            self.decode()?;
        }
        Ok(&self.out[self.out_at..])
    }

    /// The next unread byte.
    pub(crate) fn peek_byte(&mut self) -> Result<Option<u8>, Error> {
        Ok(self.peek()?.first().copied())
    }

    /// Marks the next `count` bytes as read.
    pub(crate) fn skip(&mut self, count: usize) {
        let end = (self.out_at + count).min(self.out.len());
        advance(&self.out[self.out_at..end], &mut self.line, &mut self.column);
        self.out_at = end;
    }

    /// Appends the next line without its end (`\n` or `\r\n`); false at the end of the file.
    ///
    /// `row` is for the error when the line is longer than [`MAX_ROW_BYTES`].
    pub(crate) fn read_line(&mut self, row: u64, line: &mut Vec<u8>) -> Result<bool, Error> {
        let start = self.place();
        let mut any = false;
        loop {
            let bytes = self.peek()?;
            if bytes.is_empty() {
                break;
            }
            any = true;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            let taken = end.map_or(bytes.len(), |end| end + 1);
            self.skip(taken);
            if line.len() > MAX_ROW_BYTES {
                return Err(too_long(start, row));
            }
            if end.is_some() {
                break;
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(any)
    }

    fn decode(&mut self) -> Result<(), Error> {
        if self.raw_at == self.raw.len() && !self.input_ended {
            self.raw.resize(CHUNK, 0);
            let read = loop {
                match self.input.read(&mut self.raw) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    other => {
                        break other
                            .map_err(|source| Error::Read { path: self.path.clone(), source })?;
                    }
                }
            };
            self.raw.truncate(read);
            self.raw_at = 0;
            self.input_ended = read == 0;
            self.read.fetch_add(read as u64, Ordering::Relaxed);
        }
        self.out.resize(3 * CHUNK, 0);
        self.out_at = 0;
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_at..],
            &mut self.out,
            self.input_ended,
        );
        self.raw_at += read;
        self.offset += read as u64;
        self.out.truncate(written);
        if let Some(nul) = self.out.iter().position(|byte| *byte == 0) {
            return Err(Error::Nul { place: self.place_after(nul) });
        }
        match result {
            DecoderResult::Malformed(length, after) => Err(Error::Encoding {
                place: self.place_after(written),
                encoding: self.encoding.name().to_owned(),
                offset: self.offset.saturating_sub(u64::from(length) + u64::from(after)),
            }),
            DecoderResult::InputEmpty => {
                self.ended = self.input_ended;
                Ok(())
            }
            DecoderResult::OutputFull => Ok(()),
        }
    }

    /// Place of the character `count` bytes after the next unread one.
    fn place_after(&self, count: usize) -> Place {
        let (mut line, mut column) = (self.line, self.column);
        advance(&self.out[self.out_at..self.out_at + count], &mut line, &mut column);
        Place::line(&self.name, line + 1, column + 1)
    }
}

/// The error for a row above [`MAX_ROW_BYTES`].
pub(crate) fn too_long(place: Place, row: u64) -> Error {
    Error::RowTooLong { place: place.in_row(row), limit_mib: MAX_ROW_BYTES / (1024 * 1024) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use encoding_rs::{GB18030, UTF_16LE};

    fn read(bytes: Vec<u8>, encoding: &'static Encoding) -> Result<String, Error> {
        let mut reader = TextReader::new(
            "t".into(),
            "t.txt".into(),
            Box::new(std::io::Cursor::new(bytes)),
            encoding,
            0,
            Arc::default(),
        );
        let mut text = Vec::new();
        loop {
            let piece = reader.peek()?.to_vec();
            if piece.is_empty() {
                return Ok(String::from_utf8(text).unwrap());
            }
            reader.skip(piece.len());
            text.extend(piece);
        }
    }

    #[test]
    fn long_text_survives_every_encoding() {
        let text = "第一行：价格 12 元，很好。\nsecond line 🦊\n".repeat(9000);
        assert_eq!(read(text.clone().into(), UTF_8).unwrap(), text);
        assert_eq!(read(GB18030.encode(&text).0.into_owned(), GB18030).unwrap(), text);
        assert_eq!(
            read(text.encode_utf16().flat_map(u16::to_le_bytes).collect(), UTF_16LE).unwrap(),
            text
        );
    }

    #[test]
    fn malformed_bytes_and_nuls_are_placed() {
        let mut bytes = "行一\n行二".to_owned().into_bytes();
        bytes.push(0xFF);
        let error = read(bytes, UTF_8).unwrap_err();
        assert_eq!(
            error.to_string(),
            "t.txt, line 2, column 3: the bytes here are not valid UTF-8 (byte 13 of the file); save the file as UTF-8 and try again."
        );
        let error = read("abc\nx\0y".into(), UTF_8).unwrap_err();
        assert!(
            matches!(&error, Error::Nul { place } if place.line == Some(2) && place.column == Some(2)),
            "{error}"
        );
        let mut truncated: Vec<u8> = "好".encode_utf16().flat_map(u16::to_le_bytes).collect();
        truncated.push(b'a');
        assert!(matches!(read(truncated, UTF_16LE), Err(Error::Encoding { .. })));
    }

    #[test]
    fn lines_end_with_either_mark() {
        let mut reader = TextReader::over("t.txt", b"a\r\nb\n\nlast".to_vec());
        let mut lines = Vec::new();
        loop {
            let mut line = Vec::new();
            if !reader.read_line(1, &mut line).unwrap() {
                break;
            }
            lines.push((String::from_utf8(line).unwrap(), reader.line()));
        }
        assert_eq!(
            lines,
            [("a".to_owned(), 2), ("b".to_owned(), 3), (String::new(), 4), ("last".to_owned(), 4)]
        );
    }
}
