//! The one black-box test binary: it starts the real executable and speaks to it as users do. A module for each promise;
//! each module says what belongs in it.

#![expect(unreachable_pub, reason = "nothing can reach into a program")]
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and tells why")]

mod harness;

mod assistance;
mod backup;
mod bad_input;
mod bounds;
mod cli;
mod connections;
mod copilot;
mod crash;
mod damage;
mod directory;
mod durability;
mod erase;
mod export;
mod feishu;
mod full_disk;
mod isolation;
mod keys;
mod mistakes;
mod native;
mod office365;
mod operations;
mod places;
mod power_loss;
mod responsive;
mod shares;
mod strangers;
mod verify;
mod volcengine;
mod withdraw;
mod yunxiao;
