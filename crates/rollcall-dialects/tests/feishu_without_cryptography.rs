//! A program that installed no cryptography: on its own, for what is installed is installed for a whole process.
#![allow(missing_docs)]

use rollcall_dialects::feishu::client::{Client, Error};

#[test]
fn a_client_without_cryptography_is_an_error_and_no_panic() {
    for base in ["https://open.feishu.cn", "http://127.0.0.1:7070"] {
        let Err(error) = Client::new(base, "cli_a", "secret") else { panic!("made for {base}") };
        assert!(matches!(error, Error::Setup(_)) && error.to_string().contains("no rustls crypto provider is installed"), "{error}");
    }
}
