//! No directory makes checking or asking it panic, and one that was taken is the same when it is read back.

#![no_main]

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use rollcall_model::Directory;
use rollcall_model::directory::DirectoryDocument;

fuzz_target!(|input: &[u8]| {
    let Ok(document) = serde_json::from_slice::<DirectoryDocument>(input) else { return };
    let Ok(directory) = Directory::new(document) else { return };
    let mut day = date(1972, 1, 1);
    for _ in 0..100 {
        let tree = directory.tree_on(day);
        for user in directory.users_on(day) {
            // A document without a first day holds since ever.
            assert!(directory.user(&user.id).is_some());
            assert!(directory.departments_on(&user.id, || day).iter().all(|department| tree.contains(department)));
        }
        match directory.next_change(day) {
            None => break,
            Some(next) => day = next,
        }
    }
    let document = directory.document();
    let again = Directory::new(document.clone()).expect("what was taken is taken again");
    assert_eq!(serde_json::to_value(again.document()).ok(), serde_json::to_value(document).ok());
});
