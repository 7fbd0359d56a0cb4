//! Events as the ledger stores them.

use selfext_domain::Event;

/// Bytes that are an event have one canonical form, which is the same event.
pub fn event(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(event) = Event::from_content(text) else { return };
    // A number with a fraction has no canonical form; an event that this version does not know may hold one.
    let Ok(content) = event.to_content() else { return };
    let again = Event::from_content(&content).expect("what was written is read");
    assert_eq!(again, event);
    assert_eq!(again.to_content().expect("what was written once is written again"), content);
}
