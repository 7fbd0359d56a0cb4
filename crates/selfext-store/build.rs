//! The migrations are compiled in, so a changed one has to compile this crate again.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
