//! rollcall
fn main(){}
