//! The fuzz targets (`fuzz/`), driven by mutations of their seeds: a fixed number, and always the same ones, so that a run is a
//! test. `scripts/fuzz` drives the same functions by libFuzzer, which looks where it has not been.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// What random bytes hardly ever spell.
const WORDS: &[&str] = &[
    "../",
    "..",
    "/",
    ".git",
    "%2f",
    "%2e",
    ":",
    "~1",
    "\u{212a}",
    "\u{17f}",
    "\u{301}",
    "\u{200b}",
    "\u{202e}",
    ".github/",
    "\0",
    "\n",
    "\r",
    "\\",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "**",
    "*",
    "=",
    " blob ",
    ":100644 ",
    "000000",
    "120000",
    "18446744073709551615",
    "-1",
    "0.5",
    "null",
    "true",
    "\"delete\":true",
    "\"path\":\"a\"",
    "\u{241b}",
    "\u{241b}0",
    "\u{1b}[31m",
    "\u{1b}]",
    "ghp_",
    "sk-",
    "TOKEN=",
    "Bearer ",
    "-----BEGIN PRIVATE KEY-----",
    "://a:b@",
    "eyJ",
    "@a",
    "#1",
    "[redacted:secret]",
    "version = 1\n",
    "[[verification.stage]]\n",
    "name = \"t\"\n",
    "command = [\"a\"]\n",
];

/// Numbers without order, always the same ones.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One below a bound that is not zero.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

fn mutate(numbers: &mut Numbers, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut data = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(data.len() + 1);
        let end = (at + numbers.below(16)).min(data.len());
        match numbers.below(7) {
            0 if at < data.len() => data[at] ^= 1 << numbers.below(8),
            1 => data.insert(at, u8::try_from(numbers.below(256)).unwrap()),
            2 => drop(data.drain(at..end)),
            3 => data.truncate(at),
            4 => {
                let copied = data[at..end].to_vec();
                data.splice(at..at, copied);
            }
            5 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                data.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let word = WORDS[numbers.below(WORDS.len())];
                data.splice(at..at, word.bytes());
            }
        }
    }
    data
}

fn run(target: &str, function: fn(&[u8]), executions: u64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let try_one = |data: &[u8]| {
        let tried = catch_unwind(AssertUnwindSafe(|| function(data)));
        assert!(tried.is_ok(), "{target} does not hold for b\"{}\"; make it a seed", data.escape_ascii());
    };
    for seed in &seeds {
        try_one(seed);
    }
    let factor = std::env::var("SELFEXT_FUZZ_FACTOR").ok().and_then(|factor| factor.parse::<u64>().ok()).unwrap_or(1);
    let mut numbers = Numbers(0x5e1f_0e87);
    for _ in 0..executions * factor {
        try_one(&mutate(&mut numbers, &seeds));
    }
    println!("{target}: {} executions", executions * factor + seeds.len() as u64);
}

#[test]
fn path_parsing_holds_for_any_bytes() {
    run("path", targets::path, 20_000);
}

#[test]
fn patch_reading_holds_for_any_bytes() {
    run("patch", targets::patch, 50_000);
}

#[test]
fn change_set_reading_holds_for_any_bytes() {
    run("change_set", targets::change_set, 20_000);
}

#[test]
fn rules_reading_holds_for_any_bytes() {
    run("rules", targets::rules, 2_000);
}

#[test]
fn redaction_holds_for_any_bytes() {
    run("redaction", targets::redaction, 1_000);
}

#[test]
fn event_decoding_holds_for_any_bytes() {
    run("event", targets::event, 5_000);
}
