//! The text of a checkpoint.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfext_domain::{Digest32, Position};

use crate::note::{KeyName, NoteError};

/// Why a text is no checkpoint, or one that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is malformed, or not signed as it must be.
    #[error("the checkpoint's note cannot be trusted")]
    Note(#[from] NoteError),
    /// A line is not what it must be.
    #[error("line {line} of the checkpoint is not of the documented form")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// Only others than the ledger's own key signed it.
    #[error("no known key that is called like the origin {origin} signed the checkpoint")]
    NotByOrigin {
        /// The origin.
        origin: KeyName,
    },
}

/// What is sealed: so many events, with this root. See the [module](super) for its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger: the name of its key.
    pub origin: KeyName,
    /// How many events.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest32,
    /// The position of the last of them, if the checkpoint says it.
    pub position: Option<Position>,
    /// Extension lines of others, in order.
    pub extensions: Vec<String>,
}

const EXTENSION: &str = "selfext/1 ";

impl Checkpoint {
    /// A checkpoint of ours.
    #[must_use]
    pub const fn new(origin: KeyName, size: u64, root: Digest32, position: Option<Position>) -> Self {
        Self { origin, size, root, position, extensions: Vec::new() }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))?;
        if let Some(position) = self.position {
            writeln!(f, "{EXTENSION}{position}")?;
        }
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = |line| CheckpointError::Malformed { line };
        let lines: Vec<_> = text.strip_suffix('\n').unwrap_or_default().split('\n').collect();
        if let Some(at) = lines.iter().position(|line| line.is_empty()) {
            return Err(malformed(at + 1));
        }
        let [origin, size, root, extensions @ ..] = lines.as_slice() else { return Err(malformed(lines.len() + 1)) };
        let mut checkpoint = Self {
            origin: KeyName::parse(*origin).map_err(|_| malformed(1))?,
            size: decimal(size).ok_or(malformed(2))?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .map(Digest32::from_bytes)
                .ok_or(malformed(3))?,
            position: None,
            extensions: Vec::new(),
        };
        for (at, line) in extensions.iter().enumerate() {
            match line.strip_prefix(EXTENSION) {
                // Ours stands first, so that writing what was read gives the same text.
                Some(position) if at == 0 => checkpoint.position = Some(parse_position(position).ok_or(malformed(4))?),
                Some(_) => return Err(malformed(at + 4)),
                None => checkpoint.extensions.push((*line).to_owned()),
            }
        }
        Ok(checkpoint)
    }
}

fn parse_position(text: &str) -> Option<Position> {
    let (transaction, id) = text.split_once('.')?;
    Some(Position { transaction: decimal(transaction)?, id: decimal(id)? })
}

/// A number in its shortest form.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written_as_it_is() {
        let checkpoint: Checkpoint = TEXT.parse().unwrap();
        assert_eq!((checkpoint.size, checkpoint.origin.as_str()), (20_852_163, "example.com/behind-the-sofa"));
        assert_eq!(checkpoint.to_string(), TEXT);
    }

    #[test]
    fn our_extension_line_is_read_and_others_are_kept() {
        let text = format!("{TEXT}selfext/1 81231.20852190\nother 1\n");
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!(checkpoint.position, Some(Position { transaction: 81_231, id: 20_852_190 }));
        assert_eq!((checkpoint.extensions.as_slice(), checkpoint.to_string()), (&["other 1".to_owned()][..], text));
        let foreign: Checkpoint = format!("{TEXT}other\n").parse().unwrap();
        assert_eq!((foreign.position, foreign.extensions.len()), (None, 1));
    }

    #[test]
    fn other_spellings_are_refused() {
        for (bad, line) in [
            (String::new(), 1),
            (TEXT.trim_end().to_owned(), 1),
            ("a\n1\n".to_owned(), 3),
            (TEXT.replace("example.com", "example com"), 1),
            (TEXT.replace("\n2085", "\n02085"), 2),
            (TEXT.replace("\n2085", "\n+2085"), 2),
            (TEXT.replace("2I=", "2J="), 3),
            (TEXT.replace("CsUY", ""), 3),
            (format!("{TEXT}\n"), 4),
            (format!("{TEXT}selfext/1 1\n"), 4),
            (format!("{TEXT}selfext/1 01.1\n"), 4),
            (format!("{TEXT}x\nselfext/1 1.1\n"), 5),
        ] {
            assert_eq!(bad.parse::<Checkpoint>(), Err(CheckpointError::Malformed { line }), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_was(text in any::<String>(), lines in "([a-z0-9./=+ ]{0,50}\n){0,6}", size in any::<u64>()) {
            let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
            for text in [text.clone(), lines.clone(), format!("a\n{size}\n{root}\nselfext/1 {size}.1\n{text}\n"), format!("a\n{size}\n{root}\n{lines}")] {
                if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                    prop_assert_eq!(checkpoint.to_string(), text);
                }
            }
        }
    }
}
