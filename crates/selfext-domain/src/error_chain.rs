//! Errors in words.

use std::error::Error;

/// An error with everything under it, on one line. The causes are in no error's own message, but for some libraries', where they are
/// said once.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Told {
        text: &'static str,
        #[source]
        cause: Option<Box<Told>>,
    }

    fn told(texts: &[&'static str]) -> Told {
        let (text, rest) = texts.split_first().unwrap();
        Told { text, cause: (!rest.is_empty()).then(|| Box::new(told(rest))) }
    }

    #[test]
    fn each_cause_is_said_once() {
        assert_eq!(error_chain(&told(&["no ledger", "no answer", "refused"])), "no ledger: no answer: refused");
        assert_eq!(error_chain(&told(&["no ledger", "database: gone", "gone"])), "no ledger: database: gone");
        assert_eq!(error_chain(&told(&["gone", "no answer", "gone"])), "gone: no answer: gone");
    }
}
