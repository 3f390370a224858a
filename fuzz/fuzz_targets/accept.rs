//! No `Accept`, `$format` or version header makes the Office 365 service panic, take long, or answer without a credential.

#![no_main]

use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use rollcall_fuzz::Service;
use std::cell::OnceCell;

thread_local!(static SERVICE: OnceCell<Service> = const { OnceCell::new() });

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|byte| *byte == 0);
    let [accept, version, max_version, format] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let format: String = format.iter().map(|byte| format!("%{byte:02x}")).collect();
    let path = format!("/ecp/reportingwebservice/reporting.svc/CsActiveUserDaily?$format={format}");
    let headers = [("accept", accept), ("dataserviceversion", version), ("maxdataserviceversion", max_version)];
    let status = SERVICE.with(|service| service.get_or_init(Service::new).status(&path, &headers));
    assert!(status.is_client_error() && status != StatusCode::NOT_FOUND, "{status}");
});
