//! How much memory a stage's processes have for themselves, all together.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

/// How long is waited between two looks at least, and how many times longer than a look took.
const PAUSE: Duration = Duration::from_millis(250);
const RATIO: u32 = 20;

/// Returns once all processes below one have more than so many bytes. The first of them, which keep the others, are copies of this
/// process and do not count: `keepers` of them stand one above the other. Where nothing can be seen of that, it never returns. May
/// be dropped at any time.
pub(super) async fn until_over(top: u32, keepers: usize, limit: u64) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let began = Instant::now();
        let looking = tokio::task::spawn_blocking(move || held_below(top, keepers));
        if looking.await.is_ok_and(|held| held > limit) {
            return;
        }
        tokio::time::sleep(began.elapsed() * RATIO).await;
    }
}

/// The bytes that the processes below one have: what is theirs alone, and what they share among themselves. What a process shares
/// with the one it came from counts for both.
fn held_below(top: u32, keepers: usize) -> u64 {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut below: HashMap<u32, Vec<(u32, u64)>> = HashMap::new();
    for number in numbers {
        let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap_or_default();
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let Some(parent) = field("PPid:").and_then(|parent| u32::try_from(parent).ok()) else { continue };
        let kib = field("RssAnon:").unwrap_or(0) + field("RssShmem:").unwrap_or(0);
        below.entry(parent).or_default().push((number, kib.saturating_mul(1024)));
    }
    let (mut held, mut open, mut seen) = (0_u64, vec![(top, 1)], HashSet::from([top]));
    while let Some((parent, depth)) = open.pop() {
        for (child, bytes) in below.get(&parent).into_iter().flatten().filter(|(child, _)| seen.insert(*child)) {
            if depth >= keepers {
                held = held.saturating_add(*bytes);
            }
            open.push((*child, depth + 1));
        }
    }
    held
}
