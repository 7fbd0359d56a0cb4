use std::fs;

use selfext_domain::Wall;

use crate::ground::{Ground, Outcome, attacked, script};

async fn written(ground: &Ground, how: &str) -> Outcome {
    let folder = ground.outside("treasure");
    fs::create_dir_all(&folder).unwrap();
    let target = folder.join("target");
    fs::write(&target, "whole").unwrap();
    let text = how.replace("TARGET", &target.display().to_string());
    let report = ground.run(script(&format!("({text}) 2>/dev/null; echo tried"))).await;
    assert!(report.output.as_str().contains("tried"), "{report:?}");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let same = fs::read_to_string(&target).is_ok_and(|text| text == "whole") && names == ["target"];
    Outcome { harm: (!same).then(|| format!("the target is changed, or not alone: {names:?}")), report }
}

#[tokio::test]
async fn writes_outside_by_path() {
    attacked("writes outside by path", &[Wall::Files], async |ground| {
        written(
            ground,
            "echo x > TARGET; echo x >> TARGET; : > TARGET.new; truncate -s 0 TARGET; rm TARGET; chmod 0 TARGET",
        )
        .await
    })
    .await;
}

#[tokio::test]
async fn writes_outside_by_a_symbolic_link() {
    attacked("writes outside by symlink", &[Wall::Files], async |ground| {
        written(
            ground,
            "ln -s TARGET link; echo x > link; cp /dev/null link; ln -s $(dirname TARGET) folder; : > folder/new",
        )
        .await
    })
    .await;
}

#[tokio::test]
async fn writes_outside_by_a_hard_link() {
    attacked("writes outside by hard link", &[Wall::Files], async |ground| {
        written(ground, "ln TARGET link; echo x > link; mv TARGET moved; echo x > moved").await
    })
    .await;
}

/// In a namespace of users of its own it has every right, over nothing that was there before.
#[tokio::test]
async fn writes_outside_by_a_namespace_of_its_own() {
    attacked("writes outside by a namespace", &[Wall::Files], async |ground| {
        let deeper = "umount -l $(dirname TARGET); mount -o remount,rw,bind /; mount -o remount,rw /; mount -t proc p /proc; \
                      chroot /proc/1/root sh -c \"echo x > TARGET\"; echo x > TARGET";
        written(ground, &format!("unshare -Urmpf sh -c '{deeper}'; unshare -Urm sh -c '{deeper}'")).await
    })
    .await;
}
