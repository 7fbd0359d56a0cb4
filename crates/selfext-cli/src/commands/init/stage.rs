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

    /// What the rules call it.
    fn kind(&self) -> &'static str {
        match self.name {
            "install" => "setup",
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
