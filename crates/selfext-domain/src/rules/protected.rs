//! Paths that no change may touch.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::RulesError;
use super::always::ALWAYS;
use crate::{RepoPath, folded};

/// Paths that no change may touch: those that are [always protected](Self::ALWAYS), and what the operator adds.
///
/// A pattern is a glob over the whole path, in which `*` stays inside a folder and `**` does not; `?`, and a class in
/// brackets, stand for one ASCII character. Names count as the same
/// where any file system takes them for the same (see [`folded`]), and what stands behind a colon in a name, which makes it a
/// stream of the same file on NTFS, does not count. A path counts also where it would replace a protected folder, or would
/// need a protected file to become a folder. Windows' short names (`SELFEX~1.TOM`) are not known here.
#[derive(Clone, Debug)]
pub struct ProtectedPaths {
    patterns: Vec<String>,
    globs: GlobSet,
}

impl PartialEq for ProtectedPaths {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for ProtectedPaths {}

impl ProtectedPaths {
    /// The patterns that hold whatever the rules file says: the rules file itself, what defines CI, who must review, and what
    /// makes git run programs or fetch other repositories.
    pub const ALWAYS: &'static [&'static str] = ALWAYS;

    /// Adds patterns to those that always hold.
    ///
    /// # Errors
    /// [`RulesError::Value`] for a pattern that is not a glob, or has other than ASCII characters in a class.
    pub fn new(patterns: Vec<String>) -> Result<Self, RulesError> {
        let mut globs = GlobSetBuilder::new();
        for pattern in ALWAYS.iter().copied().chain(patterns.iter().map(String::as_str)) {
            let wrong = |problem: &str| RulesError::Value(format!("paths.protected has {pattern:?}: {problem}"));
            if has_other_than_ascii_in_a_class(pattern) {
                return Err(wrong("a class in brackets may hold ASCII characters alone"));
            }
            for form in [Some(pattern), pattern.strip_suffix("/**")].into_iter().flatten() {
                let mut add = |form: &str| {
                    let glob = GlobBuilder::new(form).literal_separator(true).case_insensitive(true).build();
                    globs.add(glob.map_err(|error| wrong(&error.kind().to_string()))?);
                    Ok::<_, RulesError>(())
                };
                add(form)?;
                // Of ASCII, the folded form says the same.
                if !form.is_ascii() {
                    add(&folded(form))?;
                }
            }
        }
        let globs = globs.build().map_err(|error| RulesError::Value(format!("paths.protected: {}", error.kind())))?;
        Ok(Self { patterns, globs })
    }

    /// Whether a change of this path is a change of something protected.
    #[must_use]
    pub fn contains(&self, path: &RepoPath) -> bool {
        let hits = |text: &str| {
            let above = text.match_indices('/').map(|(at, _)| &text[..at]);
            above.chain([text]).any(|part| self.globs.is_match(part))
        };
        let folded = folded(path.as_str());
        hits(path.as_str()) || hits(&folded) || (folded.contains(':') && hits(&without_streams(&folded)))
    }

    /// The patterns that the operator added.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

/// Globs match bytes: such a class would match nothing, and so protect nothing.
fn has_other_than_ascii_in_a_class(pattern: &str) -> bool {
    pattern.split('[').skip(1).any(|class| !class.split(']').next().unwrap_or(class).is_ascii())
}

/// The path with every name cut at its first colon.
fn without_streams(path: &str) -> String {
    let names: Vec<&str> = path.split('/').map(|name| name.split(':').next().unwrap_or(name)).collect();
    names.join("/")
}
