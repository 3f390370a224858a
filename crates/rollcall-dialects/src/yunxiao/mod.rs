//! Yunxiao's Lingma reports, `GetDepartmentUsage` and `GetDeveloperUsage`: who used the coding assistant, by department or developer and day.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
mod errors;
#[cfg(feature = "server")]
mod paging;
#[cfg(feature = "server")]
mod params;
#[cfg(feature = "server")]
mod render;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod settings;
#[cfg(feature = "server")]
mod token;
#[cfg(feature = "server")]
mod usage;
pub mod wire;

#[cfg(feature = "server")]
pub use settings::{Scope, Settings, Token};
