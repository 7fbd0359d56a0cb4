//! That the credential is nowhere but in its header.

use std::error::Error;
use std::fmt::Write as _;

use selfext_domain::ports::ForgeError;

/// Every form in which an error can be shown.
pub(super) fn every_form(error: &ForgeError) -> String {
    let mut all = format!("{error}\n{error:?}\n{error:#?}");
    let mut next = error.source();
    while let Some(source) = next {
        write!(all, "\n{source}\n{source:?}\n{source:#?}").expect("a String takes everything");
        next = source.source();
    }
    all
}

/// Whether an error hides the token, and what else `Debug` of an HTTP client's error may hold.
pub(super) fn assert_discreet(error: &ForgeError, token: &str) {
    let all = every_form(error);
    assert!(!all.contains(token), "the token is in an error");
    assert!(!all.contains("backtrace") && !all.contains("Backtrace"), "a backtrace is in an error: {all}");
    assert!(all.len() < 8_000, "an error of {} bytes", all.len());
}
