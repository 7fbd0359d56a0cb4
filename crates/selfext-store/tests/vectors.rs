//! The test vectors that `migrations/README.md` publishes.

use selfext_domain::{Event, Link};

#[test]
fn the_published_vectors_hold() {
    let readme = include_str!("../../../migrations/README.md");
    let published = |name: &str| -> Vec<&str> {
        readme
            .lines()
            .filter_map(|line| line.split_once(' ').filter(|(key, _)| *key == name))
            .map(|(_, v)| v.trim())
            .collect()
    };
    let contents: Vec<_> = published("content").into_iter().filter(|content| content.starts_with('{')).collect();
    assert_eq!(contents.len(), 2);
    let mut before = Link::GENESIS;
    for (at, content) in contents.into_iter().enumerate() {
        assert_eq!(Event::from_content(content).unwrap().to_content().unwrap(), content);
        let link = Link::new(before, content.as_bytes());
        for (name, digest) in [("content_hash", link.content_hash), ("prev_hash", link.prev_hash), ("hash", link.hash)]
        {
            let vectors: Vec<_> = published(name).into_iter().filter(|text| text.len() == 64).collect();
            assert_eq!(vectors[at], digest.to_string(), "{name}");
        }
        before = link.hash;
    }
}
