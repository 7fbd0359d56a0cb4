//! Auditing a whole ledger: in its database, and as an export. Each audit is a process of its own, this program once more, so
//! that the time of its processor and its memory are what the command needs.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use selfext::Operations;
use selfext::audit::export;
use selfext::audit::note::{KeyName, SignerKey, VerifierKey};
use selfext_store::DatabaseUrl;

use crate::server::Database;
use crate::size::Size;
use crate::table::{Goal, Table};
use crate::usage::Usage;

/// How the program is told to audit, which is all that it does then.
const AUDIT: &str = "--audit";

/// Seals the ledger, and audits it both ways.
pub async fn whole(database: &Database, size: &Size, table: &mut Table) {
    let operations = Operations::open(&DatabaseUrl::parse(database.url.as_str()).unwrap()).await.unwrap();
    let key = SignerKey::generate(KeyName::parse("benchmark").unwrap(), &[7; 32]);
    operations.seal(&key).await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    operations.export(BufWriter::with_capacity(1 << 20, file.reopen().unwrap())).await.unwrap();
    let key = key.verifier().to_string();
    for (what, argument, place) in [
        ("in its database", "database", database.url.as_str()),
        ("as an export", "export", file.path().to_str().unwrap()),
    ] {
        let measured = in_a_process_of_its_own(&[AUDIT, argument, place, &key]);
        let what = format!("audit of {} events {what}", size.events);
        table.rate(&format!("{what}, events a second and core"), measured.per_cpu_second(), Goal::AtLeast(200_000.0));
        table.rate(&format!("{what}, by the clock"), measured.per_second(), Goal::None);
        table.figure(&format!("{what}, peak memory"), measured.peak_mib(), " MiB", Goal::AtMost(200.0));
    }
}

fn in_a_process_of_its_own(arguments: &[&str]) -> Usage {
    let done = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}{}", String::from_utf8_lossy(&done.stderr));
    Usage::parse(&told)
}

/// Audits, if that is what the program was told to do, and tells what it took.
pub async fn is_asked_for(arguments: &[String]) -> bool {
    let [audit, way, place, key] = arguments else { return false };
    if audit != AUDIT {
        return false;
    }
    let keys = vec![key.parse::<VerifierKey>().unwrap()];
    let began = Instant::now();
    let report = if way == "database" {
        let operations = Operations::open(&DatabaseUrl::parse(place).unwrap()).await.unwrap();
        let audit = operations.audit(keys, &[], |_| {}).await.unwrap();
        assert_eq!(audit.contradictions, Vec::<String>::new());
        audit.report
    } else {
        let file = BufReader::with_capacity(export::BUFFER, File::open(Path::new(place)).unwrap());
        export::audit(file, keys, &[], |_| {}).unwrap()
    };
    assert!(report.is_clean() && report.sealed == report.counts.events, "{report:?}");
    println!("{}", Usage::of_this_process(report.counts.events, began.elapsed()));
    true
}
