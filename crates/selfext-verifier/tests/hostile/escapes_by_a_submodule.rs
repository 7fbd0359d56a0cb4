use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn escapes_by_a_submodule() {
    attacked("a submodule pointing outside", &[], async |ground| {
        let canary = ground.outside("canary");
        let modules = format!(
            "[submodule \"sub\"]\n\tpath = ../../escaped\n\turl = ext::sh -c touch% {0}\n\tupdate = !touch {0}\n[submodule \"x\"]\n\tpath = sub\n\turl = {1}\n",
            canary.display(),
            ground.outside("operator").display()
        );
        let candidate = ground.candidate_of(&[(".gitmodules", &modules), (".gitattributes", "* filter=x ident\n")]).await;
        let report = ground.run_on(&candidate, script("test ! -e .git && test ! -e ../../escaped && ls -A sub")).await;
        assert!(report.result.passed(), "{report:?}");
        let empty = report.output.as_str().is_empty();
        Outcome { harm: (canary.exists() || !empty).then(|| "a submodule was fetched".to_owned()), report }
    })
    .await;
}
