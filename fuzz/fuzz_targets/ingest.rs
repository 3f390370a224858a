//! No body, in any format and compression, makes decoding panic or take much more memory than its limits.

#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use rollcall_engine::facts::{Assistances, Attendances, Columns};
use rollcall_engine::ingest::{BodyError, Compression, Decoded, Format, Limits, decode};
use rollcall_model::{Directory, OrgId, Organization};

const FORMATS: [Format; 5] = [Format::Ndjson, Format::Json, Format::Csv, Format::Parquet, Format::Arrow];
const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fuzz_target!(|input: &[u8]| {
    let Some((choice, body)) = input.split_first() else { return };
    let choice = usize::from(*choice);
    let (format, compression) = (FORMATS[choice % FORMATS.len()], COMPRESSIONS[choice / FORMATS.len() % COMPRESSIONS.len()]);
    let limits = Limits { facts: 10_000, decoded_bytes: 16 << 20, line_bytes: 64 << 10 };
    let organization = Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC);
    check(&decode::<Attendances>(body, format, compression, &organization, &Directory::default(), None, &limits));
    check(&decode::<Assistances>(body, format, compression, &organization, &Directory::default(), None, &limits));
});

fn check<C: Columns>(decoded: &Result<Decoded<C>, BodyError>) {
    if let Ok(decoded) = decoded {
        assert!(!decoded.facts.is_empty() || decoded.rejected > 0);
        assert_eq!(decoded.rejected == 0, decoded.errors.is_empty());
    }
}
