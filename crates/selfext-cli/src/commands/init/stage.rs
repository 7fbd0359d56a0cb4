//! One stage of a template.

use std::fmt::Write as _;

/// What starts, after what comment.
pub struct Stage {
    name: &'static str,
    command: Vec<String>,
    timeout_seconds: u32,
    why: Vec<String>,
    must_match: Option<&'static str>,
    network: bool,
    /// The lock files and what is kept, where it prepares dependencies on the base.
    on_base: Option<(Vec<&'static str>, &'static [&'static str])>,
    /// Whether it is written as a comment, for a person to judge.
    suggested: bool,
}

impl Stage {
    /// A stage of at most ten minutes.
    pub fn new(name: &'static str, command: &[impl AsRef<str>]) -> Self {
        let command = command.iter().map(|word| word.as_ref().to_owned()).collect();
        Self {
            name,
            command,
            timeout_seconds: 600,
            why: Vec::new(),
            must_match: None,
            network: false,
            on_base: None,
            suggested: false,
        }
    }

    /// One more line of comment above it.
    pub fn because(mut self, line: impl Into<String>) -> Self {
        self.why.push(line.into());
        self
    }

    /// With another limit.
    pub const fn within_seconds(mut self, seconds: u32) -> Self {
        self.timeout_seconds = seconds;
        self
    }

    /// With the pattern by which its output shows that something was tested. It holds no single quote.
    pub const fn matching(mut self, pattern: &'static str) -> Self {
        self.must_match = Some(pattern);
        self
    }

    /// With the network, which no stage has otherwise.
    pub const fn online(mut self) -> Self {
        self.network = true;
        self
    }

    /// With the network, on the base: what it fetches by these lock files is kept, with these paths of the worktree.
    pub fn prepared(mut self, lock_files: Vec<&'static str>, keep: &'static [&'static str]) -> Self {
        self.on_base = Some((lock_files, keep));
        self.because("It fetches the dependencies, with the network, on the base and before the change is there. What it fetches is kept")
            .because("for later runs; a change of its lock files is blocked until an operator allows it.")
            .online()
    }

    /// Whether it runs on the base.
    pub const fn is_on_base(&self) -> bool {
        self.on_base.is_some()
    }

    /// What the rules call it.
    fn kind(&self) -> &'static str {
        match self.name {
            "fetch" | "install" => "setup",
            "compile" => "compile",
            "test" => "test",
            "start-up" => "start-up",
            _ => "check",
        }
    }

    /// As a comment.
    pub const fn suggested(mut self) -> Self {
        self.suggested = true;
        self
    }

    /// As the rules file has it, with a prefix to its name where several projects are in one file.
    pub fn write(&self, prefix: &str) -> String {
        let words: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        let mut text = String::from("\n");
        for line in &self.why {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# {line}");
        }
        let mut lines = vec![
            "[[verification.stage]]".to_owned(),
            format!("name = \"{prefix}{}\"", self.name),
            format!("kind = \"{}\"", self.kind()),
            format!("command = [{}]", words.join(", ")),
            format!("timeout_seconds = {}", self.timeout_seconds),
        ];
        lines.extend(self.must_match.map(|pattern| format!("must_match = '{pattern}'")));
        lines.extend(self.network.then(|| "network = true".to_owned()));
        lines.extend(self.on_base.as_ref().map(|(lock_files, keep)| {
            let keep = if keep.is_empty() { String::new() } else { format!(", keep = {keep:?}") };
            format!("on_base = {{ lock_files = {lock_files:?}{keep} }}")
        }));
        for line in lines {
            let mark = if self.suggested { "# " } else { "" };
            let _ = writeln!(text, "{mark}{line}");
        }
        text
    }
}

/// A word as a TOML string: JSON's form is one of TOML's.
fn quoted(word: &str) -> String {
    serde_json::Value::from(word).to_string()
}
