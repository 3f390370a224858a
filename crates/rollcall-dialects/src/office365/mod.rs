//! Office 365: the reporting web service, reports as OData V2.

#[cfg(feature = "server")]
pub mod odata;
