use std::fs;

use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, script};

/// So that git would read objects from elsewhere, run a program, or hand out other bytes.
#[tokio::test]
async fn alters_the_cache() {
    attacked("alters the cache", &[Wall::Files], async |ground| {
        let repository = ground.cache().join("sha1.git");
        let canary = ground.outside("canary");
        let lent = ground.source.folder().join(".git/objects");
        let alter = format!(
            "cd '{}' && mkdir -p info objects/info; echo '{}' > objects/info/alternates; echo '* filter=x eol=crlf' > info/attributes; \
             printf '[core]\\n\\tfsmonitor = touch {2}\\n[filter \"x\"]\\n\\tsmudge = touch {2}\\n' >> config",
            repository.display(),
            lent.display(),
            canary.display()
        );
        let report = ground.run(script(&format!("({alter}) 2>/dev/null; exit 0"))).await;
        let foreign = ["objects/info/alternates", "info/attributes"].map(|file| repository.join(file));
        let altered = foreign.iter().any(|file| file.exists());
        // Whatever was altered, the next verification puts it back before it reads anything.
        let next = ground.candidate_of(&[("next", "x")]).await;
        let seen = ground.run_on(&next, script("cat README")).await;
        assert_eq!(seen.output.as_str(), "hello\n", "{seen:?}");
        assert!(!canary.exists() && !foreign.iter().any(|file| file.exists()));
        assert!(!fs::read_to_string(repository.join("config")).unwrap().contains("filter"));
        Outcome { harm: altered.then(|| "the cache, which was put back".to_owned()), report }
    })
    .await;
}
