//! Tokens on disk: one file per part, memory-mapped for reading.
//!
//! All numbers are little-endian.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 8 | `SANBAOTK` |
//! | 8 | 4 | layout, 1 |
//! | 12 | 4 | 0 |
//! | 16 | 8 | number of sequences *n* |
//! | 24 | 8 | number of tokens *t* |
//! | 32 | 32 | BLAKE3 of everything else: bytes 64 to the end, then bytes 0 to 32 |
//! | 64 | 4 *t* | tokens: id in the lower 31 bits, the top bit tells whether it is trained |
//! | 64 + 4 *t* | 8 (*n* + 1) | index of each sequence's first token, then *t* |

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use memmap2::Mmap;

use crate::error::Error;
use crate::tokens::Sequence;

const MAGIC: [u8; 8] = *b"SANBAOTK";
const LAYOUT: u32 = 1;
const HEADER: usize = 64;
/// Bytes of the header that the hash covers.
const HASHED_HEADER: usize = 32;
const TRAINED: u32 = 1 << 31;

/// Writes a part, sequence by sequence.
pub(crate) struct TokenWriter {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    offsets: Vec<u64>,
}

impl TokenWriter {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create_new(path)?);
        out.write_all(&[0; HEADER])?;
        Ok(Self { out, hasher: blake3::Hasher::new(), offsets: vec![0] })
    }

    pub(crate) fn push(&mut self, sequence: &Sequence) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(4 * sequence.ids.len());
        for (id, trained) in sequence.ids.iter().zip(&sequence.trained) {
            if id & TRAINED != 0 {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("token id {id} needs more than 31 bits"),
                ));
            }
            bytes.extend_from_slice(&(id | if *trained { TRAINED } else { 0 }).to_le_bytes());
        }
        self.offsets.push(self.tokens() + sequence.ids.len() as u64);
        self.write(&bytes)
    }

    /// Sequences written.
    pub(crate) fn sequences(&self) -> usize {
        self.offsets.len() - 1
    }

    fn tokens(&self) -> u64 {
        self.offsets.last().copied().unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }

    /// Writes index and header; the file is whole after this.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let offsets = std::mem::take(&mut self.offsets);
        for some in offsets.chunks(4096) {
            let bytes: Vec<u8> = some.iter().flat_map(|offset| offset.to_le_bytes()).collect();
            self.write(&bytes)?;
        }
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&MAGIC);
        header[8..12].copy_from_slice(&LAYOUT.to_le_bytes());
        header[16..24].copy_from_slice(&(offsets.len() as u64 - 1).to_le_bytes());
        header[24..32].copy_from_slice(&offsets.last().copied().unwrap_or(0).to_le_bytes());
        self.hasher.update(&header[..HASHED_HEADER]);
        header[HASHED_HEADER..].copy_from_slice(self.hasher.finalize().as_bytes());
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()
    }
}

/// The sequences of a part, in a file that is mapped into memory.
#[derive(Debug)]
pub struct TokenStore {
    map: Mmap,
    sequences: usize,
    tokens: usize,
}

