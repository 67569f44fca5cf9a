//! `metrics.jsonl`: one line for each optimizer step, only ever appended to.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sanbao_contract::train::StepMetrics;

use crate::Error;

/// The metrics of a run, open for appending.
#[derive(Debug)]
pub struct MetricsLog {
    file: File,
    path: PathBuf,
}

impl MetricsLog {
    /// Opens the log, creating it when it is not there, and cuts off a last line that a killed
    /// process left half-written (one without its newline).
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::BadJson`] when another line cannot be understood.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_until(path, u64::MAX)
    }

    /// Opens the log for a run that goes on from the checkpoint of `step`: as [`Self::open`],
    /// and lines of later steps, which will be done again, are cut off.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_until(path: &Path, step: u64) -> Result<Self, Error> {
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(Error::io("open", path))?;
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let mut keep = 0;
        for (line, end) in complete_lines(&bytes) {
            if parse(path, line, &bytes[keep..end])?.step > step {
                break;
            }
            keep = end;
        }
        file.set_len(keep as u64).map_err(Error::io("write", path))?;
        file.seek(SeekFrom::End(0)).map_err(Error::io("write", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Appends one line and hands it to the operating system at once, so that it outlives the
    /// process; [`Self::sync`] makes it outlive the machine.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a figure is infinite or not a number, which JSON cannot say;
    /// [`Error::Io`].
    pub fn append(&mut self, metrics: &StepMetrics) -> Result<(), Error> {
        for (name, value) in figures(metrics) {
            if !value.is_finite() {
                let (path, step) = (self.path.clone(), metrics.step);
                return Err(Error::NotFinite { path, name, step, value });
            }
        }
        let mut line = serde_json::to_vec(metrics).map_err(Error::json(&self.path))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(Error::io("write", &self.path))
    }

    /// Waits until everything appended is on the disk. Call it before a checkpoint is written,
    /// so that no checkpoint is ahead of its metrics.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(Error::io("write", &self.path))
    }

    /// Reads the complete lines of a log, also while a run writes it; none when it is missing.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadJson`].
    pub fn read(path: &Path) -> Result<Vec<StepMetrics>, Error> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(Error::io("read", path))?,
        };
        let mut start = 0;
        let mut all = Vec::new();
        for (line, end) in complete_lines(&bytes) {
            all.push(parse(path, line, &bytes[start..end])?);
            start = end;
        }
        Ok(all)
    }
}

/// Number (from 1) and end of each line that has its newline.
fn complete_lines(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .enumerate()
        .map(|(line, (at, _))| (line + 1, at + 1))
}

fn parse(path: &Path, line: usize, text: &[u8]) -> Result<StepMetrics, Error> {
    serde_json::from_slice(text).map_err(|error| Error::BadJson {
        path: path.to_owned(),
        line,
        column: error.column(),
        reason: error.to_string(),
    })
}

fn figures(metrics: &StepMetrics) -> [(&'static str, f64); 7] {
    [
        ("epoch", metrics.epoch),
        ("loss", metrics.loss),
        ("learning_rate", metrics.learning_rate),
        ("grad_norm", metrics.grad_norm),
        ("tokens_per_second", metrics.tokens_per_second),
        ("eta_seconds", metrics.eta_seconds),
        ("validation_loss", metrics.validation_loss.unwrap_or(0.0)),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;

    use super::*;

    fn step(step: u64) -> StepMetrics {
        StepMetrics { step, loss: 1.0 / step as f64, ..StepMetrics::default() }
    }

    fn log_of(steps: u64) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::open(&path).unwrap();
        for number in 1..=steps {
            log.append(&step(number)).unwrap();
        }
        (folder, path)
    }

    fn steps(path: &Path) -> Vec<u64> {
        MetricsLog::read(path).unwrap().iter().map(|metrics| metrics.step).collect()
    }

    proptest! {
        #[test]
        fn a_log_cut_anywhere_keeps_its_complete_lines_and_goes_on(cut in 0usize..2_000) {
            let (_folder, path) = log_of(6);
            let bytes = fs::read(&path).unwrap();
            let cut = cut.min(bytes.len());
            fs::write(&path, &bytes[..cut]).unwrap();
            let complete = bytes[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
            let mut log = MetricsLog::open(&path).unwrap();
            log.append(&step(complete + 1)).unwrap();
            log.sync().unwrap();
            prop_assert_eq!(steps(&path), (1..=complete + 1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn going_on_from_a_checkpoint_drops_the_steps_after_it() {
        let (_folder, path) = log_of(6);
        let mut log = MetricsLog::open_until(&path, 4).unwrap();
        log.append(&step(5)).unwrap();
        assert_eq!(steps(&path), [1, 2, 3, 4, 5]);
        drop(MetricsLog::open_until(&path, 0).unwrap());
        assert!(steps(&path).is_empty());
    }

    #[test]
    fn a_line_being_written_is_not_read() {
        let (_folder, path) = log_of(2);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"{\"step\": 3").unwrap();
        assert_eq!(steps(&path), [1, 2]);
        assert!(MetricsLog::read(Path::new("/nowhere/metrics.jsonl")).unwrap().is_empty());
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let (_folder, path) = log_of(2);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}oops\n{text}")).unwrap();
        let error = MetricsLog::open(&path).unwrap_err();
        assert_eq!(error.code(), "project.bad_json");
        assert!(error.to_string().contains("line 3"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{text}oops\n{text}"));
    }

    #[test]
    fn a_loss_that_json_cannot_say_is_refused() {
        let (_folder, path) = log_of(1);
        let mut log = MetricsLog::open(&path).unwrap();
        let error = log.append(&StepMetrics { loss: f64::NAN, ..step(2) }).unwrap_err();
        assert_eq!(error.code(), "project.not_finite");
        assert!(error.to_string().contains("'loss' of step 2"), "{error}");
        assert_eq!(steps(&path), [1]);
    }
}
