//! Paths inside a repository.

use std::borrow::Cow;

use crate::InvalidValue;
use crate::invalid::holds_invisible;
use crate::newtype::text_newtype;

text_newtype!(
    /// The path of a file inside a repository: relative, with `/` between its parts, the same for git, for every file
    /// system and after URL parsing.
    ///
    /// Refused are absolute paths, empty parts, `.` and `..` (percent-encoded too), backslashes, control and invisible
    /// characters, parts that end in a space or a dot, and whatever a file system may take for `.git`. At most 2,048 bytes,
    /// so that a checkout's own folder and the path stay within the 4,096 that systems take, and 255 a part.
    RepoPath,
    check_path
);

fn check_path(text: &str) -> Result<(), InvalidValue> {
    if text.len() > 2048 {
        return Err(InvalidValue::new("repository path", text, "is longer than 2048 bytes"));
    }
    // A server or a URL parser may decode once more than expected; each form that it could see must be harmless.
    let mut form = Cow::Borrowed(text);
    loop {
        if let Some(problem) = problem_of(&form) {
            let coded = if form == text { "" } else { " once it is percent-decoded" };
            return Err(InvalidValue::new("repository path", text, format!("{problem}{coded}")));
        }
        if !form.contains('%') {
            return Ok(());
        }
        let decoded = percent_decoded(&form);
        if decoded.matches('/').count() != form.matches('/').count() {
            return Err(InvalidValue::new("repository path", text, "holds a percent-encoded slash"));
        }
        if decoded == form {
            return Ok(());
        }
        form = Cow::Owned(decoded);
    }
}

fn problem_of(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    if text.contains('\\') {
        return Some("holds a backslash");
    }
    if holds_invisible(text) {
        return Some("holds a control or invisible character");
    }
    if text.starts_with('/') {
        return Some("is absolute");
    }
    if text.len() >= 2 && text.as_bytes()[0].is_ascii_alphabetic() && text.as_bytes()[1] == b':' {
        return Some("begins like a drive letter");
    }
    text.split('/').find_map(|part| match part {
        "" => Some("has an empty part"),
        "." | ".." => Some("has a part `.` or `..`"),
        _ if part.ends_with([' ', '.']) => Some("has a part that ends with a space or a dot"),
        _ if part.len() > 255 => Some("has a part longer than 255 bytes"),
        _ if is_dot_git(part) => Some("reaches into git's own folder"),
        _ => None,
    })
}

/// Whether a file system may take this part for `.git`: in any case, as the short name `git~1`, with a stream suffix.
fn is_dot_git(part: &str) -> bool {
    let name = part.split(':').next().unwrap_or(part).trim_end_matches([' ', '.']);
    name.eq_ignore_ascii_case(".git") || name.eq_ignore_ascii_case("git~1")
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl RepoPath {
    /// The folders above the file, the nearest last: `a/b/c` has `a` and `a/b`.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.as_str().match_indices('/').map(|(at, _)| &self.as_str()[..at])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_and_odd_but_harmless_paths_are_taken() {
        for good in [
            "a",
            "src/main.rs",
            ".gitignore",
            ".github/workflows/x.yml",
            "a b/c#d",
            "100%.txt",
            "50%25",
            "ä/ö.txt",
            "-x",
            "a/.gitkeep",
            "git~2",
            "x.git",
            "日本/語",
            "ab:c",
            "a%zz",
        ] {
            assert!(RepoPath::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn paths_that_could_leave_the_repository_or_change_on_the_way_are_refused() {
        let long = "x".repeat(256);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../pulls/1/merge",
            "src/../.github/workflows/x.yml",
            "a/./b",
            "a\\b",
            "..\\a",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            ".git",
            ".git/config",
            "a/.GIT/x",
            "a/.Git",
            ".git /x",
            ".git./x",
            "git~1/x",
            ".git::$INDEX_ALLOCATION/x",
            "a /b",
            "a./b",
            "a ",
            "a.",
            "a%2f..%2fb",
            "%2e%2e/x",
            "%2E/x",
            "a%2Fb",
            "%252e%252e/x",
            "a%5cb",
            "a%00",
            "%2egit/config",
            "C:/x",
            "c:x",
            &long,
            ".g\u{200c}it/config",
        ] {
            assert!(RepoPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn an_accepted_path_is_the_same_after_url_parsing(text in "[a-zA-Z0-9./%#? \\\\~:é-]{0,24}") {
            let Ok(path) = RepoPath::parse(text) else { return Ok(()) };
            // As a client would build the URL: every reserved character encoded but the slash.
            let mut url = url::Url::parse("http://host/repos/o/r/contents").unwrap();
            url.path_segments_mut().unwrap().extend(path.as_str().split('/'));
            let reparsed = url::Url::parse(url.as_str()).unwrap();
            let tail = reparsed.path().strip_prefix("/repos/o/r/contents/").map(percent_decoded);
            prop_assert_eq!(tail.as_deref(), Some(path.as_str()));
            prop_assert_eq!(reparsed.path_segments().map(Iterator::count), Some(4 + path.as_str().split('/').count()));
        }

        #[test]
        fn parsing_never_panics(text in "\\PC*") {
            let _ = RepoPath::parse(text);
        }
    }
}
