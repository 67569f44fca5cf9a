//! Which character encoding a file is in, found by looking at its bytes.
//!
//! In this order: a byte order mark; NUL bytes in the places where UTF-16 has them; UTF-8, if
//! every byte of the file agrees; else the guess of `chardetng` (GB18030, Big5, Shift_JIS,
//! EUC-KR, windows-125x …) from the parts of the file that hold other bytes than ASCII.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes at the start of a file that are looked at for UTF-16 and for files that are no text.
const HEAD: usize = 64 * 1024;

/// Bytes with other content than ASCII that the detector is shown.
const DETECTOR_BUDGET: usize = 1024 * 1024;

/// An encoding, and how it was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) encoding: &'static Encoding,
    /// Bytes of the byte order mark at the start, 0 without one.
    pub(crate) mark: usize,
}

/// Why no encoding was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no text: what it is, what to do.
    NotText(&'static str, &'static str),
    /// UTF-8 with a few broken sequences, the first at this offset and line.
    BrokenUtf8 { offset: u64, line: u64, column: u64 },
}

/// Files that people mistake for text, by their first bytes.
const MAGIC: &[(&[u8], &str, &str)] = &[
    (
        b"PK\x03\x04",
        "a zip archive or an Office document",
        "save the sheet as CSV, or unpack the archive",
    ),
    (b"\xD0\xCF\x11\xE0", "an old Office document", "save the sheet as CSV"),
    (b"%PDF-", "a PDF document", "save its text as a .txt file"),
    (b"\x1F\x8B", "compressed with gzip", "unpack it first"),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", "unpack it first"),
    (b"BZh", "compressed with bzip2", "unpack it first"),
    (b"\xFD7zXZ", "compressed with xz", "unpack it first"),
    (b"7z\xBC\xAF", "a 7z archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"PAR1", "a Parquet file", "save it as CSV or JSON lines"),
    (b"ARROW1", "an Arrow file", "save it as CSV or JSON lines"),
    (b"SQLite format 3", "an SQLite database", "save the table as CSV"),
    (b"GGUF", "a model in GGUF form", "give the file with the examples instead"),
    (b"\x89PNG", "a picture", "give a file with text"),
    (b"\xFF\xD8\xFF", "a picture", "give a file with text"),
    (b"\xFF\xFE\x00\x00", "text in UTF-32", "save it as UTF-8"),
    (b"\x00\x00\xFE\xFF", "text in UTF-32", "save it as UTF-8"),
];

/// Looks at a file's bytes as they pass by.
pub(crate) struct Inspector {
    head: Vec<u8>,
    detector: EncodingDetector,
    shown: usize,
    utf8: Utf8Tally,
}

impl Inspector {
    pub(crate) fn new() -> Self {
        Self {
            head: Vec::new(),
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            shown: 0,
            utf8: Utf8Tally::default(),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let room = HEAD - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.utf8.feed(bytes);
        if self.shown < DETECTOR_BUDGET && !bytes.is_ascii() {
            let take = bytes.len().min(DETECTOR_BUDGET - self.shown);
            self.detector.feed(&bytes[..take], false);
            self.shown += take;
        }
    }

    pub(crate) fn finish(mut self) -> Result<Found, Refusal> {
        if let Some((_, kind, advice)) =
            MAGIC.iter().find(|(magic, ..)| self.head.starts_with(magic))
        {
            return Err(Refusal::NotText(kind, advice));
        }
        if let Some((encoding, mark)) = Encoding::for_bom(&self.head) {
            if encoding == UTF_8 {
                self.utf8.check()?;
            }
            return Ok(Found { encoding, mark });
        }
        if let Some(encoding) = utf16(&self.head, self.utf8.broken == 0) {
            return Ok(Found { encoding, mark: 0 });
        }
        if control_share(&self.head) > 0.05 {
            return Err(Refusal::NotText(
                "a file of bytes that are no text",
                "give a file with text",
            ));
        }
        self.utf8.end();
        if self.utf8.broken == 0 || self.utf8.is_mostly_whole() {
            self.utf8.check()?;
            return Ok(Found { encoding: UTF_8, mark: 0 });
        }
        self.detector.feed(&[], true);
        let guess = self.detector.guess(None, Utf8Detection::Deny);
        Ok(Found { encoding: if guess == GBK { GB18030 } else { guess }, mark: 0 })
    }
}

/// Whole and broken multi-byte sequences of UTF-8 in a stream of bytes.
#[derive(Default)]
struct Utf8Tally {
    /// Start of a sequence whose rest is in the next chunk.
    carry: Vec<u8>,
    multibyte: u64,
    broken: u64,
    offset: u64,
    line: u64,
    column: u64,
    first_broken: Option<(u64, u64, u64)>,
}

impl Utf8Tally {
    fn feed(&mut self, bytes: &[u8]) {
        if self.carry.is_empty() {
            return self.scan(bytes);
        }
        let mut joined = std::mem::take(&mut self.carry);
        joined.extend_from_slice(bytes);
        self.scan(&joined);
    }

    fn scan(&mut self, mut bytes: &[u8]) {
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => return self.pass(text.as_bytes()),
                Err(error) => {
                    let (whole, rest) = bytes.split_at(error.valid_up_to());
                    self.pass(whole);
                    let Some(length) = error.error_len() else {
                        self.carry = rest.to_vec();
                        return;
                    };
                    self.mark_broken();
                    self.offset += length as u64;
                    bytes = &rest[length..];
                }
            }
        }
    }

    /// Counts bytes that are known to be valid.
    fn pass(&mut self, whole: &[u8]) {
        self.offset += whole.len() as u64;
        if !whole.is_ascii() {
            self.multibyte += whole.iter().filter(|byte| **byte >= 0xC0).count() as u64;
        }
        if self.first_broken.is_none() {
            advance(whole, &mut self.line, &mut self.column);
        }
    }

    fn mark_broken(&mut self) {
        self.broken += 1;
        let place = (self.offset, self.line + 1, self.column + 1);
        self.first_broken.get_or_insert(place);
    }

    /// A sequence that the end of the file cuts short is broken too.
    fn end(&mut self) {
        if !self.carry.is_empty() {
            self.carry.clear();
            self.mark_broken();
        }
    }

    /// Whether a few broken sequences stand among many whole ones, which no other encoding
    /// brings about by chance: the file is UTF-8 with damage, and must not be read as another.
    fn is_mostly_whole(&self) -> bool {
        self.multibyte >= 10 && self.multibyte >= self.broken.saturating_mul(10)
    }

    fn check(&mut self) -> Result<(), Refusal> {
        self.end();
        match self.first_broken {
            Some((offset, line, column)) => Err(Refusal::BrokenUtf8 { offset, line, column }),
            None => Ok(()),
        }
    }
}

