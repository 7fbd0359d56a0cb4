//! Paths that no change may touch.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{RULES_PATH, RulesError};
use crate::RepoPath;

/// What is protected whatever the rules file says: the rules file itself, and GitHub's workflows and settings.
const ALWAYS: &[&str] = &[RULES_PATH, ".github/**"];

/// Paths that no change may touch: [`RULES_PATH`] and `.github/**`, and what the operator adds.
///
/// A pattern is a glob over the whole path, in which `*` stays inside a folder and `**` does not; letters match in either
/// case, since some file systems take them for the same. A path counts also where it would replace a protected folder, or
/// would need a protected file to become a folder.
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
    /// Adds patterns to those that always hold.
    ///
    /// # Errors
    /// [`RulesError::Value`] for a pattern that is not a glob.
    pub fn new(patterns: Vec<String>) -> Result<Self, RulesError> {
        let mut globs = GlobSetBuilder::new();
        for pattern in ALWAYS.iter().copied().chain(patterns.iter().map(String::as_str)) {
            for form in [Some(pattern), pattern.strip_suffix("/**")].into_iter().flatten() {
                let glob = GlobBuilder::new(form).literal_separator(true).case_insensitive(true).build();
                globs.add(glob.map_err(|error| {
                    RulesError::Value(format!("paths.protected has {pattern:?}: {}", error.kind()))
                })?);
            }
        }
        let globs = globs.build().map_err(|error| RulesError::Value(format!("paths.protected: {}", error.kind())))?;
        Ok(Self { patterns, globs })
    }

    /// Whether a change of this path is a change of something protected.
    #[must_use]
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.globs.is_match(path.as_str()) || path.ancestors().any(|above| self.globs.is_match(above))
    }

    /// The patterns that the operator added.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}
