//! Files that outlive a run: atomic writes, manifests, the run folder, its lock, a person's
//! projects, and where things are kept on their machine.
//!
//! What other crates may rely on: a file or folder that stands under its final name is
//! complete. Whatever a killed process left half-written stands under a temporary name, and
//! is swept away when the run folder is next opened.

mod atomic;
mod error;
mod hash;
mod lock;
mod manifest;
mod metrics;
mod places;
mod run_folder;
pub mod store;

pub use atomic::{sweep_leftovers, write_atomic, write_folder_atomic, write_json};
pub use error::Error;
pub use hash::{hash_bytes, hash_file, hash_folder};
pub use lock::FolderLock;
pub use manifest::{MANIFEST_FORMAT, Manifest, read_json};
pub use metrics::MetricsLog;
pub use places::{cache_dir, data_dir};
pub use run_folder::{Pointer, RUN_FORMAT, RunFolder};
