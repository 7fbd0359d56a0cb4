//! What the output of a stage must match.

use regex::RegexBuilder;

/// How large a compiled pattern may be, in bytes.
const COMPILED: usize = 1 << 20;

/// A pattern that a stage's output must match: a regular expression, in which `^` and `$` stand at the ends of lines.
///
/// A stage that ran no test where tests were asked for is found by it. It is no wall: a candidate can print what it likes.
#[derive(Clone, Debug)]
pub struct OutputRule {
    pattern: regex::Regex,
}

impl OutputRule {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).multi_line(true).size_limit(COMPILED).build();
        built.map(|pattern| Self { pattern }).map_err(|error| error.to_string())
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.pattern.as_str()
    }

    /// Whether an output matches.
    #[must_use]
    pub fn matches(&self, output: &str) -> bool {
        self.pattern.is_match(output)
    }
}

impl PartialEq for OutputRule {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for OutputRule {}
