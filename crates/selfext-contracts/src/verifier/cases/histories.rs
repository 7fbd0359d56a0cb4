//! Small histories of any kind. Each is told by its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use fastrand::Rng;
use selfext_domain::{CommitSha, FileChange};

use crate::verifier::VerifierWorld;
use crate::verifier::change::path;
use crate::verifier::scene::Scene;

const HISTORIES: u64 = 12;

/// Names of which some are folders of others.
const NAMES: [&str; 12] = ["a", "b", "a/x", "a/x/y", "d/1", "d/2", "d", "sp ace", "100%", "#", "ü/日本", "ü"];

/// What only others touch.
const OF_OTHERS: [&str; 4] = ["others", "o/1", "o/2", "o/sp ace"];

/// The files of a commit: their bytes, and whether they are executable.
type Files = BTreeMap<&'static str, (Vec<u8>, bool)>;

fn content(random: &mut Rng) -> Vec<u8> {
    if random.u8(0..6) == 0 {
        return vec![0, random.u8(..)];
    }
    let line = |random: &mut Rng| format!("{}\n", random.char('a'..='c'));
    let mut text: String = (0..random.usize(0..12)).map(|_| line(random)).collect();
    if random.u8(0..4) == 0 {
        text.push_str("no end of line");
    }
    text.into_bytes()
}

/// Writes a file, and takes away what cannot be there beside it.
fn put(files: &mut Files, name: &'static str, file: (Vec<u8>, bool)) {
    let below = |name: &str, folder: &str| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    files.retain(|other, _| !below(other, name) && !below(name, other));
    files.insert(name, file);
}

/// Does something to a few of these files.
fn change(files: &mut Files, names: &[&'static str], random: &mut Rng) {
    for _ in 0..random.usize(1..8) {
        let name = names[random.usize(..names.len())];
        match (random.u8(0..6), files.get_mut(name)) {
            (0, _) => {
                files.remove(name);
            }
            (1, Some((_, executable))) => *executable = !*executable,
            (2 | 3, Some((bytes, _))) if !bytes.is_empty() => {
                let at = random.usize(..=bytes.len());
                bytes.splice(at..at, *b"between\n");
            }
            _ => put(files, name, (content(random), random.bool())),
        }
    }
}

/// Puts these files, and nothing else, into the worktree and the index.
fn lay_out<W: VerifierWorld>(scene: &Scene<W>, files: &Files) {
    for entry in fs::read_dir(scene.source.folder()).unwrap() {
        let place = entry.unwrap().path();
        match place.symlink_metadata().unwrap().is_dir() {
            true if place.ends_with(".git") => {}
            true => fs::remove_dir_all(place).unwrap(),
            false => fs::remove_file(place).unwrap(),
        }
    }
    for (name, (bytes, executable)) in files {
        scene.source.write(name, bytes);
        scene.source.set_executable(name, *executable);
    }
    scene.source.git(&["add", "--all"]);
}

fn commit<W: VerifierWorld>(scene: &Scene<W>, files: &Files) -> CommitSha {
    lay_out(scene, files);
    scene.source.commit()
}

/// The names that differ.
fn difference(one: &Files, other: &Files) -> BTreeSet<&'static str> {
    one.keys().chain(other.keys()).copied().filter(|name| one.get(name) != other.get(name)).collect()
}

/// The change from one commit's files to another's, as a change set says it.
fn as_change(from: &Files, to: &Files) -> Vec<(selfext_domain::RepoPath, FileChange)> {
    let say = |name: &str| match to.get(name) {
        Some((bytes, executable)) => FileChange::Write { content: bytes.clone().into(), executable: Some(*executable) },
        None => FileChange::Delete,
    };
    difference(from, to).into_iter().map(|name| (path(name), say(name))).collect()
}

pub async fn any_change_is_taken_back_exactly<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let mut tried = 0;
    for seed in 0..HISTORIES {
        let random = &mut Rng::with_seed(seed);
        let mut files = Files::new();
        change(&mut files, &NAMES, random);
        change(&mut files, &NAMES, random);
        change(&mut files, &OF_OTHERS, random);
        let (before, parent) = (files.clone(), commit(&scene, &files));
        change(&mut files, &NAMES, random);
        let (after, landed) = (files.clone(), commit(&scene, &files));
        let changed = difference(&before, &after);
        if changed.is_empty() {
            continue;
        }
        let forward = scene.on(&parent, as_change(&before, &after)).await;
        assert_eq!(forward.tree, scene.source.tree_of(&landed), "{seed}");
        assert_eq!(forward.irreversible, [], "{seed}");
        let back = scene.taken_back(&landed, &landed).await;
        assert_eq!(back.tree, scene.source.tree_of(&parent), "{seed}");
        assert!(back.entries.iter().map(|(path, _)| path.as_str()).eq(changed.iter().copied()), "{seed}");

        // Others go on, elsewhere.
        let kept = NAMES.into_iter().filter(|name| before.contains_key(name) && !changed.contains(name));
        let free: Vec<&str> = OF_OTHERS.into_iter().chain(kept).collect();
        change(&mut files, &free, random);
        let base = commit(&scene, &files);
        let back = scene.taken_back(&landed, &base).await;
        for name in &changed {
            files.remove(name);
        }
        files.extend(changed.iter().filter_map(|name| Some((*name, before.get(name)?.clone()))));
        lay_out(&scene, &files);
        assert_eq!(back.tree, scene.source.write_tree(), "{seed}");
        tried += 1;
    }
    assert!(tried > HISTORIES / 2, "{tried}");
}

pub async fn whatever_others_did_the_inverse_applies_and_touches_nothing_else<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let (mut merged, mut conflicts) = (0, 0);
    for seed in 100..100 + HISTORIES {
        let random = &mut Rng::with_seed(seed);
        let mut files = Files::new();
        for _ in 0..4 {
            change(&mut files, &NAMES, random);
        }
        let before = files.clone();
        commit(&scene, &files);
        change(&mut files, &NAMES, random);
        let (after, landed) = (files.clone(), commit(&scene, &files));
        change(&mut files, &NAMES, random);
        let base = commit(&scene, &files);
        let inverse = scene.invert(&landed, &base).await;
        let changed = difference(&before, &after);
        let named = inverse.files.keys().chain(inverse.conflicts.iter().map(|conflict| &conflict.path));
        let named: Vec<&str> = named.map(selfext_domain::RepoPath::as_str).collect();
        for name in &changed {
            let (was, is) = (before.get(name), files.get(name));
            let times = named.iter().filter(|other| *other == name).count();
            assert!(times <= 1 && !(was == is && times == 1), "{seed}: {name}");
            if was != is && is == after.get(name) {
                assert_eq!(times, 1, "{seed}: {name}");
            }
            // One of three is as it was only if somebody undid part of it.
            merged += usize::from(was != is && is != after.get(name) && inverse.files.contains_key(&path(name)));
        }
        assert!(named.iter().all(|name| changed.contains(name)), "{seed}: {named:?}");
        conflicts += inverse.conflicts.len();
        let marked = inverse.conflicts.iter().filter_map(|conflict| {
            let content = conflict.marked.clone()?;
            Some((conflict.path.clone(), FileChange::Write { content, executable: None }))
        });
        let all: Vec<_> = inverse.files.clone().into_iter().chain(marked).collect();
        if !all.is_empty() {
            scene.on(&base, all).await;
        }
        if !inverse.files.is_empty() {
            scene.on(&base, inverse.files).await;
        }
    }
    assert!(merged > 0 && conflicts > 0, "{merged} merged, {conflicts} conflicts");
}
