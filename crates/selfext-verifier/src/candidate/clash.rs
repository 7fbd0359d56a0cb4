//! Names that some file systems take for the same.

use std::collections::HashMap;

use selfext_domain::{FileChange, RepoPath, folded};

use super::base_tree::BaseTree;
use super::obstacle::Obstacle;
use super::plan::{Files, is_deleted};

/// What clashes of the names, of files and of the folders above them, that a change brings: those that differ only in case or normal
/// form from others that the tree will hold. Names that clash on the base already are no fault of the change.
pub(super) fn find_clashes(base: &BaseTree, files: &Files) -> Vec<Obstacle> {
    let mut names = Names::default();
    let written = files.iter().filter(|(_, file)| matches!(file, FileChange::Write { .. }));
    let written: Vec<(&RepoPath, Vec<usize>)> = written.map(|(path, _)| (path, names.bring(path.as_str()))).collect();
    for path in base.paths().filter(|path| !is_deleted(files, path)) {
        names.meet(path);
    }
    let clash = |(path, brought): &(&RepoPath, Vec<usize>)| {
        let (name, other) = brought.iter().find_map(|name| Some((name, names.other(*name)?)))?;
        let name = names.full(*name);
        let clause =
            format!("writes {path}, but file systems that ignore case or normal forms take {name} for {other}");
        Some(Obstacle { path: (*path).clone(), clause })
    };
    written.iter().filter_map(clash).collect()
}

/// The names that a change brings, part by part: whole names together would be as long as the square of how deep they are.
#[derive(Default)]
struct Names<'a> {
    /// Each place, which some file system takes for one name, by the place above and the last part, folded.
    places: HashMap<(usize, String), usize>,
    /// What stands at the places.
    held: Vec<Place<'a>>,
    /// Each name that is brought, by the name above and the last part.
    brought: HashMap<(usize, &'a str), usize>,
    /// What those names are.
    list: Vec<Name<'a>>,
}

/// The top, of places and of names.
const TOP: usize = usize::MAX;

struct Name<'a> {
    above: usize,
    part: &'a str,
    place: usize,
    on_base: bool,
}

/// What stands at one place.
#[derive(Default)]
struct Place<'a> {
    /// A name of the base.
    on_base: Option<&'a [u8]>,
    /// Names that are brought: the first, and one that is not the first.
    brought: [Option<usize>; 2],
}

impl<'a> Names<'a> {
    /// Takes up a path that is written; answers its names, the shortest first.
    fn bring(&mut self, path: &'a str) -> Vec<usize> {
        let (mut place, mut above) = (TOP, TOP);
        let mut names = Vec::new();
        for part in path.split('/') {
            // Folding can bring forth a slash.
            for piece in folded(part).split('/') {
                let next = self.held.len();
                place = *self.places.entry((place, piece.to_owned())).or_insert(next);
                if place == next {
                    self.held.push(Place::default());
                }
            }
            let next = self.list.len();
            above = *self.brought.entry((above, part)).or_insert_with_key(|(above, part)| {
                self.list.push(Name { above: *above, part, place, on_base: false });
                let held = &mut self.held[place].brought;
                let free = usize::from(held[0].is_some());
                held[free] = held[free].or(Some(next));
                next
            });
            names.push(above);
        }
        names
    }

    /// Takes note of a path of the base, as far as what is brought stands in the same places.
    fn meet(&mut self, path: &'a [u8]) {
        let (mut place, mut above) = (TOP, Some(TOP));
        let mut end = 0;
        for part in path.split(|byte| *byte == b'/') {
            end += part.len();
            let text = String::from_utf8_lossy(part);
            for piece in folded(&text).split('/') {
                let Some(found) = self.places.get(&(place, piece.to_owned())) else { return };
                place = *found;
            }
            above = above.and_then(|above| self.brought.get(&(above, text.as_ref())).copied());
            if let Some(name) = above {
                self.list[name].on_base = true;
            } else {
                self.held[place].on_base.get_or_insert(&path[..end]);
            }
            end += 1;
        }
    }

    /// Another name in the place of one that is brought and not on the base.
    fn other(&self, name: usize) -> Option<String> {
        let Name { place, on_base, .. } = self.list[name];
        if on_base {
            return None;
        }
        let Place { on_base, brought } = &self.held[place];
        let of_base = on_base.map(|name| String::from_utf8_lossy(name).into_owned());
        of_base.or_else(|| brought.iter().flatten().find(|other| **other != name).map(|other| self.full(*other)))
    }

    /// A name in full.
    fn full(&self, name: usize) -> String {
        let above =
            std::iter::successors(Some(name), |name| Some(self.list[*name].above).filter(|above| *above != TOP));
        let mut parts: Vec<&str> = above.map(|name| self.list[name].part).collect();
        parts.reverse();
        parts.join("/")
    }
}
