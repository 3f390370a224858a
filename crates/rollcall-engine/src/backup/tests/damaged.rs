//! Damage is named: that of a backup, and that of a data directory, which a backup mends.

use super::*;

#[test]
fn a_damaged_backup_is_refused_with_the_name_of_the_file() {
    let stage = Stage::new();
    let engine = open(&stage.path("data"));
    ingest(&engine, 0..50);
    engine.flush().unwrap();
    ingest(&engine, 50..60);
    stage.backup(&engine).unwrap();
    drop(engine);
    let files: Vec<_> = stage.files().into_iter().filter(|(name, _)| name != "backup.owner").collect();
    assert!(files.iter().any(|(name, _)| name.ends_with(".part")) && files.iter().any(|(name, _)| name.ends_with(".parquet")));
    for (number, (name, size)) in files.iter().enumerate() {
        let path = stage.path("backup").join(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[size / 2] ^= 1;
        for (how, damaged) in [Some(flipped), Some(whole[..size - 1].to_vec()), None].into_iter().enumerate() {
            match damaged {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let directory = format!("restored-{number}-{how}");
            let error = stage.restore(&directory).unwrap_err().to_string();
            let named = error.contains(name.as_str());
            assert!(named && (error.contains("damaged") || name == NAME), "{name} {how}: {error}");
            // Nobody takes it for a data directory.
            if stage.path(&directory).exists() {
                let error = Engine::open(&stage.path(&directory), settings()).unwrap_err().to_string();
                assert!(error.contains("a restore that came to no end"), "{error}");
                let error = stage.restore(&directory).unwrap_err().to_string();
                assert!(error.contains("a restore that came to no end: remove it"), "{error}");
            }
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(numbers(&stage.restore("restored").unwrap()).len(), 60);
    assert!(!stage.path("restored").join(UNFINISHED).exists());
}

/// The data files of a data directory's lake.
fn data_files(data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![data.join("lake/attendance")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "parquet") && !path.to_str().unwrap().contains("_delta_log") {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    found
}

/// Changes a byte in the middle of a file.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_backup_gives_back_single_files_and_what_came_after_it_stays() {
    let stage = Stage::new();
    let data = stage.path("data");
    let engine = open(&data);
    for first in [0, 50, 100] {
        ingest(&engine, first..first + 50);
        engine.flush().unwrap();
    }
    stage.backup(&engine).unwrap();
    let backed_up = data_files(&data);
    assert_eq!(backed_up.len(), 3);
    ingest(&engine, 150..160);
    engine.flush().unwrap();
    let before = answers(&engine);
    let repair = || crate::backup::repair(&stage.target(), &data, &settings(), &|done, of| assert!(done <= of));
    assert!(matches!(repair(), Err(EngineError::InUse(_))));
    drop(engine);
    assert_eq!((repair().unwrap().files, repair().unwrap().damaged), (4, 0));
    let whole: Vec<_> = backed_up.iter().map(|file| fs::read(file).unwrap()).collect();
    damage(&backed_up[0]);
    fs::remove_file(&backed_up[1]).unwrap();
    let found = open(&data).verify(&Scope::ALL, &|_, _| {}).unwrap();
    assert_eq!((found.damaged_files, found.differences), (2, 0), "{found:?}");
    let repaired = repair().unwrap();
    assert_eq!((repaired.damaged, repaired.repaired, repaired.left.len()), (2, 2, 0), "{repaired:?}");
    assert_eq!(backed_up.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>(), whole);
    let engine = open(&data);
    let found = engine.verify(&Scope::ALL, &|_, _| {}).unwrap();
    assert_eq!((found.damaged_files, found.differences, found.facts), (0, 0, 160), "{found:?}");
    assert_eq!((numbers(&engine), answers(&engine)), ((0..160).collect::<Vec<_>>(), before));
}

#[test]
fn what_a_backup_cannot_give_back_is_named_and_stays_as_it_is() {
    let stage = Stage::new();
    let data = stage.path("data");
    let engine = open(&data);
    ingest(&engine, 0..50);
    engine.flush().unwrap();
    stage.backup(&engine).unwrap();
    let old = data_files(&data);
    ingest(&engine, 50..60);
    engine.flush().unwrap();
    drop(engine);
    // One that came after the backup, and one that is damaged there too.
    let new = data_files(&data).into_iter().find(|file| !old.contains(file)).unwrap();
    let in_backup = stage.path("backup").join(old[0].strip_prefix(data.join("lake")).unwrap());
    for file in [&new, &old[0], &in_backup] {
        damage(file);
    }
    let as_it_was = [fs::read(&new).unwrap(), fs::read(&old[0]).unwrap()];
    let repaired = crate::backup::repair(&stage.target(), &data, &settings(), &|_, _| {}).unwrap();
    assert_eq!((repaired.damaged, repaired.repaired, repaired.left.len()), (2, 0, 2), "{repaired:?}");
    assert!(repaired.left.iter().any(|left| left.damage.contains("the backup's is damaged too")), "{repaired:?}");
    assert_eq!([fs::read(&new).unwrap(), fs::read(&old[0]).unwrap()], as_it_was);
    // Nor does another's.
    let other = open(&stage.path("other"));
    ingest(&other, 0..5);
    drop(other);
    let error = crate::backup::repair(&stage.target(), &stage.path("other"), &settings(), &|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("the backup of another data directory"), "{error}");
    let error = crate::backup::repair(&stage.target(), &stage.path("nowhere"), &settings(), &|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("is no data directory") && !stage.path("nowhere").exists(), "{error}");
}

#[test]
fn damage_is_not_backed_up_and_a_good_copy_stays() {
    let stage = Stage::new();
    let data = stage.path("data");
    let engine = open(&data);
    ingest(&engine, 0..50);
    engine.flush().unwrap();
    stage.backup(&engine).unwrap();
    let old = data_files(&data);
    damage(&old[0]);
    // The backup before has it as it was written.
    stage.backup(&engine).unwrap();
    ingest(&engine, 50..60);
    engine.flush().unwrap();
    let new = data_files(&data).into_iter().find(|file| !old.contains(file)).unwrap();
    let whole = fs::read(&new).unwrap();
    damage(&new);
    let error = stage.backup(&engine).unwrap_err();
    let name = new.file_name().unwrap().to_str().unwrap();
    assert!(matches!(&error, EngineError::Damaged(text) if text.contains(name)), "{error}");
    fs::write(&new, whole).unwrap();
    stage.backup(&engine).unwrap();
    drop(engine);
    assert_eq!(numbers(&stage.restore("restored").unwrap()), (0..60).collect::<Vec<_>>());
}
