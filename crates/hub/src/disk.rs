//! How much room a disk has.

use std::path::Path;

use sysinfo::{DiskRefreshKind, Disks};

/// Free bytes on the disk that a folder is on; `None` when the system does not tell, as for
/// folders of other machines.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let kind = DiskRefreshKind::nothing().with_storage();
    let disks = Disks::new_with_refreshed_list_specifics(kind).ok()?;
    let mounts: Vec<&Path> = disks.iter().map(sysinfo::Disk::mount_point).collect();
    let mount = mount_of(folder, &mounts)?;
    let disk = disks.iter().find(|disk| disk.mount_point() == mount)?;
    // A disk that was listed but could not be asked has no size at all.
    (disk.total_space() > 0).then(|| disk.available_space())
}

/// Told by the device: a folder's path need not begin with that of its disk.
#[cfg(unix)]
fn mount_of<'a>(folder: &Path, mounts: &[&'a Path]) -> Option<&'a Path> {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| std::fs::metadata(path).ok().map(|it| it.dev());
    let wanted = device(folder)?;
    mounts.iter().copied().find(|mount| device(mount) == Some(wanted))
}

#[cfg(not(unix))]
fn mount_of<'a>(folder: &Path, mounts: &[&'a Path]) -> Option<&'a Path> {
    let folder = std::path::absolute(folder).ok()?;
    let within = mounts.iter().copied().filter(|mount| folder.starts_with(mount));
    within.max_by_key(|mount| mount.as_os_str().len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_on_no_disk() {
        assert_eq!(free_bytes(Path::new("no/such/folder")), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_free_is_what_the_system_says() {
        let folder = tempfile::tempdir().unwrap();
        // `df` may know file systems that are not listed here, such as those of other machines.
        let Some(free) = free_bytes(folder.path()) else { return };
        let output = std::process::Command::new("df")
            .args(["--output=avail", "--block-size=1"])
            .arg(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let told: u64 = told.lines().last().unwrap().trim().parse().unwrap();
        assert!(free.abs_diff(told) < 4 << 30, "{free} and {told}");
    }
}
