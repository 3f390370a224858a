//! What somebody without a credential, or behind a proxy, can and cannot do to the server.

use crate::harness::{PASSWORD, SERVICE, Server, USER, configuration};

mod proxies;
