//! The four vendor APIs that rollcall speaks, each a folder with its wire types, its server routes and its client.
//!
//! A dialect keeps its vendor's words and oddities to itself: it reads requests, asks [`rollcall_model::Reports`], and renders.
