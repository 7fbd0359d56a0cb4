use std::fs;

use selfext_domain::Wall;

use crate::ground::{Outcome, SECRET, attacked, script};

#[tokio::test]
async fn reads_or_writes_the_ledger() {
    attacked("the ledger's file", &[Wall::Files], async |ground| {
        let ledger = ground.outside("state/ledger.sqlite");
        fs::create_dir_all(ledger.parent().unwrap()).unwrap();
        let files = ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", ledger.display()));
        for file in &files {
            fs::write(file, SECRET).unwrap();
        }
        let each = files.join("' '");
        let look = format!(
            "for f in '{each}'; do cat \"$f\"; echo x >> \"$f\"; : > \"$f\"; rm \"$f\"; done 2>/dev/null; exit 0"
        );
        let report = ground.run(script(&look)).await;
        let read = report.output.as_str().contains(SECRET).then(|| "read".to_owned());
        let whole = files.iter().all(|file| fs::read_to_string(file).is_ok_and(|text| text == SECRET));
        Outcome { harm: read.or_else(|| (!whole).then(|| "written".to_owned())), report }
    })
    .await;
}
