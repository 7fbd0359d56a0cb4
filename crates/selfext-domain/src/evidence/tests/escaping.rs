use super::super::{RedactedText, TextCap, code_block, inline, plain};
use super::samples::body;

fn block(text: &str) -> String {
    code_block(&RedactedText::from_text(text, TextCap::tail(10_000)))
}

/// What GitHub acts on, in small pieces that must not occur.
const ACTS: &[&str] =
    &["@name", "@org/team", "#12", "GH-12", "gh-12", "closes #", "Fixes: #", "resolved http", "/issues/7"];

const HOSTILE: &str = "@name @@name (@org/team) a@name.example owner/repo#12 #12 GH-12 gh-12 closes #12 Fixes: #12 \
                       resolved https://github.com/o/r/issues/7 fixes o/r#1 closes GH-12";

#[test]
fn no_context_lets_a_mention_or_a_reference_act() {
    for shown in [block(HOSTILE), inline(HOSTILE), plain(HOSTILE)] {
        for act in ACTS {
            assert!(!shown.contains(act), "{act:?} in {shown:?}");
        }
    }
}

#[test]
fn broken_text_reads_as_before() {
    assert_eq!(plain(HOSTILE).replace('\u{200b}', ""), HOSTILE);
}

#[test]
fn plain_text_without_anything_that_acts_stays_as_it_is() {
    for text in
        ["fix: read the token once\n\n- item 1\n", "closes the file", "#[derive(Debug)] # title", "a @ b", "[skip]"]
    {
        assert_eq!(plain(text).replace("[\u{200b}skip]", "[skip]"), text);
    }
}

#[test]
fn switches_for_ci_are_broken() {
    for switch in [
        "[skip ci]",
        "[ci skip]",
        "[no ci]",
        "[skip actions]",
        "[actions skip]",
        "[CI SKIP]",
        "***NO_CI***",
        "skip-checks: true",
    ] {
        let shown = plain(switch);
        assert!(!shown.contains(switch), "{shown:?}");
        assert_eq!(shown.replace('\u{200b}', ""), switch);
    }
}

#[test]
fn invisible_characters_do_not_smuggle_a_mention() {
    for hidden in ["@\u{2060}name", "@\u{200d}name", "@\u{1b}[0mname", "#\u{feff}12"] {
        let shown = plain(hidden);
        assert!(shown == "@\u{200b}name" || shown == "#\u{200b}12", "{shown:?}");
    }
}

#[test]
fn a_fence_is_longer_than_any_run_of_backticks_in_the_text() {
    for text in ["plain", "```\nout of it", "a ````` b", "~~~", &"`".repeat(400), ""] {
        let shown = block(text);
        let fence: String = shown.chars().take_while(|c| *c == '`').collect();
        let body = shown.strip_prefix(&fence).and_then(|rest| rest.strip_suffix(&format!("\n{fence}\n"))).unwrap();
        assert!(fence.len() >= 3 && fence.len() < 24, "{shown:?}");
        assert!(!body.contains(&fence), "{shown:?}");
    }
}

#[test]
fn a_block_holds_no_comment_and_closes_no_markup_around_it() {
    let shown = block("<!-- x --> </details> <DETAILS> </summary></code>");
    for markup in ["<!--", "</details", "<DETAILS", "</summary", "</code"] {
        assert!(!shown.contains(markup), "{shown:?}");
    }
}

#[test]
fn inline_text_is_one_line_without_markup() {
    assert_eq!(inline(" a\n\n b\tc "), "a b c");
    assert_eq!(inline("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
    assert_eq!(
        inline("[x](y) `z` *w* _v_ ~u~ |t| ![s] \\"),
        "\\[x\\](y) \\`z\\` \\*w\\* \\_v\\_ \\~u\\~ \\|t\\| \\!\\[s\\] \\\\"
    );
    assert_eq!(inline("# a"), "\\# a");
    assert_eq!(inline("- a"), "\\- a");
    assert_eq!(inline("1. a 2. b"), "1\\. a 2. b");
    assert_eq!(inline("https://a.example www.b.example"), "https:\u{200b}//a.example www\u{200b}.b.example");
    assert_eq!(inline(""), "");
}

#[test]
fn inline_text_has_at_most_two_hundred_characters_and_no_half_escape() {
    assert_eq!(inline(&"a".repeat(200)), "a".repeat(200));
    assert_eq!(inline(&"a".repeat(201)), format!("{}…", "a".repeat(199)));
    assert_eq!(inline(&"<".repeat(100)), format!("{}…", "&lt;".repeat(49)));
}

#[test]
fn inline_and_plain_text_are_redacted() {
    let token = format!("ghp_{}", body(36));
    assert_eq!(inline(&token), "\\[redacted:github-token\\]");
    assert_eq!(plain(&token), "[redacted:github-token]");
}
