use std::fs;

use selfext_domain::Wall;

use crate::ground::{Outcome, SECRET, attacked, script};

const PLACES: [&str; 9] = [
    ".ssh/id_ed25519",
    ".aws/credentials",
    ".config/gh/hosts.yml",
    ".gnupg/secring.gpg",
    ".netrc",
    ".git-credentials",
    ".docker/config.json",
    ".kube/config",
    ".cargo/credentials.toml",
];

#[tokio::test]
async fn reads_a_token_from_the_credentials_folder() {
    attacked("token from the credentials folder", &[Wall::Files], async |ground| {
        let home = ground.outside("operator");
        for place in PLACES {
            fs::create_dir_all(home.join(place).parent().unwrap()).unwrap();
            fs::write(home.join(place), SECRET).unwrap();
        }
        // Programs on the path below the same home are to be found all the same.
        fs::write(home.join(".cargo/bin/tool"), "a tool\n").unwrap();
        let look = format!(
            "cat '{0}/.cargo/bin/tool'; cd '{0}' 2>/dev/null; for f in {1}; do cat '{0}'/$f '{0}'/.cargo/bin/../../$f; done 2>/dev/null; \
             cat /etc/shadow 2>/dev/null | head -n 1; exit 0",
            home.display(),
            PLACES.join(" ")
        );
        let report = ground.run(script(&look)).await;
        let output = report.output.as_str();
        assert!(output.contains("a tool"), "{output}");
        let harm = output.contains(SECRET).then(|| "credentials".to_owned());
        let harm = harm.or_else(|| output.contains("root:").then(|| "/etc/shadow".to_owned()));
        Outcome { report, harm }
    })
    .await;
}
