//! rollcall
mod believable;

fn main(){}