impl TokenStore {
    /// Opens a file and checks its hash and every offset.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Version`] for another layout; [`Error::Corrupt`] when the file is
    /// cut off, changed or was never one of ours.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read_error = |source| Error::Read { path: path.to_owned(), source };
        let corrupt =
            |problem: &str| Error::Corrupt { path: path.to_owned(), problem: problem.to_owned() };
        let mut file = File::open(path).map_err(read_error)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| corrupt("it is shorter than its header"))?;
        if header[..8] != MAGIC {
            return Err(corrupt("it does not hold tokens"));
        }
        let layout = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        if layout != LAYOUT {
            return Err(Error::Version { path: path.to_owned(), found: layout, expected: LAYOUT });
        }
        let sequences = number(&header, 16);
        let tokens = number(&header, 24);
        let length = u64::from_le_bytes(eight(&header, 24))
            .checked_mul(4)
            .zip(
                u64::from_le_bytes(eight(&header, 16))
                    .checked_add(1)
                    .and_then(|count| count.checked_mul(8)),
            )
            .and_then(|(tokens, index)| tokens.checked_add(index)?.checked_add(HEADER as u64));
        let (Some(sequences), Some(tokens), Some(length)) = (sequences, tokens, length) else {
            return Err(corrupt("its header holds impossible numbers"));
        };
        let found = file.metadata().map_err(read_error)?.len();
        if found != length {
            return Err(corrupt(&format!("it has {found} bytes instead of {length}")));
        }
        let map = map(&file).map_err(read_error)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&map[HEADER..]).update(&map[..HASHED_HEADER]);
        if hasher.finalize().as_bytes() != &map[HASHED_HEADER..HEADER] {
            return Err(corrupt("its hash does not agree with its content"));
        }
        let store = Self { map, sequences, tokens };
        let ordered = (0..sequences).all(|at| store.offset(at) <= store.offset(at + 1));
        if !ordered || store.offset(0) != 0 || store.offset(sequences) != tokens {
            return Err(corrupt("its index is not in order"));
        }
        Ok(store)
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.sequences
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sequences == 0
    }

    /// Number of tokens in all sequences.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Tokens of each sequence.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.sequences).map(|at| self.offset(at + 1) - self.offset(at)).collect()
    }

    /// A sequence; empty when there is none at this index.
    pub fn sequence(&self, at: usize) -> Sequence {
        if at >= self.sequences {
            return Sequence::default();
        }
        let bytes = &self.map[HEADER + 4 * self.offset(at)..HEADER + 4 * self.offset(at + 1)];
        let words = bytes
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let (ids, trained) = words.map(|word| (word & !TRAINED, word & TRAINED != 0)).unzip();
        Sequence { ids, trained }
    }

    fn offset(&self, at: usize) -> usize {
        number(&self.map, HEADER + 4 * self.tokens + 8 * at).unwrap_or(0)
    }
}

fn eight(bytes: &[u8], at: usize) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    eight
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(eight(bytes, at))).ok()
}

#[allow(unsafe_code)]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: a map is only unsound when the file is changed while it is mapped. Prepared folders
    // are written under another name, renamed when whole and never changed in place afterwards.
    unsafe { Mmap::map(file) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn write(path: &Path, sequences: &[Sequence]) {
        let mut writer = TokenWriter::create(path).unwrap();
        for sequence in sequences {
            writer.push(sequence).unwrap();
        }
        writer.finish().unwrap();
    }

    fn sequences() -> impl Strategy<Value = Vec<Sequence>> {
        let token = (0..TRAINED, any::<bool>());
        prop::collection::vec(prop::collection::vec(token, 0..20), 0..20).prop_map(|all| {
            all.into_iter()
                .map(|tokens| {
                    let (ids, trained) = tokens.into_iter().unzip();
                    Sequence { ids, trained }
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sequences_come_back(all in sequences()) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("part.tokens");
            write(&path, &all);
            let store = TokenStore::open(&path).unwrap();
            prop_assert_eq!((0..store.len()).map(|at| store.sequence(at)).collect::<Vec<_>>(), all.clone());
            prop_assert_eq!(store.lengths(), all.iter().map(|sequence| sequence.ids.len()).collect::<Vec<_>>());
        }

        #[test]
        fn every_damage_is_seen(all in sequences(), at: prop::sample::Index, bit in 0..8_u8, cut: bool) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("part.tokens");
            write(&path, &all);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
            std::fs::write(&path, bytes).unwrap();
            let error = TokenStore::open(&path).unwrap_err();
            prop_assert!(matches!(error, Error::Corrupt { .. } | Error::Version { .. }), "{}", error);
        }
    }

    #[test]
    fn an_id_that_does_not_fit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = TokenWriter::create(&folder.path().join("x")).unwrap();
        assert!(writer.push(&Sequence { ids: vec![TRAINED], trained: vec![false] }).is_err());
    }
}
