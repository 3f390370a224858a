//! Writes every page as HTML, in both languages, to look at: `cargo run -p rollcall-web --example gallery -- DIR`.

#[path = "../tests/pages/canned/mod.rs"]
mod canned;

use canned::{Seat, Stage};
use rollcall_web::{Lang, Role, SetupAsk, SignInAsk, assets, error, page, setup, sign_in};
use std::fs;
use std::path::Path;

const PAGES: [(&str, &str, &str); 20] = [
    ("overview", "/", ""),
    ("overview-compared", "/", "range=month&compare=previous"),
    ("overview-filtered", "/", "user_kind=member&device=desktop,web&department=d-rd&range=week"),
    ("meetings", "/meetings", "compare=previous"),
    ("meetings-year", "/meetings", "range=year&by=month"),
    ("people", "/people", ""),
    ("people-found", "/people", "find=%E6%9D%8E"),
    ("silent", "/people/silent", "range=7d"),
    ("person", "/people/u-1x", "range=quarter"),
    ("departments", "/departments", ""),
    ("department", "/departments/d-rd", ""),
    ("places", "/places", ""),
    ("assistant", "/assistant", ""),
    ("sessions", "/sessions", "range=7d"),
    ("session", "/sessions/default/2026-09-15T01:30:00Z/standup-0", ""),
    ("data", "/data", ""),
    ("access", "/access", ""),
    ("ahead", "/", "from=2027-01-01&to=2027-01-31"),
    ("embedded", "/meetings", "embed=1&theme=dark"),
    ("wrong", "/meetings", "zone=Mars"),
];

fn main() -> std::io::Result<()> {
    let directory = std::env::args().nth(1).ok_or_else(|| std::io::Error::other("say where: gallery DIR"))?;
    let directory = Path::new(&directory);
    fs::create_dir_all(directory.join("assets"))?;
    for asset in assets::all() {
        fs::write(directory.join(asset.path.trim_start_matches('/')), asset.content)?;
    }
    let stage = Stage::new();
    let administrator = Seat::new(&stage, Role::Administrator, true);
    let concealed = Seat::new(&stage, Role::Viewer { department: "d-sales".into() }, false);
    let session = stage.stays.iter().rev().find(|stay| stay.app == "default");
    for (lang, tag) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
        let write = |name: &str, page: rollcall_web::Page| {
            let body = page.body.replace("=\"/assets/", "=\"assets/");
            fs::write(directory.join(format!("{name}.{tag}.html")), body)
        };
        for (name, path, query) in PAGES {
            let path = match session {
                Some(stay) if name == "session" => {
                    format!("/sessions/default/{}/{}", rollcall_model::calendar::rfc3339(stay.started_at), stay.session_id)
                }
                _ => path.to_owned(),
            };
            write(name, page(&path, query, &administrator, lang))?;
        }
        write("viewer", page("/", "", &concealed, lang))?;
        write("viewer-people", page("/people", "", &concealed, lang))?;
        write("sign-in", sign_in(SignInAsk { organization: "Acme 极客", next: "/", failed: true, wait: None }, lang))?;
        write("setup", setup(SetupAsk { link: "s3cret", failed: false }, lang))?;
        write("error", error(500, lang, "…"))?;
        fs::write(directory.join(format!("active.{tag}.svg")), page("/meetings", "panel=active", &administrator, lang).body)?;
        fs::write(directory.join(format!("provinces.{tag}.svg")), page("/places", "panel=provinces", &administrator, lang).body)?;
        fs::write(directory.join(format!("devices.{tag}.svg")), page("/meetings", "panel=devices", &administrator, lang).body)?;
    }
    Ok(())
}
