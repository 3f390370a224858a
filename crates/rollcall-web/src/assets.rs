//! What pages refer to: one stylesheet, one script, one icon, inside the executable. Their names change with their content, so a browser
//! may keep them for ever.

use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// How charts look: part of the stylesheet, and of every exported picture.
pub(crate) const CHART_STYLE: &str = include_str!("../assets/charts.css");

const STYLE: &str = concat!(include_str!("../assets/style.css"), include_str!("../assets/charts.css"));
const SCRIPT: &str = include_str!("../assets/script.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// Something that pages refer to.
#[derive(Debug)]
pub struct Asset {
    /// Where it is served: the name has a hash of the content in it.
    pub path: String,
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// What it is.
    pub content: &'static str,
}

/// How long it may be kept.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let asset = |kind: &str, content_type, content: &'static str| {
        let hash = Sha256::digest(content.as_bytes()).iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        Asset { path: format!("/assets/rollcall-{hash:016x}.{kind}"), content_type, content }
    };
    [
        asset("css", "text/css; charset=utf-8", STYLE),
        asset("js", "text/javascript; charset=utf-8", SCRIPT),
        asset("svg", "image/svg+xml", ICON),
    ]
});

/// All of them.
pub fn all() -> &'static [Asset] {
    &*ASSETS
}

/// The asset at a path.
pub fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

pub(crate) fn style() -> &'static Asset {
    let [style, _, _] = &*ASSETS;
    style
}

pub(crate) fn script() -> &'static Asset {
    let [_, script, _] = &*ASSETS;
    script
}

pub(crate) fn icon() -> &'static Asset {
    let [_, _, icon] = &*ASSETS;
    icon
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_small_and_ask_nobody_else() {
        for asset in all() {
            assert_eq!(find(&asset.path).map(|found| found.content), Some(asset.content));
            assert!(asset.content.len() < 16_000, "{} has {} bytes", asset.path, asset.content.len());
            let others = asset.content.replace("http://www.w3.org/2000/svg", "");
            assert!(!others.contains("http:") && !others.contains("https:") && !others.contains("@import"), "{}", asset.path);
        }
        assert!(script().content.len() < 4_096);
    }
}
