//! Office 365: the reporting web service, `CsActiveUserDaily`, `Weekly`, `Monthly` and `Yearly` over OData V2.

#[cfg(feature = "server")]
mod access;
#[cfg(feature = "server")]
mod answers;
#[cfg(feature = "server")]
mod atom;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
mod entity;
#[cfg(feature = "server")]
mod errors;
#[cfg(feature = "server")]
mod json;
#[cfg(feature = "server")]
mod line;
#[cfg(feature = "server")]
mod literal;
#[cfg(feature = "server")]
mod metadata;
#[cfg(feature = "server")]
mod negotiate;
#[cfg(feature = "server")]
pub mod odata;
#[cfg(feature = "server")]
mod options;
#[cfg(feature = "server")]
mod ordering;
#[cfg(feature = "server")]
mod password;
#[cfg(feature = "server")]
mod path;
#[cfg(feature = "server")]
mod periods;
#[cfg(feature = "server")]
mod rows;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod settings;
#[cfg(feature = "server")]
mod time_zone;
#[cfg(feature = "server")]
mod versions;
pub mod wire;
#[cfg(feature = "server")]
mod xml;

#[cfg(feature = "server")]
pub use password::{hash_password, hash_password_here, is_password_hash};
#[cfg(feature = "server")]
pub use settings::{Role, Settings, User};