/// Moves a 0-based line and character column over UTF-8 bytes.
pub(crate) fn advance(bytes: &[u8], line: &mut u64, column: &mut u64) {
    let newlines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let last_line = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => {
            *column = 0;
            &bytes[at + 1..]
        }
        None => bytes,
    };
    *line += newlines;
    *column += last_line.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u64;
}

/// UTF-16 without a byte order mark: ASCII characters (line ends, separators) leave NUL bytes, and
/// in one of the two byte orders nearly every character is one that people write.
///
/// ASCII text in UTF-16 is also valid UTF-8 (with NULs), so that many NULs are asked for then.
fn utf16(head: &[u8], valid_utf8: bool) -> Option<&'static Encoding> {
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    if zeros == 0 || valid_utf8 && zeros * 3 < head.len() {
        return None;
    }
    let share = |encoding| written_share(encoding, head);
    let (little, big) = (share(UTF_16LE), share(UTF_16BE));
    let (encoding, best) = if little >= big { (UTF_16LE, little) } else { (UTF_16BE, big) };
    (best >= 0.97 && little != big).then_some(encoding)
}

/// Share of characters from the scripts and signs that are in wide use, 0 when it cannot be decoded.
fn written_share(encoding: &'static Encoding, head: &[u8]) -> f64 {
    let even = &head[..head.len() / 2 * 2];
    // A surrogate pair that the end of the sample cuts in two is no fault of the text.
    let shorter = &even[..even.len().saturating_sub(2)];
    let decode = |bytes| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let Some(text) = decode(even).or_else(|| decode(shorter)) else { return 0.0 };
    let written = |c: &char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{A0}'..='\u{6FF}' | '\u{2010}'..='\u{206F}' | '\u{20AC}' | '\u{2190}'..='\u{27BF}'
            | '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}' | '\u{FF00}'..='\u{FFEF}' | '\u{1F000}'..='\u{1FAFF}')
    };
    text.chars().filter(written).count() as f64 / text.chars().count().max(1) as f64
}

