//! No body, in any format and compression, makes decoding panic or take much more memory than its limits.

#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use rollcall_engine::kinds::columns::{Assistances, Attendances, Columns};
use rollcall_engine::ingest::{BodyError, Charset, Compression, Context, Decoded, Format, Limits, decode};
use rollcall_model::{Directory, OrgId, Organization};

const FORMATS: [Format; 5] = [Format::Ndjson, Format::Json, Format::Csv, Format::Parquet, Format::Arrow];
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else { return };
    let choice = usize::from(*choice);
    let (format, compression) = (FORMATS[choice % FORMATS.len()], COMPRESSIONS[choice / FORMATS.len() % COMPRESSIONS.len()]);
    let limits = Limits { facts: 10_000, decoded_bytes: 16 << 20, ..Limits::default() };
    let (organization, directory) = (Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC), Directory::default());
    let berlin = TimeZone::get("Europe/Berlin").ok();
    // What is left of the choice says in which encoding a text is, and whether it is said where clocks were.
    let rest = choice / FORMATS.len() / COMPRESSIONS.len();
    let charset = ["utf-8", "utf-16", "utf-16be", "gb18030"].get(rest % 8).and_then(|name| Charset::from_name(name));
    let zone = berlin.as_ref().filter(|_| rest % 2 == 1);
    let context = Context { limits, zone, charset, ..Context::new(&organization, &directory, 1_800_000_000_000) };
    check(&decode::<Attendances>(body, format, compression, &context));
    check(&decode::<Assistances>(body, format, compression, &context));
});

fn check<C: Columns>(decoded: &Result<Decoded<C>, BodyError>) {
    if let Ok(decoded) = decoded {
        assert!(!decoded.facts.is_empty() || decoded.rejected > 0);
        assert_eq!(decoded.rejected == 0, decoded.errors.is_empty());
    }
}
