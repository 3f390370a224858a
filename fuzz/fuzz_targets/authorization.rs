//! No `Authorization` makes a dialect panic, or lets somebody in: the secrets are not in the input, and no signature is right by chance.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use rollcall_fuzz::Service;
use std::cell::OnceCell;

thread_local!(static SERVICE: OnceCell<Service> = const { OnceCell::new() });

const PATHS: [&str; 4] = [
    "/open-apis/vc/v1/reports/get_daily?start_time=1771900000&end_time=1771990000",
    "/ecp/reportingwebservice/reporting.svc/CsActiveUserDaily",
    "/?Action=ListOperationDistribution&Version=2020-12-01",
    "/oapi/v1/platform/user",
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, value)) = input.split_first() else { return };
    let path = PATHS[usize::from(*choice) % PATHS.len()];
    // What is behind `Basic` is base64: as given it would hardly ever decode.
    let basic = format!("Basic {}", STANDARD.encode(value));
    let value = if *choice >= 128 { basic.as_bytes() } else { value };
    let headers = [("authorization", value), ("x-yunxiao-token", value), ("x-date", b"20260225T061320Z".as_slice())];
    let status = SERVICE.with(|service| service.get_or_init(Service::new).status(path, &headers));
    assert!(status.is_client_error() || status.as_u16() == 503, "{status}");
});
