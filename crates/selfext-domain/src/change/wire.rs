//! The JSON form of a change set, as agents in any language write it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{ChangeSet, ChangeSetError, FileChange};
use crate::{ExecutionContext, RepoPath};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    message: String,
    context: ExecutionContext,
    files: Vec<WireFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireFile {
    path: String,
    content: Option<String>,
    content_base64: Option<String>,
    #[serde(default)]
    delete: bool,
    executable: Option<bool>,
}

pub(super) fn read(json: &[u8]) -> Result<ChangeSet, ChangeSetError> {
    let wire: Wire = serde_json::from_slice(json).map_err(ChangeSetError::Json)?;
    let mut builder = ChangeSet::builder(wire.message, wire.context);
    for file in wire.files {
        let path = RepoPath::parse(file.path)?;
        let entry = |problem: String| ChangeSetError::Entry { path: path.clone(), problem };
        let change = match (file.content, file.content_base64, file.delete) {
            (Some(text), None, false) => {
                FileChange::Write { content: Arc::from(text.into_bytes()), executable: file.executable }
            }
            (None, Some(coded), false) => {
                let bytes = STANDARD.decode(coded).map_err(|error| entry(format!("has no valid base64: {error}")))?;
                FileChange::Write { content: Arc::from(bytes), executable: file.executable }
            }
            (None, None, true) if file.executable.is_none() => FileChange::Delete,
            (None, None, true) => {
                return Err(entry("deletes a file and names its mode".to_owned()));
            }
            _ => {
                return Err(entry("needs exactly one of content, content_base64 and delete".to_owned()));
            }
        };
        builder = builder.file(path, change);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(file: &str) -> Result<ChangeSet, ChangeSetError> {
        read(format!(r#"{{"message":"m","context":{{"tool_name":"t"}},"files":[{file}]}}"#).as_bytes())
    }

    #[test]
    fn text_binary_and_deletes_are_read() {
        let change = with_file(
            r#"{"path":"a","content":"x","executable":true},{"path":"b","content_base64":"AP8="},{"path":"c","delete":true}"#,
        )
        .unwrap();
        let files: Vec<_> = change.files().values().collect();
        assert_eq!(files[0], &FileChange::Write { content: Arc::from(&b"x"[..]), executable: Some(true) });
        assert_eq!(files[1], &FileChange::Write { content: Arc::from(&[0, 255][..]), executable: None });
        assert_eq!(files[2], &FileChange::Delete);
    }

    #[test]
    fn an_entry_says_exactly_one_thing() {
        for file in [
            r#"{"path":"a"}"#,
            r#"{"path":"a","content":"x","delete":true}"#,
            r#"{"path":"a","content_base64":"%"}"#,
            r#"{"path":"a","delete":true,"executable":true}"#,
            r#"{"path":"../pulls/1/merge","content":"x"}"#,
            r#"{"path":"a","content":"x","mode":7}"#,
        ] {
            assert!(with_file(file).is_err(), "{file}");
        }
    }
}
