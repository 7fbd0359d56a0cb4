//! The rules file.

use selfext_domain::{EVIDENCE_CONTEXT, RepoPath, Rules};

/// Rules that are taken say how a change is tried, protect what is always protected, and mean the same whenever they are
/// read.
pub fn rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(rules) = Rules::parse(text) else { return };
    assert_eq!(Rules::parse(text).as_ref().ok(), Some(&rules));
    assert!(!rules.stages.is_empty());
    for stage in &rules.stages {
        assert!(!stage.name.is_empty() && stage.command.first().is_some_and(|program| !program.is_empty()));
        assert!(!stage.timeout.is_zero());
    }
    for path in ["selfext.toml", ".github/workflows/x.yml", "a/.gitattributes"] {
        let path = RepoPath::parse(path).expect("a legal path");
        assert!(rules.protected.contains(&path), "{path} is not protected");
    }
    for required in &rules.gate.required {
        assert!(required.context != EVIDENCE_CONTEXT && !rules.gate.is_optional(&required.context));
    }
}
