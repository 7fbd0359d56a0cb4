use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, script};

/// Sockets of a family that no network namespace holds: those of virtual machines to their hosts.
#[tokio::test]
async fn connects_to_the_host_of_a_virtual_machine() {
    attacked("a socket to the machine's host", &[Wall::Network], async |ground| {
        let report =
            ground.run(script("perl -MSocket -e 'print socket(S, 40, SOCK_STREAM, 0) ? \"made\" : \"refused\"'")).await;
        assert!(!report.output.as_str().is_empty(), "{report:?}");
        Outcome { harm: report.output.as_str().contains("made").then(|| "a socket".to_owned()), report }
    })
    .await;
}