/// Share of bytes that text does not use.
fn control_share(head: &[u8]) -> f64 {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B);
    head.iter().filter(|byte| control(byte)).count() as f64 / head.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use encoding_rs::{BIG5, WINDOWS_1252};

    const CHINESE: &str = "text,label\n快递很快，包装完好，第二天就收到了。,好评\n客服一直不回复，等了三天才退款。,差评\n";
    const TRADITIONAL: &str = "text,label\n這間餐廳的服務態度非常親切，下次還會再來。,好評\n等了一個小時才上菜，而且湯已經涼了。,差評\n";
    const FRENCH: &str = "text,label\nLe colis est arrivé très tard, déçu.,négatif\nÀ recommander, même à ma mère !,positif\n";

    fn find(bytes: &[u8]) -> Result<Found, Refusal> {
        let mut inspector = Inspector::new();
        for chunk in bytes.chunks(7) {
            inspector.feed(chunk);
        }
        inspector.finish()
    }

    fn utf16_bytes(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    }

    #[test]
    fn encodings_are_found() {
        let with_mark = |mark: &[u8], text: Vec<u8>| [mark, &text].concat();
        let cases: Vec<(&str, Vec<u8>, &'static Encoding, usize)> = vec![
            ("ascii", b"text,label\ngood,a\n".to_vec(), UTF_8, 0),
            ("utf-8", CHINESE.into(), UTF_8, 0),
            ("utf-8 with mark", with_mark(b"\xEF\xBB\xBF", CHINESE.into()), UTF_8, 3),
            (
                "utf-16 le with mark",
                with_mark(b"\xFF\xFE", utf16_bytes(CHINESE, true)),
                UTF_16LE,
                2,
            ),
            (
                "utf-16 be with mark",
                with_mark(b"\xFE\xFF", utf16_bytes(CHINESE, false)),
                UTF_16BE,
                2,
            ),
            ("utf-16 le", utf16_bytes(CHINESE, true), UTF_16LE, 0),
            ("utf-16 be", utf16_bytes(CHINESE, false), UTF_16BE, 0),
            ("utf-16 le, western", utf16_bytes(FRENCH, true), UTF_16LE, 0),
            ("utf-16 be, ascii", utf16_bytes("text,label\ngood,a\n", false), UTF_16BE, 0),
            ("gb18030", GB18030.encode(CHINESE).0.into_owned(), GB18030, 0),
            ("big5", BIG5.encode(TRADITIONAL).0.into_owned(), BIG5, 0),
            ("windows-1252", WINDOWS_1252.encode(FRENCH).0.into_owned(), WINDOWS_1252, 0),
        ];
        for (name, bytes, encoding, mark) in cases {
            assert_eq!(find(&bytes), Ok(Found { encoding, mark }), "{name}");
        }
    }

    #[test]
    fn a_late_foreign_byte_is_still_seen() {
        let mut bytes = b"text,label\n".to_vec();
        bytes.extend(b"plain words,good\n".repeat(10_000));
        bytes.extend_from_slice(&GB18030.encode(CHINESE).0);
        assert_eq!(find(&bytes).unwrap().encoding, GB18030);
    }

    #[test]
    fn damaged_utf8_is_refused_and_not_read_as_another_encoding() {
        let mut bytes = CHINESE.repeat(3).into_bytes();
        bytes.truncate(bytes.len() - 2);
        let end = bytes.len() as u64;
        let Err(Refusal::BrokenUtf8 { offset, line, .. }) = find(&bytes) else {
            panic!("damage not seen")
        };
        assert!(offset >= end - 3 && line == 9, "{offset} {line}");
        let mut bytes = CHINESE.as_bytes().to_vec();
        bytes.splice(11..11, *b"\xFF");
        assert_eq!(find(&bytes), Err(Refusal::BrokenUtf8 { offset: 11, line: 2, column: 1 }));
    }

    #[test]
    fn files_that_are_no_text_are_named() {
        for bytes in [&b"PK\x03\x04 rest"[..], b"%PDF-1.7", &[0, 1, 2, 3, 255, 254, 0, 9, 0, 0]] {
            assert!(matches!(find(bytes), Err(Refusal::NotText(..))), "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = find(&bytes);
        }

        #[test]
        fn any_text_is_utf8(text in "[^\u{0}-\u{8}]{0,80}") {
            if Encoding::for_bom(text.as_bytes()).is_none() && MAGIC.iter().all(|(magic, ..)| !text.as_bytes().starts_with(magic)) {
                proptest::prop_assert_eq!(find(text.as_bytes()).map(|found| found.encoding), control_share(text.as_bytes()).le(&0.05).then_some(UTF_8).ok_or(Refusal::NotText("a file of bytes that are no text", "give a file with text")));
            }
        }
    }
}
