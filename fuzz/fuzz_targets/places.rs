//! No place database makes reading it panic or run for ever, and none that was read makes a look-up panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_engine::PlaceFiles;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::LazyLock;

/// Databases are files, so the input becomes one.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| std::env::temp_dir().join(format!("rollcall-fuzz-places-{}", std::process::id())));

fuzz_target!(|input: &[u8]| {
    std::fs::write(&*FILE, input).expect("the folder for temporary files takes a file");
    let Ok(files) = PlaceFiles::open(std::slice::from_ref(&*FILE)) else { return };
    let places = files.current().expect("there is a database");
    for step in 0..=255u8 {
        let _ = places.place_of(IpAddr::V4(Ipv4Addr::new(step, 0, 113, step)));
        let _ = places.place_of(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, u16::from(step) << 8, 0, 0, 0, 0, 1)));
    }
});
