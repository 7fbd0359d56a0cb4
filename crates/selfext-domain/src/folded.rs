//! Names that some file system takes for the same.

use unicode_normalization::UnicodeNormalization as _;

/// The form in which two names, or paths, are equal if any file system takes them for the same: without case, and in one of
/// Unicode's normal forms.
///
/// It folds more than any single file system does (compatibility forms such as full-width letters and ligatures, `ß` as `ss`,
/// the dotless `ı`), because it is compared with what must not be reached: a name too many is safe, one too few is not.
/// Letters that only look alike, as those of two alphabets do, stay different, as they are to every file system. Folding a
/// folded name changes nothing.
#[must_use]
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    // By way of both cases: some letters, such as `ſ` and `ς`, are lower case already, and others, such as `ẞ`, upper case, and yet
    // not the one they are compared with. Marks that appear in folding are put in order again by the later normalisations.
    let upper: String = name.nfkd().flat_map(char::to_lowercase).flat_map(char::to_uppercase).nfkd().collect();
    upper.chars().flat_map(char::to_lowercase).nfkd().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_a_file_system_takes_for_the_same_are_equal() {
        for (one, other) in [
            (".GitHub", ".github"),
            ("wor\u{212a}flows", "workflows"),
            ("\u{17f}elfext.toml", "selfext.toml"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("CAF\u{c9}", "cafe\u{301}"),
            ("stra\u{df}e", "STRASSE"),
            ("STRA\u{1e9e}E", "stra\u{df}e"),
            ("\u{3c3}", "\u{3c2}"),
            ("\u{fb01}x", "FIX"),
            ("\u{ff4a}enkinsfile", "Jenkinsfile"),
            ("\u{130}", "i\u{307}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one:?} and {other:?}");
        }
        assert_ne!(
            folded("\u{455}elfext.toml"),
            folded("selfext.toml"),
            "a Cyrillic letter is another letter everywhere"
        );
        assert_ne!(folded("a/b"), folded("a_b"));
    }

    proptest! {
        #[test]
        fn folding_is_the_same_for_both_cases_and_every_normal_form_and_settles(name in "\\PC{0,12}") {
            let once = folded(&name);
            prop_assert_eq!(&folded(&once), &once);
            prop_assert_eq!(&folded(&name.nfc().collect::<String>()), &once);
            prop_assert_eq!(&folded(&name.nfd().collect::<String>()), &once);
            prop_assert_eq!(&folded(&name.to_lowercase()), &once);
            // The iota below a letter is a mark that becomes a letter in upper case, so that other marks come to stand behind
            // it: no file system takes these for the same.
            if !name.nfkd().any(|c| c == '\u{345}') {
                prop_assert_eq!(&folded(&name.to_uppercase()), &once);
            }
        }
    }
}
