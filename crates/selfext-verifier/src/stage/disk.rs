//! How much a stage's folders hold.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long is waited between two looks at least, and how many times longer than a look took.
const PAUSE: Duration = Duration::from_millis(250);
const RATIO: u32 = 20;
/// A file system with less room than this is full for a stage, whoever filled it.
const FLOOR: u64 = 256 << 20;

/// A path longer than this leads to where nobody could look any more; that counts as too much.
pub(super) const LONGEST: usize = 3_500;

/// Returns once the folders hold more than so many bytes, or their file system is nearly full and they hold a part of that. May
/// be dropped at any time.
pub(super) async fn until_full(folders: [PathBuf; 4], limit: u64) {
    loop {
        let began = Instant::now();
        let looked = folders.clone();
        let held = tokio::task::spawn_blocking(move || {
            let held = looked.iter().map(|folder| held(folder)).fold(0, u64::saturating_add);
            let room =
                rustix::fs::statvfs(&looked[0]).map_or(u64::MAX, |room| room.f_bavail.saturating_mul(room.f_frsize));
            (held, room)
        });
        if let Ok((held, room)) = held.await
            && (held > limit || room < FLOOR && held > FLOOR / 4)
        {
            return;
        }
        tokio::time::sleep(PAUSE.max(began.elapsed() * RATIO)).await;
    }
}

/// The bytes that the files below a folder take up. What cannot be looked at, or is gone meanwhile, is not counted.
fn held(folder: &Path) -> u64 {
    let mut total: u64 = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.as_os_str().len() > LONGEST {
            return u64::MAX;
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(about) = entry.path().symlink_metadata() else { continue };
            total = total.saturating_add(about.blocks().saturating_mul(512) / about.nlink().max(1));
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn folders_are_full_when_they_hold_more_than_the_limit() {
        let place = tempfile::tempdir().unwrap();
        let folders = ["a", "b", "c", "d"].map(|name| place.path().join(name));
        for folder in &folders {
            fs::create_dir_all(folder.join("deep")).unwrap();
        }
        let full = until_full(folders.clone(), 1 << 20);
        assert!(tokio::time::timeout(Duration::from_millis(50), full).await.is_err());
        fs::write(folders[3].join("deep/file"), vec![7; 2 << 20]).unwrap();
        until_full(folders, 1 << 20).await;
    }
}
